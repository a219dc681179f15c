"""Replies later than WeChat's five seconds: sent as customer-service messages, at most once.

Such messages have no deduplication id. So a call with an unknown result leaves the row in doubt
permanently; see `base/outbox.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select

from server.accounts import service as accounts
from server.base.jobs import TaskContext
from server.base.outbox_rows import Done, GiveUp, Outcome, PutOff, Queue, Retry, queued_values
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.channel import rules, windows
from server.channel.models import LateReply
from server.wechat.errors import WeChatError
from server.wechat.retries import outcome_of

APP: Final = "official_account"
SAY_LATE = "channel.say_late"


@dataclass(frozen=True, kw_only=True)
class LateText:
    """Text and recipient."""

    openid: str = field(repr=False)
    text: str = field(repr=False)


def queue_reply(uow: UnitOfWork, key: str, openid: str, text: str) -> None:
    """Queue a late reply, once per message; it uses the follower's window for customer messages.

    Locks: the citizen.
    """
    citizen_id = accounts.citizen_of_openid(uow, APP, openid, create=True)
    assert citizen_id is not None  # noqa: S101 - it was to be created
    row_id = uow.session.scalar(
        insert_for(uow.session, LateReply)
        .values(
            key=key,
            citizen_id=citizen_id,
            text=text,
            made_at=uow.now,
            **queued_values(uow.now),
        )
        .on_conflict_do_nothing()
        .returning(LateReply.id)
    )
    if row_id is not None:
        windows.note_window_use(uow, [citizen_id])
        uow.enqueue_after_commit(SAY_LATE, row_id)


def _prepare_text(uow: UnitOfWork, row: LateReply) -> LateText | Outcome:
    openid = accounts.openid_of(uow, row.citizen_id, APP)
    return LateText(openid=openid, text=row.text) if openid else GiveUp(reason="no_openid")


def _send_text(context: TaskContext, late: LateText) -> Outcome:
    try:
        context.gateway.send_text(late.openid, late.text)
    except WeChatError as trouble:
        return outcome_of(trouble, context.uow_factory.dependencies.clock.now())
    return Done()


def _settle_text(_work: UnitOfWork, row: LateReply, outcome: Outcome) -> None:
    # The text of a finished reply is deleted.
    if not isinstance(outcome, Retry | PutOff):
        row.text = ""


QUEUE = Queue(
    name="late_replies",
    task=SAY_LATE,
    table=LateReply,
    prepare=_prepare_text,
    send=_send_text,
    settle=_settle_text,
    lease=rules.CLAIM_LASTS,
    keep_for=rules.LATE_FOR,
)


def tell_replies(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's late replies, for the export."""
    rows = uow.session.scalars(
        select(LateReply).where(LateReply.citizen_id == citizen_id).order_by(LateReply.id)
    )
    return [
        {"at": row.made_at.isoformat(), "state": row.state.value, "text": row.text} for row in rows
    ]
