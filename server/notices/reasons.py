"""Reasons why a message was not pushed: keys, and the sentences that citizens read."""

from __future__ import annotations

from enum import StrEnum

from server.base.uow import UnitOfWork


class NotPushed(StrEnum):
    """A reason why a message is only in the inbox.

    `not_asked_for`: a template message needs an act of the recipient's own. `never_pushed`: it
    corrects a message that is only an unread copy in the inbox. `quota_spent`: WeChat
    accepts no more of this kind today or this month. `cancelled`: the sender stopped the rest.
    `unknown`: WeChat did not say whether it delivered the message.
    """

    NO_GRANT = "no_grant"
    QUIET_HOURS = "quiet_hours"
    TOO_LATE = "too_late"
    NOT_FOLLOWING = "not_following"
    NO_MINI_PROGRAM = "no_openid"
    CAPPED = "capped"
    OPTED_OUT = "opted_out"
    NOT_ASKED_FOR = "not_asked_for"
    NEVER_PUSHED = "never_pushed"
    NO_WINDOW = "no_window"
    QUOTA_SPENT = "quota_spent"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    REFUSED = "refused"


def say_reason(uow: UnitOfWork, reason: str) -> str:
    """The sentence of a reason; a key that is none of `NotPushed` means that WeChat refused."""
    known = reason if reason in _KEYS else NotPushed.REFUSED
    return uow.texts.fill_text(f"notices.not_pushed.{known}")


_KEYS = frozenset(NotPushed)
