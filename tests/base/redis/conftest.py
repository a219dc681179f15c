"""One Redis in the process and one embedded server, and a clock that moves when told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.base.redis.client import RedisClient, create_client
from server.base.redis.embedded import EmbeddedServer

BEGINNING = datetime(2026, 6, 15, 1, 0, tzinfo=UTC)


class SteppedClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def pass_by(self, seconds: float) -> None:
        self.passed += seconds


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an embedded server that is up for the whole session."""
    var = tmp_path_factory.mktemp("kv")
    with EmbeddedServer(var):
        yield var


@pytest.fixture(params=["fake", "embedded"])
def kv(
    request: pytest.FixtureRequest, clock: SteppedClock, tmp_path: Path
) -> Iterator[RedisClient]:
    """An empty Redis of either kind, patient enough for a busy machine."""
    if request.param == "fake":
        opened = create_client("fake:suite", tmp_path, clock)
    else:
        var = request.getfixturevalue("embedded")
        opened = create_client("embedded:", var, clock, timeout_seconds=20.0)
    opened.run_command("FLUSHALL")
    yield opened
    opened.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server that a test may kill or stop."""
    with EmbeddedServer(tmp_path, start_seconds=20.0) as server:
        yield server


@pytest.fixture
def attach(tmp_path: Path, clock: SteppedClock) -> Iterator[Callable[..., RedisClient]]:
    """Opens clients of the test's own server."""
    with ExitStack() as stack:

        def open_kv(timeout_seconds: float = 20.0, pause_seconds: float = 5.0) -> RedisClient:
            opened = create_client(
                "embedded:",
                tmp_path,
                clock,
                timeout_seconds=timeout_seconds,
                pause_seconds=pause_seconds,
            )
            stack.callback(opened.close)
            return opened

        yield open_kv
