"""Data of the outbox: the columns of a job row, the declaration of a queue, outcomes.

A slice adds `Outgoing` to its model and `outbox_index` to its table, and declares one `Queue` for
the table. The protocol itself is in `outbox.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from server.base.jobs import TaskContext
from server.base.sql.tables import Base, UtcDateTime, enum_column
from server.base.uow import UnitOfWork

_REASON_LENGTH = 40
# Names of claims that belong to no worker: rows held back after a restore, and those that are given
# up; see `restored_backup.py`.
HELD, DROPPED = "held", "dropped"


class OutboxState(StrEnum):
    """State of a job; see `Outgoing`."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    DONE = "done"
    GIVEN_UP = "given_up"
    IN_DOUBT = "in_doubt"


class OutboxActs:
    """Changes of the columns of a job, for rows of the ORM and for those of a batch."""

    def enqueue_again(self, now: datetime, due_at: datetime | None = None) -> None:
        """Enqueue the row again; earlier claims become void."""
        for name, value in queued_values(now, due_at).items():
            setattr(self, name, value)

    def requeue(self, due_at: datetime) -> None:
        """Make the row due again at an instant; its claim becomes void, its attempts count on."""
        for name, value in requeued_values(due_at).items():
            setattr(self, name, value)

    def leave_outbox(self, state: OutboxState | None = None) -> None:
        """Remove the row from its queue; earlier claims become void."""
        for name, value in idle_values(state).items():
            setattr(self, name, value)


class Outgoing(OutboxActs):
    """Mixin of a model whose row is a job: a call made outside of any transaction.

    queued -> claimed, committed before the call -> done | given_up | in_doubt; back to queued when
    the call certainly had no effect. A leased row stays queued, but other workers skip it. A row
    without a state is in no queue.

    A queued row is due from `outbox_due_at` on, unless it is leased until `outbox_until`; a claim
    is valid until `outbox_until`. `outbox_claim` identifies one lease or claim and is never reused,
    unlike a row id, which SQLite may reuse. `outbox_since` is when the row entered the queue.
    """

    outbox_state: Mapped[OutboxState | None] = mapped_column(
        enum_column(OutboxState, "outbox_state")
    )
    outbox_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outbox_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outbox_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outbox_claim: Mapped[str | None] = mapped_column(String(40))
    outbox_tries: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    outbox_reason: Mapped[str | None] = mapped_column(String(_REASON_LENGTH))


def idle_values(state: OutboxState | None = None) -> dict[str, Any]:
    """The column values of a row that is in no queue, for statements."""
    return {
        "outbox_state": state,
        "outbox_since": None,
        "outbox_due_at": None,
        "outbox_until": None,
        "outbox_claim": None,
        "outbox_tries": 0,
        "outbox_reason": None,
    }


def queued_values(now: datetime, due_at: datetime | None = None) -> dict[str, Any]:
    """The column values of an enqueued row, for statements."""
    return {
        "outbox_state": OutboxState.QUEUED,
        "outbox_since": now,
        "outbox_due_at": due_at or now,
        "outbox_until": None,
        "outbox_claim": None,
        "outbox_tries": 0,
        "outbox_reason": None,
    }


def requeued_values(due_at: datetime) -> dict[str, Any]:
    """The column values of a row that is due again, for statements."""
    return {
        "outbox_state": OutboxState.QUEUED,
        "outbox_due_at": due_at,
        "outbox_until": None,
        "outbox_claim": None,
    }


def outbox_index(table: str) -> Index:
    """The index that a table with these columns needs, for due rows and figures."""
    name = f"ix_{table}_outbox_state_outbox_due_at"
    return Index(name, "outbox_state", "outbox_due_at")


class OutboxPause(Base):
    """A queue that an operator has paused; it resumes by itself at `until`."""

    __tablename__ = "outbox_pause"

    queue: Mapped[str] = mapped_column(String(60), primary_key=True)
    paused_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(200))


@dataclass(frozen=True, kw_only=True)
class Done:
    """The call succeeded; `result` is passed to the queue's `settle`."""

    result: Any = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Retry:
    """The call certainly had no effect and is retried.

    The next attempt waits for `after` and for the queue's own back-off, whichever is longer. With
    `for_everybody` the other rows would fail too, so this run ends.
    """

    reason: str
    after: timedelta = timedelta()
    for_everybody: bool = False


@dataclass(frozen=True, kw_only=True)
class PutOff:
    """The call must not be made before `until`; this counts as no attempt."""

    until: datetime


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """The call will never be made again: refused permanently, too old, or too many attempts."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class InDoubt:
    """The call may have succeeded; it is not repeated, but a late outcome still settles it."""

    reason: str


Outcome = Done | Retry | PutOff | GiveUp | InDoubt
# The values of a queue's owner columns in some rows.
Owners = Collection[tuple[Any, ...]]


class Lost(StrEnum):
    """The treatment of a claim whose worker died."""

    IN_DOUBT = "in_doubt"
    QUEUED = "queued"


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """The back-off after failed attempts.

    Units: `first` after the first attempt, doubled after each, `most` at most; a random share of up
    to `jitter` is added, so that rows that failed together are not retried together.
    """

    first: timedelta = timedelta(seconds=2)
    most: timedelta = timedelta(hours=1)
    jitter: float = 0.25

    def rest_after(self, tries: int) -> timedelta:
        """The back-off without jitter."""
        doubled: int = 2 ** min(max(tries - 1, 0), 30)
        return min(self.first * doubled, self.most)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One row held by one worker: its id, and the name of the lease or claim."""

    row_id: int
    token: str


@dataclass(frozen=True, kw_only=True)
class Call:
    """A claimed row with the input of its call."""

    claim: Claim
    letter: Any = field(repr=False)


def _refuse_single_row(_given: Any, _row: Any) -> Any:
    raise TypeError("this queue works in batches and has calls of its own")


def _refuse_batches(*_given: Any) -> Any:
    raise TypeError("this queue makes one call at a time")


def _nothing_to_settle(_work: UnitOfWork, _row: Any, _outcome: Outcome) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A table whose rows are jobs of one kind, and the functions that process them.

    `prepare` runs in the transaction that claims a row. It returns the input of `send`, or an
    outcome that settles the row without a call. `send` makes the call with no transaction open; a
    refusal by the other side is an outcome. `settle` runs in the transaction that stores an
    outcome, after the fence was checked and the row's own columns were written; it applies the
    outcome's meaning for the slice. `lock_first` takes the locks that precede the row's in the lock
    order, both before claiming (without an outcome) and before settling; False when the row's owner
    is gone. A queue with it claims and settles one row per transaction.

    A queue for many calls at once has batch hooks in their place (`outbox_batches.py`), and its
    slice makes the calls. `owners` names the columns with the rows that are locked before its own,
    and `lock_many` locks them, for many rows in one order; its last argument are the outcomes that
    will be settled, none for a claim. `prepare_many` returns one input or outcome per row,
    `settle_many` applies many outcomes. Both get rows in the order of their ids with the columns of
    `owners` and `columns`, and change them by setting attributes.

    A row queued for longer than `keep_for` is given up as `too_old`, after `most_tries` calls as
    `too_many_tries`. `lease` is longer than the slowest call; a run takes `batch` rows.
    """

    name: str
    task: str
    table: type[Any]
    prepare: Callable[[UnitOfWork, Any], Any] = _refuse_single_row
    send: Callable[[TaskContext, Any], Outcome] = _refuse_single_row
    settle: Callable[[UnitOfWork, Any, Outcome], None] = _nothing_to_settle
    lock_first: Callable[[UnitOfWork, Claim, Outcome | None], bool] | None = None
    owners: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    lock_many: Callable[[UnitOfWork, Owners, Sequence[Outcome]], None] = _refuse_batches
    prepare_many: Callable[[UnitOfWork, Sequence[Any]], Sequence[Any]] = _refuse_batches
    settle_many: Callable[[UnitOfWork, Sequence[tuple[Any, Outcome]]], None] = _refuse_batches
    lost: Lost = Lost.IN_DOUBT
    lease: timedelta = timedelta(seconds=60)
    batch: int = 20
    backoff: Backoff = field(default_factory=Backoff)
    most_tries: int | None = None
    keep_for: timedelta | None = None
