"""What workers count is told by the web servers, over all workers and their restarts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from server.app import open_application
from server.base.redis.client import RedisClient, RedisUnavailable, create_client
from server.base.redis.counters import Counters
from server.base.settings import Settings
from server.base.sql.patience import Use
from server.base.web import figures, metrics
from server.base.web.figures import Book, Figure
from server.base.web.worker_figures import (
    FigurePublisher,
    publish_periodically,
    read_worker_figures,
)
from server.wechat.errors import NotSent
from server.wechat.tokens import PATH
from server.wechat.transport import ApiCall
from tests.conftest import application_of
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway

STEP: figures.Key = (
    "kepu_tasks",
    "kepu_tasks_total",
    ("task", "outcome"),
    ("tests.step", "done"),
)
FOREIGN = [
    "no key",
    "[1, 2]",
    '["kepu_tasks", "kepu_tasks_total", ["task"], ["x"]]',
    '["kepu_tasks", "kepu_tasks_total", ["task", "outcome"], ["x"]]',
    '["kepu_http_requests", "kepu_http_requests_total", ["method", "route", "status"], []]',
    "[" * 5000,
]


@pytest.fixture
def kv(tmp_path: Path) -> RedisClient:
    return create_client(f"fake:{tmp_path.name}", tmp_path, FakeClock())


@pytest.fixture
def counters(kv: RedisClient) -> Counters:
    return Counters(kv)


def a_worker(counters: Counters) -> tuple[FigurePublisher, Figure, Book]:
    """A process that counts steps, apart from the figures of this one."""
    book = Book(arenas=1)
    figure = Figure("counter", *STEP, "")
    book.enter_figure(figure)
    return FigurePublisher(counters, book), figure, book


def count(worker: tuple[FigurePublisher, Figure, Book], amount: float) -> None:
    _, figure, book = worker
    book.add_amount(figure, amount)


def told(counters: Counters) -> float | None:
    return (read_worker_figures(counters) or {}).get(STEP)


def test_workers_add_up_and_a_restart_loses_nothing(counters: Counters) -> None:
    one, other = a_worker(counters), a_worker(counters)
    for worker, amount in ((one, 2), (other, 3), (one, 4)):
        count(worker, amount)
        worker[0].publish_counts()
        worker[0].publish_counts()  # what was published is not published again
    assert told(counters) == 9
    restarted = a_worker(counters)
    count(restarted, 1)
    restarted[0].publish_counts()
    assert told(counters) == 10


def test_what_could_not_be_published_is_brought_the_next_time(
    counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = a_worker(counters)
    count(worker, 2)
    with monkeypatch.context() as away:

        def refuse(*_args: object) -> None:
            raise RedisUnavailable

        away.setattr(Counters, "add_counts", refuse)
        assert not worker[0].publish_counts()
    count(worker, 1)
    assert worker[0].publish_counts()
    assert told(counters) == 3


def test_the_end_of_a_worker_publishes_what_is_left(counters: Counters) -> None:
    worker = a_worker(counters)
    with publish_periodically(worker[0], seconds=3600):
        count(worker, 5)
    assert told(counters) == 5


def test_figures_that_no_worker_counts_are_not_published(counters: Counters) -> None:
    book = Book(arenas=1)
    route = Figure("counter", "kepu_x", "kepu_x_total", ("route",), ("/",), "")
    book.enter_figure(route)
    book.add_amount(route, 1)
    FigurePublisher(counters, book).publish_counts()
    assert read_worker_figures(counters) == {}


def test_foreign_values_are_passed_over(counters: Counters, kv: RedisClient) -> None:
    for name in FOREIGN:
        kv.run_command("HSET", "counters:workers", name, "1")
    kv.run_command("HSET", "counters:workers", '["kepu_tasks"]', "nan")
    kv.run_command("HSET", "counters:workers", "x", "many")
    assert read_worker_figures(counters) == {}


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise RedisUnavailable

    monkeypatch.setattr(Counters, "read_counts", refuse)


def samples(app: Flask) -> dict[str, float]:
    text = app.test_client().get("/metrics").text
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if family.name in metrics.WORKER_LABELS
    }


def test_the_web_server_tells_what_workers_counted(app: Flask, gateway: RecordingGateway) -> None:
    gateway.answers["token_age_seconds"] = None
    worker = a_worker(application_of(app).uow_factory.dependencies.kv.counters)
    count(worker, 7)
    worker[0].publish_counts()
    assert samples(app) == {"kepu_tasks_total['done', 'tests.step']": 7}


@pytest.mark.usefixtures("away")
def test_while_redis_is_away_nothing_is_told_of_workers(
    app: Flask, gateway: RecordingGateway
) -> None:
    gateway.answers["token_age_seconds"] = None
    assert samples(app) == {}


def test_a_worker_counts_its_calls_to_wechat_where_the_web_server_reads_them(
    settings: Settings, counters: Counters
) -> None:
    key: figures.Key = (
        "kepu_worker_wechat_calls",
        "kepu_worker_wechat_calls_total",
        ("path", "outcome"),
        ("/cgi-bin/stable_token", "not_asked"),
    )

    def told_by(use: Use) -> float:
        application = open_application(settings, use=use)
        gateway: Any = application.gateway
        before = figures.BOOK.sum_processes().get(key, 0.0)
        with pytest.raises(NotSent):
            gateway._transport.call_api(ApiCall(method="POST", path=PATH), float("-inf"))
        application.uow_factory.engine.dispose()
        return figures.BOOK.sum_processes().get(key, 0.0) - before

    assert told_by(Use.JOBS) == 1
    assert told_by(Use.REQUESTS) == 0
    FigurePublisher(counters).publish_counts()
    assert key in (read_worker_figures(counters) or {})
