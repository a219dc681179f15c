"""The benchmark runs, proves its answers and writes every goal; how fast it was is not judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.counting import Counted
from tests.bench.processes import ROOT
from tests.bench.report import Figure, Measured, Report, page
from tests.bench.rows import QUICK, Deal, Row

ROWS = {
    "hello", "facts", "echo", "callback",
    *(f"{row}_{database}" for row in ("board", "start", "save", "submit")
      for database in ("sqlite", "postgresql")),
}  # fmt: skip


@pytest.mark.slow
def test_a_quick_run_measures_every_row_and_writes_every_goal(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--quick"],
        cwd=ROOT, env={**os.environ, "KEPU_VAR": str(tmp_path)},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert told["commit"]
    assert "Python 3" in told["machine"]
    assert set(told["goals"]) == {"S1", "S2", "S5", "S6"}
    assert {name for name in told["goals"]["S5"] if name in ("sqlite", "postgresql")} == {
        "sqlite",
        "postgresql",
    }
    assert all(told["goals"][name]["value"] > 0 for name in ("S1", "S2", "S6"))
    assert set(told["rows"]) == ROWS
    for row in told["rows"].values():
        assert len(row["cpu_us"]) == QUICK.rounds
        assert all(figure > 0 for figure in row["cpu_us"])
        assert row["title"] in run.stdout
    assert told["rows"]["submit_sqlite"]["statements"] > 1
    assert told["rows"]["callback"]["statements"] <= 1
    for key in ("callback", "submit_sqlite", "submit_postgresql", "board_sqlite"):
        parts = told["rows"][key]["parts_us"]
        assert list(parts) == ["statements", "transactions", "Redis", "the rest"]
        assert all(spent >= 0 for spent in parts.values())
        assert parts["the rest"] > 0
    assert set(told["phone"]) == {"cold", "warm", "changed", "ready"}
    assert [figure["mb"] <= figure["most_mb"] for figure in told["pictures"].values()] == [True] * 3
    for wait in told["phone"].values():
        assert wait["title"] in run.stdout
        assert wait["goal_ms"] > 0
        assert "skipped" in wait or len(wait["ms"]) == QUICK.rounds


def a_report(ours_us: float) -> Report:
    """Floors of 100 us, and rows of ours that all cost the same."""

    def measured(key: str, server: str, cpu_us: float, **judged: Any) -> Measured:
        row = Row(key=key, title=key, server=server, deal=lambda _part: Deal(requests=[]), **judged)
        figures = [
            Figure(cpu_us=cpu_us * share, per_second=1000, p50_ms=1, p99_ms=2, done=10)
            for share in (0.9, 1.0, 1.2)
        ]
        return Measured(row, figures, Counted(statements=7, transactions=2))

    submit = {"goal_name": "S5", "does": "writes"}
    rows = [
        measured("hello", "hello", 100.0),
        measured("facts", "facts", 100.0),
        measured("echo", "echo", 100.0),
        measured("callback", "sqlite", ours_us, floor="hello", goal=0.7, goal_name="S1"),
        measured("submit_postgresql", "postgresql", ours_us, goal=0.4, **submit),
        measured("submit_sqlite", "sqlite", ours_us, goal=0.55, **submit),
    ]
    return Report(
        rows={one.row.key: one for one in rows}, size=QUICK, commit="abc", machine="here",
        began="now", load=(0.0, 0.0),
    )  # fmt: skip


def test_a_goal_is_judged_by_the_medians_and_only_a_missed_one_has_a_reason() -> None:
    met = a_report(50.0).document()["goals"]
    assert met["S1"] == {"goal": 0.7, "value": 2.0}
    assert met["S5"] == {"goal": {"sqlite": 0.55, "postgresql": 0.4}, "sqlite": 2.0,
                         "postgresql": 2.0}  # fmt: skip
    half = a_report(200.0).document()["goals"]
    assert half["S5"]["sqlite"] == half["S5"]["postgresql"] == 0.5
    assert half["S5"]["reason"].startswith("submit_sqlite: 18 us of CPU too many")
    assert "submit_postgresql" not in half["S5"]["reason"]
    assert half["S1"]["reason"]


def test_table_and_page_name_every_row_and_what_is_missed() -> None:
    report = a_report(200.0)
    for words in (report.table(), page(report)):
        assert all(one.row.title in words for one in report.rows.values())
        assert words.count("missed") == 3
        assert words.count("7 statements in 2 transactions") == 3
        assert "abc" in words
