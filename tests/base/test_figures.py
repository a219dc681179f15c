"""Counters that all processes share: they add up, outlive a process, and are dropped when full."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client import Counter, Histogram
from prometheus_client.parser import text_string_to_metric_families

from server.base.web import figures, metrics
from server.base.web.figures import Book, Figure
from tests.kit.gunicorn import Group


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Callable[[Book, str], Figure]:
    def make(book: Book, value: str) -> Figure:
        monkeypatch.setattr(figures, "BOOK", book)
        return Figure("counter", "met", "met_total", ("who",), (value,), "help")

    return make


def in_a_process(act: Callable[[], None]) -> None:
    pid = os.fork()
    if not pid:
        act()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def test_what_processes_count_adds_up(made: Callable[[Book, str], Figure]) -> None:
    book = Book(arenas=3)

    def count(arena: int) -> None:
        book.use_arena(arena)
        made(book, "a").inc(arena + 1)
        made(book, f"only {arena}").inc(10)

    for arena in range(3):
        in_a_process(lambda arena=arena: count(arena))  # type: ignore[misc]
    book.use_arena(0)
    sums = {key[3]: value for key, value in book.sum_processes().items()}
    assert sums == {("a",): 6, ("only 0",): 10, ("only 1",): 10, ("only 2",): 10}


def test_the_next_process_goes_on_with_the_sums_of_a_dead_one(
    made: Callable[[Book, str], Figure],
) -> None:
    book = Book(arenas=1)

    def count() -> None:
        book.use_arena(0)
        made(book, "a").inc(1)

    for _ in range(3):
        in_a_process(count)
    book.use_arena(0)
    assert list(book.sum_processes().values()) == [3]


def test_a_figure_without_room_is_dropped_and_the_others_count_on(
    made: Callable[[Book, str], Figure],
) -> None:
    book = Book(arenas=1, arena_bytes=4096)
    book.use_arena(0)
    many = [made(book, f"{'x' * 100} {number}") for number in range(100)]
    for figure in many:
        figure.inc(1)
    held = len(book.sum_processes())
    assert 0 < held < 100
    assert [figure.get() for figure in many] == [1.0] * held + [0.0] * (100 - held)


def test_the_figures_of_every_route_with_many_statuses_fit_into_half_an_arena(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    arena = figures.Arena(memoryview(bytearray(figures.ARENA_BYTES)))
    book = Book(arenas=1)
    monkeypatch.setattr(book, "_mine", arena)
    monkeypatch.setattr(figures, "BOOK", book)
    answers = Counter("kepu_http_requests_total", "", ["method", "route", "status"], registry=None)
    times = Histogram(
        "kepu_http_request_seconds", "", ["route"], buckets=metrics.TIME_BOUNDS, registry=None
    )
    rules = list(app.url_map.iter_rules())
    for rule in rules:
        times.labels(rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            for status in (200, 303, 401, 404, 409, 422, 429, 503):
                answers.labels(method, rule.rule, str(status))
    assert len(book.sum_processes()) > 15 * len(rules)
    assert 2 * arena._bytes_used() <= figures.ARENA_BYTES


def test_figures_counted_before_a_process_has_its_arena_are_kept_apart(
    made: Callable[[Book, str], Figure],
) -> None:
    book = Book(arenas=1)
    early = made(book, "a")
    early.inc(5)
    book.use_arena(0)
    early.inc(1)
    assert early.get() == 1


def test_the_text_is_what_prometheus_reads() -> None:
    for seconds in (0.003, 0.3, 30):
        metrics.SECONDS.labels("/of-this-test").observe(seconds)
    text = metrics.expose_metrics({"kepu_reading": lambda: 4.5, "kepu_unknown": lambda: None})[0]
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }
    route = ("route", "/of-this-test")
    name = "kepu_http_request_seconds"
    for upper, reached in (("0.005", 1), ("0.25", 1), ("0.5", 2), ("5.0", 2), ("+Inf", 3)):
        assert samples[f"{name}_bucket", (("le", upper), route)] == reached
    assert samples[f"{name}_count", (route,)] == 3
    assert samples[f"{name}_sum", (route,)] == pytest.approx(30.303)
    assert samples["kepu_reading", ()] == 4.5
    assert ("kepu_unknown", ()) not in samples


def test_a_worker_writes_into_no_mapped_file() -> None:
    group = Group("server.base.web.gunicorn_worker.BufferedWorker")
    try:
        pid = group.ask("/pid")[1]
        maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
        shared = [line.split(maxsplit=5) for line in maps if line.split()[1].startswith("rw-s")]
    finally:
        group.stop()
    assert shared
    assert {line[5] for line in shared} == {"/dev/zero (deleted)"}
