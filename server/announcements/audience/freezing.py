"""Freezes the recipients of an announcement: one row of the ledger per person, by statements.

A small audience is frozen in the transaction of the last approval. A large one would hold that
transaction, and on SQLite every writer, for seconds; it is frozen in parts in the background.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, delete, func, literal, select, true

from server.announcements.audience.selecting import select_recipients
from server.announcements.enums import AnnouncementState, RecipientState
from server.announcements.errors import TooManyDays
from server.announcements.models import Announcement, Recipient
from server.base.outbox_rows import queued_values
from server.base.ownership import serving_found_row
from server.base.sql.tables import UtcDateTime, insert_for
from server.base.uow import UnitOfWork

# The most days over which an announcement is split.
MOST_DAYS = 60
# The task that freezes large audiences, and ends the rows that are left of others.
FREEZE_TASK = "announcements.freeze_recipients"
_DAY = timedelta(days=1)
_recipient: Any = Recipient.__table__


def freeze_audience(uow: UnitOfWork, row: Announcement) -> int:
    """Insert the recipients of an announcement into the ledger; return how many.

    Rows are due at `starts_at`, or with `per_day` as many each day at that time. The number is also
    stored in `audience_size`. The caller holds the announcement and found it in the organizer's
    scope.
    Raises: WrongAudienceRule (422), TooManyDays (409), ValueError without `starts_at`.
    """
    with serving_found_row(uow.session):
        uow.session.flush()
        size = _insert_recipients(uow, row, select_recipients(uow, row), 0)
        require_few_days(row, size)
        row.audience_size = size
    return size


def freeze_next(uow: UnitOfWork, row: Announcement, most: int) -> bool:
    """As `freeze_audience`, for the next people in the order of their ids; False after the last.

    `frozen_count` and `frozen_to` say how far it is. A person who joins the audience behind the
    last one is not among the recipients.
    """
    with serving_found_row(uow.session):
        uow.session.flush()
        people = select_recipients(uow, row)
        citizen_id = people.selected_columns[0]
        people = people.where(citizen_id > (row.frozen_to or 0))
        some = people.order_by(citizen_id).limit(most).subquery()
        last, size = uow.session.execute(select(func.max(some.c[0]), func.count())).one()
        if size:
            before = row.frozen_count or 0
            made = _insert_recipients(uow, row, people.where(citizen_id <= last), before)
            row.frozen_count, row.frozen_to = before + made, last
    return bool(size == most)


def require_few_days(row: Announcement, size: int) -> None:
    """Refuse a split of the audience over too many days.

    Raises: TooManyDays (409).
    """
    if row.per_day is not None and size > row.per_day * MOST_DAYS:
        raise TooManyDays(days=-(-size // row.per_day), most=MOST_DAYS)


def freezes_at_once(uow: UnitOfWork, row: Announcement, people: int) -> bool:
    """Whether an audience is small enough to be frozen within a request.

    Not while recipients of an earlier approval are still there.
    """
    return people <= uow.settings.announcements.frozen_at_once and not row.rows_left


def thaw_audience(uow: UnitOfWork, row: Announcement) -> None:
    """Delete the frozen recipients of an announcement that has not begun; many in the background.

    Locks: the caller holds the announcement.
    """
    freezing = row.state is AnnouncementState.FREEZING
    if freezing or not freezes_at_once(uow, row, row.audience_size or 0):
        row.rows_left = True
        uow.enqueue_after_commit(FREEZE_TASK, row.ref)
    else:
        thaw_next(uow, row, uow.settings.announcements.frozen_at_once)
    row.audience_size = row.frozen_count = row.frozen_to = None


def thaw_next(uow: UnitOfWork, row: Announcement, most: int) -> bool:
    """Delete some frozen recipients of an announcement; False after the last."""
    with serving_found_row(uow.session):
        some = select(Recipient.id).where(Recipient.announcement_id == row.id).limit(most)
        done: Any = uow.session.execute(
            delete(Recipient)
            .where(Recipient.id.in_(some))
            .execution_options(synchronize_session=False)
        )
    return int(done.rowcount) == most


def _insert_recipients(uow: UnitOfWork, row: Announcement, people: Select[Any], before: int) -> int:
    """Insert recipients, of whom so many precede these; return how many were added.

    A merge may have made a citizen a recipient before.
    """
    if row.starts_at is None:
        raise ValueError(f"{row.ref} has no start")
    found = people.subquery("people")
    values: dict[str, Any] = {
        "announcement_id": literal(row.id),
        "citizen_id": found.c[0],
        "state": literal(RecipientState.QUEUED, _recipient.c.state.type),
        **_queued_columns(uow),
        "outbox_due_at": _due_at(row, found.c[0], before),
    }
    # SQLite reads ON after a table as a join, so that the select needs a condition.
    chosen = select(*values.values()).where(true()).order_by(found.c[0])
    done: Any = uow.session.execute(
        insert_for(uow.session, _recipient)
        .from_select(list(values), chosen, include_defaults=False)
        .on_conflict_do_nothing(index_elements=["announcement_id", "citizen_id"])
        .execution_options(preserve_rowcount=True)
    )
    return int(done.rowcount)


def _queued_columns(uow: UnitOfWork) -> dict[str, ColumnElement[Any]]:
    queued = queued_values(uow.now)
    return {name: literal(value, _recipient.c[name].type) for name, value in queued.items()}


def _due_at(row: Announcement, citizen_id: ColumnElement[int], before: int) -> ColumnElement[Any]:
    assert row.starts_at is not None  # noqa: S101 - checked by the caller
    if row.per_day is None:
        return literal(row.starts_at, UtcDateTime)
    number = func.row_number().over(order_by=citizen_id) + before
    last = literal(row.starts_at + MOST_DAYS * _DAY, UtcDateTime)
    days = [
        (number <= row.per_day * (day + 1), literal(row.starts_at + day * _DAY, UtcDateTime))
        for day in range(before // row.per_day, MOST_DAYS)
    ]
    return case(*days, else_=last) if days else last
