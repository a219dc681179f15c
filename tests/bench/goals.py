"""What is promised about the figures of one run, and whether it is kept.

A ratio is made of pairs: of two rows in the same round, whose turns stand beside each other. The
median of the rounds counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench.measured import Measured
from tests.bench.rows import DATABASES, JOBS, OURS

# Peers, by the names of their stacks, that a request of ours has to be so much cheaper than.
CHEAPER = {"flask": 2.5, "fastapi": 2.5}
# The hand-written bound: a request of ours may cost so much of it.
BOUND, OF_BOUND, BOARD_OF_BOUND = "bound", 1.6, 1.5
KEY_COSTS = 1.15
START_STATEMENTS = 8
# What the phone really sends: a key with what is not idempotent by itself.
JUDGED = ("board", "start_keyed", "save", "save_keyed", "submit_keyed")


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One promise.  Units: `lowest` and `highest` of the rounds; `most` where less is better."""

    name: str
    title: str
    value: float
    lowest: float
    highest: float
    bound: float
    most: bool

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.value <= self.bound if self.most else self.value >= self.bound

    @property
    def verdict(self) -> str:
        """In a word."""
        return "met" if self.met else "missed"

    @property
    def wanted(self) -> str:
        """The bound in words."""
        return f"{'at most' if self.most else 'at least'} {self.bound:g}"

    def document(self) -> dict[str, Any]:
        """The goal as JSON."""
        return {
            "title": self.title, "value": round(self.value, 3), "wanted": self.wanted,
            "lowest": round(self.lowest, 3), "highest": round(self.highest, 3), "met": self.met,
        }  # fmt: skip


def goals_of(rows: Mapping[str, Measured]) -> list[Goal]:
    """Every promise that these rows can be held to."""
    made = [*_callback_goals(rows)]
    for database, name in DATABASES.items():
        for job in JUDGED:
            made += _peer_goals(rows, job, database, f"{JOBS[job]} ({name})")
        for job in ("start", "save", "submit"):
            keyed, plain = (rows.get(f"{j}_{database}_{OURS}") for j in (f"{job}_keyed", job))
            if keyed and plain:
                title = f"{JOBS[job]} ({name}): with a key / without"
                made.append(_ratio(f"key {job} {database}", title, keyed, plain, KEY_COSTS, True))
        made += _statements(rows.get(f"start_{database}_{OURS}"), database, name)
    return made


def _callback_goals(rows: Mapping[str, Measured]) -> list[Goal]:
    if "callback" not in rows:
        return []
    ours, hello, echo = rows["callback"], rows["hello"], rows["echo"]
    floor = "safe callback: bare Flask hello / ours"
    peer = "safe callback: wechatpy + Flask / ours"
    return [
        _ratio("S1", floor, hello, ours, 0.70, False),
        _ratio("S2", peer, echo, ours, 1.45, False),
    ]


def _peer_goals(
    rows: Mapping[str, Measured], job: str, database: str, title: str
) -> Sequence[Goal]:
    ours = rows.get(f"{job}_{database}_{OURS}")
    if ours is None:
        return []
    made = []
    for stack, bound in CHEAPER.items():
        if peer := rows.get(f"{job}_{database}_{stack}"):
            name = f"{job} {database} {stack}"
            made.append(_ratio(name, f"{title}: {stack} / ours", peer, ours, bound, False))
    if least := rows.get(f"{job}_{database}_{BOUND}"):
        bound = BOARD_OF_BOUND if job == "board" else OF_BOUND
        name = f"{job} {database} {BOUND}"
        made.append(_ratio(name, f"{title}: ours / hand-written", ours, least, bound, True))
    return made


def _ratio(
    name: str, title: str, over: Measured, under: Measured, bound: float, most: bool
) -> Goal:
    pairs = zip(over.figures, under.figures, strict=True)
    ratios = [one.cpu_us / other.cpu_us for one, other in pairs]
    return Goal(name=name, title=title, value=median(ratios), lowest=min(ratios),
                highest=max(ratios), bound=bound, most=most)  # fmt: skip


def _statements(start: Measured | None, database: str, name: str) -> list[Goal]:
    if start is None or start.counted is None:
        return []
    took = float(start.counted.statements)
    title = f"{JOBS['start']} ({name}): statements"
    return [Goal(name=f"statements start {database}", title=title, value=took, lowest=took,
                 highest=took, bound=START_STATEMENTS, most=True)]  # fmt: skip
