"""Titles and date wordings of a shifted edition: written for the moved dates, never exacter."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.programme.edition import Edition
from server.programme.kinds import Precision, State
from server.programme.loading import notice_words
from server.programme.rules import state_on, window_of

D = date
WORDS = notice_words().dates


def an_edition(weeks: int, year: int = 2026) -> Edition:
    return Edition(notice_year=2020, year=year, weeks=weeks, words=WORDS)


@pytest.mark.parametrize(
    ("text", "weeks", "written", "start", "end"),
    [
        ("2020年4月21日", 313, "2026年4月21日", D(2026, 4, 21), D(2026, 4, 21)),
        ("2020年4月21-23日", 336, "2026年9月29日—10月1日", D(2026, 9, 29), D(2026, 10, 1)),
        ("2020年4－9月", 313, "2026年4月—9月", D(2026, 4, 1), D(2026, 9, 30)),
        ("2020年4－9月", 336, "2026年9月—2027年2月", D(2026, 9, 1), D(2027, 2, 28)),
        ("2020年9月", 336, "2027年2月", D(2027, 2, 1), D(2027, 2, 28)),
        ("2020年2月", 205, "2024年1月", D(2024, 1, 1), D(2024, 1, 31)),
        ("2020年4月下旬—9月底", 313, "2026年4月下旬—9月底", D(2026, 4, 21), D(2026, 9, 30)),
        ("2020年4月下旬—9月底", 336, "2026年9月下旬—2027年2月底", D(2026, 9, 21), D(2027, 2, 28)),
        ("5月初—5月中旬", 315, "2026年6月上旬—6月中旬", D(2026, 6, 1), D(2026, 6, 20)),
        ("4月21日—9月", 336, "2026年9月21日—2027年2月", D(2026, 9, 21), D(2027, 2, 28)),
    ],
)
def test_a_wording_is_written_for_the_moved_dates_with_the_same_precision(
    text: str, weeks: int, written: str, start: date, end: date
) -> None:
    window = window_of(text, WORDS, year=2020)
    assert window is not None
    told = an_edition(weeks).rewrite_dates(text, window.first, window.last)
    assert told is not None
    assert (told.text, told.precision) == (written, window.precision)
    assert (told.start, told.end) == (start, end)


@pytest.mark.parametrize(
    ("weeks", "written", "due"),
    [(313, "2026年10月底", D(2026, 10, 31)), (331, "2027年2月底", D(2027, 2, 28))],
)
def test_a_single_day_behind_the_end_of_a_month_stays_its_last_day(
    weeks: int, written: str, due: date
) -> None:
    told = an_edition(weeks).rewrite_dates("10月底", D(2020, 10, 31), D(2020, 10, 31))
    assert told is not None
    assert (told.text, told.start, told.end) == (written, due, due)
    assert told.precision is Precision.END_OF_MONTH


def units_of(text: str, year: int) -> tuple[Precision, Precision, int]:
    """Both precisions of a wording, and how many days or tens of days or months it names."""
    window = window_of(text, WORDS, year=year)
    assert window is not None, text
    first, last = window.first, window.last
    if window.precision is window.last_precision is Precision.DAY:
        return Precision.DAY, Precision.DAY, (last - first).days
    tens = [(day.year * 12 + day.month) * 3 + min(day.day - 1, 29) // 10 for day in (first, last)]
    return window.precision, window.last_precision, tens[1] - tens[0]


@pytest.mark.parametrize(
    "text",
    [
        "2020年4月21日", "2020年4月30日-5月2日", "2020年4月下旬—9月底", "2020年6月上旬",
        "5月初—5月中旬", "2020年2月下旬", "2020年9月", "2020年2月", "2020年4－5月", "2020年4－6月",
        "2020年4－9月", "2020年4－12月", "2020年6－12月", "2020年11月—2021年2月", "10月底",
    ],
)  # fmt: skip
def test_a_moved_wording_read_again_gives_its_dates_precision_and_count(text: str) -> None:
    window = window_of(text, WORDS, year=2020)
    assert window is not None
    for weeks in range(1, 8 * 53):
        told = an_edition(weeks).rewrite_dates(text, window.first, window.last)
        assert told is not None
        read = window_of(told.text, WORDS, year=0)
        assert read is not None, told.text
        assert (read.first, read.last) == (told.start, told.end), told.text
        assert units_of(told.text, 0) == units_of(text, 2020), told.text
        assert abs(told.start - window.first - timedelta(weeks=weeks)) <= timedelta(days=30)


def test_without_a_move_the_notices_words_stay_as_they_are() -> None:
    edition = an_edition(0, year=2020)
    told = edition.rewrite_dates("2020年4－9月", D(2020, 4, 1), D(2020, 9, 30))
    assert told is not None
    assert told.text == "2020年4－9月"
    assert edition.renew_title("2020年第八届科学节") == "2020年第八届科学节"


@given(
    weeks=st.integers(1, 2000),
    text=st.sampled_from(
        ["2020年4月21日", "2020年4－9月", "2020年4月下旬—9月底", "10月底", "5月初—5月中旬"]
    ),
    data=st.data(),
)
def test_days_inside_a_wording_stay_inside_the_moved_one(
    weeks: int, text: str, data: st.DataObject
) -> None:
    window = window_of(text, WORDS, year=2020)
    assert window is not None
    start = data.draw(st.dates(window.first, window.last))
    end = data.draw(st.dates(start, window.last))
    told = an_edition(weeks).rewrite_dates(text, start, end)
    assert told is not None
    read = window_of(told.text, WORDS, year=0)
    assert read is not None, told.text
    assert read.first <= told.start <= told.end <= read.last
    assert read.precision == told.precision
    if start == window.first:
        assert told.start == read.first
    if end == window.last:
        assert told.end == read.last


@pytest.mark.parametrize(
    ("title", "year", "written"),
    [
        ("2020年八桂科普大行动", 2026, "2026年八桂科普大行动"),
        ("第八届广西青少年科学节启动仪式", 2026, "第十四届广西青少年科学节启动仪式"),
        ("第八届广西青少年科学节启动仪式", 2021, "第九届广西青少年科学节启动仪式"),
        ("第八届广西青少年科学节启动仪式", 2022, "第十届广西青少年科学节启动仪式"),
        ("第十九届科学节", 2021, "第二十届科学节"),
        ("第二十届科学节", 2033, "第三十三届科学节"),
        ("“八桂讲坛·大众科普”系列讲座活动", 2026, "“八桂讲坛·大众科普”系列讲座活动"),
        ("1998年的故事", 2026, "1998年的故事"),
    ],
)
def test_a_title_names_the_year_and_the_ordinal_of_its_edition(
    title: str, year: int, written: str
) -> None:
    assert an_edition(313, year=year).renew_title(title) == written


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (D(2026, 4, 20), State.UPCOMING),
        (D(2026, 4, 21), State.NOW),
        (D(2026, 9, 30), State.NOW),
        (D(2026, 10, 1), State.PAST),
    ],
)
def test_a_programmes_first_and_last_day_belong_to_it(today: date, state: State) -> None:
    assert state_on(today, D(2026, 4, 21), D(2026, 9, 30)) is state
    assert state_on(today, None, None) is None
