"""A worker in a process of its own that is killed at each of the points that it passes."""

from __future__ import annotations

import os
import select
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from server.base import uow as transactions
from server.base.uow import UnitOfWork, UnitOfWorkFactory

# A module and the function in it behind which there is a point.
Point = tuple[Any, str]
_OPEN = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND state <> 'idle'"
)
_LOOKS = 100_000
_FAILED = 3


class _Path:
    """Counts the points that are passed, and stops for good at the wanted one.

    With `only` the points with this label are counted alone.
    """

    def __init__(self, wanted: int, tell: int, only: str | None = None) -> None:
        self._wanted, self._tell, self._passed, self._only = wanted, tell, 0, only

    def pass_point(self, label: str) -> None:
        if self._only not in (None, label):
            return
        self._passed += 1
        if self._passed == self._wanted:
            os.write(self._tell, label.encode())
            threading.Event().wait()  # until the process is killed

    def mark_calls(self, patch: pytest.MonkeyPatch, points: Sequence[Point]) -> None:
        """Put a point behind every call of these functions, and around every commit."""
        for module, name in points:
            patch.setattr(module, name, self._marked(getattr(module, name), name))
        finish = transactions._finish_transaction

        def finish_marked(uow: UnitOfWork) -> None:
            if uow.read_only:
                finish(uow)
                return
            self.pass_point("before the commit")
            finish(uow)
            self.pass_point("after the commit")

        patch.setattr(transactions, "_finish_transaction", finish_marked)

    def _marked(self, called: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call_marked(*given: Any, **named: Any) -> Any:
            result = called(*given, **named)
            self.pass_point(f"after {name}")
            return result

        return call_marked


def kill_at_point(
    uow_factory: UnitOfWorkFactory, run: Callable[[], object], points: Sequence[Point], wanted: int
) -> str | None:
    """Run something in another process and kill it with SIGKILL at the wanted point, from 1.

    The label of the point; None when the run ended before it.
    """
    return kill_workers(uow_factory, run, points, [(wanted, None)])[0]


def kill_workers(
    uow_factory: UnitOfWorkFactory,
    run: Callable[[], object],
    points: Sequence[Point],
    wanted: Sequence[tuple[int, str | None]],
) -> list[str | None]:
    """Run something in several processes at once and kill each at its point, as `kill_at_point`.

    A point is counted from 1 among all points, or among those with the label.
    """
    children = [_start_child(uow_factory, run, points, one) for one in wanted]
    reached = {pipe: pid for pid, pipe in children}
    labels: dict[int, str] = {}
    try:
        while reached:
            # Whichever comes first is killed first: it may hold locks that others wait for.
            for pipe in select.select(list(reached), [], [])[0]:
                labels[pipe] = os.read(pipe, 200).decode()
                _end_child(reached.pop(pipe), pipe)
    finally:
        for pipe, pid in reached.items():
            _end_child(pid, pipe)
    _await_rollback(uow_factory)
    return [labels[pipe] or None for _, pipe in children]


def _start_child(
    uow_factory: UnitOfWorkFactory,
    run: Callable[[], object],
    points: Sequence[Point],
    wanted: tuple[int, str | None],
) -> tuple[int, int]:
    """Fork a process that runs until its point; return its id and the pipe that tells it."""
    reached, tell = os.pipe()
    pid = os.fork()
    if pid == 0:  # pragma: no cover - the child is killed, or ends here
        status = _FAILED
        try:
            # Connections of the parent are not touched by the child.
            uow_factory.engine.dispose(close=False)
            number, only = wanted
            _Path(number, tell, only).mark_calls(pytest.MonkeyPatch(), points)
            run()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(tell)
    return pid, reached


def _end_child(pid: int, pipe: int) -> None:
    os.kill(pid, signal.SIGKILL)
    _, ended = os.waitpid(pid, 0)
    os.close(pipe)
    assert os.waitstatus_to_exitcode(ended) in (0, -signal.SIGKILL)


def _await_rollback(uow_factory: UnitOfWorkFactory) -> None:
    """Wait until PostgreSQL has seen that the other end of a connection is gone."""
    if uow_factory.engine.dialect.name == "sqlite":
        return
    for _ in range(_LOOKS):
        with uow_factory.begin(read_only=True) as uow:
            if not uow.session.scalar(_OPEN):
                return
    raise AssertionError("a transaction of a killed process stays open")
