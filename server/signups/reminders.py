"""Reminders of confirmed places: one a day before the start, and one two hours before it.

A sweep adds the rows when they become due, so that a new start needs no change of rows: one that
was not delivered is put off to its new time (`notices.py`), and one of each kind is delivered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, Select, exists, literal, select

from server.activities import service as activities
from server.base.sql.tables import Json, UtcDateTime, insert_for
from server.base.uow import UnitOfWork
from server.signups.kinds import NoticeKind, SignUpState
from server.signups.models import SignUp, SignUpNotice
from server.signups.store import TELL_TASK

# The time before the start at which each reminder is due.
BEFORE: Mapping[NoticeKind, timedelta] = {
    NoticeKind.TOMORROW: timedelta(hours=24),
    NoticeKind.SOON: timedelta(hours=2),
}
# The time before the start until which each reminder is useful: the first until the second is due.
_UNTIL = {NoticeKind.TOMORROW: BEFORE[NoticeKind.SOON], NoticeKind.SOON: timedelta()}


@dataclass(frozen=True, kw_only=True)
class DueReminders:
    """The reminders of one kind for one activity, which are due since an instant."""

    activity_id: int
    kind: NoticeKind
    due_at: datetime


def due_reminders(uow: UnitOfWork) -> list[DueReminders]:
    """The reminders that are due and not added yet."""
    due = [
        DueReminders(activity_id=activity_id, kind=kind, due_at=starts_at - before)
        for kind, before in BEFORE.items()
        for activity_id, starts_at in activities.starts_between(
            uow, uow.now + _UNTIL[kind], uow.now + before
        )
    ]
    return [one for one in due if uow.session.execute(_select_rows(one).limit(1)).first()]


def add_reminders(uow: UnitOfWork, due: DueReminders) -> int:
    """Add the reminders of one kind for an activity, in one statement; return how many."""
    columns = ("signup_id", "kind", "number", "facts", "due_at")
    added = uow.session.scalars(
        insert_for(uow.session, SignUpNotice)
        .from_select(columns, _select_rows(due))
        .on_conflict_do_nothing()
        .returning(SignUpNotice.id)
    ).all()
    if added:
        uow.enqueue_after_commit(TELL_TASK)
    return len(added)


def is_over(kind: NoticeKind, starts_at: datetime, now: datetime) -> bool:
    """Whether a reminder is too late to be useful."""
    return now >= starts_at - _UNTIL[kind]


def _select_rows(due: DueReminders) -> Select[*tuple[Any, ...]]:
    """The rows to add: confirmed places without this reminder.

    A person who got the place, or a message about a new time, after the reminder was due gets none:
    the start was in that message.
    """
    own = SignUpNotice.signup_id == SignUp.id
    changed = (SignUpNotice.kind == NoticeKind.CHANGED, SignUpNotice.due_at > due.due_at)
    rows = select(
        SignUp.id,
        literal(due.kind, SignUpNotice.kind.type),
        literal(0, Integer),
        literal({}, Json),
        literal(due.due_at, UtcDateTime),
    )
    return rows.where(
        SignUp.activity_id == due.activity_id,
        SignUp.state == SignUpState.CONFIRMED,
        SignUp.citizen_id.is_not(None),
        SignUp.changed_at <= due.due_at,
        ~exists().where(own, SignUpNotice.kind == due.kind),
        ~exists().where(own, *changed),
    )
