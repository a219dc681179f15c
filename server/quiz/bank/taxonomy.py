"""The 26 benchmarks by which questions are classified; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from server.quiz.words import word_table

MOST_BENCHMARK = 26


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One of the 26 benchmarks; several share a topic."""

    number: int
    name: str
    topic: str


@cache
def read_benchmarks() -> Mapping[int, Benchmark]:
    """All benchmarks by their number."""
    return {
        int(number): Benchmark(number=int(number), name=name, topic=topic)
        for number, (name, topic) in word_table("benchmarks").items()
    }


@cache
def numbers_by_name() -> Mapping[str, int]:
    """The number of each benchmark by its name."""
    return {one.name: one.number for one in read_benchmarks().values()}
