"""The bench of the ledger freezes everybody, and fails when somebody is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.announcements.models import Recipient
from tests.bench import ledger_bench
from tests.bench.ledger_bench import (
    Frozen,
    Ledger,
    Sent,
    freeze_everybody,
    measure_worker,
    seed_citizens,
)
from tests.bench.letters import Account
from tests.bench.processes import BenchFailed
from tests.bench.run import postgres
from tests.bench.stage import Stage
from tests.kit.emulated_process import EmulatedProcess

PEOPLE = 200


@pytest.fixture
def stage(tmp_path: Path, database_kind: str) -> Iterator[Stage]:
    with ExitStack() as closing:
        lite = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
        url = lite if database_kind == "sqlite" else postgres(closing, "ledger")
        made = Stage(tmp_path / "house", url, Account.fresh())
        closing.callback(made.close)
        yield made


@pytest.mark.slow
def test_everybody_is_frozen_and_thawed_again(stage: Stage) -> None:
    seed_citizens(stage, PEOPLE)
    told = freeze_everybody(stage, PEOPLE)
    assert told.freezing > 0
    assert told.thawing > 0
    with stage.application.uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(Recipient)) == 0
    with pytest.raises(BenchFailed, match=f"{PEOPLE} rows for {PEOPLE + 1} people"):
        freeze_everybody(stage, PEOPLE + 1)


def test_the_page_has_a_line_for_each_database() -> None:
    one = Frozen(people=1_000_000, freezing=2.0, thawing=1.0, longest=0.25)
    sent = Sent(
        letters=20_000, delay=0.2, worker=[900.0, 1900.0, 800.0], aiohttp=[1000.0, 2000.0, 1000.0],
        memory=100.0, memory_peak=120.4,
    )  # fmt: skip
    found = {"sqlite": one, "postgresql": one}
    told = Ledger(found=found, sent={"sqlite": [sent]}, connections=8, began="now")
    assert "| SQLite | 1,000,000 | 2.0 | 500,000 | 1.0 | 0.25 |" in told.lines()
    line = "| SQLite | 20,000 | 0.2 | 900 | 1,000 | 0.90 | at least 0.9, met | 100 | 120 |"
    assert line in told.lines()
    document = told.document()
    assert document["frozen"]["postgresql"]["people"] == 1_000_000
    assert document["sent"]["sqlite"][0]["ratio"] == 0.9


@pytest.mark.slow
def test_the_worker_and_the_peer_send_everything(
    monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    name = "sqlite" if database_kind == "sqlite" else "postgresql"
    monkeypatch.setattr(ledger_bench, "DELAYS", (0.0, 0.01))
    (both,) = measure_worker((name,), PEOPLE, 8, 1, lambda _words: None).values()
    assert [one.delay for one in both] == [0.0, 0.01]
    for sent in both:
        assert (sent.letters, sent.worker[0] > 0, sent.aiohttp[0] > 0) == (PEOPLE, True, True)
        assert 0 < sent.memory <= sent.memory_peak


@pytest.mark.slow
def test_a_message_that_nobody_received_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = EmulatedProcess.delivered
    monkeypatch.setattr(
        EmulatedProcess, "delivered", lambda self: received(self) - Counter(["oNobody"])
    )
    seed = EmulatedProcess.seed_followers
    monkeypatch.setattr(
        EmulatedProcess, "seed_followers", lambda *given: [*seed(*given)[:-1], "oNobody"]
    )
    with pytest.raises(BenchFailed):
        measure_worker(("sqlite",), 5, 4, 1, lambda _words: None)
