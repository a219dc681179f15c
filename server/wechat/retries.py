"""When a failed call to WeChat makes sense again, for the background; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.base.clock import beijing_day, beijing_midnight
from server.wechat.errors import (
    BusyRecipient,
    ConfigWrong,
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
        return beijing_midnight(beijing_day(now) + timedelta(days=1)) - now
    own = timedelta(seconds=trouble.after_seconds) if isinstance(trouble, TryLater) else timedelta()
    return max(own, wait_after(tries))


def reason_of(trouble: WeChatError) -> str:
    """The kind of an error with WeChat's number, for the row that ends with it."""
    return trouble.kind if trouble.errcode is None else f"{trouble.kind}:{trouble.errcode}"
