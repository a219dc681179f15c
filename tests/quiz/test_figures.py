"""Scores and times are said by one rule, which the mini-program has too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.base.texts import load_texts
from server.quiz.contests.rules_page import say_span
from server.quiz.leaderboards import figures

TEXTS = load_texts([Path(figures.__file__).parents[1]])
TABLE = json.loads(Path(__file__).with_name("figures.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("milliseconds", "words"), TABLE["durations"])
def test_a_time_is_cut_to_whole_seconds(milliseconds: int, words: str) -> None:
    assert figures.say_duration(TEXTS, milliseconds) == words


@pytest.mark.parametrize(("seconds", "words"), TABLE["spans"])
def test_a_time_limit_is_said_without_parts_of_zero(seconds: int, words: str) -> None:
    assert say_span(TEXTS, seconds) == words


@pytest.mark.parametrize(("above", "mine", "points"), TABLE["points_between"])
def test_a_distance_in_points_is_that_of_the_shown_scores(
    above: float, mine: float, points: float
) -> None:
    assert figures.points_between(above, mine) == points


@pytest.mark.parametrize(("mine", "above", "milliseconds"), TABLE["times_between"])
def test_a_distance_in_time_is_that_of_the_shown_times(
    mine: int, above: int, milliseconds: int
) -> None:
    assert figures.time_between(mine, above) == milliseconds


@pytest.mark.parametrize(("score", "words"), TABLE["scores"])
def test_a_score_is_cut_to_two_decimals(score: float, words: str) -> None:
    assert figures.say_score(score) == words
