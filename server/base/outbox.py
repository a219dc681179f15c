"""The outbox: external calls made from database rows, with no transaction open.

One statement leases due rows. A leased row is claimed, and the claim committed, right before its
call; the outcome is written under the claim's fence, so that a worker that lost its claim changes
nothing. When a worker dies between claim and settlement the claim expires: its row is then in
doubt, or queued again if the call may be repeated.

`deliver_due` does all of this for one worker, one call at a time. Many concurrent calls are claimed
and settled in batches (`outbox_batches.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select, update

from server.base.jobs import TaskContext
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
    OutboxPause,
    OutboxState,
    Outcome,
    PutOff,
    Queue,
    Retry,
)
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.metrics import OUTBOX_CALLS

_OVERDUE_AT_ONCE = 100


def deliver_due(context: TaskContext, queue: Queue) -> Delivered:
    """Run a queue once: end overdue rows, then make the due calls, the oldest first.

    A full batch wakes the queue's task again, because there may be more.
    """
    total = Delivered(ended=end_overdue(context.uow_factory, queue))
    with context.uow_factory.begin(read_only=True) as reading:
        if is_paused(reading, queue.name) or not _has_due(reading, queue):
            return total
    with context.uow_factory.begin() as uow:
        leased = lease_due(uow, queue, queue.batch)
    waiting = list(leased)
    try:
        while waiting:
            with context.uow_factory.begin() as uow:
                if is_paused(uow, queue.name):
                    break
                begun = begin_calls(uow, queue, waiting[:1])
            del waiting[0]
            total += begun.settled
            outcomes = [(call, _call_out(context, queue, call)) for call in begun.calls]
            for call, outcome in outcomes:
                with context.uow_factory.begin() as uow:
                    total += settle_calls(uow, queue, [(call.claim, outcome)])
            if any(isinstance(one, Retry) and one.for_everybody for _, one in outcomes):
                break
    finally:
        if waiting:
            with context.uow_factory.begin() as uow:
                release_leases(uow, queue, waiting)
    if not waiting and len(leased) == queue.batch:
        context.uow_factory.dependencies.enqueue(queue.task)
    return total


def _call_out(context: TaskContext, queue: Queue, call: Call) -> Outcome:
    outcome = queue.send(context, call.letter)
    OUTBOX_CALLS.labels(queue.name, _word_of(outcome)).inc()
    return outcome


def _word_of(outcome: Outcome) -> str:
    words = {Done: "done", Retry: "retry", PutOff: "put_off", GiveUp: "given_up"}
    return words.get(type(outcome), "in_doubt")


def lease_due(
    uow: UnitOfWork, queue: Queue, limit: int, *within: ColumnElement[bool]
) -> list[Claim]:
    """Lease up to `limit` due rows, the oldest first, so that other workers skip them.

    With conditions, only rows that meet them. One statement for any number; a lease costs no try.
    Locks: the rows, skipping those locked by others.
    """
    table, token = queue.table, uow.new_ref("clm")
    order = (table.outbox_due_at, table.id)
    # A CTE with a lock is executed once; PostgreSQL may execute a plain subquery per row.
    due = (
        select(table.id)
        .where(*due_conditions(uow, queue), *within)
        .order_by(*order)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    leased = uow.session.execute(
        update(table)
        .where(table.id.in_(select(due.c.id)))
        .values(outbox_claim=token, outbox_until=uow.now + queue.lease)
        .returning(*order)
        .execution_options(synchronize_session=False)
    )
    return [Claim(row_id=found[-1], token=token) for found in sorted(map(tuple, leased))]


def _has_due(uow: UnitOfWork, queue: Queue) -> bool:
    return bool(uow.session.scalar(select(exists().where(*due_conditions(uow, queue)))))


def release_leases(uow: UnitOfWork, queue: Queue, claims: Collection[Claim]) -> None:
    """Release leased rows that were not claimed; they are due again at once."""
    table = queue.table
    uow.session.execute(
        update(table)
        .where(
            table.id.in_([claim.row_id for claim in claims]),
            table.outbox_claim.in_({claim.token for claim in claims}),
            table.outbox_state == OutboxState.QUEUED,
        )
        .values(outbox_claim=None, outbox_until=None)
        .execution_options(synchronize_session=False)
    )


def begin_calls(uow: UnitOfWork, queue: Queue, claims: Sequence[Claim]) -> Begun:
    """Claim leased rows, except those that another worker has taken meanwhile.

    Commit this before the calls.
    Locks: those of `lock_first`, then the rows.
    Raises: ValueError for more than one row of a queue with `lock_first`.
    """
    calls: list[Call] = []
    ended: list[tuple[Any, Outcome]] = []
    for row, claim in _lock_fenced(uow, queue, claims, None, (OutboxState.QUEUED,)):
        letter = queue.prepare(uow, row)
        if isinstance(letter, Outcome):
            ended.append((row, letter))
            continue
        row.outbox_state, row.outbox_until = OutboxState.CLAIMED, uow.now + queue.lease
        row.outbox_tries, row.outbox_reason = row.outbox_tries + 1, None
        calls.append(Call(claim=claim, letter=letter))
    settled = _settle_rows(uow, queue, ended)
    uow.session.flush()
    return Begun(calls=calls, settled=settled)


def settle_calls(
    uow: UnitOfWork, queue: Queue, outcomes: Sequence[tuple[Claim, Outcome]]
) -> Delivered:
    """Store the outcomes of calls; a claim that was lost or settled before changes nothing.

    A row in doubt is still settled by a late outcome of its own claim.
    Locks: those of `lock_first`, then the rows.
    Raises: ValueError for more than one row of a queue with `lock_first`.
    """
    told = dict(outcomes)
    first = outcomes[0][1] if outcomes else None
    open_states = (OutboxState.CLAIMED, OutboxState.IN_DOUBT)
    ended: list[tuple[Any, Outcome]] = []
    for row, claim in _lock_fenced(uow, queue, list(told), first, open_states):
        outcome = told[claim]
        if row.outbox_state is OutboxState.IN_DOUBT and not isinstance(outcome, Done | GiveUp):
            continue
        ended.append((row, outcome))
    settled = _settle_rows(uow, queue, ended)
    uow.session.flush()
    return settled


def _lock_fenced(
    uow: UnitOfWork,
    queue: Queue,
    claims: Sequence[Claim],
    outcome: Outcome | None,
    states: tuple[OutboxState, ...],
) -> list[tuple[Any, Claim]]:
    """Lock and return the rows that these claims still hold."""
    if queue.lock_first is not None:
        if len(claims) > 1:
            raise ValueError(f"queue {queue.name} locks an owner first: one row at a time")
        if not all(queue.lock_first(uow, claim, outcome) for claim in claims):
            return []
    table = queue.table
    held = {claim.row_id: claim for claim in claims}
    rows = uow.session.scalars(
        select(table)
        .where(table.id.in_(list(held)), table.outbox_state.in_(states))
        .order_by(table.id)
        .with_for_update(of=table)
        .execution_options(populate_existing=True)
    )
    by_id = {row.id: row for row in rows if holds_fence(row, held[row.id])}
    return [(by_id[claim.row_id], claim) for claim in claims if claim.row_id in by_id]


def holds_fence(row: Any, claim: Claim) -> bool:
    """Whether this claim, and no later one, still holds a row."""
    return bool(row.outbox_claim == claim.token)


def _settle_rows(uow: UnitOfWork, queue: Queue, ended: Sequence[tuple[Any, Outcome]]) -> Delivered:
    stored = [(row, store_outcome(uow, queue, row, outcome)) for row, outcome in ended]
    for row, outcome in stored:
        queue.settle(uow, row, outcome)
    postponed = sum(isinstance(outcome, Retry | PutOff) for _, outcome in stored)
    return Delivered(ended=len(stored) - postponed, postponed=postponed)


def end_overdue(uow_factory: UnitOfWorkFactory, queue: Queue, limit: int = _OVERDUE_AT_ONCE) -> int:
    """End claims of dead workers and rows that waited too long; return how many ended.

    Repeatable claims are queued again, not counted. One transaction per row. Without locks to take
    first, rows locked by others are left to the next run.
    """
    with uow_factory.begin(read_only=True) as reading:
        table = queue.table
        found = reading.session.execute(
            select(table.id, table.outbox_claim)
            .where(overdue_condition(reading, queue))
            .order_by(table.outbox_due_at, table.id)
            .limit(limit)
        ).all()
    claims = [Claim(row_id=row_id, token=token) for row_id, token in found]
    ended = 0
    for claim in claims:
        with uow_factory.begin() as uow:
            ended += _end_one(uow, queue, claim)
    return ended


def _end_one(uow: UnitOfWork, queue: Queue, claim: Claim) -> bool:
    if queue.lock_first is not None and not queue.lock_first(uow, claim, None):
        return False
    table = queue.table
    row = uow.session.scalar(
        select(table)
        .where(table.id == claim.row_id, overdue_condition(uow, queue))
        .with_for_update(of=table, skip_locked=queue.lock_first is None)
        .execution_options(populate_existing=True)
    )
    if row is None or not holds_fence(row, claim):
        return False
    return bool(_settle_rows(uow, queue, [(row, outcome_of_overdue(uow, queue, row))]).ended)


def is_paused(uow: UnitOfWork, name: str) -> bool:
    """Whether an operator has paused a queue; read before every call, to act at once."""
    paused = exists().where(
        OutboxPause.queue == name,
        or_(OutboxPause.until.is_(None), OutboxPause.until > uow.now),
    )
    return bool(uow.session.scalar(select(paused)))
