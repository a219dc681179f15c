"""Absences: noted after the closing, and corrected with the attendance."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.checkin import closing, service
from server.signups import changes, tasks
from server.signups.models import SignUp
from tests.kit.activities import Lecture
from tests.kit.checkin import EDITOR, give_grant, open_lecture, scan_in, seat_citizen, ticket_of
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.signup_probes import seat_guest

DAY = timedelta(days=1).total_seconds()


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    return TaskContext(uow_factory=uow_factory, gateway=gateway)


def absent(uow_factory: UnitOfWorkFactory, lecture: Lecture) -> set[str]:
    with uow_factory.begin(read_only=True) as uow:
        asked = select(SignUp.ref).where(SignUp.absent_at.is_not(None))
        return set(uow.session.scalars(asked.where(SignUp.activity_id == lecture.id)))


def close_later(context: TaskContext, clock: FakeClock) -> None:
    """Let a day and some hours pass, and close what has ended."""
    clock.advance(DAY + 4 * 3600)
    assert tasks.close_activities(context) == 1


def test_who_did_not_come_is_absent_after_the_closing_and_not_before(
    context: TaskContext, clock: FakeClock
) -> None:
    uow_factory = context.uow_factory
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        came, missing = seat_citizen(uow, lecture), seat_citizen(uow, lecture)
        seat_guest(uow, lecture)
        held = give_grant(uow, lecture)
        assert scan_in(uow, held, ticket_of(uow, came)) == "OK"
        refs = came.ref, missing.ref
    clock.advance(DAY)
    assert closing.note_absences(context) == 0
    clock.advance(4 * 3600)
    tasks.close_activities(context)
    assert [closing.note_absences(context) for _ in range(2)] == [1, 0]
    assert absent(uow_factory, lecture) == {refs[1]}


def test_late_attendance_takes_the_absence_back_and_an_undo_gives_it(
    context: TaskContext, clock: FakeClock
) -> None:
    uow_factory = context.uow_factory
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        came, late = seat_citizen(uow, lecture), seat_citizen(uow, lecture)
        held = give_grant(uow, lecture)
        scan_in(uow, held, ticket_of(uow, came))
        refs = came.ref, late.ref
    close_later(context, clock)
    closing.note_absences(context)
    assert absent(uow_factory, lecture) == {refs[1]}
    with uow_factory.begin(EDITOR) as uow:
        service.admit_by_hand(uow, EDITOR, refs[1], "手机没电，补签")
    assert absent(uow_factory, lecture) == set()
    closing.note_absences(context)
    with uow_factory.begin(EDITOR) as uow:
        service.undo_admission(uow, EDITOR, refs[1], "补错了人")
    assert closing.note_absences(context) == 1
    assert absent(uow_factory, lecture) == {refs[1]}


def test_an_activity_that_recorded_nobody_has_no_absences(
    context: TaskContext, clock: FakeClock
) -> None:
    uow_factory = context.uow_factory
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        seat_citizen(uow, lecture)
        give_grant(uow, lecture)
    close_later(context, clock)
    assert closing.note_absences(context) == 0
    assert absent(uow_factory, lecture) == set()


def test_undoing_the_only_attendance_forgets_all_absences(
    context: TaskContext, clock: FakeClock
) -> None:
    uow_factory = context.uow_factory
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        came = seat_citizen(uow, lecture)
        seat_citizen(uow, lecture)
        scan_in(uow, give_grant(uow, lecture), ticket_of(uow, came))
        ref = came.ref
    close_later(context, clock)
    assert closing.note_absences(context) == 1
    with uow_factory.begin(EDITOR) as uow:
        service.undo_admission(uow, EDITOR, ref, "试机")
    closing.note_absences(context)
    assert absent(uow_factory, lecture) == set()


def test_a_cancelled_activity_has_no_absences(context: TaskContext, clock: FakeClock) -> None:
    uow_factory = context.uow_factory
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        came = seat_citizen(uow, lecture)
        seat_citizen(uow, lecture)
        scan_in(uow, give_grant(uow, lecture), ticket_of(uow, came))
    with uow_factory.begin(EDITOR) as uow:
        changes.cancel_activity(uow, EDITOR, lecture.ref, "停电")
    clock.advance(2 * DAY)
    assert (tasks.close_activities(context), closing.note_absences(context)) == (0, 0)
    with uow_factory.begin(read_only=True) as uow:
        states = uow.session.scalars(select(SignUp.absent_at)).all()
    assert set(states) == {None}
