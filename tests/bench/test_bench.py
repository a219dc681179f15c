"""The benchmark runs, proves its answers and judges every goal; how fast it was is not judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.__main__ import arguments, asked_for
from tests.bench.counting import Counted
from tests.bench.measured import Figure, Measured
from tests.bench.page import page
from tests.bench.processes import ROOT
from tests.bench.report import Report
from tests.bench.rows import JOBS, OURS, QUICK, Deal, Row

ROWS = {
    "hello", "echo", "callback",
    *(f"{job}_{database}_{OURS}" for job in JOBS for database in ("sqlite", "postgresql")),
}  # fmt: skip


@pytest.mark.slow
def test_a_quick_run_measures_every_row_and_judges_every_goal(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--quick", "--rounds", "1", "--stacks", OURS],
        cwd=ROOT, env={**os.environ, "KEPU_VAR": str(tmp_path)},
        capture_output=True, text=True, timeout=800, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert told["commit"]
    assert "Python 3" in told["machine"]
    assert {"S1", "S2", "key submit sqlite", "statements start postgresql"} <= set(told["goals"])
    assert all(goal["value"] > 0 for goal in told["goals"].values())
    assert set(told["rows"]) == ROWS
    for row in told["rows"].values():
        assert len(row["cpu_us"]) == 1
        assert all(figure > 0 for figure in row["cpu_us"])
        assert row["title"] in run.stdout
    assert told["rows"]["submit_sqlite_ours"]["statements"] > 1
    assert told["rows"]["callback"]["statements"] <= 1
    for key in ("callback", "submit_sqlite_ours", "submit_postgresql_ours", "board_sqlite_ours"):
        parts = told["rows"][key]["parts_us"]
        assert list(parts) == ["statements", "transactions", "Redis", "the rest"]
        assert all(spent >= 0 for spent in parts.values())
        assert parts["the rest"] > 0
    assert set(told["phone"]) == {"cold", "warm", "changed", "ready"}
    assert [figure["mb"] <= figure["most_mb"] for figure in told["pictures"].values()] == [True] * 3
    for wait in told["phone"].values():
        assert wait["title"] in run.stdout
        assert wait["goal_ms"] > 0
        assert "skipped" in wait or len(wait["ms"]) == 1


def test_a_part_of_the_rows_can_be_asked_for() -> None:
    given = arguments().parse_args(
        ["--rows", "submission,start", "--rounds", "2", "--db", "sqlite"]
    )
    size, asked = asked_for(given)
    assert size.rounds == 2
    assert asked.databases == ("sqlite",)
    assert asked.jobs == ("start", "start_keyed", "submit", "submit_keyed")
    assert not asked.callback
    assert not asked.extras
    with pytest.raises(SystemExit):
        arguments().parse_args(["--rows", "nothing"])


def a_report(ours_us: float) -> Report:
    """Floors and peers of 200 us, and rows of ours that all cost the same."""

    def measured(key: str, stack: str, cpu_us: float, statements: int = 7) -> Measured:
        job = key.partition("_sqlite")[0]
        row = Row(key=key, title=f"the {key}", server=stack, stack=stack, job=job,
                  database="sqlite", deal=lambda _part: Deal(requests=[]))  # fmt: skip
        figures = [
            Figure(cpu_us=cpu_us * share, per_second=1000, p50_ms=1, p99_ms=2, done=10)
            for share in (0.9, 1.0, 1.2)
        ]
        parts = {"statements": 1.0, "the rest": 2.0}
        return Measured(row, figures, Counted(statements=statements, transactions=2, parts=parts))

    jobs = ("start", "start_keyed", "submit", "submit_keyed", "board")
    ours = [measured(f"{job}_sqlite_{OURS}", OURS, ours_us) for job in jobs]
    peers = [
        measured(f"{job}_sqlite_{stack}", stack, 200.0)
        for job in jobs
        for stack in ("flask", "fastapi", "bound")
    ]
    floors = [measured("hello", "floor", 200.0), measured("echo", "floor", 200.0)]
    rows = [*floors, measured("callback", OURS, ours_us), *ours, *peers]
    return Report(rows={one.row.key: one for one in rows}, size=QUICK, commit="abc",
                  machine="here", began="now", load=(0.0, 0.0))  # fmt: skip


def verdicts(ours_us: float) -> dict[str, Any]:
    """Goal -> (value, met)."""
    goals = a_report(ours_us).document()["goals"]
    return {name: (goal["value"], goal["met"]) for name, goal in goals.items()}


def test_a_goal_is_judged_by_the_median_of_its_pairs() -> None:
    cheap = verdicts(50.0)
    assert cheap["S1"] == (4.0, True)
    assert cheap["submit_keyed sqlite flask"] == (4.0, True)
    assert cheap["submit_keyed sqlite bound"] == (0.25, True)
    assert cheap["key submit sqlite"] == (1.0, True)
    assert cheap["statements start sqlite"] == (7.0, True)
    dear = verdicts(310.0)
    assert dear["S1"] == (0.645, False)
    assert dear["submit_keyed sqlite fastapi"] == (0.645, False)
    assert dear["start_keyed sqlite bound"] == (1.55, True)
    assert dear["board sqlite bound"] == (1.55, False)
    assert not any("postgresql" in name for name in dear)


def test_table_and_page_name_every_row_and_every_verdict() -> None:
    report = a_report(310.0)
    missed = sum(not goal.met for goal in report.goals)
    for words in (report.table(), page(report)):
        assert all(one.row.title in words for one in report.rows.values())
        assert words.count("missed") == missed
        assert all(goal.title in words for goal in report.goals)
        assert "abc" in words
