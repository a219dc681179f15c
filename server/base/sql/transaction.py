"""One open transaction as hot paths and the ORM use it, and how engines begin one.

It neither commits nor rolls back: that is `work.py`'s alone.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import Session

from server.base.clock import SystemClock
from server.base.sql.patience import Patience
from server.base.sql.postgres import open_bounded

READ_ONLY = "kepu_read_only"
# A connection used a moment ago is believed to live; asking costs a round trip each time.
_BELIEVED_SECONDS = 1.0
# A difference in SQLite's wait that is worth a statement, and where its present value is noted.
_MEANT_MILLISECONDS, _BUSY = 20, "kepu_busy_milliseconds"


class Transaction:
    """A connection inside its transaction; closes what it has made when it ends."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self._driver: Any = connection.connection.dbapi_connection
        self._changes_before = getattr(self._driver, "total_changes", 0)
        self._session: Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            self._session.close()

    @property
    def has_session(self) -> bool:
        """Whether anybody has used the ORM."""
        return self._session is not None

    @property
    def session(self) -> Session:
        """The ORM in this transaction; whoever needs none does not pay for it."""
        if self._session is None:
            self._session = Session(self.connection, expire_on_commit=False)
        return self._session

    def flush(self) -> None:
        """Write what the session has still to write, and set the savepoint that it is in."""
        if self._session is not None:
            self._session.flush()
            self._session.connection()

    def refuse_writes(self) -> None:
        """Refuse, at the end of a reading, what it has written; nothing of it may be kept.

        PostgreSQL refuses each statement by itself. SQLite could (`query_only`), but forgets every
        statement it has prepared whenever that is switched, and preparing costs more than running.
        Raises: InternalError, as PostgreSQL does: the mistake is ours, no database is away.
        """
        if getattr(self._driver, "total_changes", 0) != self._changes_before:
            trouble = self.dialect.loaded_dbapi.InternalError("a reading Work has written")
            raise _in_sqlalchemys_words(self.dialect, "", trouble)

    def execute(self, text: str, values: Any, *, fetch: bool) -> tuple[list[Any], int]:
        """The rows of a statement in the driver's own words, and how many rows it touched.

        SQLAlchemy's execution would cost five times as much as the driver's; its listeners are
        told and its errors are raised all the same.
        Raises: DBAPIError.
        """
        for heard in self.connection.dispatch.before_cursor_execute:
            heard(self.connection, None, text, values, None, False)
        try:
            cursor = self._driver.execute(text, values)
            return (cursor.fetchall() if fetch else []), cursor.rowcount
        except self.dialect.loaded_dbapi.Error as trouble:
            lost = self.dialect.is_disconnect(cast(Any, trouble), self._driver, None)
            if lost:
                self.connection.invalidate(trouble)
            raise _in_sqlalchemys_words(self.dialect, text, trouble, lost=lost) from trouble


_patience: WeakKeyDictionary[Engine, Patience] = WeakKeyDictionary()


def patience_of(engine: Engine) -> Patience:
    """The patience that an engine was prepared with."""
    return _patience[engine]


def prepare_engine(engine: Engine, patience: Patience) -> None:
    """Give an engine our transactions, all bounded: immediate to write, read only to read."""
    _patience[engine] = patience
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, patience)
    else:
        open_bounded(engine, patience)
        _prepare_postgresql(engine)

    @event.listens_for(engine, "checkin")
    def checkin(raw: Any, record: Any) -> None:
        # A commit or rollback that failed may leave it open: nobody else may begin inside it.
        if raw is not None and _is_open(engine.dialect, raw):
            record.invalidate()


def _is_open(dialect: Dialect, raw: Any) -> bool:
    """Whether a connection of the driver is inside a transaction, or in no state to tell."""
    if dialect.name == "sqlite":
        return bool(raw.in_transaction)
    idle = cast(Any, dialect.loaded_dbapi).pq.TransactionStatus.IDLE
    return bool(raw.pgconn.transaction_status != idle)


def _prepare_sqlite(engine: Engine, patience: Patience) -> None:
    usual = _milliseconds(patience)

    @event.listens_for(engine, "connect")
    def connect(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # the driver must not begin by itself
        raw.execute(f"PRAGMA busy_timeout = {usual}")
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA foreign_keys = ON")
        # What is erased is overwritten, not only unlinked.
        raw.execute("PRAGMA secure_delete = ON")
        # An answer that was acknowledged must survive the loss of power.
        raw.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # At every transaction, so the driver is asked directly.
        raw = cast(Any, connection.connection.dbapi_connection)
        reading, begun = _is_reading(connection), patience.monotonic()
        try:
            _wait_no_longer(raw, connection.info, _milliseconds(patience), usual)
            raw.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
        except connection.dialect.loaded_dbapi.Error as trouble:
            if not reading:
                patience.locked_out(patience.monotonic() - begun)
            raise _in_sqlalchemys_words(connection.dialect, "BEGIN", trouble) from trouble
        if not reading:
            patience.answered()


def _milliseconds(patience: Patience) -> int:
    """How long SQLite may wait for a lock now."""
    return int(patience.allowed_for_lock() * 1000)


def _wait_no_longer(raw: Any, info: dict[Any, Any], now: int, usual: int) -> None:
    """Shorten SQLite's wait where something of it is spent already; full again the next time."""
    now = usual if usual - now < _MEANT_MILLISECONDS else now
    if info.get(_BUSY, usual) != now:
        raw.execute(f"PRAGMA busy_timeout = {now}")
        info[_BUSY] = now


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver says it with its BEGIN; a statement of its own would be one more round trip.
        reading, raw = _is_reading(connection), cast(Any, connection.connection.dbapi_connection)
        if raw.read_only is not reading:
            raw.read_only = reading

    clock = SystemClock()
    last_lost = float("-inf")

    @event.listens_for(engine, "invalidate")
    def invalidate(_raw: object, _record: object, _trouble: object) -> None:
        # Whatever has ended one connection may have ended all of them.
        nonlocal last_lost
        last_lost = clock.monotonic()

    @event.listens_for(engine, "checkin")
    def checkin(_raw: object, record: Any) -> None:
        record.info["rests_since"] = clock.monotonic()

    @event.listens_for(engine, "checkout")
    def checkout(raw: Any, record: Any, _held: object) -> None:
        since = record.info.get("rests_since")
        if since is None or max(last_lost, clock.monotonic() - _BELIEVED_SECONDS) < since:
            return
        try:
            engine.dialect.do_ping(raw)
        except engine.dialect.loaded_dbapi.Error as trouble:
            # The pool opens another connection in its place.
            raise DisconnectionError from trouble


def _in_sqlalchemys_words(
    dialect: Dialect, text: str, trouble: Exception, *, lost: bool = False
) -> BaseException:
    # Without the values: an error is no place for what a citizen has told us.
    return DBAPIError.instance(
        text, None, trouble, dialect.loaded_dbapi.Error, connection_invalidated=lost,
        hide_parameters=True, dialect=dialect,
    )  # fmt: skip


def _is_reading(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(READ_ONLY))
