"""Threads get connections, and the turn to write on SQLite, in the order in which they asked."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask

from server.base import fair_slots
from server.base.database_away import DatabaseAway
from server.base.fair_slots import FairSlots
from server.base.settings import Database, Settings
from server.base.sql.database import open_engine
from server.base.uow import UnitOfWorkFactory

LONGEST = 60.0


@pytest.fixture
def never_switched() -> Iterator[None]:
    """A running thread keeps the interpreter until it waits for something."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(LONGEST)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def single(uow_factory: UnitOfWorkFactory, settings: Settings) -> Iterator[UnitOfWorkFactory]:
    """A database with one connection, for which a thread waits long."""
    given = Database(pool_size=1, request_seconds=10.0)
    engine = open_engine(Flask("single"), replace(settings, database=given))
    yield UnitOfWorkFactory(engine, uow_factory.dependencies)
    engine.dispose()


def await_state(true: Callable[[], bool]) -> None:
    """Let other threads run until something is true."""
    pause = threading.Event()
    while not true():
        pause.wait(0.001)


class UnfairSlots:
    """Slots as a semaphore gives them: to whichever thread runs first."""

    def __init__(self, slots: int) -> None:
        self._slots = threading.Semaphore(slots)
        self.waiting = 0

    def take_slot(self, seconds: float) -> bool:
        self.waiting += 1
        taken = self._slots.acquire(timeout=seconds)
        self.waiting -= 1
        return taken

    def return_slot(self) -> None:
        self._slots.release()


def order_of_two(uow_factory: UnitOfWorkFactory, *, read_only: bool) -> list[str]:
    """Who works first: one who waits, or one who returns a connection and asks at once again."""
    order: list[str] = []

    def wait_for_it() -> None:
        with uow_factory.begin(read_only=read_only):
            order.append("waited")

    with ThreadPoolExecutor(1) as other:
        with uow_factory.begin(read_only=read_only):
            waiting = other.submit(wait_for_it)
            await_state(lambda: uow_factory._slots.waiting + uow_factory._turn.waiting == 1)
        with uow_factory.begin(read_only=read_only):
            order.append("came again")
        waiting.result(LONGEST)
    return order


@pytest.mark.race
@pytest.mark.parametrize("read_only", [True, False])
def test_a_thread_that_waits_for_a_connection_is_not_overtaken(
    single: UnitOfWorkFactory, never_switched: None, read_only: bool
) -> None:
    assert order_of_two(single, read_only=read_only) == ["waited", "came again"]


@pytest.mark.race
@pytest.mark.parametrize("read_only", [True, False])
def test_the_overtaking_is_seen_with_slots_in_no_order(
    single: UnitOfWorkFactory,
    never_switched: None,
    monkeypatch: pytest.MonkeyPatch,
    read_only: bool,
) -> None:
    monkeypatch.setattr(single, "_slots", UnfairSlots(1))
    monkeypatch.setattr(single, "_turn", UnfairSlots(1))
    assert order_of_two(single, read_only=read_only) == ["came again", "waited"]


def test_a_thread_that_gets_no_connection_in_time_is_refused(single: UnitOfWorkFactory) -> None:
    def ask_in_vain() -> None:
        with (
            pytest.raises(DatabaseAway),
            single.waiting_at_most(0.0),
            single.begin(read_only=True),
        ):
            raise AssertionError("two transactions on one connection")

    with ThreadPoolExecutor(1) as other, single.begin(read_only=True):
        other.submit(ask_in_vain).result(LONGEST)
    with single.begin(read_only=True):
        assert single._slots.waiting == 0


def test_slots_are_handed_over_in_the_order_of_asking() -> None:
    slots, order = FairSlots(2), list[int]()
    assert slots.take_slot(0)
    assert slots.take_slot(0)
    assert not slots.take_slot(0)

    def work(number: int) -> None:
        assert slots.take_slot(LONGEST)
        order.append(number)
        slots.return_slot()

    with ThreadPoolExecutor(5) as threads:
        for number in range(5):
            threads.submit(work, number)
            await_state(lambda wanted=number + 1: slots.waiting == wanted)
        # One slot, so that they work one after the other.
        slots.return_slot()
    assert order == [0, 1, 2, 3, 4]
    assert slots.take_slot(0)
    assert not slots.take_slot(0)


def test_a_slot_that_is_handed_over_after_the_timeout_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slots = FairSlots(1)
    assert slots.take_slot(0)

    class LateLock:
        """A lock whose holder returns the slot just after the wait for it has ended."""

        def acquire(self, timeout: float | None = None) -> bool:
            if timeout is None:
                return True
            slots.return_slot()
            return False

        def release(self) -> None:
            pass

    monkeypatch.setattr(fair_slots.threading, "Lock", LateLock)
    assert slots.take_slot(0.1)
    slots.return_slot()
    assert slots.take_slot(0)


def test_threads_beyond_those_that_may_wait_get_nothing_at_once() -> None:
    slots = FairSlots(1)
    assert slots.take_slot(0)
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(slots.take_slot, LONGEST, 1)
        await_state(lambda: slots.waiting == 1)
        assert not slots.take_slot(LONGEST, 1)
        slots.return_slot()
        assert waiting.result(LONGEST)


def test_no_slots_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        FairSlots(0)
