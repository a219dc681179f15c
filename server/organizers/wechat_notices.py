"""Notices to an organizer's own WeChat account: pending tasks, once a day, and a test message.

Both are customer-service messages, which WeChat accepts within 48 hours of the organizer's own last
message to the official account. This window is not checked here: the message is sent, and WeChat's
refusal is shown on the page of the account.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, exists, select

from server.base.access import Organizer
from server.base.clock import BEIJING, beijing_day
from server.base.jobs import TaskContext
from server.base.outbox import deliver_due
from server.base.outbox_rows import Done, GiveUp, OutboxState, Outcome, Queue, queued_values
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.organizers.models import (
    AccountState,
    OrganizerAccount,
    OrganizerNotice,
    OrganizerWeChat,
)
from server.organizers.own_account import openid_of
from server.organizers.sessions import organizer_of
from server.wechat.errors import RecipientGone, WeChatError
from server.wechat.gateway import Gateway
from server.wechat.retries import outcome_of

_log = logging.getLogger(__name__)
SEND_TASK = "organizers.send_notices"
# Hours of the Beijing day in which a notice may be sent: from the first up to the last.
FIRST_HOUR, LAST_HOUR = 9, 17
_LEASE = timedelta(minutes=2)
_KEPT = timedelta(days=30)
# WeChat's error numbers: the 48 hours are over, or all messages of them are used; and: the
# organizer does not follow the account, or refuses its messages.
_WINDOW = (45015, 45047)
_UNFOLLOWED = (43004, 48002)


@dataclass(frozen=True, kw_only=True)
class NoticeText:
    """A message and its recipient."""

    openid: str = field(repr=False)
    text: str = field(repr=False)


def plan_notices(context: TaskContext, *_ids: int) -> int:
    """Queue today's notice for every organizer with pending tasks; return how many."""
    uow_factory = context.uow_factory
    with uow_factory.begin(read_only=True) as uow:
        if not FIRST_HOUR <= uow.now.astimezone(BEIJING).hour < LAST_HOUR:
            return 0
        unplanned = _unplanned_accounts(uow)
    return sum(_plan_notice(uow_factory, account_id) for account_id in unplanned)


def _unplanned_accounts(uow: UnitOfWork) -> list[int]:
    today = exists().where(
        OrganizerNotice.organizer_id == OrganizerWeChat.organizer_id,
        OrganizerNotice.day == beijing_day(uow.now),
    )
    rows = (
        select(OrganizerWeChat.organizer_id)
        .join(OrganizerAccount, OrganizerAccount.id == OrganizerWeChat.organizer_id)
        .where(OrganizerAccount.state == AccountState.ACTIVE, OrganizerWeChat.notices_on, ~today)
    )
    return list(uow.session.scalars(rows.order_by(OrganizerWeChat.organizer_id)))


def _plan_notice(uow_factory: UnitOfWorkFactory, account_id: int) -> int:
    with uow_factory.begin() as uow:
        if not _waiting_lines(uow, account_id):
            return 0
        fresh = insert_for(uow.session, OrganizerNotice).values(
            organizer_id=account_id, day=beijing_day(uow.now), made_at=uow.now,
            **queued_values(uow.now),
        )  # fmt: skip
        made = fresh.on_conflict_do_nothing().returning(OrganizerNotice.id)
        uow.enqueue_after_commit(SEND_TASK)
        return len(uow.session.execute(made).all())


def _waiting_lines(uow: UnitOfWork, account_id: int) -> list[str]:
    """An organizer's pending tasks, one sentence each."""
    organizer = organizer_of(uow, uow.session.get_one(OrganizerAccount, account_id))
    found = [
        one
        for provide in uow.dependencies.hooks.waiting
        for one in provide(uow, organizer)
        if one.count
    ]
    say = uow.texts.fill_text
    return [f"{one.count} {say(one.said, count=one.count, **one.facts)}" for one in found]


def _prepare_notice(uow: UnitOfWork, row: OrganizerNotice) -> NoticeText | Outcome:
    bound = uow.session.get(OrganizerWeChat, row.organizer_id)
    openid = openid_of(uow, row.organizer_id)
    if openid is None or bound is None or not bound.notices_on:
        return GiveUp(reason="not_wanted")
    if row.day != beijing_day(uow.now):
        return GiveUp(reason="too_late")
    lines = _waiting_lines(uow, row.organizer_id)
    if not lines:
        return GiveUp(reason="nothing_waits")
    text = uow.texts.fill_text(
        "organizers.notice.text",
        lines="\n".join(lines),
        address=f"{uow.settings.own_address}/console",
    )
    return NoticeText(openid=openid, text=text)


def _send_notice(context: TaskContext, notice: NoticeText) -> Outcome:
    try:
        context.gateway.send_text(notice.openid, notice.text)
    except WeChatError as trouble:
        return outcome_of(trouble, context.uow_factory.dependencies.clock.now())
    return Done()


def _settle_notice(_uow: UnitOfWork, _row: OrganizerNotice, _outcome: Outcome) -> None:
    """Do nothing: the page reads the outbox columns."""


QUEUE = Queue(
    name="organizer_notices",
    task=SEND_TASK,
    table=OrganizerNotice,
    prepare=_prepare_notice,
    send=_send_notice,
    settle=_settle_notice,
    lease=_LEASE,
    keep_for=timedelta(days=1),
)


def send_notices(context: TaskContext, *_ids: int) -> int:
    """Send the queued notices; return how many ended or were postponed."""
    return deliver_due(context, QUEUE).moved


def say_last_notice(uow: UnitOfWork, organizer: Organizer) -> tuple[str, str] | None:
    """Day and text key of the last notice's outcome; None before the first."""
    row = _last_notice(uow, organizer.id)
    if row is None:
        return None
    if row.outbox_state is OutboxState.GIVEN_UP:
        return row.day.isoformat(), _refusal_key(row.outbox_reason or "")
    said = {
        OutboxState.DONE: "organizers.notice.sent",
        OutboxState.IN_DOUBT: "organizers.notice.in_doubt",
    }
    state = row.outbox_state or OutboxState.QUEUED
    return row.day.isoformat(), said.get(state, "organizers.notice.queued")


def _last_notice(uow: UnitOfWork, organizer_id: int) -> OrganizerNotice | None:
    mine = select(OrganizerNotice).where(OrganizerNotice.organizer_id == organizer_id)
    return uow.session.scalar(mine.order_by(OrganizerNotice.day.desc()).limit(1))


def send_test(gateway: Gateway, openid: str | None, text: str) -> str:
    """Send a test message now; return the text key of what happened. Never in a transaction."""
    if openid is None:
        return "organizers.notice.not_bound"
    try:
        gateway.send_text(openid, text)
    except WeChatError as trouble:
        _log.warning("test message not sent", extra={"code": trouble.code})
        if isinstance(trouble, RecipientGone):
            return _refusal_key(f"gone:{trouble.errcode}")
        return "organizers.notice.failed"
    return "organizers.notice.test_sent"


def _refusal_key(reason: str) -> str:
    number = reason.rpartition(":")[2]
    if number.isdigit() and int(number) in _WINDOW:
        return "organizers.notice.no_window"
    if number.isdigit() and int(number) in _UNFOLLOWED:
        return "organizers.notice.not_following"
    if reason in ("not_wanted", "nothing_waits", "too_late"):
        return "organizers.notice.not_needed"
    return "organizers.notice.failed"


def drop_old_notices(uow: UnitOfWork) -> int:
    """Delete notices of more than thirty days ago; return how many."""
    old = OrganizerNotice.made_at < uow.now - _KEPT
    gone = delete(OrganizerNotice).where(old).returning(OrganizerNotice.id)
    return len(uow.session.execute(gone).all())
