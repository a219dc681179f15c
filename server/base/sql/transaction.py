"""One open transaction for hot paths and the ORM, and how engines begin one.

It neither commits nor rolls back by itself: only `base/uow.py` does.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect, Engine, PoolProxiedConnection, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.orm import Session

from server.base.clock import SystemClock
from server.base.sql.patience import WaitPatience
from server.base.sql.postgres import Found, open_bounded

READ_ONLY = "kepu_read_only"
# A connection used within this time is assumed alive; a check costs a round trip.
_BELIEVED_SECONDS = 1.0
# The smallest change of SQLite's timeout worth a statement, and the key of its current value.
_MEANT_MILLISECONDS, _BUSY = 20, "kepu_busy_milliseconds"


class Transaction:
    """One transaction on a pooled connection; closes what it has created when it ends.

    Hot paths use only the driver. SQLAlchemy's connection and session are created at first use and
    join the open transaction.
    """

    def __init__(self, engine: Engine, held: PoolProxiedConnection, patience: WaitPatience) -> None:
        self.dialect = engine.dialect
        self.driver: Any = held.dbapi_connection
        self._engine = engine
        self._held = held
        self._patience = patience
        # Listeners that are added while it is open are not called.
        self._heard = tuple(engine.dispatch.before_cursor_execute)
        self._connection: Connection | None = None
        self._session: Session | None = None

    @property
    def statement_dialect(self) -> Dialect:
        """The dialect of statements for `execute_text`."""
        return self.dialect

    @property
    def connection(self) -> Connection:
        """SQLAlchemy's connection in this transaction."""
        if self._connection is None:
            self._connection = Connection(self._engine, self._held)
            self._connection.begin()
        return self._connection

    @property
    def session(self) -> Session:
        """The ORM session in this transaction, created at first use."""
        if self._session is None:
            self._session = Session(self.connection, expire_on_commit=False)
        return self._session

    @property
    def made_connection(self) -> Connection | None:
        """SQLAlchemy's connection, if created."""
        return self._connection

    @property
    def made_session(self) -> Session | None:
        """The ORM's session, if created."""
        return self._session

    def flush_session(self) -> None:
        """Flush the session, and start the savepoint that it is in."""
        if self._session is not None:
            self._session.flush()
            self._session.connection()

    def return_connection(self) -> None:
        """Return the connection to the pool."""
        try:
            if self._session is not None:
                self._session.close()
        finally:
            if self._connection is not None:
                self._connection.close()
            elif self._held.dbapi_connection is not None:
                self._held.close()

    def begin_transaction(self) -> None:
        """Begin; on PostgreSQL the first statement does it.

        Raises: DBAPIError.
        """

    def end_transaction(self, words: str) -> None:
        """Send COMMIT or ROLLBACK, if a transaction is open; only `base/uow.py` calls it.

        Raises: DBAPIError.
        """
        if self._held.dbapi_connection is None:
            return  # the connection is lost, and its transaction with it
        try:
            self._send_end(words)
        except self.dialect.loaded_dbapi.Error as trouble:
            raise self.convert_error(words, trouble) from trouble

    def refuse_writes(self) -> None:
        """Refuse writes of a read-only transaction at its end; PostgreSQL did so already."""

    def execute_text(self, text: str, values: Any) -> Found:
        """Execute driver-level SQL; return the rows, and the number of affected rows.

        SQLAlchemy's execution would cost five times as much as the driver's; its listeners and its
        exceptions are supported here too.
        Raises: DBAPIError.
        """
        for heard in self._heard:
            heard(self.connection, None, text, values, None, False)
        try:
            return self._run_text(text, values)
        except self.dialect.loaded_dbapi.Error as trouble:
            raise self.convert_error(text, trouble) from trouble

    def execute_at_commit(self, text: str, values: Any, refused: Exception) -> None:
        """Execute a last INSERT, with the commit in one exchange where the database allows it.

        Raises: `refused`, here or at the commit, when a unique key exists; nothing is committed.
        """
        try:
            self.execute_text(text, values)
        except IntegrityError:
            raise refused from None

    def execute_by_commit(self, text: str, values: Any) -> None:
        """Execute a statement whose result nobody needs, at the latest together with the commit.

        Raises: DBAPIError, here, at a later statement or at the commit.
        """
        self.execute_text(text, values)

    def convert_error(self, text: str, trouble: Exception) -> BaseException:
        """Convert a driver's error to SQLAlchemy's; a lost connection leaves the pool."""
        lost = self.dialect.is_disconnect(cast(Any, trouble), self.driver, None)
        if lost and self._connection is not None:
            self._connection.invalidate(trouble)
        elif lost:
            self._held.invalidate(trouble)
        return _convert_error(self.dialect, text, trouble, lost=lost)

    def _run_text(self, text: str, values: Any) -> Found:
        raise NotImplementedError

    def _send_end(self, words: str) -> None:
        raise NotImplementedError


class _OnSqlite(Transaction):
    def __init__(self, engine: Engine, held: PoolProxiedConnection, patience: WaitPatience) -> None:
        super().__init__(engine, held, patience)
        self._changes_before = self.driver.total_changes

    def begin_transaction(self) -> None:
        _begin_sqlite(self._engine, self.driver, self._held.info, self._patience)

    def refuse_writes(self) -> None:
        # SQLite's `query_only` could refuse each write, but switching it discards all prepared
        # statements, and preparing costs more than running.
        if self.driver.total_changes != self._changes_before:
            # The error class that PostgreSQL raises: a bug of ours, not an unavailable database.
            trouble = self.dialect.loaded_dbapi.InternalError("a reading Work has written")
            raise _convert_error(self.dialect, "", trouble)

    def _send_end(self, words: str) -> None:
        if self.driver.in_transaction:
            self.driver.execute(words)

    def _run_text(self, text: str, values: Any) -> Found:
        cursor = self.driver.execute(text, values)
        return cursor.fetchall(), cursor.rowcount


class _OnPostgres(Transaction):
    def __init__(self, engine: Engine, held: PoolProxiedConnection, patience: WaitPatience) -> None:
        super().__init__(engine, held, patience)
        self._begin = b"BEGIN READ ONLY" if _is_reading(engine) else b"BEGIN READ WRITE"
        # Statements that wait for the next exchange, and the one that waits for the commit.
        self._waiting: list[tuple[str, Any]] = []
        self._last: tuple[str, Any, Exception] | None = None

    @property
    def connection(self) -> Connection:
        """SQLAlchemy's connection in this transaction, after the statements that wait."""
        self._send_waiting()
        return super().connection

    @property
    def statement_dialect(self) -> Dialect:
        return _numbered_dialect(self.dialect)

    def execute_at_commit(self, text: str, values: Any, refused: Exception) -> None:
        if self._connection is not None or self._heard:
            # SQLAlchemy's connection sends its own COMMIT; listeners need one as well.
            super().execute_at_commit(text, values, refused)
        else:
            self._last = text, values, refused

    def execute_by_commit(self, text: str, values: Any) -> None:
        if self._connection is not None or self._heard or not _is_open(self.dialect, self.driver):
            self.execute_text(text, values)
        else:
            self._waiting.append((text, values))

    def _send_end(self, words: str) -> None:
        statements, self._waiting = self._waiting, []
        last, self._last = self._last, None
        if last is not None:
            statements.append(last[:2])
        if statements and words == "COMMIT":
            self.driver.run_and_commit(statements, None if last is None else last[2])
        else:
            # A rollback undoes what waits.
            self.driver.end_transaction(words.encode())

    def _send_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for text, values in waiting:
            self.execute_text(text, values)

    def _run_text(self, text: str, values: Any) -> Found:
        if self._waiting:
            self._send_waiting()
        found: Found = self.driver.run_prepared(text, values, self._begin)
        return found


@cache
def _numbered_dialect(dialect: Any) -> Dialect:
    """The dialect with parameters in libpq's style: `$1`, `$2`, …"""
    made: Dialect = type(dialect)(
        dbapi=dialect.loaded_dbapi,
        paramstyle="numeric_dollar",
        json_serializer=dialect._json_serializer,
        json_deserializer=dialect._json_deserializer,
    )
    return made


def open_transaction(engine: Engine, patience: WaitPatience) -> Transaction:
    """Take a connection from the pool, ready to begin.

    Raises: DBAPIError, sqlalchemy.exc.TimeoutError when the pool is exhausted.
    """
    try:
        held = engine.pool.connect()
    except engine.dialect.loaded_dbapi.Error as trouble:
        raise _convert_error(engine.dialect, "", trouble, lost=True) from trouble
    kind = _OnSqlite if engine.dialect.name == "sqlite" else _OnPostgres
    return kind(engine, held, patience)


_patience: WeakKeyDictionary[Engine, WaitPatience] = WeakKeyDictionary()


def patience_of(engine: Engine) -> WaitPatience:
    """The patience of a prepared engine."""
    return _patience[engine]


def prepare_engine(engine: Engine, patience: WaitPatience) -> None:
    """Install our transactions on an engine: bounded, immediate or read-only."""
    _patience[engine] = patience
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, patience)
    else:
        open_bounded(engine, patience)
        _prepare_postgresql(engine)

    @event.listens_for(engine, "checkin")
    def discard_open_transaction(raw: Any, record: Any) -> None:
        # A failed commit or rollback may leave it open; the next user would begin inside it.
        if raw is not None and _is_open(engine.dialect, raw):
            record.invalidate()


def _is_open(dialect: Dialect, raw: Any) -> bool:
    """Whether a driver connection is inside a transaction, or in an unknown state."""
    if dialect.name == "sqlite":
        return bool(raw.in_transaction)
    idle = cast(Any, dialect.loaded_dbapi).pq.TransactionStatus.IDLE
    return bool(raw.pgconn.transaction_status != idle)


def _prepare_sqlite(engine: Engine, patience: WaitPatience) -> None:
    usual = int(patience.usual_for_lock * 1000)

    @event.listens_for(engine, "connect")
    def set_up_sqlite(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # the driver must not begin by itself
        raw.execute(f"PRAGMA busy_timeout = {usual}")
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA foreign_keys = ON")
        # Deleted data is overwritten, not only unlinked.
        raw.execute("PRAGMA secure_delete = ON")
        # A committed answer must survive a power failure.
        raw.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin_sqlite(connection: Connection) -> None:
        raw = cast(Any, connection.connection.dbapi_connection)
        if not raw.in_transaction:
            _begin_sqlite(connection.engine, raw, connection.info, patience)


def _begin_sqlite(engine: Engine, raw: Any, info: dict[Any, Any], patience: WaitPatience) -> None:
    """Begin through the driver, because this runs for every transaction."""
    reading, begun = _is_reading(engine), patience.monotonic()
    try:
        _wait_no_longer(
            raw, info, _timeout_milliseconds(patience), int(patience.usual_for_lock * 1000)
        )
        raw.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
    except engine.dialect.loaded_dbapi.Error as trouble:
        if not reading:
            patience.locked_out(patience.monotonic() - begun)
        raise _convert_error(engine.dialect, "BEGIN", trouble) from trouble
    if not reading:
        patience.note_response()


def _timeout_milliseconds(patience: WaitPatience) -> int:
    """SQLite's timeout for a lock now."""
    return int(patience.allowed_for_lock() * 1000)


def _wait_no_longer(raw: Any, info: dict[Any, Any], now: int, usual: int) -> None:
    """Shorten SQLite's timeout when part of the budget is used; reset for the next transaction."""
    now = usual if usual - now < _MEANT_MILLISECONDS else now
    if info.get(_BUSY, usual) != now:
        raw.execute(f"PRAGMA busy_timeout = {now}")
        info[_BUSY] = now


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def set_read_only(connection: Connection) -> None:
        # The driver sends it with its BEGIN; a separate statement would cost another round trip.
        raw = cast(Any, connection.connection.dbapi_connection)
        reading = _is_reading(connection.engine)
        if not _is_open(engine.dialect, raw) and raw.read_only is not reading:
            raw.read_only = reading

    clock = SystemClock()
    last_lost = float("-inf")

    @event.listens_for(engine, "invalidate")
    def note_lost_connection(_raw: object, _record: object, _trouble: object) -> None:
        # The cause that closed one connection has probably closed all of them.
        nonlocal last_lost
        last_lost = clock.monotonic()

    @event.listens_for(engine, "checkin")
    def note_rest_start(_raw: object, record: Any) -> None:
        record.info["rests_since"] = clock.monotonic()

    @event.listens_for(engine, "checkout")
    def ping_rested(raw: Any, record: Any, _held: object) -> None:
        since = record.info.get("rests_since")
        if since is None or max(last_lost, clock.monotonic() - _BELIEVED_SECONDS) < since:
            return
        try:
            engine.dialect.do_ping(raw)
        except engine.dialect.loaded_dbapi.Error as trouble:
            # The pool then opens a new connection.
            raise DisconnectionError from trouble


def _convert_error(
    dialect: Dialect, text: str, trouble: Exception, *, lost: bool = False
) -> BaseException:
    # The values are left out, because they may be personal data.
    return DBAPIError.instance(
        text, None, trouble, dialect.loaded_dbapi.Error, connection_invalidated=lost,
        hide_parameters=True, dialect=dialect,
    )  # fmt: skip


def _is_reading(engine: Engine) -> bool:
    return bool(engine.get_execution_options().get(READ_ONLY))
