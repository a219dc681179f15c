"""Reminders: a day and two hours before the start, once each, outside quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from server.activities.kinds import ActivityState
from server.activities.models import Activity
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.notices import tasks as push_tasks
from server.notices.models import InboxMessage, Push
from server.signups import service, tasks
from server.signups.kinds import NoticeKind
from server.signups.models import SignUpNotice
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import all_at_once
from tests.signups.test_notices import grant, lecture_at, signed_up

# Three in the afternoon in Beijing.
START = datetime(2026, 5, 3, 7, tzinfo=UTC)
DAY, HOURS = timedelta(hours=24), timedelta(hours=2)
TOMORROW, SOON = "活动提醒", "活动快开始了"


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    gateway.answers["send_subscription"] = "msg"
    return TaskContext(uow_factory=uow_factory, gateway=gateway)


def sweep(context: TaskContext) -> None:
    """Plan, deliver and push, twice, as the worker's next rounds do."""
    for _ in range(2):
        tasks.plan_reminders(context)
        tasks.tell_notices(context)
        push_tasks.send_pushes(context)


def reminded(context: TaskContext, citizen: int) -> list[str]:
    """Titles of a citizen's reminders, in their order."""
    with context.uow_factory.begin(read_only=True) as uow:
        found = uow.session.scalars(
            select(InboxMessage.title)
            .where(InboxMessage.citizen_id == citizen, InboxMessage.title.in_((TOMORROW, SOON)))
            .order_by(InboxMessage.id)
        )
        return list(found)


def move(context: TaskContext, lecture: Lecture, start: datetime) -> None:
    with context.uow_factory.begin() as uow:
        times = {"starts_at": start, "ends_at": start + HOURS, "signup_closes_at": start}
        uow.session.execute(update(Activity).where(Activity.id == lecture.id).values(times))


def test_each_reminder_comes_at_its_time_and_once(context: TaskContext, clock: FakeClock) -> None:
    lecture = lecture_at(context.uow_factory, starts_at=START)
    citizen = signed_up(context.uow_factory, lecture)
    steps = (
        (DAY + timedelta(seconds=1), []),
        (DAY, [TOMORROW]),
        (HOURS + timedelta(seconds=1), [TOMORROW]),
        (HOURS, [TOMORROW, SOON]),
        (timedelta(), [TOMORROW, SOON]),
    )
    for before, expected in steps:
        clock.set(START - before)
        sweep(context)
        assert reminded(context, citizen) == expected


def test_a_worker_that_was_away_sends_no_late_reminder(
    context: TaskContext, clock: FakeClock
) -> None:
    lecture = lecture_at(context.uow_factory, starts_at=START)
    citizen = signed_up(context.uow_factory, lecture)
    clock.set(START - timedelta(minutes=5))
    sweep(context)
    assert reminded(context, citizen) == [SOON]
    other = lecture_at(context.uow_factory, starts_at=START + timedelta(hours=1))
    late = signed_up(context.uow_factory, other)
    clock.set(START + timedelta(hours=1))
    sweep(context)
    assert reminded(context, late) == []


def test_reminders_are_for_confirmed_people_of_published_activities(
    context: TaskContext, clock: FakeClock
) -> None:
    lecture = lecture_at(context.uow_factory, starts_at=START, seats=1)
    postponed = lecture_at(context.uow_factory, starts_at=START + timedelta(minutes=1))
    signed_up(context.uow_factory, lecture)
    waiting = signed_up(context.uow_factory, lecture)
    sleeping = signed_up(context.uow_factory, postponed)
    with context.uow_factory.begin() as uow:
        uow.session.execute(
            update(Activity)
            .where(Activity.id == postponed.id)
            .values(state=ActivityState.POSTPONED)
        )
    clock.set(START - DAY + timedelta(minutes=2))
    sweep(context)
    assert [reminded(context, one) for one in (waiting, sleeping)] == [[], []]


def test_who_signs_up_after_a_reminder_was_due_gets_the_next_one(
    context: TaskContext, clock: FakeClock
) -> None:
    lecture = lecture_at(context.uow_factory, starts_at=START)
    clock.set(START - DAY + timedelta(minutes=1))
    citizen = signed_up(context.uow_factory, lecture)
    sweep(context)
    assert reminded(context, citizen) == []
    clock.set(START - HOURS)
    sweep(context)
    assert reminded(context, citizen) == [SOON]


def test_who_withdraws_before_the_delivery_is_not_reminded(
    context: TaskContext, clock: FakeClock
) -> None:
    lecture = lecture_at(context.uow_factory, starts_at=START)
    citizen = signed_up(context.uow_factory, lecture)
    clock.set(START - DAY)
    tasks.plan_reminders(context)
    with context.uow_factory.begin() as uow:
        service.withdraw(uow, citizen, lecture.ref)
    sweep(context)
    assert reminded(context, citizen) == []


def test_a_new_start_plans_again_what_was_not_delivered(
    context: TaskContext, clock: FakeClock
) -> None:
    lecture = lecture_at(context.uow_factory, starts_at=START)
    citizen = signed_up(context.uow_factory, lecture)
    clock.set(START - DAY)
    tasks.plan_reminders(context)
    move(context, lecture, START + timedelta(days=7))
    sweep(context)
    assert reminded(context, citizen) == []
    clock.set(START + timedelta(days=6))
    sweep(context)
    assert reminded(context, citizen) == [TOMORROW]
    move(context, lecture, START + timedelta(days=9))
    clock.set(START + timedelta(days=8))
    sweep(context)
    assert reminded(context, citizen) == [TOMORROW]
    clock.set(START + timedelta(days=9) - HOURS)
    sweep(context)
    assert reminded(context, citizen) == [TOMORROW, SOON]


@pytest.mark.parametrize(
    ("start_hour", "own_quiet", "told_at_hour"),
    [
        # Two hours before nine is in the campaign's quiet hours, which end at eight.
        (9, None, 8),
        (15, ("12:30", "14:15"), 14.25),
        # Quiet until after the start: the letter is silent, the push is not sent.
        (15, ("12:30", "16:00"), 13),
    ],
)
def test_a_reminder_waits_for_the_end_of_quiet_hours(
    context: TaskContext,
    clock: FakeClock,
    start_hour: int,
    own_quiet: tuple[str, str] | None,
    told_at_hour: float,
) -> None:
    midnight = datetime(2026, 5, 2, 16, tzinfo=UTC)
    start = midnight + timedelta(hours=start_hour)
    lecture = lecture_at(context.uow_factory, starts_at=start)
    quiet = {} if own_quiet is None else {"quiet_from": own_quiet[0], "quiet_to": own_quiet[1]}
    with context.uow_factory.begin() as uow:
        citizen = a_citizen(uow, **quiet).id
        grant(uow, citizen, "lecture-reminder")
    with context.uow_factory.begin() as uow:
        service.sign_up(uow, citizen, lecture.ref, service.Wish())
    told = midnight + timedelta(hours=told_at_hour)
    clock.set(start - HOURS)
    sweep(context)
    at_once = told == start - HOURS
    if not at_once:
        clock.set(told - timedelta(seconds=1))
        sweep(context)
        assert reminded(context, citizen) == []
    clock.set(told)
    sweep(context)
    assert reminded(context, citizen) == [SOON]
    assert len(context.gateway.called("send_subscription")) == (0 if at_once else 1)


@pytest.mark.parametrize(("grants", "pushed"), [(0, []), (1, [SOON]), (2, [TOMORROW, SOON])])
def test_the_last_grant_is_kept_for_the_reminder_of_two_hours_before(
    context: TaskContext, clock: FakeClock, grants: int, pushed: list[str]
) -> None:
    lecture = lecture_at(context.uow_factory, starts_at=START)
    citizen = signed_up(context.uow_factory, lecture, *["lecture-reminder"] * grants)
    for before in (DAY, HOURS):
        clock.set(START - before)
        sweep(context)
    with context.uow_factory.begin(read_only=True) as uow:
        by_key = {
            row.key: row
            for row in uow.session.scalars(
                select(InboxMessage).where(InboxMessage.citizen_id == citizen)
            )
        }
        keys = uow.session.scalars(select(Push.key).order_by(Push.id)).all()
    assert [by_key[key].title for key in keys] == pushed
    reasons = {row.title: row.not_pushed_reason for row in by_key.values()}
    if grants == 1:
        assert reasons[TOMORROW] == "剩下的提醒次数留给开始前两小时"
        assert reasons[SOON] is None


@pytest.mark.race
def test_two_workers_plan_each_reminder_once(context: TaskContext, clock: FakeClock) -> None:
    lecture = lecture_at(context.uow_factory, starts_at=START, seats=20)
    for _ in range(12):
        signed_up(context.uow_factory, lecture)
    clock.set(START - DAY)
    planned = all_at_once([lambda: tasks.plan_reminders(context)] * 4)
    assert sum(one for one in planned if isinstance(one, int)) == 12
    with context.uow_factory.begin(read_only=True) as uow:
        kinds = uow.session.scalars(
            select(SignUpNotice.kind).where(SignUpNotice.kind == NoticeKind.TOMORROW)
        )
        assert len(kinds.all()) == 12
