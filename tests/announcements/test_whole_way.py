"""One announcement from its draft to its result, across all parts of the slice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update

from server.accounts import service as accounts
from server.accounts.models import Citizen
from server.announcements.approval import reviewing
from server.announcements.approval.hashing import hash_content
from server.announcements.compose import drafts
from server.announcements.compose.drafts import AnnouncementDraft
from server.announcements.enums import AnnouncementState, Channel, RecipientState
from server.announcements.ledger.control import start_due
from server.announcements.models import Announcement, Recipient, SendTry
from server.announcements.rules.contents import Contents
from server.announcements.watching.funnel import note_opened
from server.announcements.watching.progress import read_progress
from server.announcements.watching.steering import pause_announcement, resume_announcement
from server.announcements.watching.withdrawing import withdraw_announcement
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import service as channel
from server.notices import service as notices
from tests.kit.announcements import TEMPLATE
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE
from tests.kit.receipts import a_template_receipt, apply, store
from tests.kit.sends import HeardWeChat, send_once, some_followers, states_of, work_until_idle

EDITOR, APPROVER = PEOPLE["editor-region"], PEOPLE["approver-region"]
PEOPLE_REACHED = 12
DRAFT = AnnouncementDraft(
    title="讲座下周开讲",
    body="欢迎报名。",
    topic="lectures",
    ladder=(Channel.TEMPLATE,),
    contents=Contents(template=TEMPLATE),
)


def row_of(uow: UnitOfWork, ref: str) -> Announcement:
    return uow.session.scalars(select(Announcement).where(Announcement.ref == ref)).one()


def approved(uow_factory: UnitOfWorkFactory) -> tuple[str, int]:
    """The ref and the row id of an announcement that an editor wrote and an approver approved."""
    with uow_factory.begin() as uow:
        ref = drafts.write_announcement(uow, EDITOR, DRAFT)
    with uow_factory.begin() as uow:
        reviewing.send_to_review(uow, EDITOR, ref)
    with uow_factory.begin() as uow:
        row = row_of(uow, ref)
        counted = reviewing.count_recipients(uow, row)
        assert counted == PEOPLE_REACHED
        assert reviewing.approve_announcement(uow, APPROVER, ref, hash_content(row), counted)
        return ref, row.id


def sent_messages(uow_factory: UnitOfWorkFactory) -> list[tuple[str, str]]:
    """The openid and the message id of each message that WeChat accepted."""
    with uow_factory.begin(read_only=True) as uow:
        sent = uow.session.execute(
            select(Recipient.citizen_id, SendTry.message_id)
            .join(Recipient, Recipient.id == SendTry.recipient_id)
            .where(SendTry.message_id.is_not(None))
            .order_by(SendTry.id)
        ).all()
        openids = accounts.openids_of(uow, {one for one, _ in sent}, "official_account")
        return [(openids[one], message_id or "") for one, message_id in sent]


def test_from_the_draft_to_the_result_every_recipient_is_accounted_for(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, tmp_path: Path
) -> None:
    with uow_factory.begin() as uow:
        people = some_followers(uow, PEOPLE_REACHED)
        # A template message needs an act of one's own: they chose the topic.
        uow.session.execute(update(Citizen).values(topics=[DRAFT.topic]))
    wechat = HeardWeChat(tmp_path / "heard")
    context = TaskContext(uow_factory=uow_factory, gateway=wechat)  # type: ignore[arg-type]
    ref, row_id = approved(uow_factory)
    work_until_idle(context)
    assert wechat.inbox() == Counter(), "the two minutes for a cancellation have not passed"
    with uow_factory.begin() as uow:
        channel.mark_unfollowed(uow, people[:1])
        silent = update(Citizen).where(Citizen.id == people[1]).values(announcements_off=True)
        uow.session.execute(silent)
    clock.advance(timedelta(minutes=3).total_seconds())
    with uow_factory.begin() as uow:
        start_due(uow)
    send_once(context, most=4, connections=4)
    with uow_factory.begin() as uow:
        pause_announcement(uow, APPROVER, ref)
    reached_before = wechat.inbox()
    work_until_idle(context)
    assert wechat.inbox() == reached_before, "paused"
    with uow_factory.begin() as uow:
        resume_announcement(uow, APPROVER, ref)
    # Another process continues, as after a restart.
    work_until_idle(TaskContext(uow_factory=uow_factory, gateway=wechat))  # type: ignore[arg-type]
    assert set(wechat.inbox().values()) == {1}
    assert states_of(uow_factory, row_id) == {"sent": PEOPLE_REACHED - 2, "refused": 2}
    blocked, *delivered = sent_messages(uow_factory)
    store(uow_factory, a_template_receipt(*blocked, "failed:user block"))
    store(uow_factory, *(a_template_receipt(*one) for one in delivered))
    assert apply(uow_factory) == PEOPLE_REACHED - 2
    with uow_factory.begin() as uow:
        note_opened(uow, people[-1], ref)
    with uow_factory.begin(read_only=True) as uow:
        shown = read_progress(uow, row_id)
        assert row_of(uow, ref).state is AnnouncementState.DONE
        letters = [notices.list_messages(uow, one, limit=9, after=None)[0] for one in people]
    assert shown.audience == PEOPLE_REACHED
    assert shown.left == 0
    assert shown.count(RecipientState.REFUSED) == 3
    assert shown.delivered == shown.count(RecipientState.SENT) == PEOPLE_REACHED - 3
    assert shown.opened == 1
    assert [len(some) for some in letters] == [1] * PEOPLE_REACHED
    reasons = [some[0].not_pushed_reason for some in letters]
    assert all(reasons[:2])
    assert sum(bool(one) for one in reasons) == 3
    with uow_factory.begin() as uow:
        withdraw_announcement(uow, APPROVER, ref, "时间写错了，以新通知为准。")
    with uow_factory.begin(read_only=True) as uow:
        [letter] = notices.list_messages(uow, people[-1], limit=9, after=None)[0]
    assert letter.withdrawn
