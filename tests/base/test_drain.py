"""Stopping, reloading and restarting under load: nobody's request is lost."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.kit.gunicorn import PATIENCE, Crowd, Group

OURS = "server.base.web.gunicorn_worker.BufferedWorker"
DRAINING = "tests.kit.echo.DrainingWorker"
CLIENTS = 16


def is_ready(group: Group) -> bool:
    with suppress(ConnectionError):
        return group.ask("/readyz")[0] == 200
    return False


@pytest.mark.slow
def test_told_to_stop_it_is_not_ready_and_serves_on_and_drops_nobody() -> None:
    group = Group(DRAINING, workers=2)
    crowd = Crowd(CLIENTS, lambda: group.port)
    crowd.goes_on()
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(PATIENCE)
        long_one = HTTPConnection("127.0.0.1", group.port, timeout=PATIENCE)
        with closing(long_one):
            long_one.request("GET", f"/held?{door.getsockname()[1]}")
            with closing(door.accept()[0]):
                group.process.send_signal(signal.SIGTERM)
                crowd.wait_for(lambda: not is_ready(group))
                # The listener is still there: not being ready is an answer.
                assert group.ask("/readyz")[0] == 503
                crowd.join()
            answer = long_one.getresponse()
            assert (answer.status, answer.getheader("Connection")) == (200, "close")
            assert answer.read().startswith(b"GET /held")
    assert group.process.wait(PATIENCE) == 0
    assert crowd.lost == []
    assert {status for status, _ in crowd.answers} == {200}
    assert crowd.closed_politely >= CLIENTS


def test_a_connection_that_was_idle_when_it_was_told_to_stop_is_closed() -> None:
    group = Group(OURS)
    with closing(socket.create_connection(("127.0.0.1", group.port), timeout=PATIENCE)) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\nHost: kepu\r\n\r\n")
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")
        group.process.send_signal(signal.SIGTERM)
        assert idle.recv(4096) == b""
    assert group.process.wait(PATIENCE) == 0


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "hold"
    yield file
    file.unlink(missing_ok=True)


@pytest.mark.slow
def test_told_to_reload_the_old_ones_serve_until_the_new_ones_have_started(hold: Path) -> None:
    group = Group(
        OURS, "tests.kit.late_replies:app", workers=2, environment={"TESTS_LATE": str(hold)}
    )
    crowd = Crowd(CLIENTS, lambda: group.port)
    try:
        crowd.goes_on()
        old: set[str] = set()

        def both_have_answered() -> bool:
            old.add(group.ask("/pid")[1])
            return len(old) == 2

        crowd.wait_for(both_have_answered)
        hold.touch()
        group.process.send_signal(signal.SIGHUP)
        # The new ones cannot start yet.
        for _ in range(5):
            crowd.goes_on()
            assert group.ask("/pid")[1] in old
            assert is_ready(group)
        hold.unlink()
        crowd.wait_for(lambda: group.ask("/pid")[1] not in old)
        crowd.wait_for(lambda: all(group.ask("/pid")[1] not in old for _ in range(20)))
        crowd.goes_on()
    finally:
        crowd.end()
        group.stop()
    assert crowd.lost == []
    assert {status for status, _ in crowd.answers} == {200}


class Balancer:
    """Sends new connections to a group that is ready, as a proxy with health checks does."""

    def __init__(self, groups: list[Group]) -> None:
        self.groups = groups
        self.ready: list[int] = []
        self._turn = 0
        self._ends = threading.Event()
        self._watch_once()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()

    def choose(self) -> int:
        self._turn += 1
        ready = self.ready
        assert ready, "no group is ready"
        return ready[self._turn % len(ready)]

    def end(self) -> None:
        self._ends.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._ends.wait(0.02):
            self._watch_once()

    def _watch_once(self) -> None:
        self.ready = [group.port for group in list(self.groups) if is_ready(group)]


@pytest.mark.slow
def test_two_groups_are_restarted_one_after_the_other_and_nobody_notices() -> None:
    groups = [Group(DRAINING, workers=2) for _ in range(2)]
    balancer = Balancer(groups)
    crowd = Crowd(CLIENTS, balancer.choose)
    try:
        for place in (0, 1):
            crowd.goes_on()
            old = groups[place]
            old.stop()
            groups[place] = Group(DRAINING, port=old.port, workers=2)
            crowd.wait_for(lambda at=old.port: at in balancer.ready)  # type: ignore[misc]
        crowd.goes_on()
    finally:
        crowd.end()
        balancer.end()
        for group in groups:
            group.stop()
    assert crowd.lost == []
    assert {status for status, _ in crowd.answers} == {200}
