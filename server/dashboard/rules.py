"""Arithmetic of the dashboard; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

SHADES = 5


class DaySum(NamedTuple):
    """Participations and first-time participants of the day or week that begins with `first`."""

    first: date
    times: int
    newcomers: int


def without_gaps(days: Sequence[DaySum], today: date) -> list[DaySum]:
    """The days from the first one to today, also those without a participation."""
    if not days:
        return []
    found = {one.first: one for one in days}
    last = max(today, days[-1].first)
    count = (last - days[0].first).days + 1
    every = [days[0].first + timedelta(days=n) for n in range(count)]
    return [found.get(day, DaySum(day, 0, 0)) for day in every]


def sum_weeks(days: Sequence[DaySum]) -> list[DaySum]:
    """The sums of weeks, each from Monday."""
    weeks: dict[date, DaySum] = {}
    for one in days:
        monday = one.first - timedelta(days=one.first.weekday())
        before = weeks.get(monday, DaySum(monday, 0, 0))
        weeks[monday] = DaySum(monday, before.times + one.times, before.newcomers + one.newcomers)
    return list(weeks.values())


def share_of(part: int, whole: int) -> float | None:
    """A share in percent; None when the whole is 0."""
    return part * 100 / whole if whole else None


def shade_steps(values: Sequence[float]) -> list[int]:
    """Shades in equal steps from 1 (the least value) to 5 (the greatest); 0 for the value 0."""
    some = [value for value in values if value > 0]
    least, span = min(some, default=0), max(some, default=0) - min(some, default=0)
    return [_shade_of(value - least, span) if value > 0 else 0 for value in values]


def _shade_of(above: float, span: float) -> int:
    return SHADES if span == 0 else min(SHADES, 1 + math.floor(SHADES * above / span))
