"""Players made by statements are like real ones; growth and rush are judged as they say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from server.quiz.models import Attempt, Entry, Standing
from tests.bench.growth import JOBS, Grown, Growth, Once
from tests.bench.growth_seed import bytes_of, seed_players
from tests.bench.letters import Account
from tests.bench.run import postgres
from tests.bench.rush import Rush, Watched
from tests.bench.stage import Stage
from tests.kit import boards

PLAYERS = 90


@pytest.fixture
def stage(tmp_path: Path, database_kind: str) -> Iterator[Stage]:
    with ExitStack() as closing:
        lite = f"sqlite:///{tmp_path / 'growth.sqlite3'}"
        url = lite if database_kind == "sqlite" else postgres(closing, "seeded")
        made = Stage(tmp_path / "house", url, Account.fresh())
        closing.callback(made.close)
        yield made


@pytest.mark.slow
def test_seeded_players_stand_where_a_recount_of_their_papers_puts_them(stage: Stage) -> None:
    contest = stage.contest("growth", 0)
    before = bytes_of(stage)
    some = seed_players(stage, contest, PLAYERS)
    assert len(set(some)) == PLAYERS
    assert bytes_of(stage) > before
    with stage.application.uow_factory.begin(read_only=True) as uow:
        session = uow.session
        assert set(some) <= set(session.scalars(select(Entry.citizen_id)))
        for scope in ("region", "city:450100"):
            for period in set(session.scalars(select(Standing.period))):
                wanted = boards.recounted(session, contest.view, scope, period)
                assert len(wanted) > 2
                kept = {
                    row.entry_id: (row.points, row.time_ms)
                    for row in session.execute(
                        select(Standing.entry_id, Standing.points, Standing.time_ms).where(
                            Standing.period == period
                        )
                    )
                }
                assert all(kept[entry] == (points, ms) for entry, points, ms in wanted)
        papers = session.scalars(select(Attempt).where(Attempt.citizen_id.in_(some))).all()
        assert all(len(paper.paper) == 10 for paper in papers)
    # The next row that is made in the usual way does not meet a number that is taken.
    assert stage.newcomers(3)
    stage.rebuild_boards()
    size = stage.application.uow_factory.dependencies.kv.leaderboard.read_size
    assert size(f"contest:{contest.view.id}", "total/region") == PLAYERS + 44


def grown(players: int, p99_ms: float, rebuild: float) -> Grown:
    once = Once(seeding=1, bytes_per_paper=2000, start_up=1, rebuild=rebuild, server_mb=90,
                redis_mb=5, sweeps={"quiz.sync_boards": 0.001})  # fmt: skip
    turns = {job: [p99_ms, p99_ms * 2] for job in JOBS}
    return Grown(players, once, cpu_us=turns, p50_ms=turns, p99_ms=turns)


def test_growth_beyond_its_bounds_is_missed() -> None:
    fine = Growth(
        found={"sqlite": [grown(10, 4.0, 1.0), grown(100, 5.0, 12.0)]}, measured={"sqlite": "now"}
    )
    assert not any("missed" in line for line in fine.lines())
    steep = Growth(
        found={"sqlite": [grown(10, 4.0, 1.0), grown(100, 6.0, 14.0)]}, measured={"sqlite": "now"}
    )
    missed = [line for line in steep.lines() if "missed" in line]
    assert len(missed) == len(JOBS) + 1
    assert any("rebuild-leaderboards" in line for line in missed)


@pytest.mark.parametrize(
    ("watched", "words"),
    [
        ({"cpu": {"a": 9.0, "b": 9.5}, "machine_busy": 1.9}, "the 2 CPUs of the machine; most: b"),
        ({"cpu": {"a": 9.0, "b": 2.0}}, "a with 90% of a CPU"),
        ({"cpu": {"a": 1.0}, "most_in_use": 16}, "all 16 connections"),
        ({"cpu": {"a": 1.0}, "waits": Counter(Lock=30)}, "locks of the database: 3.0"),
        ({"cpu": {"a": 1.0}}, "none was reached; next would be a"),
        ({"cpu": {"a": 1.0}, "machine_busy": 2.0}, "others on this machine had 1.90"),
    ],
)
def test_the_first_bottleneck_is_named_from_what_was_measured(
    watched: dict[str, object], words: str
) -> None:
    seen = Watched(seconds=10.0, cpus=2, pool=16, looks=10)
    for name, value in watched.items():
        setattr(seen, name, value)
    assert words in seen.bottleneck


def test_one_error_or_a_second_too_many_is_no_rush_that_was_met() -> None:
    def rush(seconds: float, errors: list[str]) -> Rush:
        watched = Watched(seconds=seconds, cpus=2, pool=16, cpu={"a": 1.0})
        return Rush(people=2, seconds=seconds, times={"login": [1.0, 9.0]}, errors=errors,
                    watched=watched, began="now")  # fmt: skip

    assert rush(59.0, []).met
    assert not rush(61.0, []).met
    refused = rush(59.0, ["login: 503"])
    assert not refused.met
    assert "- login: 503" in refused.lines()


def test_a_run_on_one_database_keeps_the_figures_of_the_other() -> None:
    stored = Growth(
        found={"postgresql": [grown(10, 1.0, 1.0)], "sqlite": [grown(10, 2.0, 1.0)]},
        measured={"postgresql": "before", "sqlite": "before"},
    )
    now = Growth(found={"postgresql": [grown(20, 3.0, 1.0)]}, measured={"postgresql": "now"})
    both = now.beside(json.loads(json.dumps(stored.document())))
    assert both.measured == {"sqlite": "before", "postgresql": "now"}
    assert both.found["sqlite"] == stored.found["sqlite"]
    assert both.found["postgresql"] == now.found["postgresql"]
    assert both.lines().count("before") == 1
