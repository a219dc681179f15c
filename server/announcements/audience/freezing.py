"""Freezes the recipients of an announcement: one row of the ledger per person, in one statement."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, insert, literal, select

from server.announcements.audience.selecting import select_recipients
from server.announcements.enums import RecipientState
from server.announcements.errors import TooManyDays
from server.announcements.models import Announcement, Recipient
from server.base.outbox_rows import queued_values
from server.base.ownership import serving_found_row
from server.base.sql.tables import UtcDateTime
from server.base.uow import UnitOfWork

# The most days over which an announcement is split.
MOST_DAYS = 60
_DAY = timedelta(days=1)
_recipient: Any = Recipient.__table__


def freeze_audience(uow: UnitOfWork, row: Announcement) -> int:
    """Insert the recipients of an announcement into the ledger; return how many.

    Rows are due at `starts_at`, or with `per_day` as many each day at that time. The number is also
    stored in `audience_size`. The caller holds the announcement and found it in the organizer's
    scope.
    Raises: WrongAudienceRule (422), TooManyDays (409), ValueError without `starts_at`.
    """
    if row.starts_at is None:
        raise ValueError(f"{row.ref} has no start")
    with serving_found_row(uow.session):
        uow.session.flush()
        people = select_recipients(uow, row).subquery("people")
        number = func.row_number().over(order_by=people.c[0])
        placed = select(people.c[0].label("citizen_id"), number.label("number")).subquery("placed")
        values: dict[str, Any] = {
            "announcement_id": literal(row.id),
            "citizen_id": placed.c.citizen_id,
            "state": literal(RecipientState.QUEUED, _recipient.c.state.type),
            **_queued_columns(uow),
            "outbox_due_at": _due_at(row, placed.c.number),
        }
        chosen = select(*values.values()).order_by(placed.c.number)
        done: Any = uow.session.execute(
            insert(_recipient)
            .from_select(list(values), chosen, include_defaults=False)
            .execution_options(preserve_rowcount=True)
        )
        size = int(done.rowcount)
        if row.per_day is not None and size > row.per_day * MOST_DAYS:
            raise TooManyDays(days=-(-size // row.per_day), most=MOST_DAYS)
        row.audience_size = size
    return size


def thaw_audience(uow: UnitOfWork, row: Announcement) -> None:
    """Delete the frozen recipients of an announcement that has not begun."""
    with serving_found_row(uow.session):
        uow.session.execute(
            delete(Recipient)
            .where(Recipient.announcement_id == row.id)
            .execution_options(synchronize_session=False)
        )
        row.audience_size = None


def _queued_columns(uow: UnitOfWork) -> dict[str, ColumnElement[Any]]:
    queued = queued_values(uow.now)
    return {name: literal(value, _recipient.c[name].type) for name, value in queued.items()}


def _due_at(row: Announcement, number: ColumnElement[int]) -> ColumnElement[Any]:
    assert row.starts_at is not None  # noqa: S101 - checked by the caller
    if row.per_day is None:
        return literal(row.starts_at, UtcDateTime)
    last = literal(row.starts_at + MOST_DAYS * _DAY, UtcDateTime)
    days = [
        (number <= row.per_day * (day + 1), literal(row.starts_at + day * _DAY, UtcDateTime))
        for day in range(MOST_DAYS)
    ]
    return case(*days, else_=last)
