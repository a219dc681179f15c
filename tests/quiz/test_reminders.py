"""The daily reminder: planned in the evening, for those who want it and have not begun a paper."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from server.base.jobs import TaskContext
from server.base.templates import message_templates, shorten_thing
from server.base.uow import UnitOfWorkFactory
from server.emulator.fields import accepts_value
from server.notices import tasks as notices_tasks
from server.notices.models import InboxMessage, MessageGrant, Push
from server.quiz.attempts import reminders
from server.quiz.attempts import service as attempts
from server.quiz.attempts.reminders import plan_reminders, streak_of
from server.quiz.contests.service import ContestView
from tests.kit.accounts import Person, a_citizen, a_consent
from tests.kit.boards import at_most
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import open_contest

TEMPLATE = next(one for one in message_templates() if one.slug == reminders.TEMPLATE)
# Seven in the evening in Beijing.
SEVEN = datetime(2026, 5, 1, 11, tzinfo=UTC)


@pytest.fixture
def contest(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> ContestView:
    clock.set(SEVEN - timedelta(days=3))
    opened = open_contest(uow_factory, title="2026年广西公民科学素质网络竞赛")
    clock.set(SEVEN)
    return opened


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    gateway.answers["send_subscription"] = "msg"
    return TaskContext(uow_factory=uow_factory, gateway=gateway)


def someone(uow_factory: UnitOfWorkFactory, *, grants: int = 1) -> Person:
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
        a_consent(uow, person.id)
        for _ in range(grants):
            uow.session.add(
                MessageGrant(
                    citizen_id=person.id,
                    template_id=TEMPLATE.id,
                    made_at=uow.now,
                    event_at=uow.now,
                )
            )
    return person


def play(
    uow_factory: UnitOfWorkFactory, contest: ContestView, person: Person, *, hand_in: bool = True
) -> None:
    with uow_factory.begin() as uow:
        paper = attempts.start_paper(uow, contest.ref, person.id)
    if hand_in:
        with uow_factory.begin() as uow:
            attempts.submit_paper(uow, paper.view.sheet.ref, person.id, {})


def planned(uow_factory: UnitOfWorkFactory) -> list[Push]:
    with uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(Push).order_by(Push.id)))


def test_who_allowed_it_and_has_not_played_is_reminded_once_a_day(
    context: TaskContext, contest: ContestView, clock: FakeClock
) -> None:
    eager, idle, busy = (someone(context.uow_factory, grants=3) for _ in range(3))
    someone(context.uow_factory, grants=0)
    play(context.uow_factory, contest, eager)
    play(context.uow_factory, contest, busy, hand_in=False)
    assert [plan_reminders(context) for _ in range(3)] == [1, 0, 0]
    (row,) = planned(context.uow_factory)
    # The limit over all senders holds for it.
    assert (row.citizen_id, row.counted) == (idle.id, True)
    clock.advance(86400)
    assert plan_reminders(context) == 3


def test_the_reminder_leads_by_message_and_inbox_to_the_paper(
    context: TaskContext, contest: ContestView, gateway: RecordingGateway
) -> None:
    idle = someone(context.uow_factory)
    plan_reminders(context)
    notices_tasks.send_pushes(context)
    ((message,),) = gateway.called("send_subscription")
    assert message.openid == idle.openid
    assert message.page == f"packages/quiz/round/index?id={contest.ref}"
    assert {key: message.fields[key] for key in ("thing2", "number3", "time4")} == {
        "thing2": "今天的题还没有答",
        "number3": "0",
        "time4": "2026年5月1日 23:59",
    }
    with context.uow_factory.begin(read_only=True) as uow:
        letter = uow.session.scalars(select(InboxMessage)).one()
    assert (letter.title, letter.page) == ("每日答题提醒", message.page)
    assert "2026年5月1日 24:00 以前" in letter.body
    assert contest.title in letter.body
    assert letter.not_pushed_reason is None


def test_every_field_is_one_that_wechat_takes(
    context: TaskContext, contest: ContestView, gateway: RecordingGateway
) -> None:
    someone(context.uow_factory)
    plan_reminders(context)
    (push,) = planned(context.uow_factory)
    assert set(push.fields) == {field.key for field in TEMPLATE.fields}
    assert [key for key, value in push.fields.items() if not accepts_value(key, value)] == []
    assert shorten_thing("长" * 20) == "长" * 20
    assert accepts_value("thing1", shorten_thing("长" * 21))


@pytest.mark.parametrize(
    ("clock_time", "due"),
    [("18:59", False), ("19:00", True), ("21:29", True), ("21:30", False), ("03:00", False)],
)
def test_reminders_are_planned_in_the_evening_alone(
    context: TaskContext, contest: ContestView, clock: FakeClock, clock_time: str, due: bool
) -> None:
    someone(context.uow_factory)
    clock.set(datetime.fromisoformat(f"2026-05-01T{clock_time}:00+08:00"))
    assert plan_reminders(context) == int(due)


def test_no_open_contest_reminds_nobody(
    context: TaskContext, contest: ContestView, clock: FakeClock
) -> None:
    someone(context.uow_factory)
    clock.set(contest.closes_at.replace(hour=11, minute=0) + timedelta(days=1))
    assert plan_reminders(context) == 0


def test_days_without_a_gap_are_counted(
    context: TaskContext, contest: ContestView, clock: FakeClock, gateway: RecordingGateway
) -> None:
    person = someone(context.uow_factory)
    for ago in (2, 1):
        clock.set(SEVEN - timedelta(days=ago))
        play(context.uow_factory, contest, person)
    clock.set(SEVEN)
    plan_reminders(context)
    (push,) = planned(context.uow_factory)
    assert push.fields["number3"] == "2"
    with context.uow_factory.begin(read_only=True) as uow:
        assert "连续答题 2 天" in uow.session.scalars(select(InboxMessage.body)).one()


@pytest.mark.parametrize(
    ("days", "streak"),
    [([], 0), ([1], 1), ([2], 1), ([1, 2], 2), ([0], 0), ([2, 0], 1), ([1, 0], 1)],
)
def test_a_streak_ends_today_or_yesterday(days: list[int], streak: int) -> None:
    assert streak_of([date(2026, 5, day) for day in days if day], date(2026, 5, 2)) == streak


def test_the_evenings_search_does_not_grow_with_those_who_played(
    context: TaskContext, contest: ContestView
) -> None:
    for _ in range(5):
        play(context.uow_factory, contest, someone(context.uow_factory))
    with context.uow_factory.begin(read_only=True) as uow, at_most(context.uow_factory, 3):
        found = reminders.due_contest(uow)
        assert found is not None
        assert reminders.people_to_remind(uow, found) == []
