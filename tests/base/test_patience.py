"""A database that hangs or is locked: everybody is told in time, and the pool comes back whole."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

import server.base.sql.patience as patience_module
from server.app import Overrides, create_app
from server.base.database_away import DatabaseAway
from server.base.fair_slots import FairSlots
from server.base.settings import Database, Settings
from server.base.sql.database import open_engine
from server.base.sql.patience import (
    PAUSE_SECONDS,
    NotAsked,
    Use,
    WaitBounds,
    WaitPatience,
    bounds_for,
)
from server.base.sql.postgres import BoundedConnection
from server.base.sql.schema import is_newest
from server.base.sql.transaction import patience_of
from server.base.uow import UnitOfWorkFactory
from server.base.web.health import Lookout
from tests.conftest import application_of
from tests.kit.databases import OwnPostgres
from tests.kit.gateway import RecordingGateway

CLIENTS = 100
POOL = 4
CLOSING_SHARE = 0.8
REQUEST_SECONDS = 1.0
# A test that would hang is failed by then; none comes near it.
LONGEST = 60


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[OwnPostgres]:
    with tempfile.TemporaryDirectory(prefix="kepu-own-") as folder:
        made = OwnPostgres(Path(folder))
        yield made
        made.close()


@contextmanager
def frozen(server: OwnPostgres) -> Iterator[None]:
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


@pytest.fixture
def hurried(settings: Settings) -> Settings:
    """Settings with a small pool and little patience."""
    return replace(settings, database=Database(pool_size=POOL, request_seconds=REQUEST_SECONDS))


@pytest.fixture
def stoppable(
    own_postgres: OwnPostgres, hurried: Settings, gateway: RecordingGateway
) -> Iterator[Flask]:
    """The web server over a database that can be stopped, its pool full of living connections."""
    app = create_app(replace(hurried, database_url=own_postgres.url), Overrides(gateway=gateway))
    fill(application_of(app).uow_factory)
    yield app
    application_of(app).uow_factory.engine.dispose()


def fill(uow_factory: UnitOfWorkFactory) -> int:
    """Use every connection of the pool at the same moment; how many there were."""
    together = threading.Barrier(POOL, timeout=LONGEST)

    def use() -> int:
        with uow_factory.begin(read_only=True) as uow:
            assert uow.session.execute(text("SELECT 1")).scalar() == 1
            together.wait()
        return 1

    with ThreadPoolExecutor(POOL) as threads:
        return sum(done.result(LONGEST) for done in [threads.submit(use) for _ in range(POOL)])


class Waits:
    """What is asked of the database: how long each wait may last; how many whole ones failed."""

    def __init__(self, patience: WaitPatience, monkeypatch: pytest.MonkeyPatch) -> None:
        self.allowed: list[float] = []
        self.in_vain = 0
        spend, wait, gone = patience.note_timeout, psycopg.Connection.wait, self

        def unanswered(seconds: float) -> None:
            # A thread that the machine kept from running has less left, and closes nothing.
            gone.in_vain += seconds >= REQUEST_SECONDS * CLOSING_SHARE
            spend(seconds)

        def recorded(connection: Any, *given: Any, **named: Any) -> Any:
            # The generator, the interval of looking up, and what this wait is really given.
            if len(given) > 2:
                gone.allowed.append(given[2])
            return wait(connection, *given, **named)

        monkeypatch.setattr(patience, "note_timeout", unanswered)
        monkeypatch.setattr(psycopg.Connection, "wait", recorded)


def later(patience: WaitPatience, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of the pause passes."""
    before = patience.monotonic
    monkeypatch.setattr(patience, "monotonic", lambda: before() + PAUSE_SECONDS + LONGEST)


def pause_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """No trial happens within the test, however slow the machine is."""
    monkeypatch.setattr(patience_module, "PAUSE_SECONDS", float(LONGEST))


def test_a_hundred_clients_of_a_stopped_server_get_503_and_its_pool_is_whole_afterwards(
    stoppable: Flask, own_postgres: OwnPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    uow_factory = application_of(stoppable).uow_factory
    patience = patience_of(uow_factory.engine)
    waits = Waits(patience, monkeypatch)
    pause_for_long(monkeypatch)

    def ask(_: int) -> tuple[int, str | None, str]:
        answer = stoppable.test_client().get("/api/v1/campaign")
        return answer.status_code, answer.headers.get("Retry-After"), answer.get_json()["code"]

    with frozen(own_postgres), ThreadPoolExecutor(CLIENTS) as clients:
        told = list(clients.map(ask, range(CLIENTS), timeout=LONGEST))
        assert {(status, code) for status, _, code in told} == {(503, "database_away")}
        assert all(int(seconds or 0) > 0 for _, seconds, _ in told)
        # Nobody could wait longer than is allowed, and who found no connection waited for none.
        assert max(waits.allowed) <= REQUEST_SECONDS
        assert waits.in_vain <= POOL
        # Who comes now is told at once, without a wait of the driver's.
        before = len(waits.allowed)
        assert ask(0)[0] == 503
        assert len(waits.allowed) == before
    later(patience, monkeypatch)
    assert stoppable.test_client().get("/api/v1/campaign").status_code == 404
    assert uow_factory.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert fill(uow_factory) == POOL


def test_a_server_that_stops_within_a_request_is_noticed_at_the_next_statement(
    stoppable: Flask, own_postgres: OwnPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    uow_factory = application_of(stoppable).uow_factory
    with pytest.raises(DatabaseAway), uow_factory.begin() as uow:
        uow.session.execute(text("SELECT 1"))
        own_postgres.freeze()
        try:
            uow.session.execute(text("SELECT 2"))
        finally:
            own_postgres.thaw()
    later(patience_of(uow_factory.engine), monkeypatch)
    write(uow_factory)
    assert fill(uow_factory) == POOL


def test_without_the_bound_a_request_hangs_as_long_as_the_server(
    stoppable: Flask, own_postgres: OwnPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: with the driver's own wait nobody is told."""
    monkeypatch.setattr(BoundedConnection, "wait", psycopg.Connection.wait)
    with ThreadPoolExecutor(1) as threads:
        with frozen(own_postgres):
            asked: Future[Any] = threads.submit(stoppable.test_client().get, "/api/v1/campaign")
            with pytest.raises(NotDone):
                asked.result(2 * REQUEST_SECONDS)
        # On a busy machine the server itself may give up what it finds when it goes on.
        assert asked.result(LONGEST).status_code in (404, 503)


def test_a_new_connection_to_a_stopped_server_is_given_up_in_time(
    own_postgres: OwnPostgres, hurried: Settings
) -> None:
    engine = open_engine(Flask("fresh"), replace(hurried, database_url=own_postgres.url))
    patience = patience_of(engine)
    with frozen(own_postgres), patience.share_budget(), pytest.raises(OperationalError):
        engine.connect()
    assert patience.exhausted
    engine.dispose()


class PatientSlots(FairSlots):
    """Slots for which a thread waits as long as it takes."""

    def take_slot(self, seconds: float, most_waiting: int | None = None) -> bool:
        return super().take_slot(max(seconds, LONGEST), most_waiting)


def test_whoever_waits_for_a_place_is_told_as_soon_as_anybody_has_waited_in_vain(
    stoppable: Flask, own_postgres: OwnPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    uow_factory = application_of(stoppable).uow_factory
    patience = patience_of(uow_factory.engine)
    pause_for_long(monkeypatch)
    connected: list[int] = []
    really = BoundedConnection._connect_gen.__func__  # type: ignore[attr-defined]

    def connecting(kind: Any, conninfo: str = "") -> Any:
        connected.append(1)
        return really(kind, conninfo)

    monkeypatch.setattr(BoundedConnection, "_connect_gen", classmethod(connecting))
    # Those who have no place could wait for ever: what ends their wait is the others' failure.
    monkeypatch.setattr(uow_factory, "_slots", PatientSlots(POOL))
    with frozen(own_postgres), ThreadPoolExecutor(CLIENTS) as clients:
        for done in [clients.submit(write, uow_factory) for _ in range(CLIENTS)]:
            assert isinstance(done.exception(LONGEST / 2), DatabaseAway)
    assert len(connected) <= POOL
    assert patience.exhausted


@pytest.fixture
def hurried_uow_factory(
    uow_factory: UnitOfWorkFactory, hurried: Settings
) -> Iterator[UnitOfWorkFactory]:
    engine = open_engine(Flask("hurried"), hurried)
    yield UnitOfWorkFactory(engine, uow_factory.dependencies)
    engine.dispose()


@contextmanager
def locked(uow_factory: UnitOfWorkFactory) -> Iterator[None]:
    """Another process holds what every writer needs."""
    address = uow_factory.engine.url.render_as_string(hide_password=False)
    if uow_factory.engine.dialect.name == "sqlite":
        other = sqlite3.connect(uow_factory.engine.url.database or "", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()
        return
    engine = create_engine(address)
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE lease IN ACCESS EXCLUSIVE MODE"))
        yield
        connection.rollback()
    engine.dispose()


def write(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        uow.session.execute(text("DELETE FROM lease"))


def test_everybody_who_meets_a_locked_database_is_told(
    hurried_uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    uow_factory, patience = hurried_uow_factory, patience_of(hurried_uow_factory.engine)
    write(uow_factory)

    def try_to_write(_: int) -> str:
        with pytest.raises(DatabaseAway) as told:
            write(uow_factory)
        return told.value.code

    with locked(uow_factory), ThreadPoolExecutor(CLIENTS) as clients:
        told = list(clients.map(try_to_write, range(CLIENTS), timeout=LONGEST))
        assert told == ["database_away"] * CLIENTS
        with uow_factory.begin(read_only=True) as uow:
            assert uow.session.execute(text("SELECT 1")).scalar() == 1
        # Readiness looks at the migrations; it queues behind no writer.
        begun = Waits(patience, monkeypatch)
        is_newest(uow_factory.engine)
        assert begun.in_vain == 0
    assert patience.exhausted or uow_factory.engine.dialect.name != "sqlite"


def test_while_one_tries_a_locked_sqlite_nobody_else_queues_for_the_turn(
    hurried_uow_factory: UnitOfWorkFactory, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database_kind != "sqlite":
        pytest.skip("writers queue before SQLite alone")
    uow_factory, patience = hurried_uow_factory, patience_of(hurried_uow_factory.engine)
    write(uow_factory)
    patience.locked_out(REQUEST_SECONDS)
    later(patience, monkeypatch)
    turns: list[int] = []
    take = uow_factory._take_turn

    def taking() -> None:
        turns.append(1)
        take()

    monkeypatch.setattr(uow_factory, "_take_turn", taking)
    with locked(uow_factory), ThreadPoolExecutor(CLIENTS) as clients:
        for done in [clients.submit(write, uow_factory) for _ in range(CLIENTS)]:
            assert isinstance(done.exception(LONGEST), DatabaseAway)
    assert len(turns) == 1


def test_a_writer_goes_on_when_the_lock_is_gone(
    hurried_uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    uow_factory, patience = hurried_uow_factory, patience_of(hurried_uow_factory.engine)
    patience.note_timeout(REQUEST_SECONDS)
    assert patience.exhausted
    later(patience, monkeypatch)
    write(uow_factory)
    assert uow_factory.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert fill(uow_factory) == POOL


def test_the_wait_for_a_turn_is_taken_off_the_wait_for_the_lock(
    hurried_uow_factory: UnitOfWorkFactory, database_kind: str
) -> None:
    if database_kind != "sqlite":
        pytest.skip("writers queue before SQLite alone")
    patience = patience_of(hurried_uow_factory.engine)
    with patience.share_budget():
        patience.spend_seconds(REQUEST_SECONDS - 0.2)
        with hurried_uow_factory.engine.begin() as connection:
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == pytest.approx(
                200, abs=1
            )
    with hurried_uow_factory.engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 1000


@pytest.mark.parametrize("use", Use)
def test_each_kind_of_user_declares_its_own_bounds(
    own_postgres: OwnPostgres, settings: Settings, use: Use
) -> None:
    given = replace(settings, database_url=own_postgres.url, database=Database())
    engine: Engine = open_engine(Flask(use.name), given, use)
    bounds = bounds_for(use, given.database)
    with engine.connect() as connection:
        told = [
            connection.execute(text("SELECT setting FROM pg_settings WHERE name = :n"), {"n": name})
            for name in ("lock_timeout", "statement_timeout")
        ]
        assert [int(row.scalar_one()) for row in told] == [
            round(bounds.lock * 1000),
            round(bounds.statement * 1000),
        ]
    # The server gives up first, so that the connection survives what is only slow.
    assert max(bounds.lock, bounds.statement) < bounds.client
    assert (bounds.client <= 2.0) is (use is Use.REQUESTS)
    assert patience_of(engine).seconds_allowed() == bounds.client
    engine.dispose()


class Hand:
    """A steady clock moved by hand."""

    at = 100.0

    def __call__(self) -> float:
        return self.at


REQUESTS = WaitBounds(lock=1.6, statement=1.6, client=2.0, whole=True)


def test_after_a_wait_in_vain_one_asks_and_the_others_keep_away() -> None:
    hand = Hand()
    patience = WaitPatience(REQUESTS, hand)
    patience.admit_transaction()
    patience.note_timeout(2.0)
    for _ in range(3):
        with pytest.raises(NotAsked):
            patience.admit_transaction()
    hand.at += PAUSE_SECONDS
    with patience.share_budget():
        patience.admit_transaction()
        assert (patience.exhausted, patience.refuses) == (True, False)
    with patience.share_budget():
        assert patience.refuses
    hand.at += 2.0
    with pytest.raises(NotAsked):
        patience.admit_transaction()
    patience.note_failure()
    hand.at += PAUSE_SECONDS
    patience.admit_transaction()
    patience.note_response()
    for _ in range(3):
        patience.admit_transaction()


def test_a_short_wait_in_vain_closes_nothing() -> None:
    patience = WaitPatience(REQUESTS, Hand())
    patience.note_timeout(1.0)
    patience.note_failure()
    assert not patience.exhausted


def test_a_writer_who_is_locked_out_for_half_of_it_closes_too() -> None:
    patience = WaitPatience(REQUESTS, Hand())
    patience.locked_out(0.9)
    assert not patience.exhausted
    patience.locked_out(1.0)
    assert patience.exhausted


def test_a_full_pool_closes_only_when_nobody_is_answered() -> None:
    hand = Hand()
    patience = WaitPatience(REQUESTS, hand)
    hand.at += 1.0
    patience.note_response()
    hand.at += 1.0
    patience.note_no_slot()
    assert not patience.exhausted
    hand.at += 1.0
    patience.note_no_slot()
    assert patience.exhausted


def test_the_waits_of_one_transaction_share_what_is_allowed() -> None:
    hand = Hand()
    patience = WaitPatience(REQUESTS, hand)
    with patience.share_budget():
        patience.spend_seconds(0.5)
        assert patience.seconds_allowed() == 1.5
        with patience.spend_block():
            hand.at += 1.0
            # A connection that is opened after a wait for its place has the rest alone.
            assert patience.seconds_allowed() == 0.5
            patience.spend_seconds(1.0)
        assert patience.seconds_allowed() == 0.5
        with patience.share_budget(0.3):
            assert patience.seconds_allowed() == 0.3
        with patience.share_budget():
            assert patience.seconds_allowed() == 0.5
        patience.spend_seconds(9.0)
        assert 0 < patience.seconds_allowed() < 0.5
    assert patience.seconds_allowed() == 2.0


def test_readiness_waits_for_no_check_that_hangs() -> None:
    may_end = threading.Event()
    asked: list[int] = []

    def hangs() -> dict[str, str]:
        asked.append(1)
        assert may_end.wait(LONGEST)
        return {"database": "ok"}

    lookout = Lookout(hangs)
    assert [lookout.check_parts(0.05) for _ in range(3)] == [{"database": "away"}] * 3
    # Nobody looks a second time while the first look lasts.
    assert len(asked) == 1
    may_end.set()
    assert lookout.check_parts(LONGEST) == {"database": "ok"}


def test_readiness_gives_every_wait_less_than_the_two_seconds_of_a_request(
    stoppable: Flask, gateway: RecordingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.answers |= {"is_available": True, "token_age_seconds": 1.0}
    given: list[tuple[str, float]] = []
    check_parts, waiting = Lookout.check_parts, UnitOfWorkFactory.waiting_at_most

    def recorded_look(lookout: Lookout, seconds: float) -> dict[str, str]:
        given.append(("look", seconds))
        return check_parts(lookout, seconds)

    def recorded_wait(factory: UnitOfWorkFactory, seconds: float) -> Any:
        given.append(("database", seconds))
        return waiting(factory, seconds)

    monkeypatch.setattr(Lookout, "check_parts", recorded_look)
    monkeypatch.setattr(UnitOfWorkFactory, "waiting_at_most", recorded_wait)
    assert stoppable.test_client().get("/readyz").get_json()["checks"]["database"] == "ok"
    assert {name for name, _ in given} == {"look", "database"}
    assert max(seconds for _, seconds in given) < 2


def test_health_and_readiness_and_figures_of_a_stopped_server_are_told(
    stoppable: Flask, own_postgres: OwnPostgres, gateway: RecordingGateway
) -> None:
    gateway.answers |= {"is_available": True, "token_age_seconds": 1.0}
    client = stoppable.test_client()
    with frozen(own_postgres):
        assert client.get("/healthz").status_code == 200
        told = client.get("/readyz")
        assert (told.status_code, told.get_json()["checks"]["database"]) == (503, "away")
        assert told.get_json()["checks"].keys() >= {"disk", "draining"}
        figures = client.get("/metrics")
        assert (figures.status_code, b"kepu_http_requests_total" in figures.data) == (200, True)
