"""Database and Redis of peer (c): the drivers alone, one connection for each thread."""

from __future__ import annotations

import re
import socket
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha1
from typing import Any

import hiredis
import msgspec
import psycopg
from psycopg.types.json import set_json_loads
from sqlalchemy.engine import make_url

_NAME = re.compile(r":(\w+)")
_SCRIPTS_AT = "SCRIPT", "LOAD"
_RECEIVED = 1 << 16


class Sqlite:
    """SQLite by its driver; one writer at a time, the others wait in a line."""

    def __init__(self, address: str) -> None:
        self._path = make_url(address).database or ""
        self._seat = threading.local()
        self._turn = threading.Lock()

    def _connection(self) -> sqlite3.Connection:
        held: sqlite3.Connection | None = getattr(self._seat, "connection", None)
        if held is None:
            held = self._seat.connection = sqlite3.connect(self._path, isolation_level=None)
            for pragma in ("busy_timeout = 5000", "journal_mode = WAL", "foreign_keys = ON",
                           "synchronous = FULL"):  # fmt: skip
                held.execute(f"PRAGMA {pragma}")
        return held

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A transaction: its `execute`."""
        with self._turn:
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection.execute
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """Statements of one moment that change nothing."""
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            yield connection.execute
        finally:
            connection.execute("ROLLBACK")

    @staticmethod
    def text(statement: str) -> str:
        """A statement as this driver takes it."""
        return _without_locks(statement).replace("::json", "")

    @staticmethod
    def instant(value: str | None) -> datetime | None:
        """An instant as the database gives it."""
        return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)

    @staticmethod
    def stored_instant(value: datetime) -> str:
        """An instant as the database keeps it."""
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")

    @staticmethod
    def day(value: str) -> date:
        """A day as the database gives it."""
        return date.fromisoformat(value)

    @staticmethod
    def stored_day(value: date) -> str:
        """A day as the database keeps it."""
        return value.isoformat()

    @staticmethod
    def document(value: str) -> Any:
        """JSON as the database gives it."""
        return msgspec.json.decode(value)


class Postgres:
    """PostgreSQL by psycopg, which prepares what is asked again and again."""

    def __init__(self, address: str) -> None:
        url = make_url(address)
        self._address = {
            "dbname": url.database, "user": url.username, "password": url.password,
            "host": url.query.get("host", url.host), "port": url.port,
        }  # fmt: skip
        self._seat = threading.local()
        set_json_loads(msgspec.json.decode)

    def _connection(self) -> psycopg.Connection[Any]:
        held: psycopg.Connection[Any] | None = getattr(self._seat, "connection", None)
        if held is None or held.closed:
            known = {name: value for name, value in self._address.items() if value is not None}
            held = self._seat.connection = psycopg.connect(**known)
        return held

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A transaction: its `execute`."""
        connection = self._connection()
        cursor = connection.cursor()
        try:
            yield cursor.execute
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """Statements of one moment that change nothing."""
        connection = self._connection()
        try:
            yield connection.cursor().execute
        finally:
            connection.rollback()

    @staticmethod
    def text(statement: str) -> str:
        """A statement as this driver takes it."""
        kept = statement.replace("::json", "\0")
        return _NAME.sub(r"%(\1)s", kept).replace("\0", "::json")

    @staticmethod
    def instant(value: datetime | None) -> datetime | None:
        """An instant as the database gives it."""
        return value

    stored_instant = instant

    @staticmethod
    def day(value: date) -> date:
        """A day as the database gives it."""
        return value

    stored_day = day

    @staticmethod
    def document(value: Any) -> Any:
        """JSON as the database gives it."""
        return value


@cache
def _without_locks(statement: str) -> str:
    return re.sub(r" FOR UPDATE( OF [\w, ]+)?", "", statement)


Driver = Sqlite | Postgres


def open_database(address: str) -> Driver:
    """The driver for an address of SQLAlchemy."""
    return Sqlite(address) if address.startswith("sqlite") else Postgres(address)


class Redis:
    """Redis by hiredis over a socket; scripts are known to it from the first moment."""

    def __init__(self, url: str, scripts: Sequence[str]) -> None:
        self._path = url.removeprefix("unix://")
        self._scripts = scripts
        self._shas = {s: sha1(s.encode(), usedforsecurity=False).hexdigest() for s in scripts}
        self._seat = threading.local()

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """The reply of a script."""
        return self.command("EVALSHA", self._shas[script], len(keys), *keys, *arguments)

    def command(self, *words: Any) -> Any:
        """The reply to a command."""
        seat = self._seat
        if not hasattr(seat, "socket"):
            seat.socket = socket.socket(socket.AF_UNIX)
            seat.socket.connect(self._path)
            seat.reader = hiredis.Reader()
            for script in self._scripts:
                self._exchange(seat, (*_SCRIPTS_AT, script))
        return self._exchange(seat, words)

    @staticmethod
    def _exchange(seat: Any, words: tuple[Any, ...]) -> Any:
        seat.socket.sendall(hiredis.pack_command(words))
        while (reply := seat.reader.gets()) is False:
            seat.reader.feed(seat.socket.recv(_RECEIVED))
        if isinstance(reply, hiredis.ReplyError):
            raise reply
        return reply
