"""From the figures of all rounds to a table, to JSON and to docs/performance.md."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import phone
from tests.bench.goals import Goal, goals_of
from tests.bench.measured import Measured
from tests.bench.memory import Taken
from tests.bench.processes import ROOT
from tests.bench.rows import OURS, Size


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that one run found."""

    rows: Mapping[str, Measured]
    size: Size
    commit: str
    machine: str
    began: str
    load: tuple[float, float]
    waits: Sequence[phone.Wait] = ()
    memory: Taken | None = None

    @property
    def goals(self) -> list[Goal]:
        """The promises that these rows can be held to."""
        return goals_of(self.rows)

    def table(self) -> str:
        """The figures as a table of text."""
        lines = [
            f"{self.machine}; commit {self.commit}; {self.began}",
            f"load {self.load[0]:.1f} before, {self.load[1]:.1f} after; {self.size.rounds} rounds"
            f" of at most {self.size.seconds:g} s, there and back; 16 connections; medians; CPU of"
            " the server's processes",
            "",
            f"{'':50}{'':10}{'CPU us':>8}{'spread':>8}{'/ ours':>7}{'req/s':>8}{'p50 ms':>8}"
            f"{'p99 ms':>8}{'SQL':>5}{'requests':>10}",
        ]
        lines += [self._line(measured) for measured in self.rows.values()]
        lines += ["", *(self._verdict(goal) for goal in self.goals)]
        lines += phone.table(self.waits) if self.waits else []
        lines += self.memory.lines() if self.memory is not None else []
        return "\n".join(lines)

    def beside_ours(self, m: Measured) -> str:
        """A row's CPU over that of ours for the same job; empty where there is none."""
        ours = self.rows.get(f"{m.row.job}_{m.row.database}_{OURS}")
        return "" if ours is None else f"{m.cpu_us / ours.cpu_us:.2f}"

    def _line(self, m: Measured) -> str:
        done = sum(figure.done for figure in m.figures)
        return (
            f"{m.row.title:50}{m.row.stack:10}{m.cpu_us:8.0f}{m.spread:8.0%}"
            f"{self.beside_ours(m):>7}{m.of('per_second'):8.0f}{m.of('p50_ms'):8.1f}"
            f"{m.of('p99_ms'):8.1f}{statements(m):>5}{done:10d}"
        )

    def _verdict(self, goal: Goal) -> str:
        return (
            f"{goal.verdict:6}  {goal.title}: {goal.value:.2f}"
            f" ({goal.lowest:.2f}-{goal.highest:.2f}), {goal.wanted}"
        )

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            "commit": self.commit,
            "machine": self.machine,
            "began": self.began,
            "load": self.load,
            "rounds": self.size.rounds,
            "goals": {goal.name: goal.document() for goal in self.goals},
            "rows": {key: _row(measured) for key, measured in self.rows.items()},
            "phone": {wait.key: wait.document() for wait in self.waits},
            "pictures": {} if self.memory is None else self.memory.document(),
        }


def statements(m: Measured) -> str:
    """How many statements a request takes, where that was counted."""
    return "" if m.counted is None else str(m.counted.statements)


def _row(m: Measured) -> dict[str, Any]:
    told: dict[str, Any] = {
        "title": m.row.title,
        "stack": m.row.stack,
        "cpu_us": [round(figure.cpu_us, 1) for figure in m.figures],
        "per_second": round(m.of("per_second")),
        "p50_ms": round(m.of("p50_ms"), 2),
        "p99_ms": round(m.of("p99_ms"), 2),
        "requests": sum(figure.done for figure in m.figures),
    }
    if m.counted is not None:
        told |= {"statements": m.counted.statements, "transactions": m.counted.transactions}
        told["parts_us"] = {name: round(us, 1) for name, us in m.counted.parts.items()}
    return told


def machine() -> str:
    """The machine in one line."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if "model name" in line]
        model = names[0].partition(":")[2].strip() if names else model
    return f"{os.cpu_count()} x {model}, {platform.system()}, Python {platform.python_version()}"


def commit() -> str:
    """The commit measured, marked when files differ from it."""

    def git(*words: str) -> str:
        run = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
        return run.stdout.strip() if run.returncode == 0 else ""

    name = git("rev-parse", "--short", "HEAD") or "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "server", "config")
    return f"{name} with changes" if changed else name
