"""Asks WeChat for a follower's unionid, to find the citizen of the mini-program.

The call is repeatable: a claim of a dead worker is queued again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from server.accounts import service as accounts
from server.base.jobs import TaskContext
from server.base.outbox_rows import Claim, Done, Lost, Outcome, Queue, Retry
from server.base.uow import UnitOfWork
from server.channel import rules
from server.channel.models import Follower
from server.wechat.errors import RecipientGone, WeChatError
from server.wechat.retries import outcome_of

APP: Final = "official_account"
LEARN_UNIONID = "channel.learn_unionid"
# Longer than the slowest call, so that two workers do not request the same unionid.
ASKING_LASTS = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class ToldUnionid:
    """WeChat's answer about a follower."""

    openid: str = field(repr=False)
    unionid: str | None = field(repr=False)


def _learn_before_settling(uow: UnitOfWork, _claim: Claim, outcome: Outcome | None) -> bool:
    # The citizens are locked here, before the follower. The answer is valid even if the claim was
    # lost meanwhile.
    told = outcome.result if isinstance(outcome, Done) else None
    if told is not None and told.unionid:
        accounts.learn_unionid(uow, APP, told.openid, told.unionid)
    return True


def _prepare_openid(uow: UnitOfWork, row: Follower) -> str | Outcome:
    return accounts.openid_of(uow, row.citizen_id, APP) or Done()


def _ask_unionid(context: TaskContext, openid: str) -> Outcome:
    try:
        unionid = context.gateway.fetch_follower(openid).unionid
    except RecipientGone:
        unionid = None
    except WeChatError as trouble:
        outcome = outcome_of(trouble, context.uow_factory.dependencies.clock.now(), repeatable=True)
        # No failure is urgent here, so each pauses the whole queue.
        return replace(outcome, for_everybody=True) if isinstance(outcome, Retry) else outcome
    return Done(result=ToldUnionid(openid=openid, unionid=unionid))


def _settle_asking(uow: UnitOfWork, row: Follower, outcome: Outcome) -> None:
    if isinstance(outcome, Done) and (outcome.result is None or not outcome.result.unionid):
        row.leave_outbox()
        row.ask_at = uow.now + rules.ASK_AFTER_NONE


QUEUE = Queue(
    name="unionids",
    task=LEARN_UNIONID,
    table=Follower,
    lock_first=_learn_before_settling,
    prepare=_prepare_openid,
    send=_ask_unionid,
    settle=_settle_asking,
    lost=Lost.QUEUED,
    lease=ASKING_LASTS,
)
