"""The outbox for many concurrent calls: rows are claimed and settled in batches.

A worker picks due rows, which changes nothing, and claims as many as it has free connections in one
transaction, right before their calls. Rows that another worker has claimed meanwhile are left out.
The outcomes of calls are stored together, each under the fence of its claim, as in `outbox.py`.

Rows are read and written by a few statements for a whole batch, without objects of the ORM: those
cost more than a call.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, select

from server.base.errors import Unavailable
from server.base.outbox_outcomes import (
    Begun,
    Delivered,
    due_conditions,
    outcome_of_overdue,
    overdue_condition,
    store_outcome,
)
from server.base.outbox_rows import (
    Call,
    Claim,
    Done,
    GiveUp,
    OutboxActs,
    OutboxState,
    Outcome,
    PutOff,
    Queue,
    Retry,
)
from server.base.sql.many import is_any, write_changes
from server.base.uow import UnitOfWork, UnitOfWorkFactory

_OWN = ("outbox_state", "outbox_claim", "outbox_tries")
_OPEN = (OutboxState.CLAIMED, OutboxState.IN_DOUBT)
_OVERDUE_AT_ONCE = 500


class HeldRow(OutboxActs):
    """A locked row of a table: its columns as attributes; those that are set are stored later."""

    changes: dict[str, Any]

    def __init__(self, names: Sequence[str], read: Sequence[Any]) -> None:
        self.__dict__ = dict(zip(names, read, strict=True))
        self.__dict__["changes"] = {}

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the column {name} was not read")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "__dict__":
            object.__setattr__(self, name, value)
        else:
            self.changes[name] = self.__dict__[name] = value


def write_rows(uow: UnitOfWork, table: Table, rows: Collection[HeldRow]) -> None:
    """Store what was set in locked rows."""
    write_changes(uow.session, table, {row.id: row.changes for row in rows if row.changes})


def pick_due(uow: UnitOfWork, queue: Queue, limit: int, *within: ColumnElement[bool]) -> list[int]:
    """Ids of due rows that meet the conditions, in the order of their ids; nothing is locked."""
    table = queue.table
    found = select(table.id).where(*due_conditions(uow, queue), *within)
    return list(uow.session.scalars(found.order_by(table.id).limit(limit)))


def pick_oldest(
    uow: UnitOfWork, queue: Queue, limit: int, *within: ColumnElement[bool]
) -> list[int]:
    """As `pick_due`, the oldest first.

    It reads the index entries of all rows sent before: slow where many are sent.
    """
    table = queue.table
    found = select(table.id).where(*due_conditions(uow, queue), *within)
    return list(uow.session.scalars(found.order_by(table.outbox_due_at, table.id).limit(limit)))


def begin_batch(uow: UnitOfWork, queue: Queue, row_ids: Collection[int]) -> Begun:
    """Claim rows that are still due; commit this before the calls.

    Locks: those of `lock_many`, then the rows.
    """
    token, until = uow.new_ref("clm"), uow.now + queue.lease
    rows, _moved = _lock_rows(uow, queue, row_ids, (), due_conditions(uow, queue))
    calls: list[Call] = []
    ended: list[tuple[HeldRow, Outcome]] = []
    letters = queue.prepare_many(uow, rows) if rows else ()
    for row, letter in zip(rows, letters, strict=True):
        if isinstance(letter, Outcome):
            ended.append((row, letter))
            continue
        row.outbox_state, row.outbox_reason = OutboxState.CLAIMED, None
        row.outbox_claim, row.outbox_until = token, until
        row.outbox_tries = row.outbox_tries + 1
        calls.append(Call(claim=Claim(row_id=row.id, token=token), letter=letter))
    settled = _apply_outcomes(uow, queue, ended)
    write_rows(uow, _table_of(queue), rows)
    return Begun(calls=calls, settled=settled)


def settle_batch(
    uow: UnitOfWork, queue: Queue, outcomes: Sequence[tuple[Claim, Outcome]]
) -> Delivered:
    """Store the outcomes of calls; a claim that was lost or settled before changes nothing.

    A row in doubt is still settled by a late outcome of its own claim.
    Locks: those of `lock_many`, then the rows.
    Raises: Unavailable (503) when a row was given to another owner meanwhile; settle again then.
    """
    told = {claim.row_id: (claim.token, outcome) for claim, outcome in outcomes}
    state = queue.table.outbox_state
    given = [outcome for _, outcome in outcomes]
    ended: list[tuple[HeldRow, Outcome]] = []
    rows, moved = _lock_rows(uow, queue, told, given, (state.in_(_OPEN),))
    if moved:
        raise Unavailable
    for row in rows:
        token, outcome = told[row.id]
        late = row.outbox_state is OutboxState.IN_DOUBT and not isinstance(outcome, Done | GiveUp)
        if row.outbox_claim == token and not late:
            ended.append((row, outcome))
    settled = _apply_outcomes(uow, queue, ended)
    write_rows(uow, _table_of(queue), [row for row, _ in ended])
    return settled


def end_overdue_batch(
    uow_factory: UnitOfWorkFactory, queue: Queue, limit: int = _OVERDUE_AT_ONCE
) -> int:
    """End claims of dead workers and rows that waited too long; return how many ended.

    Repeatable claims are queued again, not counted.
    """
    table = queue.table
    with uow_factory.begin(read_only=True) as reading:
        found = select(table.id).where(overdue_condition(reading, queue))
        row_ids = reading.session.scalars(found.order_by(table.id).limit(limit)).all()
    if not row_ids:
        return 0
    with uow_factory.begin() as uow:
        rows, _moved = _lock_rows(uow, queue, row_ids, (), (overdue_condition(uow, queue),))
        ended = [(row, outcome_of_overdue(uow, queue, row)) for row in rows]
        settled = _apply_outcomes(uow, queue, ended)
        write_rows(uow, _table_of(queue), rows)
    return settled.ended


def _table_of(queue: Queue) -> Table:
    return cast(Table, queue.table.__table__)


def _lock_rows(
    uow: UnitOfWork,
    queue: Queue,
    row_ids: Collection[int],
    outcomes: Sequence[Outcome],
    conditions: Collection[ColumnElement[bool]],
) -> tuple[list[HeldRow], bool]:
    """Lock the owners of rows, then the rows that meet the conditions, in the order of their ids.

    A row that was given to another owner meanwhile is left out, to be looked at again; the second
    value says whether there is one.
    """
    columns = _table_of(queue).c
    mine = is_any(columns.id, row_ids)
    owned = ("id", *queue.owners)
    before = {
        found[0]: tuple(found)
        for found in uow.session.execute(select(*(columns[name] for name in owned)).where(mine))
    }
    queue.lock_many(uow, {found[1:] for found in before.values()}, outcomes)
    wanted = tuple(dict.fromkeys((*owned, *_OWN, *queue.columns)))
    found = uow.session.execute(
        select(*(columns[name] for name in wanted))
        .where(mine, *conditions)
        .order_by(columns.id)
        .with_for_update()
    ).all()
    rows = [HeldRow(wanted, row) for row in found if tuple(row[: len(owned)]) == before.get(row[0])]
    return rows, len(rows) < len(found)


def _apply_outcomes(
    uow: UnitOfWork, queue: Queue, ended: Sequence[tuple[HeldRow, Outcome]]
) -> Delivered:
    stored = [(row, store_outcome(uow, queue, row, outcome)) for row, outcome in ended]
    if stored:
        queue.settle_many(uow, stored)
    postponed = sum(isinstance(outcome, Retry | PutOff) for _, outcome in stored)
    return Delivered(ended=len(stored) - postponed, postponed=postponed)
