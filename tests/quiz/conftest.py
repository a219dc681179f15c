"""The contest of most tests; boards over either kind of Redis, and over none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.base.redis.client import create_client
from server.base.redis.embedded import EmbeddedServer
from server.base.redis.facilities import create_facilities
from server.base.uow import UnitOfWorkFactory
from server.quiz.contests.service import ContestView
from tests.kit.clock import FakeClock
from tests.kit.contests import open_contest


@pytest.fixture(scope="session")
def embedded_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an embedded server that is up for the whole session."""
    var = tmp_path_factory.mktemp("kv")
    with EmbeddedServer(var, start_seconds=20.0):
        yield var


@pytest.fixture
def contest(uow_factory: UnitOfWorkFactory) -> ContestView:
    """A contest by the default rules, with the real questions."""
    return open_contest(uow_factory)


@pytest.fixture(params=["fake", "embedded"])
def either(
    request: pytest.FixtureRequest, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> Iterator[UnitOfWorkFactory]:
    """The desk over an empty Redis of either kind."""
    if request.param == "fake":
        yield uow_factory
        return
    var = request.getfixturevalue("embedded_redis")
    kv = create_client("embedded:", var, clock, timeout_seconds=20.0)
    kv.run_command("FLUSHALL")
    yield UnitOfWorkFactory(
        uow_factory.engine, replace(uow_factory.dependencies, kv=create_facilities(kv, clock))
    )
    kv.close()


@pytest.fixture
def without(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, tmp_path: Path
) -> Iterator[UnitOfWorkFactory]:
    """The same house where nothing answers at the address of Redis."""
    kv = create_client("redis://127.0.0.1:9/0", tmp_path, clock)
    yield UnitOfWorkFactory(
        uow_factory.engine, replace(uow_factory.dependencies, kv=create_facilities(kv, clock))
    )
    kv.close()
