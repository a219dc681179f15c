"""Transactions: the only file that begins, commits or rolls back.

An endpoint, task or command opens one UnitOfWork and calls a service with it. It commits when the
block ends without an exception, and only then runs what was given to `after_commit`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from random import Random, SystemRandom
from typing import Any, cast

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from server.base import ids
from server.base.access import Actor, Citizen, Organizer
from server.base.clock import Clock, SystemClock
from server.base.database_away import DatabaseAway, translate_errors
from server.base.errors import NotAuthenticated
from server.base.fair_slots import FairSlots
from server.base.ownership import HandOver
from server.base.redis.facilities import RedisFacilities
from server.base.settings import Settings
from server.base.signing import Keys
from server.base.sql.paced_turn import PacedTurn
from server.base.sql.patience import NotAsked
from server.base.sql.transaction import READ_ONLY, Transaction, open_transaction, patience_of
from server.base.texts import Texts

AfterCommit = Callable[[], None]
BeforeCommit = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class UnitMove:
    """References to a unit, which are moved when it is merged into another one.

    `said` is the text key of a sentence with `count`. `count(uow, unit)` returns their number;
    `move(uow, old, new)` moves one batch and returns how many it moved, 0 when none is left. Both
    take row ids; a repeated move changes nothing.
    """

    said: str
    count: Callable[[UnitOfWork, int], int]
    move: Callable[[UnitOfWork, int, int], int]


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """Functions of higher slices that the accounts slice calls without importing them.

    `erase`, `export` and `merge` use the declarations of base/personal_data.py; `relocate` follows
    a change of place or audience. Collected in `slices.py`.
    """

    erase: tuple[Callable[[UnitOfWork, int], None], ...] = ()
    export: tuple[Callable[[UnitOfWork, int], dict[str, object]], ...] = ()
    merge: tuple[Callable[[UnitOfWork, int, int], None], ...] = ()
    relocate: tuple[Callable[[UnitOfWork, int], None], ...] = ()
    # Rows with a responsible organizer, which are handed over to a successor.
    hand_over: tuple[HandOver, ...] = ()
    # References to a unit, which are moved when it is merged into another one.
    follow_unit: tuple[UnitMove, ...] = ()
    # Slugs of the message templates that a slice sends.
    sends: tuple[str, ...] = ()
    # The end of counting per person, also after an erasure; None when nothing is counted.
    counted_until: tuple[Callable[[UnitOfWork, int], datetime | None], ...] = ()
    # Whether the people of a sign-up, given by its row id, have come, so that it cannot end.
    has_come: tuple[Callable[[UnitOfWork, int], bool], ...] = ()
    # An organizer's pending tasks, for the first page of the console (base/web/page.py: Waiting).
    waiting: tuple[Callable[[UnitOfWork, Organizer], Iterable[Any]], ...] = ()
    # Kinds of certificates by name (server/certificates/kinds.py).
    certificates: Mapping[str, Any] = field(default_factory=dict)

    def __add__(self, other: Hooks) -> Hooks:
        return Hooks(
            erase=self.erase + other.erase,
            export=self.export + other.export,
            merge=self.merge + other.merge,
            relocate=self.relocate + other.relocate,
            hand_over=self.hand_over + other.hand_over,
            follow_unit=self.follow_unit + other.follow_unit,
            sends=self.sends + other.sends,
            counted_until=self.counted_until + other.counted_until,
            has_come=self.has_come + other.has_come,
            waiting=self.waiting + other.waiting,
            certificates={**self.certificates, **other.certificates},
        )


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Dependencies of a service besides the database; created once in `create_app`."""

    settings: Settings
    clock: Clock
    kv: RedisFacilities
    keys: Keys
    texts: Texts
    hooks: Hooks = field(default_factory=Hooks)
    random: Random = field(default_factory=SystemRandom)
    enqueue: Callable[..., None] = lambda _task, *_keys: None
    # Never shifted, unlike `clock` in the demo: for one-time codes, lock-outs and session ages.
    system_clock: Clock = field(default_factory=SystemClock)


_SEED_BITS = 256


@dataclass(frozen=True, kw_only=True)
class UnitOfWork:
    """One transaction, with its instant, its random source and its caller."""

    transaction: Transaction
    now: datetime
    dependencies: Dependencies
    actor: Actor | None = None
    read_only: bool = False
    after_commit_calls: list[AfterCommit] = field(default_factory=list)
    before_commit_calls: list[BeforeCommit] = field(default_factory=list)
    # Callers whose stored answers were deleted in this transaction.
    forgotten: list[str] = field(default_factory=list)

    @property
    def session(self) -> Session:
        """The ORM session of this transaction, created at first use."""
        return self.transaction.session

    @property
    def random(self) -> Random:
        """The random source of this transaction."""
        return self.dependencies.random

    def seeded_random(self) -> Random:
        """A generator for many draws, seeded with 256 bits of the random source.

        The system's source takes a system call for each number.
        """
        return Random(self.random.getrandbits(_SEED_BITS))  # noqa: S311 - secret seed

    @property
    def settings(self) -> Settings:
        """The application's settings."""
        return self.dependencies.settings

    @property
    def kv(self) -> RedisFacilities:
        """Redis by purpose; every caller handles its absence."""
        return self.dependencies.kv

    @property
    def keys(self) -> Keys:
        """Derived keys: seals, pseudonyms, signatures."""
        return self.dependencies.keys

    @property
    def texts(self) -> Texts:
        """The texts of all slices."""
        return self.dependencies.texts

    @property
    def system_now(self) -> datetime:
        """The instant of the system clock, which the emulated WeChat cannot shift."""
        return self.dependencies.system_clock.now()

    def new_ref(self, prefix: str) -> str:
        """Create an opaque id."""
        return ids.new_ref(prefix)

    def set_actor(self, actor: Actor | None) -> None:
        """Set the caller, once authenticated; only `begin` calls it.

        The object is changed in place, because creating a second one would cost every request as
        much time again.
        """
        object.__setattr__(self, "actor", actor)

    @property
    def caller_id(self) -> int:
        """The row id of the calling citizen.

        Raises: NotAuthenticated (401) when the caller is no citizen.
        """
        if not isinstance(self.actor, Citizen):
            raise NotAuthenticated
        return self.actor.id

    @property
    def maybe_caller_id(self) -> int | None:
        """The row id of the calling citizen; None when the caller is no citizen."""
        return self.actor.id if isinstance(self.actor, Citizen) else None

    def rate_limit_key(self, citizen_id: int) -> str:
        """The rate-limit key of a citizen, who need not be the caller."""
        if isinstance(self.actor, Citizen) and self.actor.id == citizen_id:
            return self.actor.person
        return Citizen(id=citizen_id).person

    def after_commit(self, call: AfterCommit) -> None:
        """Call a function after the commit; never after a rollback."""
        self.after_commit_calls.append(call)

    def before_commit(self, call: BeforeCommit) -> None:
        """Call a function as the last step inside the transaction; its exception rolls back.

        For a row that all transactions share: locked last, it is held only until the commit, and
        no lock is waited for while it is held.
        """
        self.before_commit_calls.append(call)

    @contextmanager
    def open_savepoint(self) -> Iterator[None]:
        """Undo the block on an exception: its rows, and its calls before and after the commit."""
        calls, forgotten = len(self.after_commit_calls), len(self.forgotten)
        last_steps = len(self.before_commit_calls)
        try:
            with self.session.begin_nested():
                yield
        except BaseException:
            del self.after_commit_calls[calls:]
            del self.before_commit_calls[last_steps:]
            del self.forgotten[forgotten:]
            raise

    def enqueue_after_commit(self, task: str, *keys: int | str) -> None:
        """Wake a background task up after the commit; the rows it will find are the job."""
        self.after_commit(lambda: self.dependencies.enqueue(task, *keys))


class _OpenUnits(threading.local):
    """Number of open units of work of one thread."""

    depth = 0


class UnitOfWorkFactory:
    """Opens units of work; one instance per process."""

    def __init__(self, engine: Engine, dependencies: Dependencies) -> None:
        self.engine = engine
        self.dependencies = dependencies
        self._patience = patience_of(engine)
        self._reading = engine.execution_options(**{READ_ONLY: True})
        self._sqlite = engine.dialect.name == "sqlite"
        # Neither the pool nor SQLite serves waiting threads in the order in which they came.
        self._slots = FairSlots(cast(QueuePool, engine.pool).size())
        background = not self._patience.bounds.whole
        self._turn = PacedTurn(self._patience.monotonic) if background else FairSlots(1)
        self._open = _OpenUnits()

    @contextmanager
    def begin(
        self,
        actor: Actor | None = None,
        *,
        read_only: bool = False,
        admit: Callable[[UnitOfWork], Actor | None] | None = None,
    ) -> Iterator[UnitOfWork]:
        """Open a transaction: commits when the block ends, rolls back when it raises.

        `admit` authenticates the caller and may refuse. It runs at the start of the transaction;
        for a write on SQLite it gets a read-only transaction of its own, so that an invalid caller
        takes no write lock.
        Raises: DatabaseAway (503) when the database cannot be reached or stays locked.
        """
        if admit is not None and self._sqlite and not read_only:
            with self.begin(read_only=True) as reading:
                actor, admit = admit(reading), None
        after_commit_calls: list[AfterCommit] = []
        with self._patience.share_budget(), self._admit_transaction(read_only), translate_errors():
            transaction = self._open_transaction(read_only)
            try:
                transaction.begin_transaction()
                uow = UnitOfWork(
                    transaction=transaction,
                    now=self.dependencies.clock.now(),
                    dependencies=self.dependencies,
                    read_only=read_only,
                    after_commit_calls=after_commit_calls,
                )
                uow.set_actor(actor if admit is None else admit(uow))
                yield uow
                _finish_transaction(uow)
            except BaseException:
                _roll_back_failed(transaction)
                raise
            finally:
                self._return_connection(transaction)
        for call in after_commit_calls:
            call()

    def _open_transaction(self, read_only: bool) -> Transaction:
        with self._patience.spend_block():
            if not self._slots.take_slot(self._patience.seconds_allowed()):
                self._patience.note_no_slot()
                raise DatabaseAway
            try:
                engine = self._reading if read_only else self.engine
                transaction = open_transaction(engine, self._patience)
                self._open.depth += 1
                return transaction
            except BaseException as trouble:
                self._slots.return_slot()
                if isinstance(trouble, PoolTimeout):
                    self._patience.note_no_slot()
                raise

    def _return_connection(self, transaction: Transaction) -> None:
        try:
            transaction.return_connection()
        finally:
            self._open.depth -= 1
            self._slots.return_slot()

    def waiting_at_most(self, seconds: float) -> AbstractContextManager[None]:
        """Limit the database waits of this thread's units of work inside the block."""
        return self._patience.share_budget(seconds)

    def _admit_transaction(self, read_only: bool) -> AbstractContextManager[None]:
        """Admission to the database; refused for a while after it failed to respond.

        Raises: DatabaseAway.
        """
        # On SQLite a reader never waits for a lock.
        return nullcontext() if self._sqlite and read_only else self._watch_transaction()

    @contextmanager
    def _watch_transaction(self) -> Iterator[None]:
        taken = False
        try:
            self._patience.admit_transaction()
            if self._sqlite:
                self._take_turn()
                taken = True
            yield
        except NotAsked:
            raise DatabaseAway from None
        except DatabaseAway:
            self._patience.note_failure()
            raise
        finally:
            if taken:
                self._turn.return_slot()

    def _take_turn(self) -> None:
        with self._patience.spend_block():
            taken = self._turn.take_slot(self._patience.allowed_for_lock())
        if not taken:
            raise DatabaseAway
        if self._patience.refuses:
            # Others have timed out meanwhile, so the next thread is refused too.
            self._turn.return_slot()
            raise NotAsked

    @property
    def depth(self) -> int:
        """Number of open units of work of this thread; the gateway requires none."""
        return self._open.depth


def _finish_transaction(uow: UnitOfWork) -> None:
    """Take the last steps and commit, or roll back a read-only transaction."""
    for take_last_step in uow.before_commit_calls:
        take_last_step()
    transaction = uow.transaction
    if transaction.made_session is not None:
        # Flushes the session; raises when an earlier failure in it was swallowed.
        transaction.made_session.commit()
    made = transaction.made_connection
    if not uow.read_only:
        if made is None:
            transaction.end_transaction("COMMIT")
        else:
            made.commit()
        return
    transaction.refuse_writes()
    # Ended here even if SQLAlchemy's connection was used: psycopg's own rollback would drop all
    # prepared statements.
    transaction.end_transaction("ROLLBACK")
    if made is not None:
        made.rollback()


def _roll_back_failed(transaction: Transaction) -> None:
    """Roll back after a failure.

    A failing rollback must not hide the first failure; the pool drops the connection, because its
    transaction is still open.
    """
    with suppress(DBAPIError):
        transaction.end_transaction("ROLLBACK")
