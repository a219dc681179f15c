"""Requests can write to SQLite between the transactions of a background process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
from flask import Flask
from sqlalchemy import text

from server.base.database_away import DatabaseAway
from server.base.fair_slots import FairSlots
from server.base.jobs import Lease, take_lease
from server.base.settings import Database, Settings
from server.base.sql.database import open_engine
from server.base.sql.paced_turn import LONGEST_HOLD, PAUSE_SHARE, SHORTEST_PAUSE, PacedTurn
from server.base.sql.patience import Use
from server.base.uow import UnitOfWorkFactory
from tests.kit.clock import FakeClock

# A request has so long, and asks so often in vain before the test gives up.
REQUEST_SECONDS, TRIES = 1.0, 8
# Numbers that SQLite counts in each transaction of the job, so that its lock is held most of the
# time.
WORK = 400_000
LONGEST = 60.0


class Pauses:
    """A turn whose clock goes on only where a test says so, and the pauses that it makes."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.made: list[float] = []
        self.turn = PacedTurn(self.clock.monotonic, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.made.append(seconds)
        self.clock.advance(seconds)

    def write(self, seconds: float, rest: float = 0.0) -> None:
        assert self.turn.take_slot(0.0)
        self.clock.advance(seconds)
        self.turn.return_slot()
        self.clock.advance(rest)


def test_short_transactions_make_no_pause_until_they_are_long_together() -> None:
    pauses = Pauses()
    for _ in range(4):
        pauses.write(LONGEST_HOLD / 4)
    assert pauses.made == []
    pauses.write(LONGEST_HOLD / 4)
    assert pauses.made == [pytest.approx(SHORTEST_PAUSE)]
    # The count begins anew after a pause.
    pauses.write(LONGEST_HOLD / 4)
    assert len(pauses.made) == 1


def test_a_long_transaction_is_followed_by_a_pause_of_a_part_of_it() -> None:
    pauses = Pauses()
    pauses.write(8.0, rest=0.05)
    pauses.write(0.0)
    assert pauses.made == [pytest.approx(8.0 * PAUSE_SHARE - 0.05)]


def test_who_left_the_lock_alone_for_a_while_makes_no_pause() -> None:
    pauses = Pauses()
    for _ in range(5):
        pauses.write(8.0, rest=SHORTEST_PAUSE * 2)
    assert pauses.made == []


def test_a_turn_that_is_not_handed_over_makes_no_pause() -> None:
    pauses = Pauses()
    pauses.write(8.0)
    assert FairSlots.take_slot(pauses.turn, 0.0)
    assert not pauses.turn.take_slot(0.0)
    assert pauses.made == []


def test_only_background_processes_are_paced(
    uow_factory: UnitOfWorkFactory, settings: Settings
) -> None:
    for use in Use:
        engine = open_engine(Flask(use.value), settings, use)
        factory = UnitOfWorkFactory(engine, uow_factory.dependencies)
        assert isinstance(factory._turn, PacedTurn) is (use is not Use.REQUESTS)
        engine.dispose()


@pytest.fixture
def background(uow_factory: UnitOfWorkFactory, settings: Settings) -> Iterator[UnitOfWorkFactory]:
    """The database as a worker opens it, which is another process."""
    engine = open_engine(Flask("worker"), settings, Use.JOBS)
    yield UnitOfWorkFactory(engine, uow_factory.dependencies)
    engine.dispose()


@pytest.fixture
def requests(uow_factory: UnitOfWorkFactory, settings: Settings) -> Iterator[UnitOfWorkFactory]:
    """The database as a web server opens it, with little patience."""
    given = Database(request_seconds=REQUEST_SECONDS)
    engine = open_engine(Flask("web"), replace(settings, database=given))
    yield UnitOfWorkFactory(engine, uow_factory.dependencies)
    engine.dispose()


class LongJob:
    """A job of one short transaction after the other, until the block ends."""

    def __init__(self, uow_factory: UnitOfWorkFactory) -> None:
        self._uow_factory = uow_factory
        self._begun, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._write_rows)

    def __enter__(self) -> None:
        self._thread.start()
        assert self._begun.wait(LONGEST)

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join(LONGEST)

    def _write_rows(self) -> None:
        numbers = text(
            "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < :most)"
            " SELECT count(*) FROM g"
        )
        for number in count():
            with self._uow_factory.begin() as uow:
                uow.session.add(Lease(name=f"row {number}", holder="", fence=0, until=uow.now))
                uow.session.execute(numbers, {"most": WORK})
                self._begun.set()
            if self._over.is_set():
                return


def count_refused(background: UnitOfWorkFactory, requests: UnitOfWorkFactory) -> int:
    """How many of some requests, one after the other, are refused during the job."""
    refused = 0
    with LongJob(background):
        for number in range(TRIES):
            try:
                assert take_lease(requests, f"request {number}", "me")
            except DatabaseAway:
                refused += 1
    return refused


@pytest.mark.race
def test_requests_can_write_during_a_long_job(
    background: UnitOfWorkFactory, requests: UnitOfWorkFactory
) -> None:
    assert count_refused(background, requests) == 0


@pytest.mark.race
def test_requests_are_refused_during_a_long_job_without_pauses(
    background: UnitOfWorkFactory,
    requests: UnitOfWorkFactory,
    database_kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if database_kind != "sqlite":
        pytest.skip("PostgreSQL has many writers")
    monkeypatch.setattr(background, "_turn", FairSlots(1))
    assert count_refused(background, requests) > 0
