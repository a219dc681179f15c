"""The notice's titles and date wordings rewritten for the demo's moved dates.

Pure. Without a move the notice's own words are kept. Exact days move by whole weeks and keep their
day of the week. Wordings of months or tens of days move by whole months: a shift by weeks would end
them inside such a period, so that the new wording would name one too many or one too few.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

from server.programme.kinds import Precision
from server.programme.rules import (
    DateWords,
    Window,
    months_of_weeks,
    moved_by_months,
    moved_by_weeks,
    window_of,
)

_JOIN = "—"
_DIGITS = "零一二三四五六七八九"
_ORDINAL = re.compile(r"第([一二三四五六七八九十]{1,3})届")


@dataclass(frozen=True, kw_only=True)
class EditionDates:
    """Moved dates with a wording of the same precision."""

    text: str
    start: date
    end: date
    precision: Precision


@dataclass(frozen=True, kw_only=True)
class Edition:
    """A notice moved by whole weeks, its wordings of months by the corresponding months.

    `notice_year` is the year in the notice's titles, `year` the one in the new titles.
    """

    notice_year: int
    year: int
    weeks: int
    words: DateWords

    def renew_title(self, title: str) -> str:
        """The title with the edition's year and its ordinal number increased by as many years."""
        if not self.weeks:
            return title
        written = title.replace(
            f"{self.notice_year}{self.words.year}", f"{self.year}{self.words.year}"
        )
        return _ORDINAL.sub(self._count_on, written)

    def rewrite_dates(self, text: str, start: date, end: date) -> EditionDates | None:
        """The moved dates as words; None when the notice's wording cannot be parsed."""
        window = window_of(text, self.words, year=self.notice_year)
        if window is None:
            return None
        if not self.weeks:
            return EditionDates(text=text, start=start, end=end, precision=window.precision)
        if window.precision is window.last_precision is Precision.DAY:
            span = moved_by_weeks(start, self.weeks), moved_by_weeks(end, self.weeks)
            return self._say_window(window, covered=span, span=span)
        covered = self._covered_after_months(window)
        first, last = covered
        start = min(first + (start - window.first), last)
        end = max(last - (window.last - end), start)
        return self._say_window(window, covered=covered, span=(start, end))

    def _covered_after_months(self, window: Window) -> tuple[date, date]:
        months = months_of_weeks(self.weeks)
        first, last = moved_by_months(window.first, months), moved_by_months(window.last, months)
        if window.last_precision is not Precision.DAY and _ends_month(window.last):
            last = last.replace(day=calendar.monthrange(last.year, last.month)[1])
        return first, last

    def _say_window(
        self, window: Window, *, covered: tuple[date, date], span: tuple[date, date]
    ) -> EditionDates:
        first, last = covered
        begun = self._say_point(first, window.precision)
        ended = self._say_point(last, window.last_precision)
        wording = begun if begun == ended else f"{begun}{_JOIN}{self._without_year(ended, first)}"
        start, end = span
        return EditionDates(text=wording, start=start, end=end, precision=window.precision)

    def _without_year(self, wording: str, begun: date) -> str:
        return wording.removeprefix(f"{begun.year}{self.words.year}")

    def _say_point(self, day: date, precision: Precision) -> str:
        month = f"{day.year}{self.words.year}{day.month}{self.words.month}"
        if precision is Precision.DAY:
            return f"{month}{day.day}{self.words.day}"
        if precision is Precision.MONTH:
            return month
        spans = self.words.spans if precision is Precision.XUN else self.words.end_of_month
        return month + next(name for name, (a, b) in spans.items() if a <= day.day <= b)

    def _count_on(self, found: re.Match[str]) -> str:
        number = _number_of(found[1]) + self.year - self.notice_year
        return f"第{_say_number(number)}届"


def _ends_month(day: date) -> bool:
    return day.day == calendar.monthrange(day.year, day.month)[1]


def _number_of(numeral: str) -> int:
    tens, ten, ones = numeral.rpartition("十")
    return (_DIGITS.find(tens) if tens else 1) * 10 * bool(ten) + (
        _DIGITS.find(ones) if ones else 0
    )


def _say_number(number: int) -> str:
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _DIGITS[ones]
    return (_DIGITS[tens] if tens > 1 else "") + "十" + (_DIGITS[ones] if ones else "")
