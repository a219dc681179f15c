"""Absences after an activity: noted when it is closed, and again when its attendance changes.

An activity is closed a day after its end, when scanners without network have uploaded. Attendance
that is entered later removes the mark in its own transaction (`book.close_book`); the sweep here
handles undone admissions.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select

from server.activities import service as activities
from server.base.jobs import TaskContext
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.checkin.feedback_models import NotedAttendance
from server.checkin.models import HallTally, ScanRecord
from server.checkin.reading import select_attended
from server.signups import service as signups

# Corrections later than this do not change absences any more.
WATCHED = timedelta(days=60)


def due_activities(uow: UnitOfWork) -> list[int]:
    """Row ids of closed activities whose attendance is not noted, or has changed since.

    An activity without any attendance has no absences: nobody recorded who came.
    """
    newest = _newest_scan(HallTally.activity_id).scalar_subquery()
    noted = NotedAttendance.activity_id
    rows = (
        select(HallTally.activity_id)
        .outerjoin(NotedAttendance, noted == HallTally.activity_id)
        .where(
            HallTally.activity_id.in_(activities.ids_closed(uow.now - WATCHED)),
            or_(noted.is_not(None), HallTally.admitted > 0),
            or_(
                noted.is_(None),
                NotedAttendance.admitted != HallTally.admitted,
                NotedAttendance.last_scan_id < func.coalesce(newest, 0),
            ),
        )
        .order_by(HallTally.activity_id)
    )
    return list(uow.session.scalars(rows))


def note_attendance(uow: UnitOfWork, activity_id: int) -> int:
    """Mark those who had a seat and did not come; return how many are newly marked.

    Without any attendance left all marks are removed.
    Locks: the activity.
    """
    # The hall is read first: a change meanwhile makes the activity due again.
    hall = uow.session.get_one(HallTally, activity_id, populate_existing=True)
    admitted = hall.admitted
    newest = uow.session.scalar(_newest_scan(activity_id)) or 0
    if admitted:
        marked = signups.note_absences(uow, activity_id, select_attended(activity_id))
    else:
        signups.forget_absences(uow, activity_id)
        marked = 0
    values = {"admitted": admitted, "last_scan_id": newest, "noted_at": uow.now}
    uow.session.execute(
        insert_for(uow.session, NotedAttendance)
        .values(activity_id=activity_id, **values)
        .on_conflict_do_update(index_elements=["activity_id"], set_=values)
    )
    return marked


def _newest_scan(activity_id: Any) -> Select[Any]:
    return select(func.max(ScanRecord.id)).where(ScanRecord.activity_id == activity_id)


def note_absences(context: TaskContext, *_ids: int) -> int:
    """Note the absences of closed activities, each in a transaction of its own; return how many."""
    with context.uow_factory.begin(read_only=True) as reading:
        due = due_activities(reading)
    total = 0
    for activity_id in due:
        with context.uow_factory.begin() as uow:
            total += note_attendance(uow, activity_id)
    return total
