"""Two transactions that need the same lock, step by step; waiting is observed, without sleeping."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from sqlalchemy import text

from server.base.database_away import DatabaseAway
from server.base.uow import UnitOfWork, UnitOfWorkFactory

_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
_LOOKS = 100_000


def meet(
    uow_factory: UnitOfWorkFactory,
    hold: Callable[[UnitOfWork], object],
    other: Callable[[], object],
    go_on: Callable[[UnitOfWork], object],
) -> list[str]:
    """Run `hold`, then `other` beside it until it waits or ends, then `go_on` after `hold`.

    The codes of what was refused: `database_away` when PostgreSQL ended one of two that waited for
    each other. On SQLite one writer waits for the whole of the other.
    """  # fmt: skip
    held = threading.Event()

    def first() -> None:
        with uow_factory.begin() as uow:
            hold(uow)
            held.set()
            _await_waiter(uow_factory, second)
            go_on(uow)

    def second_step() -> None:
        assert held.wait(30)
        other()

    with ThreadPoolExecutor(2) as pool:
        second = pool.submit(second_step)
        return [code for code in map(_code_of, (pool.submit(first), second)) if code]


def _await_waiter(uow_factory: UnitOfWorkFactory, second: Future[None]) -> None:
    if uow_factory.engine.dialect.name == "sqlite":
        return
    for _ in range(_LOOKS):
        if second.done():
            return
        with uow_factory.begin(read_only=True) as looking:
            if looking.session.scalar(_WAITING):
                return
    raise AssertionError("the other neither waited nor ended")


def _code_of(done: Future[None]) -> str | None:
    try:
        done.result()
    except DatabaseAway as refusal:
        return refusal.code
    return None
