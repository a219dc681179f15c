"""The transaction: the only file that begins, commits or rolls back.

An edge (endpoint, worker step, command) opens one Work and calls a service with it; the Work
commits when the block ends well, and only then rings the bells given to `after_commit`.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from server.base import ids
from server.base.clock import Clock
from server.base.errors import Unavailable
from server.base.kv.facilities import Facilities
from server.base.settings import Settings
from server.base.signing import Keys
from server.base.texts import Texts

Bell = Callable[[], None]


class DatabaseAway(Unavailable):
    """The database does not answer, or not in time."""

    code = "database_away"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who asks: a kind (`citizen`, `system`) and the number of the row behind it."""

    kind: str
    id: int
    consented: bool = False


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What slices do when a person is erased, exported, found to be another's double, or moves.

    Tuples offered by the slices and collected in `slices.py`, so that the floor which knows persons
    need not know the floors above it.
    """

    forget: tuple[Callable[[Work, int], None], ...] = ()
    held: tuple[Callable[[Work, int], dict[str, object]], ...] = ()
    join: tuple[Callable[[Work, int, int], None], ...] = ()
    moved: tuple[Callable[[Work, int], None], ...] = ()

    def __add__(self, other: Hooks) -> Hooks:
        return Hooks(
            forget=self.forget + other.forget,
            held=self.held + other.held,
            join=self.join + other.join,
            moved=self.moved + other.moved,
        )


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What a service may use besides the database; chosen once in `create_app`."""

    settings: Settings
    clock: Clock
    kv: Facilities
    keys: Keys
    texts: Texts
    hooks: Hooks = field(default_factory=Hooks)
    random: random.Random = field(default_factory=random.SystemRandom)
    ring: Callable[..., None] = lambda _task, *_ids: None


@dataclass(frozen=True, kw_only=True)
class Work:
    """One transaction with the one instant, the chance and the caller that belong to it."""

    session: Session
    now: datetime
    tools: Tools
    actor: Actor | None = None
    read_only: bool = False
    bells: list[Bell] = field(default_factory=list)

    @property
    def random(self) -> random.Random:
        """The chance of this transaction."""
        return self.tools.random

    @property
    def settings(self) -> Settings:
        """The settings of the house."""
        return self.tools.settings

    @property
    def kv(self) -> Facilities:
        """Redis by purpose; every user copes with its absence."""
        return self.tools.kv

    @property
    def keys(self) -> Keys:
        """Derived keys: seals, pseudonyms, signatures."""
        return self.tools.keys

    @property
    def texts(self) -> Texts:
        """The wording of all slices."""
        return self.tools.texts

    def new_ref(self, prefix: str) -> str:
        """A fresh opaque id."""
        return ids.new_ref(prefix)

    def after_commit(self, bell: Bell) -> None:
        """Call something once this transaction is in the database, never if it is rolled back."""
        self.bells.append(bell)

    def ring(self, task: str, *row_ids: int) -> None:
        """Wake a background task after the commit; the rows it will find are the job."""
        self.after_commit(lambda: self.tools.ring(task, *row_ids))


class Desk:
    """Opens Works; there is one in a process."""

    def __init__(self, engine: Engine, tools: Tools) -> None:
        self.engine = engine
        self.tools = tools
        self._reading = sessionmaker(
            engine.execution_options(kepu_read_only=True), expire_on_commit=False
        )
        self._writing = sessionmaker(engine, expire_on_commit=False)
        self._sqlite = engine.dialect.name == "sqlite"
        # SQLite's own wait for a writer is unfair; a queue in front serves threads in turn.
        self._turn = threading.Lock()
        self._open = threading.local()

    @contextmanager
    def work(self, actor: Actor | None = None, *, read_only: bool = False) -> Iterator[Work]:
        """One transaction: commits when the block ends, rolls back when it raises.

        Raises: DatabaseAway (503) when the database cannot be reached or stays locked.
        """
        bells: list[Bell] = []
        with self._turn_to_write(read_only), self._session(read_only) as session:
            yield Work(
                session=session,
                now=self.tools.clock.now(),
                tools=self.tools,
                actor=actor,
                read_only=read_only,
                bells=bells,
            )
        for bell in bells:
            bell()

    @contextmanager
    def _turn_to_write(self, read_only: bool) -> Iterator[None]:
        if read_only or not self._sqlite:
            yield
            return
        if not self._turn.acquire(timeout=self.tools.settings.database.lock_wait_seconds):
            raise DatabaseAway
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _session(self, read_only: bool) -> Iterator[Session]:
        self._open.depth = self.depth + 1
        session = (self._reading if read_only else self._writing)()
        try:
            with translated():
                session.connection()
                yield session
                session.commit()
        finally:
            self._open.depth -= 1
            session.close()

    @property
    def depth(self) -> int:
        """How many Works this thread has open; the gateway refuses to call out inside one."""
        return getattr(self._open, "depth", 0)


@contextmanager
def translated() -> Iterator[None]:
    """Turns a database that is away, locked or exhausted into DatabaseAway."""
    try:
        yield
    except PoolTimeout:
        raise DatabaseAway from None
    except DBAPIError as trouble:
        if isinstance(trouble, OperationalError) or trouble.connection_invalidated:
            raise DatabaseAway from trouble
        raise


def prepare_engine(engine: Engine, *, lock_wait_seconds: float) -> None:
    """Give an engine our transactions: immediate for writers, refusing writes for readers."""
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, lock_wait_seconds)
    else:
        _prepare_postgresql(engine)


def _prepare_sqlite(engine: Engine, lock_wait_seconds: float) -> None:
    @event.listens_for(engine, "connect")
    def connect(raw: object, _record: object) -> None:
        raw.isolation_level = None  # type: ignore[attr-defined]  # the driver must not begin by itself
        cursor = raw.cursor()  # type: ignore[attr-defined]  # sqlite3.Connection
        cursor.execute(f"PRAGMA busy_timeout = {int(lock_wait_seconds * 1000)}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        # An answer that was acknowledged must survive the loss of power.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = bool(connection.get_execution_options().get("kepu_read_only"))
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reading else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("kepu_read_only"):
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
