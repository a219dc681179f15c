"""From the figures of all rounds to medians, ratios and goals; as a table, as JSON, as a page."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import phone
from tests.bench.counting import Counted
from tests.bench.memory import Taken
from tests.bench.processes import ROOT, THREADS
from tests.bench.rows import Row, Size


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row in one round.  Units: `cpu_us` microseconds of server CPU for each request."""

    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float
    done: int


@dataclass
class Measured:
    """A row with its figures, round by round, and what one request takes."""

    row: Row
    figures: list[Figure] = field(default_factory=list)
    counted: Counted | None = None

    @property
    def cpu_us(self) -> float:
        return median(figure.cpu_us for figure in self.figures)

    def of(self, name: str) -> float:
        """The median of one of the figures."""
        return float(median(getattr(figure, name) for figure in self.figures))

    @property
    def spread(self) -> float:
        """How far the rounds lie apart, as a share of the median."""
        cpu = [figure.cpu_us for figure in self.figures]
        return (max(cpu) - min(cpu)) / self.cpu_us


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A row against a floor: the floor's CPU over ours, so more is better."""

    goal_name: str
    row: Measured
    floor: Measured
    goal: float

    @property
    def value(self) -> float:
        return self.floor.cpu_us / self.row.cpu_us

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest of the rounds."""
        pairs = zip(self.floor.figures, self.row.figures, strict=True)
        ratios = [floor.cpu_us / ours.cpu_us for floor, ours in pairs]
        return min(ratios), max(ratios)

    @property
    def met(self) -> bool:
        return self.value >= self.goal

    @property
    def reason(self) -> str:
        """Why it is missed, in what was measured."""
        more = self.row.cpu_us - self.floor.cpu_us / self.goal
        told = f"{more:.0f} us of CPU too many a request, which {self.row.row.does}"
        took = self.row.counted
        if took is None:
            return told
        told = f"{told}: {took.statements} statements in {took.transactions} transactions"
        if not took.parts:
            return told
        # The least there is to do is told as well: a goal may lie below what the parts need.
        parts = ", ".join(f"{name} {us:.0f}" for name, us in took.parts.items())
        return f"{told}; alone in one thread it takes, in us: {parts}"


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
    def ratios(self) -> list[Ratio]:
        """The goals, in their order."""
        rows = self.rows
        judged = [
            Ratio(goal_name=m.row.goal_name, row=m, floor=rows[m.row.floor], goal=m.row.goal)
            for m in rows.values()
            if m.row.goal is not None
        ]
        peer = Ratio(goal_name="S2", row=rows["callback"], floor=rows["echo"], goal=1.45)
        return sorted(
            [*judged, peer], key=lambda one: (one.goal_name, one.row.row.server != "sqlite")
        )

    def table(self) -> str:
        """The figures as a table of text."""
        lines = [
            f"{self.machine}; commit {self.commit}; {self.began}",
            f"load {self.load[0]:.1f} before, {self.load[1]:.1f} after; {self.size.rounds} rounds"
            f" of at most {self.size.seconds:g} s, there and back; gunicorn gthread, 1 worker,"
            f" {THREADS} threads, 16 connections; medians; CPU of the server's processes",
            "",
            f"{'':46}{'CPU us':>8}{'spread':>8}{'ratio':>7}{'req/s':>8}{'p50 ms':>8}{'p99 ms':>8}"
            f"{'SQL':>5}{'requests':>10}",
        ]
        lines += [self._line(measured) for measured in self.rows.values()]
        lines += ["", *(self._verdict(ratio) for ratio in self.ratios), *phone.table(self.waits)]
        lines += self.memory.lines() if self.memory is not None else []
        return "\n".join(lines)

    def _line(self, m: Measured) -> str:
        floor = self.rows[m.row.floor].cpu_us
        statements = "" if m.counted is None else str(m.counted.statements)
        done = sum(figure.done for figure in m.figures)
        return (
            f"{m.row.title:46}{m.cpu_us:8.0f}{m.spread:8.0%}{floor / m.cpu_us:7.2f}"
            f"{m.of('per_second'):8.0f}{m.of('p50_ms'):8.1f}{m.of('p99_ms'):8.1f}"
            f"{statements:>5}{done:10d}"
        )

    @staticmethod
    def _verdict(ratio: Ratio) -> str:
        low, high = ratio.range
        words = (
            f"{ratio.goal_name}  {ratio.row.row.title} / {ratio.floor.row.title}:"
            f" {ratio.value:.2f} ({low:.2f}-{high:.2f}), goal {ratio.goal:.2f}:"
        )
        return f"{words} met" if ratio.met else f"{words} missed\n    {ratio.reason}"

    def document(self) -> dict[str, Any]:
        """The figures as JSON; a missed goal carries its reason."""
        goals: dict[str, dict[str, Any]] = {}
        for ratio in self.ratios:
            goal = goals.setdefault(ratio.goal_name, {"goal": {}})
            name = ratio.row.row.server if ratio.goal_name == "S5" else "value"
            goal[name] = round(ratio.value, 3)
            goal["goal"][name] = ratio.goal
            if not ratio.met:
                goal["reason"] = "; ".join(
                    filter(None, [goal.get("reason"), f"{ratio.row.row.title}: {ratio.reason}"])
                )
        for goal in goals.values():
            if "value" in goal:
                goal["goal"] = goal["goal"]["value"]
        return {
            "commit": self.commit,
            "machine": self.machine,
            "began": self.began,
            "load": self.load,
            "rounds": self.size.rounds,
            "goals": goals,
            "rows": {key: _row(measured) for key, measured in self.rows.items()},
            "phone": {wait.key: wait.document() for wait in self.waits},
            "pictures": {} if self.memory is None else self.memory.document(),
        }


def _row(m: Measured) -> dict[str, Any]:
    told: dict[str, Any] = {
        "title": m.row.title,
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


def page(report: Report) -> str:
    """docs/performance.md: how it was measured, what came out, what is missed."""
    memory = report.memory.page() if report.memory is not None else []
    goals = [*_goals(report), *phone.page(report.waits), *memory, ""]
    return "\n".join([*_PAGE, *_table(report), "", *goals])


_PAGE = [
    "# Performance",
    "",
    "Written by `make bench` (`python -m tests.bench --write-docs`); the figures round by round"
    " are in [performance.json](performance.json). Read ratios, not rates: rates move with the"
    " machine and its neighbours, a ratio of one run moves little.",
    "",
    "## How it is measured",
    "",
    "Every row is served by gunicorn, gthread, one worker with 8 threads. Ours is the product as it"
    " runs in production, `config/gunicorn.conf.py` and all: its log line and its figures for every"
    " answer, its speed limits, its Redis. The floors are the least that Flask can do, and the"
    " usual way to write a callback with wechatpy.",
    "",
    "The server has one CPU, the load generator, Redis and everything else another (on a machine"
    " with two or more). 16 keep-alive connections send the next request when the answer to the"
    " last is complete. What is judged is the **CPU time of the server's processes for each"
    " request**; that of Redis and PostgreSQL comes on top. Rows take turns, A B C … C B A, and the"
    " median of the rounds counts. SQL is how many statements one request takes.",
    "",
    "Nothing is measured that was not checked. Every callback is a new message with its own"
    " encryption and signatures, the reply is decrypted, its signature and its words are checked,"
    " a forged message gets 403, and each message leaves new keys in Redis. Boards hold the places"
    " that an independent sort gives. Papers are real ones of as many citizens; after each round"
    " their number and the sum of their scores in the database are what the answers were worth.",
    "",
    "## Figures",
    "",
]


def _table(report: Report) -> list[str]:
    lines = [
        f"{report.machine}; commit {report.commit}; {report.began}; {report.size.rounds} rounds;"
        f" load {report.load[0]:.1f} before, {report.load[1]:.1f} after.",
        "",
        "| route | CPU us | spread | ratio to its floor | req/s | p50 / p99 ms, saturated | SQL |",
        "|---|---|---|---|---|---|---|",
    ]
    for m in report.rows.values():
        floor = report.rows[m.row.floor].cpu_us
        statements = "" if m.counted is None else str(m.counted.statements)
        lines.append(
            f"| {m.row.title} | {m.cpu_us:.0f} | {m.spread:.0%} | {floor / m.cpu_us:.2f}"
            f" | {m.of('per_second'):.0f} | {m.of('p50_ms'):.1f} / {m.of('p99_ms'):.1f}"
            f" | {statements} |"
        )
    return lines


def _goals(report: Report) -> Sequence[str]:
    lines = [
        "## Goals",
        "",
        "| goal | ours / floor | reached (rounds) | goal | |",
        "|---|---|---|---|---|",
    ]
    for ratio in report.ratios:
        low, high = ratio.range
        lines.append(
            f"| {ratio.goal_name} | {ratio.row.row.title} / {ratio.floor.row.title}"
            f" | {ratio.value:.2f} ({low:.2f}-{high:.2f}) | {ratio.goal:.2f}"
            f" | {'met' if ratio.met else 'missed: ' + ratio.reason} |"
        )
    return lines
