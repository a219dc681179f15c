"""The meaning of WeChat's answers for a recipient and for the whole announcement. Pure.

Source: reliability, fault matrix, column "push"; errcodes are classified in wechat/errors.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from server.announcements.enums import Channel
from server.base.outbox_rows import Done, GiveUp, Outcome, Retry
from server.wechat.errors import (
    BadContent,
    ConfigWrong,
    QuotaSpent,
    SlowDown,
    TemplateRefused,
    TokenRefused,
    UnknownRecipient,
    WeChatError,
)
from server.wechat.gateway import FanOutResult
from server.wechat.letters import Accepted, PushLetter
from server.wechat.retries import FOR_EVERYBODY, outcome_of, reason_of

# WeChat keeps a client_msg_id for 10 minutes; the rest is for calls and clocks.
REPEATED_FOR = timedelta(minutes=9)
# More openids of another app than this among the first results mean a wrong audience.
FIRST_RESULTS, MOST_UNKNOWN = 200, 10


@dataclass(frozen=True, kw_only=True)
class PlannedCall:
    """One call of an announcement: its letter, and the channel that it uses."""

    announcement_id: int
    channel: Channel
    letter: PushLetter = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Refused(GiveUp):
    """WeChat refused this recipient on this channel, and certainly delivered nothing."""

    trouble: WeChatError = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Stop:
    """The reason for a pause, with the field or errcode it is about."""

    reason: str
    detail: str


def judge_result(result: FanOutResult, now: datetime) -> Outcome:
    """The outcome of one call for its recipient."""
    if isinstance(result, Accepted):
        return Done(result=result.message_id)
    if isinstance(result, BadContent | TemplateRefused):
        # The announcement is paused; the recipient waits for what an organizer decides.
        return Retry(reason=reason_of(result), for_everybody=True)
    # A busy response means that nothing was delivered. Source: global return codes, -1.
    outcome = outcome_of(result, now, busy_did_nothing=True)
    if isinstance(outcome, GiveUp):
        return Refused(reason=outcome.reason, trouble=result)
    return outcome


def find_stop(result: FanOutResult) -> Stop | None:
    """The reason to pause the whole announcement after one answer."""
    match result:
        case BadContent():
            return Stop(reason="content_refused", detail=result.field or str(result.errcode))
        case TemplateRefused():
            return Stop(reason="template_refused", detail=str(result.errcode))
        case TokenRefused():
            return Stop(reason="token_refused", detail=str(result.errcode))
        case ConfigWrong():
            return Stop(reason="wechat_config", detail=str(result.errcode))
    return None


def is_unknown_recipient(result: FanOutResult) -> bool:
    """Whether the openid is none of this app's."""
    return isinstance(result, UnknownRecipient)


def is_slow_down(result: FanOutResult) -> bool:
    """Whether WeChat asks for a lower rate."""
    return isinstance(result, SlowDown)


def concerns_everybody(result: FanOutResult) -> bool:
    """Whether other calls would fail too, so that a run makes no further ones."""
    return isinstance(result, (*FOR_EVERYBODY, BadContent, TemplateRefused))


def spent_channels(results: Sequence[tuple[Channel, FanOutResult]]) -> set[Channel]:
    """The channels whose daily quota is spent."""
    return {channel for channel, result in results if isinstance(result, QuotaSpent)}


def may_repeat(channel: Channel, first_try: datetime, now: datetime) -> bool:
    """Whether a call in doubt may be repeated: WeChat recognises the id of a template message.

    Never with a clock that was turned back behind the first try.
    """
    return channel is Channel.TEMPLATE and timedelta(0) <= now - first_try < REPEATED_FOR
