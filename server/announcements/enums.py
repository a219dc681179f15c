"""Channels of announcements, and the states of announcements, recipients and sends."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """The way in which a message reaches a citizen; values are stored and used in the API.

    Each recipient also gets a copy in the inbox; `inbox` alone means that nothing is pushed.
    """

    MINI_SUBSCRIPTION = "mini_subscription"
    OFFICIAL_SUBSCRIPTION = "official_subscription"
    TEMPLATE = "template"
    CUSTOMER_MESSAGE = "customer_message"
    MASS = "mass"
    INBOX = "inbox"


class Purpose(StrEnum):
    """The purpose of an announcement.

    Only a change or cancellation of an activity within 24 hours ignores quiet hours.
    """

    NEWS = "news"
    CHANGE = "change"
    CORRECTION = "correction"


class AnnouncementState(StrEnum):
    """The stored state of an announcement; see `Announcement`."""

    DRAFT = "draft"
    REVIEW = "review"
    FREEZING = "freezing"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


# States in which nothing more is sent.
OVER = (AnnouncementState.DONE, AnnouncementState.CANCELLED)
# States in which the content and the recipients are fixed.
FROZEN = (
    AnnouncementState.SCHEDULED,
    AnnouncementState.SENDING,
    AnnouncementState.PAUSED,
    AnnouncementState.DONE,
    AnnouncementState.CANCELLED,
)


class RecipientState(StrEnum):
    """The state of a recipient; see `Recipient`."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    IN_DOUBT = "in_doubt"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


# No further call is made for a recipient in one of these states.
FINAL = (
    RecipientState.SENT,
    RecipientState.REFUSED,
    RecipientState.UNKNOWN,
    RecipientState.CANCELLED,
)


class TryState(StrEnum):
    """The state of one call to WeChat for one recipient; see `SendTry`."""

    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"
    UNKNOWN = "unknown"


class ReceiptWord(StrEnum):
    """WeChat's later report of one message."""

    DELIVERED = "delivered"
    BLOCKED = "blocked"
    FAILED = "failed"


class ReceiptKind(StrEnum):
    """The event that brought a receipt; `subscription` is that of the mini-program."""

    TEMPLATE = "template"
    MASS = "mass"
    SUBSCRIPTION = "subscription"
    OFFICIAL_SUBSCRIPTION = "official_subscription"
