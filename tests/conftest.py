"""The product as tests open it: a clock that stands still, a fresh database, no real WeChat."""

from __future__ import annotations

import gc
import random
import tempfile
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from server.app import Application, Overrides, create_app, open_application
from server.base.settings import Database, Limits, Operator, Security, Settings, WeChat, WeChatApp
from server.base.uow import UnitOfWorkFactory
from tests.kit.client import CheckedClient
from tests.kit.clock import FakeClock
from tests.kit.databases import (
    Databases,
    databases_for,
    load_all_tables,
    memory_folder,
    what_was_left_out,
)
from tests.kit.gateway import RecordingGateway
from tests.kit.kept_connections import kept_connections
from tests.kit.scheduling import MixedScheduling, rank_file
from tests.kit.shared_work import shared_work

PLENTY = 1e9
# New objects before the garbage collector runs, and before it looks at older ones.
COLLECTED_AFTER = (50_000, 20, 20)
# Bytes that are short enough to be a test's name.
MOST_NAMED = 40


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=("sqlite", "postgres", "both"), default="sqlite")


def pytest_configure() -> None:
    # With Python's own figures it goes through all objects of all tests again and again.
    gc.set_threshold(*COLLECTED_AFTER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        marks = {mark.name for mark in metafunc.definition.iter_markers()}
        metafunc.parametrize("database_kind", databases_for(metafunc.config, marks), indirect=True)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """No bytes in a test's name: they may hold a time, and processes must agree on the names."""
    return argname if isinstance(val, bytes) and len(val) > MOST_NAMED else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest files first, so that parallel processes end at about the same time."""
    items.sort(key=lambda item: rank_file(item.nodeid.split("::")[0]))


def pytest_collection_finish() -> None:
    # The collector need not go through the program and all tests again and again: they stay.
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say in the summary what this run left out, so that nobody takes it for the whole."""
    for sentence in what_was_left_out(config):
        terminalreporter.write_line(f"*** {sentence}", yellow=True, bold=True)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> MixedScheduling | None:
    """Files that wait beside files that compute, where whole files are handed out."""
    return MixedScheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def databases(worker_id: str) -> Iterator[Databases]:
    folder = Path(tempfile.mkdtemp(prefix="kepu-tests-", dir=memory_folder()))
    made = Databases(folder, worker_id)
    yield made
    made.close()


@pytest.fixture(scope="session", autouse=True)
def _shared_work() -> Iterator[None]:
    load_all_tables()
    with shared_work(), kept_connections():
        yield


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def gateway() -> RecordingGateway:
    return RecordingGateway()


def application_of(app: Flask) -> Application:
    application: Application = app.extensions["kepu"]
    return application


def an_app(letter: str) -> WeChatApp:
    return WeChatApp(
        appid="wx" + letter * 16,
        secret=letter * 32,
        token=letter * 16 + "7",
        aes_key=letter * 43,
        original_id="gh_" + letter * 12,
    )


def make_settings(database_url: str, var: Path) -> Settings:
    """The settings of a test with this database and this folder."""
    return Settings(
        environment="test",
        database_url=database_url,
        redis_url=f"fake:{var.name}",
        var=var,
        wechat=WeChat(
            api_base="http://127.0.0.1:9/api",
            open_base="http://127.0.0.1:9/open",
            mp_base="http://127.0.0.1:9/mpweb",
            official_account=an_app("a"),
            mini_program=an_app("b"),
        ),
        database=Database(pool_size=20, request_seconds=60.0),
        security=Security(master_key="k" * 48),
        policy_date="2026-05-01",
        operator=Operator(
            name="八桂科普",
            address="南宁市",
            phone="0771-1",
            email="kepu@example.org",
            complaints="0771-2",
            privacy_contact="0771-3",
        ),
        # Speed limits have tests of their own; elsewhere they would only be in the way.
        limits=Limits(**{figure.name: PLENTY for figure in fields(Limits)}),
    )


@pytest.fixture
def settings(databases: Databases, database_kind: str, tmp_path: Path) -> Settings:
    return make_settings(databases.empty_url(database_kind), tmp_path)


@pytest.fixture
def rung() -> list[tuple[str, tuple[int, ...]]]:
    """Tasks enqueued after commits, in order."""
    return []


@pytest.fixture
def overrides(
    clock: FakeClock, gateway: RecordingGateway, rung: list[tuple[str, tuple[int, ...]]]
) -> Overrides:
    """Time, chance, WeChat and the queue of a test."""
    return Overrides(
        clock=clock,
        random=random.Random(20260501),
        gateway=gateway,
        enqueue=lambda task, *ids: rung.append((task, ids)),
    )


@pytest.fixture
def opened_application(settings: Settings, overrides: Overrides) -> Iterator[Application]:
    """Database, Redis and WeChat, opened as the product opens them, without an edge."""
    opened = open_application(settings, overrides)
    yield opened
    opened.uow_factory.engine.dispose()


@pytest.fixture
def uow_factory(opened_application: Application) -> UnitOfWorkFactory:
    return opened_application.uow_factory


@pytest.fixture
def app(settings: Settings, overrides: Overrides) -> Iterator[Flask]:
    """The whole web server over the test's database, with the recorder instead of WeChat."""
    made = create_app(settings, overrides)
    yield made
    application_of(made).uow_factory.engine.dispose()


@pytest.fixture
def client(app: Flask) -> CheckedClient:
    return CheckedClient(app)


@pytest.fixture
def with_limits(settings: Settings) -> Settings:
    """The settings with the real speed limits."""
    return replace(settings, limits=Limits())
