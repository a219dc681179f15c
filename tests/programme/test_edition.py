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
    ("text", "start", "end", "weeks", "written", "precision"),
    [
        ("2020年4月21日", D(2020, 4, 21), D(2020, 4, 21), 313, "2026年4月21日", Precision.DAY),
        ("2020年4－9月", D(2020, 4, 1), D(2020, 9, 30), 313, "2026年4月—9月", Precision.MONTH),
        (
            "2020年4－9月",
            D(2020, 4, 1),
            D(2020, 9, 30),
            336,
            "2026年9月—2027年3月",
            Precision.MONTH,
        ),
        ("2020年9月", D(2020, 9, 1), D(2020, 9, 30), 313, "2026年9月", Precision.MONTH),
        (
            "2020年4月下旬—9月底",
            D(2020, 4, 21),
            D(2020, 9, 30),
            313,
            "2026年4月下旬—9月底",
            Precision.XUN,
        ),
        (
            "2020年4月下旬—9月底",
            D(2020, 4, 21),
            D(2020, 9, 30),
            336,
            "2026年9月下旬—2027年3月上旬",
            Precision.XUN,
        ),
        ("10月底", D(2020, 10, 31), D(2020, 10, 31), 313, "2026年10月底", Precision.END_OF_MONTH),
        ("10月底", D(2020, 10, 31), D(2020, 10, 31), 315, "2026年11月中旬", Precision.XUN),
        (
            "2020年4月21-23日",
            D(2020, 4, 21),
            D(2020, 4, 23),
            313,
            "2026年4月21日—4月23日",
            Precision.DAY,
        ),
    ],
)
def test_a_wording_is_written_for_the_moved_dates_with_the_same_precision(
    text: str, start: date, end: date, weeks: int, written: str, precision: Precision
) -> None:
    told = an_edition(weeks).rewrite(text, start, end)
    assert told is not None
    assert (told.text, told.precision) == (written, precision)
    assert (told.start, told.end) == (start + timedelta(weeks=weeks), end + timedelta(weeks=weeks))


def test_without_a_move_the_notices_words_stay_as_they_are() -> None:
    edition = an_edition(0, year=2020)
    told = edition.rewrite("2020年4－9月", D(2020, 4, 1), D(2020, 9, 30))
    assert told is not None
    assert told.text == "2020年4－9月"
    assert edition.retitle("2020年第八届科学节") == "2020年第八届科学节"


@given(
    weeks=st.integers(1, 2000),
    text=st.sampled_from(
        ["2020年4月21日", "2020年4－9月", "2020年4月下旬—9月底", "10月底", "5月初—5月中旬"]
    ),
    data=st.data(),
)
def test_the_new_wording_covers_exactly_what_it_should(
    weeks: int, text: str, data: st.DataObject
) -> None:
    window = window_of(text, WORDS, year=2020)
    assert window is not None
    start = data.draw(st.dates(window.first, window.last))
    end = data.draw(st.dates(start, window.last))
    told = an_edition(weeks).rewrite(text, start, end)
    assert told is not None
    read = window_of(told.text, WORDS, year=0)
    assert read is not None, told.text
    assert read.first <= told.start <= told.end <= read.last
    assert read.precision == told.precision


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
    assert an_edition(313, year=year).retitle(title) == written


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
