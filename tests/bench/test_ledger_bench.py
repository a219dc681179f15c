"""The bench of the ledger freezes everybody, and fails when somebody is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.announcements.models import Recipient
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
    one = Frozen(people=1_000_000, freezing=2.0, thawing=1.0)
    sent = Sent(letters=20_000, worker=1000.0, aiohttp=4000.0)
    told = Ledger(found={"sqlite": one, "postgresql": one}, sent={"sqlite": sent}, began="now")
    assert "| SQLite | 1,000,000 | 2.0 | 500,000 | 1.0 |" in told.lines()
    assert "| SQLite | 20,000 | 1,000 | 4,000 | 0.25 |" in told.lines()
    assert told.document()["frozen"]["postgresql"]["people"] == 1_000_000


@pytest.mark.slow
def test_the_worker_sends_everything(tmp_path: Path, database_kind: str) -> None:
    name = "sqlite" if database_kind == "sqlite" else "postgresql"
    (sent,) = measure_worker((name,), PEOPLE, lambda _words: None).values()
    assert (sent.letters, sent.worker > 0, sent.aiohttp > 0) == (PEOPLE, True, True)
