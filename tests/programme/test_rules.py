"""What a date wording of a notice covers, and how far the demo moves the dates."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.programme.kinds import Precision
from server.programme.loading import notice_words
from server.programme.rules import (
    DEMO_MONTH,
    FIRST_DAY,
    months_of_weeks,
    moved_by_months,
    moved_by_weeks,
    weeks_to_demo,
    window_of,
)

D = date


@pytest.mark.parametrize(
    ("text", "first", "last", "precision"),
    [
        ("2020年4月21日", D(2020, 4, 21), D(2020, 4, 21), Precision.DAY),
        ("2020年4月下旬—9月底", D(2020, 4, 21), D(2020, 9, 30), Precision.XUN),
        ("2020年4－9月", D(2020, 4, 1), D(2020, 9, 30), Precision.MONTH),
        ("2020年6－12月", D(2020, 6, 1), D(2020, 12, 31), Precision.MONTH),
        ("2020年9月", D(2020, 9, 1), D(2020, 9, 30), Precision.MONTH),
        ("10月底", D(2020, 10, 21), D(2020, 10, 31), Precision.END_OF_MONTH),
        ("4月30日至5月2日", D(2020, 4, 30), D(2020, 5, 2), Precision.DAY),
        ("2020年4月21-23日", D(2020, 4, 21), D(2020, 4, 23), Precision.DAY),
        ("2020 年 2 月下旬", D(2020, 2, 21), D(2020, 2, 29), Precision.XUN),
        ("2020年11月—2021年2月", D(2020, 11, 1), D(2021, 2, 28), Precision.MONTH),
        ("5月初—5月中旬", D(2020, 5, 1), D(2020, 5, 20), Precision.XUN),
    ],
)
def test_a_wording_covers_its_days(
    text: str, first: date, last: date, precision: Precision
) -> None:
    window = window_of(text, notice_words().dates, year=2020)
    assert window is not None
    assert (window.first, window.last, window.precision) == (first, last, precision)


@pytest.mark.parametrize(
    "text",
    [
        "", "2020年", "另行通知", "九月", "2020年13月", "2020年2月30日", "2020年4", "4-9",
        "2020年9－4月", "2020年4-", "4月—6月—9月", "2020年4月21", "21日", "4月21日左右",
    ],
)  # fmt: skip
def test_a_wording_without_clear_days_is_not_guessed(text: str) -> None:
    assert window_of(text, notice_words().dates, year=2020) is None


@pytest.mark.parametrize("offset", range(0, 4000, 97))
def test_today_lies_as_many_months_from_the_demos_month_as_the_wordings_move(offset: int) -> None:
    today = D(2018, 1, 1) + timedelta(days=offset)
    months = months_of_weeks(weeks_to_demo(today))
    assert moved_by_months(DEMO_MONTH, months) == today.replace(day=1)


@pytest.mark.parametrize("offset", range(0, 4000, 97))
def test_the_first_day_moved_by_weeks_stays_in_its_tens_of_days_and_on_its_weekday(
    offset: int,
) -> None:
    today = D(2018, 1, 1) + timedelta(days=offset)
    first = moved_by_weeks(FIRST_DAY, weeks_to_demo(today))
    assert 21 <= first.day <= 27
    assert first.weekday() == FIRST_DAY.weekday()


@pytest.mark.parametrize(
    ("day", "months", "there"),
    [
        (D(2020, 1, 31), 1, D(2020, 2, 29)),
        (D(2020, 1, 31), 13, D(2021, 2, 28)),
        (D(2020, 12, 15), 1, D(2021, 1, 15)),
        (D(2020, 1, 15), -1, D(2019, 12, 15)),
        (D(2020, 6, 1), 0, D(2020, 6, 1)),
    ],
)
def test_a_day_moved_by_months_keeps_its_number_where_the_month_has_it(
    day: date, months: int, there: date
) -> None:
    assert moved_by_months(day, months) == there
