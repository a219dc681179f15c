"""When a failed call to WeChat makes sense again, for the background; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.base import outbox_rows as outbox
from server.base.clock import beijing_day, beijing_midnight
from server.wechat.errors import (
    BusyRecipient,
    ConfigWrong,
    InDoubt,
    NotSent,
    QuotaSpent,
    SlowDown,
    TokenRefused,
    TryLater,
    WeChatError,
)

# WeChat answered and did nothing, or never heard of the call: it may be made again.
NOT_DONE = (NotSent, BusyRecipient, SlowDown, TokenRefused, ConfigWrong, QuotaSpent)
# Whoever comes next would meet the same.
FOR_EVERYBODY = (NotSent, SlowDown, TokenRefused, ConfigWrong, QuotaSpent)


def wait_after(tries: int) -> timedelta:
    """How long a row rests after its tries. Units: from two seconds, doubling, at most an hour."""
    return timedelta(seconds=min(2 ** min(tries, 12), 3600))


def pause_after(trouble: WeChatError, tries: int, now: datetime) -> timedelta:
    """How long to wait before the same call; a spent quota comes back at midnight in Beijing."""
    if isinstance(trouble, QuotaSpent):
        return asked_pause(trouble, now)
    return max(asked_pause(trouble, now), wait_after(tries))


def asked_pause(trouble: WeChatError, now: datetime) -> timedelta:
    """The pause that WeChat itself asks for; none where it names none."""
    if isinstance(trouble, QuotaSpent):
        return beijing_midnight(beijing_day(now) + timedelta(days=1)) - now
    seconds = trouble.after_seconds if isinstance(trouble, TryLater) else 0
    return timedelta(seconds=seconds)


def outcome_of(
    trouble: WeChatError, now: datetime, *, repeatable: bool = False, busy_did_nothing: bool = False
) -> outbox.Outcome:
    """What a failed call means for its row in an outbox.

    Units: `repeatable` calls do no harm when they are made twice, so every failure is tried again;
    with `busy_did_nothing` WeChat's answer that it is busy says that nothing was done.
    """
    reason = reason_of(trouble)
    did_nothing = isinstance(trouble, NOT_DONE) or (
        busy_did_nothing and isinstance(trouble, TryLater)
    )
    if repeatable or did_nothing:
        return outbox.Retry(
            reason=reason,
            after=asked_pause(trouble, now),
            for_everybody=isinstance(trouble, FOR_EVERYBODY),
        )
    if isinstance(trouble, InDoubt | TryLater):
        return outbox.InDoubt(reason=reason)
    return outbox.GiveUp(reason=reason)


def reason_of(trouble: WeChatError) -> str:
    """The kind of an error with WeChat's number, for the row that ends with it."""
    return trouble.kind if trouble.errcode is None else f"{trouble.kind}:{trouble.errcode}"
