"""The bench of receipts: every turn stores and applies its receipts; the page judges by pairs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import receipts_bench
from tests.bench.client import write_requests
from tests.bench.processes import BenchFailed
from tests.bench.receipts_bench import (
    EVENTS,
    PHONES,
    QUIET,
    RECEIPTS,
    SIDES,
    STORM,
    Ground,
    Receipts,
    Turn,
    measure_receipts,
)
from tests.bench.run import postgres
from tests.bench.storm_client import Flow, StormOrder, Stream, read_order

RATE = 60


@pytest.fixture
def ground(tmp_path: Path, database_kind: str) -> Iterator[Ground]:
    with contextlib.ExitStack() as closing:
        lite = f"sqlite:///{tmp_path / 'receipts.sqlite3'}"
        url = lite if database_kind == "sqlite" else postgres(closing, "receipts")
        yield Ground(tmp_path, url, closing, RATE)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_turn_asks_as_often_as_it_says_and_applies_every_receipt(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    for side in SIDES:
        turn = ground.turn(side, RATE, 1)
        assert turn.phones.done == receipts_bench.ASK_RATE
        assert turn.phones.wrong == ""
        if side == QUIET:
            assert turn.storm is None
        else:
            assert turn.storm is not None
            assert turn.storm.done == RATE
    # Receipts that are stored and belong to no call.
    monkeypatch.setattr(receipts_bench, "_add_sends", lambda *_given: None)
    monkeypatch.setattr(receipts_bench, "_APPLIED_WITHIN", 1.0)
    with pytest.raises(BenchFailed, match=f"{2 * RATE} stored, {RATE} applied in all"):
        ground.turn(RECEIPTS, RATE, 1)
    forged = replace(ground._account, token="another")
    monkeypatch.setattr(ground, "_account", forged)
    with pytest.raises(BenchFailed, match="storm: an answer that does not count"):
        ground.turn(EVENTS, RATE, 1)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_run_has_the_same_number_of_turns_of_each_side() -> None:
    found = measure_receipts(("sqlite",), RATE, 1, 2, lambda _words: None)
    assert {side: len(turns) for side, turns in found["sqlite"].items()} == dict.fromkeys(SIDES, 2)
    told = Receipts(found=found, rate=RATE, seconds=1, began="now")
    assert json.loads(json.dumps(told.document()))["sqlite"]["harm"] > 0


def test_an_order_survives_its_way_to_the_load_generator(tmp_path: Path) -> None:
    write_requests(tmp_path / "one", [b"GET / HTTP/1.1\r\n\r\n"])
    one = Stream(file=str(tmp_path / "one"), rate=5, count=3, connections=2, status=204)
    order = StormOrder(port=1, streams={STORM: one, PHONES: replace(one, holds="x")})
    document = {"port": 1, "streams": {name: vars(s) for name, s in order.streams.items()}}
    assert read_order(json.loads(json.dumps(document))) == order


def a_flow(p99_ms: float, *, done: int = 1000) -> Flow:
    return Flow(done=done, seconds=1.0, p50_ms=5.0, p99_ms=p99_ms, most_ms=900.0)


def told(beside_receipts: list[float], receipts_p99: float = 80.0, done: int = 1000) -> Receipts:
    found = {
        QUIET: [Turn(phones=a_flow(10)) for _ in beside_receipts],
        EVENTS: [Turn(phones=a_flow(20), storm=a_flow(30)) for _ in beside_receipts],
        RECEIPTS: [
            Turn(phones=a_flow(ms), storm=a_flow(receipts_p99, done=done), applied_after=0.5)
            for ms in beside_receipts
        ],
    }
    return Receipts(found={"sqlite": found}, rate=1000, seconds=1, began="now")


def test_a_run_is_judged_by_the_median_of_its_pairs() -> None:
    good = told([28.0, 900.0, 24.0])
    assert (good.harm("sqlite"), good.harm("sqlite", QUIET)) == (1.4, 2.8)
    assert [met for *_, met in good.goals("sqlite")] == [True, True, True]
    bad = told([900.0, 33.0, 24.0], receipts_p99=600.0, done=900)
    assert [met for *_, met in bad.goals("sqlite")] == [False, False, False]
    lines = "\n".join(good.lines())
    assert "| SQLite | phones alone |  |  |  |  | 5 | 10 |" in lines
    assert "| SQLite | receipts | 1,000 | 5 | 80 | 900 | 5 | 28 |" in lines
    assert "| SQLite | their p99, at most 500 ms | 80 ms | met |" in lines
    assert "beside receipts / alone 2.80; the last receipt was applied 0.5 s after" in lines
