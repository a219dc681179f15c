"""The statements of a sign-up, recorded from the product and run by the drivers alone."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import event, make_url, select

from server.app import Application, create_app
from server.base import uow as transactions
from server.base.ids import new_ref
from server.base.signing import token_hash
from server.base.sql.transaction import Transaction
from server.base.uow import UnitOfWork
from server.signups.models import SignUp
from tests.bench.processes import BenchFailed
from tests.bench.rows import API
from tests.bench.stage import Person, Stage
from tests.kit.activities import Lecture, a_lecture

# Connections of the driver.
CONNECTIONS = 16
_OTHERS = 1000


@dataclass
class Recorded:
    """A transaction of the product: its statements with their values, and those sent at its end."""

    read_only: bool = False
    statements: list[tuple[str, Any]] = field(default_factory=list)
    at_end: set[str] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True)
class Model:
    """What one sign-up did in the database, and the values that are its own."""

    transactions: Sequence[Recorded]
    own: Mapping[object, str]
    signup_id: int


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Units: seconds in all; milliseconds of one, in order."""

    seconds: float
    times_ms: Sequence[float]

    def at_share(self, share: float) -> float:
        """The time within which this share was done."""
        last = len(self.times_ms) - 1
        return self.times_ms[min(int(len(self.times_ms) * share), last)]


def open_lecture(stage: Stage, seats: int) -> Lecture:
    """A lecture with so many seats, whose sign-up is open."""
    with stage.application.uow_factory.begin() as uow:
        return a_lecture(uow, seats=seats)


def record_models(stage: Stage) -> tuple[Model, Model]:
    """One sign-up with a seat and one that waits, asked in this process."""
    lecture = open_lecture(stage, 1)
    # Whose row ids are no other number of these statements.
    *_, seated, waiting = stage.newcomers(_OTHERS + 2)
    app = create_app(stage.settings)
    application: Application = app.extensions["kepu"]
    try:
        return tuple(  # type: ignore[return-value]
            _record_one(application, app.test_client(), one, lecture) for one in (seated, waiting)
        )
    finally:
        application.uow_factory.engine.dispose()
        application.uow_factory.dependencies.kv.kv.close()


def _record_one(application: Application, client: Any, person: Person, lecture: Lecture) -> Model:
    path = f"{API}/activities/{lecture.ref}/signup"
    with _recording(application) as recorded:
        answer = client.post(
            path, json={}, headers={"Authorization": f"Bearer {person.token}"},
            base_url=application.settings.public_url,
        )  # fmt: skip
    if answer.status_code != 201:
        raise BenchFailed(f"{answer.status_code} {answer.text}")
    with application.uow_factory.begin(read_only=True) as uow:
        row = uow.session.scalars(select(SignUp).where(SignUp.citizen_id == person.id)).one()
    own = {person.id: "citizen", token_hash(person.token): "token", row.ref: "ref"}
    return Model(transactions=recorded, own=own, signup_id=row.id)


@contextlib.contextmanager
def _recording(application: Application) -> Iterator[list[Recorded]]:
    """Note the statements of every transaction while the block runs."""
    done: list[Recorded] = []
    now = Recorded()
    finish = transactions._finish_transaction

    def note_statement(_c: object, _k: object, text: str, values: Any, *_more: object) -> None:
        now.statements.append((text, values))

    def finish_noted(uow: UnitOfWork) -> None:
        nonlocal now
        finish(uow)
        done.append(Recorded(uow.read_only, now.statements, now.at_end))
        now = Recorded()

    def note_by_commit(self: Transaction, text: str, values: Any) -> None:
        now.at_end.add(text)
        self.execute_text(text, values)

    kinds = [Transaction, *Transaction.__subclasses__()]
    kept = [(kind, kind.__dict__["execute_by_commit"]) for kind in kinds
            if "execute_by_commit" in kind.__dict__]  # fmt: skip
    engine = application.uow_factory.engine
    event.listen(engine, "before_cursor_execute", note_statement)
    transactions._finish_transaction = finish_noted
    for kind, _ in kept:
        kind.execute_by_commit = note_by_commit  # type: ignore[method-assign]
    try:
        yield done
    finally:
        event.remove(engine, "before_cursor_execute", note_statement)
        transactions._finish_transaction = finish
        for kind, call in kept:
            kind.execute_by_commit = call


def run_alone(stage: Stage, models: Sequence[Model]) -> Speed:
    """Run the statements of these sign-ups for other people, on a few connections."""
    people = stage.newcomers(len(models))
    kind = stage.application.uow_factory.engine.dialect.name
    driver = (_Sqlite if kind == "sqlite" else _Postgres)(stage.settings.database_address)

    def sign_up(one: tuple[Model, Person]) -> float:
        begun = time.perf_counter()
        _repeat_model(driver, *one)
        return (time.perf_counter() - begun) * 1000

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        begun = time.perf_counter()
        times = list(pool.map(sign_up, zip(models, people, strict=True)))
        seconds = time.perf_counter() - begun
    driver.close()
    return Speed(seconds=seconds, times_ms=sorted(times))


def _repeat_model(driver: _Sqlite | _Postgres, model: Model, person: Person) -> None:
    known = {"citizen": person.id, "token": token_hash(person.token), "ref": new_ref("sgn")}
    replaced = {value: known[name] for value, name in model.own.items()}
    for one in model.transactions:
        with driver.begin(read_only=one.read_only) as execute:
            made = None
            for text, values in one.statements:
                mine = dict(replaced)
                if "signup_notice" in text and made is not None:
                    mine[model.signup_id] = made
                rows = execute(text, _replace_own(values, mine), text in one.at_end)
                if text.startswith("INSERT INTO signup "):
                    made = rows[0][0]


def _replace_own(values: Any, mine: Mapping[object, object]) -> Any:
    if isinstance(values, Mapping):
        return {name: _own_value(value, mine) for name, value in values.items()}
    return [_own_value(value, mine) for value in values]


def _own_value(value: object, mine: Mapping[object, object]) -> object:
    return mine.get(value, value) if isinstance(value, (int, str, bytes)) else value


class _Sqlite:
    """SQLite by its driver; one writer at a time, the others wait in a line."""

    def __init__(self, address: str) -> None:
        self._path = make_url(address).database or ""
        self._own, self._turn = threading.local(), threading.Lock()
        self._opened: list[sqlite3.Connection] = []

    @contextlib.contextmanager
    def begin(self, *, read_only: bool) -> Iterator[Callable[[str, Any, bool], Any]]:
        """A transaction: what executes a statement."""
        connection = self._connection()
        with contextlib.nullcontext() if read_only else self._turn:
            connection.execute("BEGIN" if read_only else "BEGIN IMMEDIATE")
            try:
                yield lambda text, values, _at_end: connection.execute(text, values).fetchall()
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("ROLLBACK" if read_only else "COMMIT")

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._own, "connection"):
            made = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            for pragma in ("busy_timeout = 60000", "journal_mode = WAL", "foreign_keys = ON",
                           "secure_delete = ON", "synchronous = FULL"):  # fmt: skip
                made.execute(f"PRAGMA {pragma}")
            self._own.connection = made
            self._opened.append(made)
        return self._own.connection  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close all connections."""
        for one in self._opened:
            one.close()


class _Postgres:
    """PostgreSQL by psycopg; what the product sends with its commit is sent with the commit."""

    def __init__(self, address: str) -> None:
        url = make_url(address)
        self._address = {
            "dbname": url.database, "user": url.username, "password": url.password,
            "host": url.query.get("host", url.host), "port": url.port,
        }  # fmt: skip
        self._own = threading.local()
        self._opened: list[psycopg.Connection[Any]] = []

    @contextlib.contextmanager
    def begin(self, *, read_only: bool) -> Iterator[Callable[[str, Any, bool], Any]]:
        """A transaction: what executes a statement."""
        connection = self._connection()
        waiting: list[tuple[str, Any]] = []

        def execute(text: str, values: Any, at_end: bool) -> Any:
            if at_end:
                waiting.append((text, values))
                return ()
            # SQLAlchemy's own statements name their values, the prepared ones number them.
            kind = psycopg.Cursor if isinstance(values, Mapping) else psycopg.RawCursor
            cursor = kind(connection)
            cursor.execute(text, values, prepare=True)
            return cursor.fetchall() if cursor.description else ()

        yield execute
        with connection.pipeline():
            for text, values in waiting:
                psycopg.RawCursor(connection).execute(text, values, prepare=True)
            connection.execute("ROLLBACK" if read_only else "COMMIT", prepare=True)

    def _connection(self) -> psycopg.Connection[Any]:
        if not hasattr(self._own, "connection"):
            known = {name: value for name, value in self._address.items() if value is not None}
            self._own.connection = psycopg.connect(**known)
            self._opened.append(self._own.connection)
        return self._own.connection  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close all connections."""
        for one in self._opened:
            one.close()
