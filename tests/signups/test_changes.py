"""Changes of a published activity: everybody with a place is told once, seats stay exact."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from server.activities.errors import ActivityBegun, WrongActivityState
from server.activities.kinds import ActivityState
from server.activities.models import Activity, Seating
from server.activities.service import DraftRefused, Move
from server.audit.models import AuditRecord
from server.base.errors import NotFound
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.notices.models import InboxMessage
from server.signups import changes, service, store, tasks
from server.signups.errors import SignUpClosed
from server.signups.kinds import NoticeKind, SignUpState
from server.signups.models import SignUp, SignUpNotice
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture, a_lecture, live_signups, recount, stored_counts
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import all_at_once
from tests.signups.test_notices import lecture_at, pushes, signed_up

EDITOR = PEOPLE["editor-region"]
START = datetime(2026, 5, 3, 7, tzinfo=UTC)
HOURS = timedelta(hours=2)
VENUE = "广西图书馆报告厅"


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    return TaskContext(uow_factory=uow_factory, gateway=gateway)


def to_start(start: datetime, **other: Any) -> Move:
    return Move(**{"starts_at": start, "ends_at": start + HOURS, "venue": VENUE, **other})


def change(uow_factory: UnitOfWorkFactory, act: Any, lecture: Lecture, *given: Any) -> int:
    with uow_factory.begin() as uow:
        told: int = act(uow, EDITOR, lecture.ref, *given)
        return told


def row_of(uow_factory: UnitOfWorkFactory, lecture: Lecture) -> Activity:
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.get_one(Activity, lecture.id)
        uow.session.expunge(row)
        return row


@pytest.mark.parametrize(
    ("old", "new", "urgent"),
    [
        (timedelta(hours=24), timedelta(days=7), True),
        (timedelta(hours=25), timedelta(days=7), False),
        (timedelta(days=3), timedelta(hours=24), True),
        (timedelta(days=3), timedelta(hours=25), False),
    ],
)
def test_a_change_is_urgent_within_a_day_of_the_former_start_or_of_the_new_one(
    context: TaskContext, clock: FakeClock, old: timedelta, new: timedelta, urgent: bool
) -> None:
    begun = clock.now()
    lecture = lecture_at(context.uow_factory, starts_at=begun + old)
    citizen = signed_up(context.uow_factory, lecture, "change-notice")
    change(context.uow_factory, changes.move_activity, lecture, to_start(begun + new))
    tasks.tell_notices(context)
    assert [push.urgent for push in pushes(context.uow_factory, citizen)] == [urgent]
    # A correction of the new date does not hide the start that people know.
    later = to_start(begun + new + timedelta(days=1))
    change(context.uow_factory, changes.move_activity, lecture, later)
    assert row_of(context.uow_factory, lecture).moved_from == begun + min(old, new)


def places(uow_factory: UnitOfWorkFactory, lecture: Lecture) -> dict[int | None, SignUpState]:
    with uow_factory.begin(read_only=True) as uow:
        rows = uow.session.scalars(select(SignUp).where(SignUp.activity_id == lecture.id))
        found = {row.citizen_id: row.state for row in rows}
        assert stored_counts(uow, lecture) == recount(uow, lecture)
        return found


def letters_of(uow_factory: UnitOfWorkFactory, citizen: int) -> list[InboxMessage]:
    with uow_factory.begin(read_only=True) as uow:
        found = uow.session.scalars(
            select(InboxMessage).where(InboxMessage.citizen_id == citizen).order_by(InboxMessage.id)
        )
        return list(found)


def test_a_move_is_told_to_everybody_and_raises_the_revision(
    context: TaskContext, rung: list[tuple[str, tuple[int, ...]]]
) -> None:
    lecture = lecture_at(context.uow_factory, seats=1)
    seated, waiting = (signed_up(context.uow_factory, lecture) for _ in range(2))
    tasks.tell_notices(context)
    rung.clear()
    new = to_start(START + timedelta(days=1), venue="科技馆", reason="场地检修")
    assert change(context.uow_factory, changes.move_activity, lecture, new) == 2
    assert {name for name, _ in rung} >= {store.TELL_TASK, store.FILL_TASK}
    row = row_of(context.uow_factory, lecture)
    assert (row.starts_at, row.signup_closes_at, row.revision) == (new.starts_at, new.starts_at, 1)
    assert change(context.uow_factory, changes.move_activity, lecture, new) == 0
    assert row_of(context.uow_factory, lecture).revision == 1
    tasks.tell_notices(context)
    for citizen in (seated, waiting):
        letter = letters_of(context.uow_factory, citizen)[-1]
        assert letter.title == "活动时间和地点有变"
        assert "2026年5月4日（周一）15:00" in letter.body
        assert "科技馆" in letter.body
        assert letter.body.endswith("原因：场地检修。")


def test_each_change_of_two_is_told_as_it_was_then(context: TaskContext) -> None:
    lecture = lecture_at(context.uow_factory)
    citizen = signed_up(context.uow_factory, lecture)
    for days in (1, 2):
        new = to_start(START + timedelta(days=days))
        change(context.uow_factory, changes.move_activity, lecture, new)
    tasks.tell_notices(context)
    told = [one.body for one in letters_of(context.uow_factory, citizen)][1:]
    assert ["5月4日" in body for body in told] == [True, False]
    assert ["5月5日" in body for body in told] == [False, True]


@pytest.mark.parametrize(
    ("closes_before", "moved_by", "closes_before_new"),
    [
        (timedelta(), timedelta(days=2), timedelta()),
        (timedelta(), timedelta(hours=-5), timedelta()),
        # It stays where it was, unless it would end after the start.
        (timedelta(hours=6), timedelta(days=1), timedelta(hours=30)),
        (timedelta(hours=6), timedelta(hours=-9), timedelta()),
        # A sign-up during the activity goes on during it.
        (-timedelta(hours=1), timedelta(days=1), -timedelta(hours=1)),
    ],
)
def test_the_closing_of_the_sign_up_moves_with_the_start(
    uow_factory: UnitOfWorkFactory,
    closes_before: timedelta,
    moved_by: timedelta,
    closes_before_new: timedelta,
) -> None:
    lecture = lecture_at(uow_factory, signup_closes_at=START - closes_before)
    new = to_start(START + moved_by)
    change(uow_factory, changes.move_activity, lecture, new)
    row = row_of(uow_factory, lecture)
    assert row.starts_at - row.signup_closes_at == closes_before_new


def test_a_wrong_move_is_refused_and_changes_nothing(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    lecture = lecture_at(uow_factory)
    signed_up(uow_factory, lecture)
    wrong = (
        (to_start(clock.now() - timedelta(days=2)), "starts_at"),
        (Move(starts_at=START, ends_at=START - HOURS, venue=VENUE), "ends_at"),
        (to_start(START, venue=" "), "venue"),
        (to_start(START, latitude=1), "latitude"),
    )
    for move, field in wrong:
        with pytest.raises(DraftRefused) as refusal:
            change(uow_factory, changes.move_activity, lecture, move)
        assert field in [one.field for one in refusal.value.faults]
    assert row_of(uow_factory, lecture).revision == 0
    with pytest.raises(NotFound), uow_factory.begin() as uow:
        changes.move_activity(uow, PEOPLE["editor-city"], lecture.ref, to_start(START + HOURS))
    clock.set(START)
    for act, given in (
        (changes.move_activity, to_start(START + timedelta(days=1))),
        (changes.postpone_activity, "台风"),
    ):
        with pytest.raises(ActivityBegun):
            change(uow_factory, act, lecture, given)
    clock.set(START + HOURS)
    with pytest.raises(ActivityBegun):
        change(uow_factory, changes.cancel_activity, lecture, "台风")
    with uow_factory.begin(read_only=True) as uow:
        kinds = uow.session.scalars(select(SignUpNotice.kind)).all()
    assert kinds == [NoticeKind.CONFIRMED]


def test_an_offer_ends_at_the_earlier_start_of_a_moved_activity(
    context: TaskContext, clock: FakeClock
) -> None:
    lecture = lecture_at(context.uow_factory, seats=1, offer_minutes=24 * 60)
    first, second = (signed_up(context.uow_factory, lecture) for _ in range(2))
    with context.uow_factory.begin() as uow:
        service.withdraw(uow, first, lecture.ref)
    early = clock.now() + timedelta(hours=3)
    change(context.uow_factory, changes.move_activity, lecture, to_start(early))
    with context.uow_factory.begin(read_only=True) as uow:
        (row,) = live_signups(uow, lecture)
        assert (row.citizen_id, row.offer_expires_at) == (second, early)


def test_a_postponed_activity_keeps_places_takes_offers_back_and_offers_nothing(
    context: TaskContext, clock: FakeClock
) -> None:
    lecture = lecture_at(context.uow_factory, seats=2, offer_minutes=60)
    first, second, third, fourth = (signed_up(context.uow_factory, lecture) for _ in range(4))
    with context.uow_factory.begin() as uow:
        service.withdraw(uow, first, lecture.ref)
    assert places(context.uow_factory, lecture)[third] is SignUpState.OFFERED
    assert change(context.uow_factory, changes.postpone_activity, lecture, "台风") == 3
    kept = {second: "confirmed", third: "waitlisted", fourth: "waitlisted", first: "withdrawn"}
    assert places(context.uow_factory, lecture) == kept
    clock.set(START + timedelta(days=3))
    for task in (tasks.expire_offers, tasks.fill_idle_seats, tasks.close_activities):
        assert task(context) == 0
    tasks.plan_reminders(context)
    assert places(context.uow_factory, lecture) == kept
    tasks.tell_notices(context)
    (*_, letter) = letters_of(context.uow_factory, third)
    assert letter.title == "活动延期"
    assert "重新通知你" in letter.body
    assert "重新通知你" not in letters_of(context.uow_factory, second)[-1].body
    with context.uow_factory.begin() as uow:
        # A postponed activity is over for nobody: its places can be given back.
        assert service.withdraw(uow, second, lecture.ref)
    new = to_start(START + timedelta(days=30))
    assert change(context.uow_factory, changes.set_new_date, lecture, new) == 2
    tasks.fill_idle_seats(context)
    assert places(context.uow_factory, lecture)[third] is SignUpState.OFFERED
    row = row_of(context.uow_factory, lecture)
    assert (row.state, row.revision, row.remark) == (ActivityState.PUBLISHED, 2, None)
    assert row.signup_closes_at == new.starts_at


def test_the_old_date_of_a_postponed_activity_clashes_with_nothing(
    uow_factory: UnitOfWorkFactory,
) -> None:
    lecture, other = lecture_at(uow_factory), lecture_at(uow_factory)
    citizen = signed_up(uow_factory, lecture)
    change(uow_factory, changes.postpone_activity, lecture, "台风")
    with uow_factory.begin() as uow:
        placed = service.sign_up(uow, citizen, other.ref, service.Wish())
    assert placed.state is SignUpState.CONFIRMED


def test_a_cancelled_activity_ends_every_place_and_promotes_nobody(context: TaskContext) -> None:
    lecture = lecture_at(context.uow_factory, seats=1, title="数字时代的科学")
    people = [signed_up(context.uow_factory, lecture) for _ in range(3)]
    assert change(context.uow_factory, changes.cancel_activity, lecture, "嘉宾生病") == 3
    assert set(places(context.uow_factory, lecture).values()) == {SignUpState.CALLED_OFF}
    for task in tasks.TASKS:
        task.step(context)
    for citizen in people:
        letters = letters_of(context.uow_factory, citizen)
        assert letters[-1].title == "活动取消"
        assert letters[-1].body.endswith("原因：嘉宾生病。")
        assert "候补成功" not in [one.title for one in letters]
    for act, given in (
        (changes.cancel_activity, "再取消"),
        (changes.move_activity, to_start(START + HOURS)),
    ):
        with pytest.raises(WrongActivityState):
            change(context.uow_factory, act, lecture, given)
    with context.uow_factory.begin(read_only=True) as uow:
        acts = uow.session.scalars(select(AuditRecord.act)).all()
    assert acts == ["activities.cancel_activity"]


def test_cancelling_one_of_two_at_the_same_time_lets_its_people_in_at_the_other(
    context: TaskContext,
) -> None:
    first, second = (lecture_at(context.uow_factory, seats=1) for _ in range(2))
    holder = signed_up(context.uow_factory, second)
    waiting = signed_up(context.uow_factory, second)
    with context.uow_factory.begin() as uow:
        service.sign_up(uow, waiting, first.ref, service.Wish())
    with context.uow_factory.begin() as uow:
        service.withdraw(uow, holder, second.ref)
    assert places(context.uow_factory, second)[waiting] is SignUpState.WAITLISTED
    change(context.uow_factory, changes.cancel_activity, first, "嘉宾生病")
    tasks.fill_idle_seats(context)
    assert places(context.uow_factory, second)[waiting] is SignUpState.CONFIRMED


def test_a_cancellation_takes_few_statements_however_many_signed_up(
    uow_factory: UnitOfWorkFactory,
) -> None:
    counted = []
    # The first of them fills caches.
    for people in (1, 3, 300):
        with uow_factory.begin() as uow:
            lecture = a_lecture(uow, starts_at=START, seats=400)
            uow.session.get_one(Seating, lecture.id).taken = people
            citizen = a_citizen(uow).id
            values = {
                "activity_id": lecture.id, "state": SignUpState.CONFIRMED, "party_size": 1,
                "answers": {}, "made_at": uow.now, "changed_at": uow.now,
            }  # fmt: skip
            rows = [{**values, "ref": f"sgn_{lecture.id}_{at}"} for at in range(people)]
            rows[0]["citizen_id"] = citizen
            uow.session.execute(insert(SignUp), [{"citizen_id": None, **one} for one in rows])
        statements: list[str] = []

        def note_statement(*given: Any, into: list[str] = statements) -> None:
            into.append(given[2])

        event.listen(uow_factory.engine, "before_cursor_execute", note_statement)
        assert change(uow_factory, changes.cancel_activity, lecture, "台风") == 1
        event.remove(uow_factory.engine, "before_cursor_execute", note_statement)
        counted.append(len(statements))
        assert Counter(places(uow_factory, lecture).values()).keys() == {SignUpState.CALLED_OFF}
    assert counted[1] == counted[2]


@pytest.mark.race
def test_nobody_signs_up_beside_a_cancellation(uow_factory: UnitOfWorkFactory) -> None:
    lecture = lecture_at(uow_factory, seats=4)
    with uow_factory.begin() as uow:
        people = [a_citizen(uow).id for _ in range(12)]

    def sign_up(citizen: int) -> None:
        with uow_factory.begin() as uow:
            service.sign_up(uow, citizen, lecture.ref, service.Wish())

    steps: list[Any] = [lambda one=one: sign_up(one) for one in people]
    steps.insert(6, lambda: change(uow_factory, changes.cancel_activity, lecture, "台风"))
    results = all_at_once(steps)
    refused = sum(isinstance(one, SignUpClosed) for one in results)
    called_off = len(places(uow_factory, lecture))
    assert set(places(uow_factory, lecture).values()) <= {SignUpState.CALLED_OFF}
    assert refused + called_off == 12
    assert results[6] == called_off


def test_a_day_after_its_end_an_activity_is_closed_and_nobody_waits_or_was_absent(
    context: TaskContext, clock: FakeClock
) -> None:
    lecture = lecture_at(context.uow_factory, seats=1)
    seated, waiting = (signed_up(context.uow_factory, lecture) for _ in range(2))
    clock.set(START + HOURS + timedelta(days=1) - timedelta(seconds=1))
    assert tasks.close_activities(context) == 0
    clock.advance(1)
    assert [tasks.close_activities(context) for _ in range(2)] == [1, 0]
    assert row_of(context.uow_factory, lecture).state is ActivityState.CLOSED
    ended = {seated: SignUpState.CONFIRMED, waiting: SignUpState.EXPIRED}
    assert places(context.uow_factory, lecture) == ended
    with context.uow_factory.begin(read_only=True) as uow:
        assert set(uow.session.scalars(select(SignUp.absent_at))) == {None}


def test_absences_are_marked_once_and_taken_back_with_a_late_attendance(
    uow_factory: UnitOfWorkFactory,
) -> None:
    lecture = lecture_at(uow_factory, seats=3)
    present, absent, guest = (signed_up(uow_factory, lecture) for _ in range(3))
    with uow_factory.begin() as uow:
        row = uow.session.scalars(select(SignUp).where(SignUp.citizen_id == guest)).one()
        row.citizen_id = None

    def note(*people: int) -> int:
        with uow_factory.begin() as uow:
            came = select(SignUp.id).where(SignUp.citizen_id.in_(people))
            return changes.note_absences(uow, lecture.id, came)

    def marked() -> set[int | None]:
        with uow_factory.begin(read_only=True) as uow:
            asked = select(SignUp.citizen_id).where(SignUp.absent_at.is_not(None))
            return set(uow.session.scalars(asked))

    assert (note(present), marked()) == (1, {absent})
    assert (note(present), marked()) == (0, {absent})
    assert (note(present, absent), marked()) == (0, set())
