"""States of sign-ups, and the reasons why somebody on a waitlist has no seat."""

from __future__ import annotations

from enum import StrEnum


class SignUpState(StrEnum):
    """The state of a sign-up; see `SignUp`."""

    CONFIRMED = "confirmed"
    OFFERED = "offered"
    WAITLISTED = "waitlisted"
    ENTERED = "entered"
    # Ended by the person, by a missed offer or the end of the activity (expired), by an organizer,
    # or because the activity is cancelled (called off).
    WITHDRAWN = "withdrawn"
    DECLINED = "declined"
    EXPIRED = "expired"
    REMOVED = "removed"
    CALLED_OFF = "called_off"


# States that hold seats.
SEATED = (SignUpState.CONFIRMED, SignUpState.OFFERED)
# States of people who wait for seats.
HOPING = (SignUpState.WAITLISTED, SignUpState.ENTERED)
LIVE = (*SEATED, *HOPING)


class Hindrance(StrEnum):
    """The rule that holds back a sign-up on the waitlist."""

    NOT_RUNNING = "not_running"
    CLASH = "clash"
    PARTY_TOO_LARGE = "party_too_large"
    NO_SEAT = "no_seat"
    TOO_FEW = "too_few"
    SEATS_GATHER = "seats_gather"
    OTHERS_GATHER = "others_gather"


class NoticeKind(StrEnum):
    """Kind of a message about a sign-up."""

    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    ENTERED = "entered"
    PROMOTED = "promoted"
    OFFERED = "offered"
    EXPIRED = "expired"
    DRAWN = "drawn"
    NOT_DRAWN = "not_drawn"
    TOMORROW = "tomorrow"
    SOON = "soon"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    REMOVED = "removed"
    PUT_BACK = "put_back"
