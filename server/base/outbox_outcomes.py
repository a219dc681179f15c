"""The meaning of outcomes for the columns of a job, and the conditions on due and overdue jobs.

Shared by the outbox of single calls and that of batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from server.base.outbox_rows import (
    DROPPED,
    Call,
    Done,
    GiveUp,
    InDoubt,
    Lost,
    OutboxState,
    Outcome,
    PutOff,
    Queue,
    Retry,
)
from server.base.uow import UnitOfWork

_LOST = "worker_lost"


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """Result of a run: the numbers of finished rows and of rows that will be retried."""

    ended: int = 0
    postponed: int = 0

    @property
    def moved(self) -> int:
        """Number of processed rows."""
        return self.ended + self.postponed

    def __add__(self, other: Delivered) -> Delivered:
        return Delivered(ended=self.ended + other.ended, postponed=self.postponed + other.postponed)


@dataclass(frozen=True, kw_only=True)
class Begun:
    """Claimed rows whose calls are made after the commit, and rows settled already."""

    calls: list[Call]
    settled: Delivered


def due_conditions(uow: UnitOfWork, queue: Queue) -> tuple[ColumnElement[bool], ...]:
    """Conditions on jobs whose call may be made now."""
    table = queue.table
    due = (
        table.outbox_state == OutboxState.QUEUED,
        table.outbox_due_at <= uow.now,
        or_(table.outbox_until.is_(None), table.outbox_until <= uow.now),
    )
    if queue.keep_for is None:
        return due
    return (*due, table.outbox_since > uow.now - queue.keep_for)


def overdue_condition(uow: UnitOfWork, queue: Queue) -> ColumnElement[bool]:
    """A condition on claims of dead workers, and on jobs that waited too long or are dropped."""
    table = queue.table
    queued = table.outbox_state == OutboxState.QUEUED
    lost = or_(
        and_(table.outbox_state == OutboxState.CLAIMED, table.outbox_until <= uow.now),
        and_(queued, table.outbox_claim == DROPPED),
    )
    if queue.keep_for is None:
        return lost
    free = or_(table.outbox_until.is_(None), table.outbox_until <= uow.now)
    since = table.outbox_since <= uow.now - queue.keep_for
    return or_(lost, and_(queued, since, free))


def store_outcome(uow: UnitOfWork, queue: Queue, row: Any, outcome: Outcome) -> Outcome:
    """Write an outcome into the row's own columns; return it, or the end of a row tried out."""
    most = queue.most_tries
    if isinstance(outcome, Retry) and most is not None and row.outbox_tries >= most:
        outcome = GiveUp(reason="too_many_tries")
    row.outbox_until = None
    match outcome:
        case Done():
            row.outbox_state, row.outbox_reason = OutboxState.DONE, None
        case GiveUp():
            row.outbox_state, row.outbox_reason = OutboxState.GIVEN_UP, outcome.reason
        case InDoubt():
            row.outbox_state, row.outbox_reason = OutboxState.IN_DOUBT, outcome.reason
        case PutOff():
            row.requeue(outcome.until)
        case Retry():
            pause = _pause_before_retry(uow, queue, row.outbox_tries, outcome.after)
            row.requeue(uow.now + pause)
            row.outbox_reason = outcome.reason
    return outcome


def _pause_before_retry(uow: UnitOfWork, queue: Queue, tries: int, after: timedelta) -> timedelta:
    rest = queue.backoff.rest_after(tries)
    return max(after, rest) + rest * queue.backoff.jitter * uow.random.random()


def outcome_of_overdue(uow: UnitOfWork, queue: Queue, row: Any) -> Outcome:
    """The outcome of an overdue job."""
    if row.outbox_claim == DROPPED:
        # A call that must not be repeated may have been made after the backup.
        certain = queue.lost is Lost.QUEUED
        return GiveUp(reason=DROPPED) if certain else InDoubt(reason=DROPPED)
    if row.outbox_state is OutboxState.QUEUED:
        return GiveUp(reason="too_old")
    if queue.lost is Lost.IN_DOUBT:
        return InDoubt(reason=_LOST)
    if queue.most_tries is not None and row.outbox_tries >= queue.most_tries:
        return GiveUp(reason=_LOST)
    return PutOff(until=uow.now)
