"""The threads that run requests: no more than allowed, none lost, all ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from server.base.web.request_threads import RequestThreads

PATIENCE = 60.0


@contextmanager
def held(threads: RequestThreads, many: int) -> Iterator[threading.Event]:
    """So many calls that wait for the event; it is set at the end."""
    begun, go_on = threading.Semaphore(0), threading.Event()

    def wait_inside() -> None:
        begun.release()
        go_on.wait(PATIENCE)

    for _ in range(many):
        threads.submit(wait_inside)
    for _ in range(many):
        assert begun.acquire(timeout=PATIENCE)
    try:
        yield go_on
    finally:
        go_on.set()


def threads_named(name: str) -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith(f"{name}_")]


def test_calls_beyond_the_threads_wait_until_one_is_free() -> None:
    threads = RequestThreads(2, "ordered")
    begun: list[int] = []
    done = threading.Semaphore(0)

    def note_begin(number: int) -> None:
        begun.append(number)
        done.release()

    with held(threads, 2):
        for number in range(5):
            threads.submit(note_begin, number)
        assert begun == []
        assert len(threads_named("ordered")) == 2
    for _ in range(5):
        assert done.acquire(timeout=PATIENCE)
    assert sorted(begun) == list(range(5))
    threads.end_threads()


def test_one_thread_runs_calls_in_their_order() -> None:
    threads = RequestThreads(1, "single")
    ran: list[int] = []
    done = threading.Event()
    with held(threads, 1):
        for number in range(5):
            threads.submit(ran.append, number)
        threads.submit(done.set)
    assert done.wait(PATIENCE)
    assert ran == list(range(5))
    threads.end_threads()


def await_idle(threads: RequestThreads, many: int) -> None:
    """A thread is idle a moment after its call has ended."""
    pause = threading.Event()
    for _ in range(int(PATIENCE * 100)):
        if threads.idle == many:
            return
        pause.wait(0.01)
    raise AssertionError(f"{threads.idle} threads are idle instead of {many}")


def test_a_thread_is_started_only_when_none_is_idle() -> None:
    threads = RequestThreads(8, "thrifty")
    for _ in range(20):
        threads.submit(lambda: None)
        await_idle(threads, 1)
    assert len(threads_named("thrifty")) == 1
    with held(threads, 3):
        assert len(threads_named("thrifty")) == 3
    await_idle(threads, 3)
    threads.end_threads()


def test_a_call_that_raises_costs_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    threads = RequestThreads(1, "robust")

    def fail() -> None:
        raise SystemExit

    done = threading.Event()
    threads.submit(fail)
    threads.submit(done.set)
    assert done.wait(PATIENCE)
    assert "a call failed in a request's thread" in caplog.text
    threads.end_threads()


def test_the_end_waits_for_running_calls_and_drops_waiting_ones() -> None:
    threads = RequestThreads(2, "ending")
    ran: list[int] = []
    with held(threads, 2):
        threads.submit(ran.append, 1)
        running = threads_named("ending")
        threads.end_threads()
        assert all(thread.is_alive() for thread in running)
    for thread in running:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in running)
    assert ran == []
