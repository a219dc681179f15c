"""Rules for retrying failed background calls to WeChat; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.base import outbox_rows as outbox
from server.base.clock import beijing_day, beijing_midnight
from server.wechat.errors import (
    BusyRecipient,
    CallInDoubt,
    ConfigWrong,
    NotSent,
    QuotaSpent,
    SlowDown,
    TokenRefused,
    TryLater,
    WeChatError,
)

# WeChat refused before doing anything, or never received the call: a retry is safe.
NOT_DONE = (NotSent, BusyRecipient, SlowDown, TokenRefused, ConfigWrong, QuotaSpent)
# These failures would hit any other call too.
FOR_EVERYBODY = (NotSent, SlowDown, TokenRefused, ConfigWrong, QuotaSpent)


def wait_after(tries: int) -> timedelta:
    """Back-off of a row after its attempts: from two seconds, doubling, at most an hour."""
    return timedelta(seconds=min(2 ** min(tries, 12), 3600))


def pause_after(trouble: WeChatError, tries: int, now: datetime) -> timedelta:
    """How long to pause a queue after a failure; a spent quota until midnight in Beijing."""
    if isinstance(trouble, QuotaSpent):
        return asked_pause(trouble, now)
    return max(asked_pause(trouble, now), wait_after(tries))


def asked_pause(trouble: WeChatError, now: datetime) -> timedelta:
    """The pause requested by WeChat; zero when it requests none."""
    if isinstance(trouble, QuotaSpent):
        return beijing_midnight(beijing_day(now) + timedelta(days=1)) - now
    seconds = trouble.after_seconds if isinstance(trouble, TryLater) else 0
    return timedelta(seconds=seconds)


def outcome_of(
    trouble: WeChatError, now: datetime, *, repeatable: bool = False, busy_did_nothing: bool = False
) -> outbox.Outcome:
    """The outcome of a failed call for its outbox row.

    `repeatable` calls are harmless when executed twice, so every failure is retried. With
    `busy_did_nothing`, WeChat's busy response means that the call was not executed.
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
    if isinstance(trouble, CallInDoubt | TryLater):
        return outbox.InDoubt(reason=reason)
    return outbox.GiveUp(reason=reason)


def reason_of(trouble: WeChatError) -> str:
    """The error's class and WeChat's number, stored on a row that gives up."""
    return trouble.kind if trouble.errcode is None else f"{trouble.kind}:{trouble.errcode}"
