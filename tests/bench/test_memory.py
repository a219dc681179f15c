"""Strangers' pictures take no more memory than is promised, and a server that decodes them does."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.bench import memory
from tests.bench.memory import MOST_WEB_MB, SIDE, Taken
from tests.bench.processes import BenchFailed, Server, gthread
from tests.kit.effort import repeat_count
from tests.kit.pictures import a_picture

AT_ONCE = 4
# More than the web server takes at once, and than the worker decodes at once.
PICTURES = repeat_count(48, 16)


@pytest.mark.slow
def test_many_pictures_at_once_stay_within_the_bounds(tmp_path: Path) -> None:
    taken = memory.measure(tmp_path, PICTURES)
    taken.check()
    assert taken.web_before > 0
    assert taken.child_peak > 0
    assert taken.worker_peak > 0


@pytest.mark.slow
def test_the_harm_is_seen_where_a_request_decodes(tmp_path: Path) -> None:
    server = Server(
        "tests.bench.floors:decoding()", tmp_path, None, {},
        command=partial(gthread, threads=AT_ONCE),
    )  # fmt: skip
    try:
        server.await_answer("/")
        before = memory.added(server.processes(), "peak")
        raw = a_picture("PNG", size=(SIDE, SIDE))
        memory.send_all(server.port, ["anybody"] * AT_ONCE, raw)
        grown = memory.added(server.processes(), "peak") - before
    finally:
        server.stop()
    assert grown > 2 * MOST_WEB_MB


def test_whatever_is_over_its_bound_ends_the_run() -> None:
    fine = {
        "pictures": 48,
        "web_before": 100.0,
        "web_peak": 150.0,
        "worker_peak": 100.0,
        "child_peak": 90.0,
    }
    Taken(**fine).check()
    for name, figure in (("web_peak", 181.0), ("worker_peak", 201.0), ("child_peak", 321.0)):
        over = Taken(**{**fine, name: figure})
        with pytest.raises(BenchFailed, match="too much memory"):
            over.check()
        assert len(over.lines()) == len(over.document()) + 2
        assert len([line for line in over.page() if line.startswith("| ")]) == 4
