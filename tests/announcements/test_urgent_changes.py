"""A change of an activity that starts within a day is sent at night; everything else waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from server.accounts.models import Citizen
from server.activities.service import Move
from server.announcements.approval import reviewing
from server.announcements.approval.hashing import hash_content
from server.announcements.compose import drafts
from server.announcements.compose.drafts import AnnouncementDraft
from server.announcements.enums import Channel, Purpose
from server.announcements.ledger.control import start_due
from server.announcements.models import Announcement
from server.announcements.rules.contents import Contents
from server.base.access import Organizer
from server.base.clock import BEIJING
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.signups import changes
from tests.kit.activities import a_lecture
from tests.kit.announcements import TEMPLATE
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE
from tests.kit.sends import HeardWeChat, a_send, some_followers, states_of, work_until_idle

EDITOR, APPROVER = PEOPLE["editor-region"], PEOPLE["approver-region"]
PEOPLE_REACHED = 3
NEWS = AnnouncementDraft(
    title="讲座有变",
    body="请您留意。",
    topic="lectures",
    ladder=(Channel.TEMPLATE,),
    contents=Contents(template=TEMPLATE),
)
EVENING = datetime(2026, 5, 1, 22, 30, tzinfo=BEIJING)
MORNING = datetime(2026, 5, 2, 8, 0, tzinfo=BEIJING)
Change = Callable[[UnitOfWork, Organizer, str, str], int]


@pytest.fixture
def wechat(tmp_path: Path) -> HeardWeChat:
    return HeardWeChat(tmp_path / "heard")


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, wechat: HeardWeChat) -> TaskContext:
    """Followers who chose the topic; one of them has quiet hours that begin early."""
    with uow_factory.begin() as uow:
        people = some_followers(uow, PEOPLE_REACHED)
        uow.session.execute(update(Citizen).values(topics=[NEWS.topic]))
        early = update(Citizen).where(Citizen.id == people[0])
        uow.session.execute(early.values(quiet_from="20:00", quiet_to="09:00"))
    return TaskContext(uow_factory=uow_factory, gateway=wechat)  # type: ignore[arg-type]


def changed_lecture(context: TaskContext, starts_at: datetime, change: Change) -> str:
    """The ref of a lecture that an organizer postponed or cancelled."""
    with context.uow_factory.begin() as uow:
        ref = a_lecture(uow, starts_at=starts_at).ref
    with context.uow_factory.begin() as uow:
        change(uow, EDITOR, ref, "台风")
    return ref


def announce(context: TaskContext, clock: FakeClock, draft: AnnouncementDraft) -> int:
    """The row id of an announcement that was approved and whose two minutes are over."""
    with context.uow_factory.begin() as uow:
        ref = drafts.write_announcement(uow, EDITOR, draft)
    with context.uow_factory.begin() as uow:
        reviewing.send_to_review(uow, EDITOR, ref)
    with context.uow_factory.begin() as uow:
        row = uow.session.scalars(select(Announcement).where(Announcement.ref == ref)).one()
        counted = reviewing.count_recipients(uow, row)
        assert counted == PEOPLE_REACHED
        reviewing.approve_announcement(uow, APPROVER, ref, hash_content(row), counted)
        row_id = row.id
    clock.advance(timedelta(minutes=3).total_seconds())
    send_what_is_due(context)
    return row_id


def send_what_is_due(context: TaskContext) -> None:
    with context.uow_factory.begin() as uow:
        start_due(uow)
    work_until_idle(context)


def move_to_next_week(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> int:
    starts_at = EVENING + timedelta(days=7)
    ends_at = starts_at + timedelta(hours=2)
    move = Move(starts_at=starts_at, ends_at=ends_at, venue="南宁科技馆", reason=reason)
    return changes.move_activity(uow, organizer, ref, move)


@pytest.mark.parametrize(
    "change", [changes.postpone_activity, changes.cancel_activity, move_to_next_week]
)
def test_a_change_of_tomorrows_lecture_is_sent_at_night(
    context: TaskContext, wechat: HeardWeChat, clock: FakeClock, change: Change
) -> None:
    clock.set(EVENING)
    ref = changed_lecture(context, datetime(2026, 5, 2, 9, tzinfo=BEIJING), change)
    sent = announce(context, clock, replace(NEWS, purpose=Purpose.CHANGE, activity_ref=ref))
    assert states_of(context.uow_factory, sent) == {"sent": PEOPLE_REACHED}
    assert set(wechat.inbox().values()) == {1}


@pytest.mark.parametrize("purpose", [Purpose.NEWS, Purpose.CHANGE])
def test_news_and_the_change_of_a_later_lecture_wait_for_the_morning(
    context: TaskContext, wechat: HeardWeChat, clock: FakeClock, purpose: Purpose
) -> None:
    clock.set(EVENING)
    soon = timedelta(hours=10) if purpose is Purpose.NEWS else timedelta(days=3)
    ref = changed_lecture(context, EVENING + soon, changes.postpone_activity)
    draft = replace(NEWS, purpose=purpose, activity_ref=ref)
    sent = announce(context, clock, draft)
    assert (states_of(context.uow_factory, sent), wechat.inbox()) == (
        {"queued": PEOPLE_REACHED},
        Counter(),
    )
    clock.set(MORNING)
    send_what_is_due(context)
    # The quiet hours of one person end at nine.
    assert states_of(context.uow_factory, sent) == {"sent": PEOPLE_REACHED - 1, "queued": 1}
    clock.set(MORNING + timedelta(hours=1))
    send_what_is_due(context)
    assert states_of(context.uow_factory, sent) == {"sent": PEOPLE_REACHED}


@pytest.mark.parametrize(
    ("ahead", "state"), [(timedelta(hours=24), "sent"), (timedelta(hours=25), "queued")]
)
def test_what_is_left_of_a_change_at_night_is_sent_only_within_a_day_of_the_activity(
    context: TaskContext, clock: FakeClock, ahead: timedelta, state: str
) -> None:
    clock.set(EVENING - timedelta(hours=2))
    ref = changed_lecture(context, EVENING + ahead, changes.postpone_activity)
    with context.uow_factory.begin() as uow:
        people = list(uow.session.scalars(select(Citizen.id)))
        columns = {"topic": NEWS.topic, "purpose": Purpose.CHANGE, "activity_ref": ref}
        sent = a_send(uow, people, **columns).id
    clock.set(EVENING)
    send_what_is_due(context)
    assert states_of(context.uow_factory, sent) == {state: PEOPLE_REACHED}
