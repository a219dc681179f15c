"""Reading attendance: counters, a citizen's own, lists for organizers, people at a gate."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from server.activities import service as activities
from server.activities.service import Seating
from server.base.access import Organizer
from server.base.ownership import serving_found_row
from server.base.uow import UnitOfWork
from server.checkin.models import Admission, HallTally, ScanRecord
from server.signups.service import SignUp


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """The attendance of one sign-up.

    Units: `stayed_seconds` counts the stays that ended with a check-out.
    """

    signup_id: int
    activity_id: int
    first_in_at: datetime
    last_out_at: datetime | None
    stayed_seconds: int
    people: int


@dataclass(frozen=True, kw_only=True)
class HallCounters:
    """People of an activity: admitted, now inside, walk-ins among them, and people with seats."""

    admitted: int
    inside: int
    walk_ins: int
    expected: int


def attendance_in(
    uow: UnitOfWork, activity_ids: Collection[int], citizen_id: int
) -> dict[int, Attendance]:
    """The attendance of a citizen in these activities, by the activity's row id."""
    rows = uow.session.scalars(
        select(Admission)
        .join(SignUp, SignUp.id == Admission.signup_id)
        .where(
            SignUp.citizen_id == citizen_id,
            Admission.activity_id.in_(list(activity_ids)),
            Admission.holds,
        )
        .order_by(Admission.first_in_at.desc())
    )
    # The earlier attendance of two sign-ups counts, for example after a merge.
    return {row.activity_id: _attendance_of(row) for row in rows}


def attended_signups(uow: UnitOfWork, activity_id: int) -> set[int]:
    """The row ids of the sign-ups of an activity whose people came."""
    return set(uow.session.scalars(select_attended(activity_id)))


def select_attended(activity_id: int) -> Select[Any]:
    """A subquery of the sign-ups of an activity whose people came."""
    return select(Admission.signup_id).where(Admission.activity_id == activity_id, Admission.holds)


def citizens_attended(activity_ids: Select[Any]) -> Select[Any]:
    """A subquery of the citizens who came to one of the activities."""
    return (
        select(SignUp.citizen_id)
        .join(Admission, Admission.signup_id == SignUp.id)
        .where(
            SignUp.citizen_id.is_not(None),
            Admission.activity_id.in_(activity_ids),
            Admission.holds,
        )
    )


def was_recorded(uow: UnitOfWork, activity_id: int) -> bool:
    """Whether anybody was ever checked in to an activity, so that absences are known."""
    asked = select(Admission.id).where(Admission.activity_id == activity_id, Admission.holds)
    return uow.session.scalar(asked.limit(1)) is not None


def read_counters(uow: UnitOfWork, activity_id: int) -> HallCounters:
    """The counters of an activity; zeros before the first grant or check-in."""
    row = uow.session.execute(
        select(Seating.taken, HallTally.admitted, HallTally.inside, HallTally.walk_ins)
        .outerjoin(HallTally, HallTally.activity_id == Seating.activity_id)
        .where(Seating.activity_id == activity_id)
    ).one()
    return HallCounters(
        admitted=row.admitted or 0,
        inside=row.inside or 0,
        walk_ins=row.walk_ins or 0,
        expected=row.taken,
    )


def list_conflicts(uow: UnitOfWork, organizer: Organizer, ref: str) -> Sequence[ScanRecord]:
    """The conflicts of an activity of the organizer's place, the newest first.

    Raises: NotFound (404).
    """
    activity = activities.own_activity(uow, organizer, ref)
    with serving_found_row(uow.session):
        return uow.session.scalars(_conflicts_of(activity.id)).all()


def _conflicts_of(activity_id: int) -> Select[Any]:
    asked = select(ScanRecord).where(
        ScanRecord.activity_id == activity_id, ScanRecord.is_conflict.is_(True)
    )
    return asked.order_by(ScanRecord.at.desc(), ScanRecord.id.desc())


def _attendance_of(row: Admission) -> Attendance:
    return Attendance(
        signup_id=row.signup_id,
        activity_id=row.activity_id,
        first_in_at=row.first_in_at,
        last_out_at=row.last_out_at,
        stayed_seconds=row.stayed_seconds,
        people=row.people,
    )
