"""The first start of the demo fills it with a season, also when it is killed meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.outside import Demo, eventually

SEASON_S = 120
CITIZENS = 1500


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path / "var", season="full")
    made.start()
    yield made
    assert made.stop() == 0


def counts(demo: Demo) -> tuple[int, int, int]:
    """Citizens, papers and papers of nobody in the demo's database."""
    with sqlite3.connect(f"file:{demo.var / 'kepu.sqlite3'}?mode=ro", uri=True) as database:
        (citizens,) = database.execute("SELECT count(*) FROM citizen").fetchone()
        (papers,) = database.execute("SELECT count(*) FROM attempt").fetchone()
        (lost,) = database.execute(
            "SELECT count(*) FROM attempt WHERE state != 'open'"
            " AND ref NOT IN (SELECT source_ref FROM participation)"
        ).fetchone()
    return citizens, papers, lost


def test_the_first_start_makes_a_season_once_even_when_it_is_killed(demo: Demo) -> None:
    eventually(lambda: "season: 50 of" in demo.console(), "the season", SEASON_S)
    demo.kill_everything()
    citizens, papers, lost = counts(demo)
    assert (0 < citizens < CITIZENS, papers > 0, lost) == (True, True, 0)
    demo.start()
    eventually(
        lambda: "KEPU_DEMO_SEASON=none leaves it out" in demo.console(), "the season", SEASON_S
    )
    citizens, papers, lost = counts(demo)
    assert (citizens, lost) == (CITIZENS, 0)
    # Three contests; the later it is on a day, the fewer of its papers are left out.
    assert 5500 < papers < 7000
    contest = demo.api("GET", "/contests/daily-quiz").body
    board = demo.api("GET", f"/contests/{contest['id']}/leaderboard?period=total&scope=region").body
    assert len(board["items"]) == 20
    assert len(demo.emu("GET", "people").body["items"]) == CITIZENS
