"""Dates of a notice: parsing its wording, and the number of weeks that a demo moves them.

Pure; the keywords are data and passed in by the caller.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from server.programme.kinds import Precision, State

# In the demo's month the contest is open, the spring activities are over, the festival is ahead.
DEMO_MONTH = date(2020, 6, 1)
# The notice's first day. Moved by weeks it stays in the ten days in which the campaign begins.
FIRST_DAY = date(2020, 4, 21)


@dataclass(frozen=True, kw_only=True)
class DateWords:
    """The keywords of date wordings.

    Spans are first and last day of the month, the last one limited to the month's length.
    """

    year: str
    month: str
    day: str
    spans: Mapping[str, tuple[int, int]]
    end_of_month: Mapping[str, tuple[int, int]]
    joins: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Window:
    """The days that a wording covers, and the precision of its start and its end."""

    first: date
    last: date
    precision: Precision
    last_precision: Precision


def weeks_to_demo(today: date) -> int:
    """The number of whole weeks that moves today into the demo's month.

    The smallest number of weeks that moves the first day at least as far as whole months would, so
    it exceeds them by six days at most.
    """
    first = moved_by_months(FIRST_DAY, _month_number(today) - _month_number(DEMO_MONTH))
    return -((FIRST_DAY - first).days // 7)


def months_of_weeks(weeks: int) -> int:
    """The number of whole months by which a wording of months or tens of days moves."""
    return _month_number(moved_by_weeks(FIRST_DAY, weeks)) - _month_number(FIRST_DAY)


def moved_by_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last day if it is shorter.

    Raises: ValueError outside the calendar.
    """
    year, month = divmod(_month_number(day) + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def moved_by_weeks(day: date, weeks: int) -> date:
    """A date moved by whole weeks.

    Raises: OverflowError outside the calendar.
    """
    return day + timedelta(weeks=weeks)


def state_on(today: date, start: date | None, end: date | None) -> State | None:
    """The state of a programme; None when units set the dates."""
    if start is None or end is None:
        return None
    if today < start:
        return State.UPCOMING
    return State.PAST if today > end else State.NOW


def window_of(text: str, words: DateWords, *, year: int) -> Window | None:
    """The days that a wording such as `4月下旬—9月底` covers; None when it cannot be parsed.

    `year` is used when the wording has none.
    """
    joins = "|".join(re.escape(join) for join in words.joins)
    parts = re.split(rf"(?:{joins})+", "".join(text.split()))
    if len(parts) > 2:
        return None
    points = [_read_point(part, words) for part in parts]
    begun, ended = points[0], points[-1]
    if begun is None or ended is None or ended.number is not None:
        return None
    begun = _complete_point(begun, ended)
    begun = replace(begun, year=begun.year or year)
    if len(parts) == 1:
        return _window_between(begun, begun, words)
    ended = replace(ended, year=ended.year or begun.year, month=ended.month or begun.month)
    return _window_between(begun, ended, words)


@dataclass(frozen=True, kw_only=True)
class _Point:
    year: int | None
    month: int | None
    day: int | None
    span: str | None
    number: int | None  # a number whose unit follows later: the 4 of `4-9月`


def _read_point(text: str, words: DateWords) -> _Point | None:
    spans = "|".join(map(re.escape, [*words.spans, *words.end_of_month]))
    found = re.fullmatch(
        rf"(?:(?P<year>\d{{4}}){words.year})?(?:(?P<month>\d{{1,2}}){words.month})?"
        rf"(?:(?P<day>\d{{1,2}}){words.day}|(?P<span>{spans})|(?P<number>\d{{1,2}}))?",
        text,
        re.ASCII,
    )
    if found is None or not text:
        return None
    figures = {k: int(found[k]) if found[k] else None for k in ("year", "month", "day", "number")}
    return _Point(span=found["span"], **figures)


def _complete_point(begun: _Point, ended: _Point) -> _Point:
    if begun.number is None:
        return begun
    if begun.month is None and ended.day is None:
        return replace(begun, month=begun.number, number=None)
    if begun.month is not None and ended.day is not None:
        return replace(begun, day=begun.number, number=None)
    return begun


def _window_between(begun: _Point, ended: _Point, words: DateWords) -> Window | None:
    if begun.number is not None or begun.month is None or ended.month is None:
        return None
    try:
        first, _, precision = _days_of_point(begun, words)
        _, last, last_precision = _days_of_point(ended, words)
    except ValueError:
        return None
    if first > last:
        return None
    return Window(first=first, last=last, precision=precision, last_precision=last_precision)


def _days_of_point(point: _Point, words: DateWords) -> tuple[date, date, Precision]:
    year, month = point.year or 0, point.month or 0
    if point.day is not None:
        day = date(year, month, point.day)
        return day, day, Precision.DAY
    first, last, precision = 1, 31, Precision.MONTH
    span = point.span or ""
    if span in words.spans:
        (first, last), precision = words.spans[span], Precision.XUN
    elif span in words.end_of_month:
        (first, last), precision = words.end_of_month[span], Precision.END_OF_MONTH
    length = calendar.monthrange(year, month)[1]
    return date(year, month, first), date(year, month, min(last, length)), precision
