"""Scores and season figures against a count that shares no code with them."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.quiz.contests.presets import preset_body
from server.quiz.enums import Season
from server.quiz.rule_check import read_rule_set
from server.quiz.rules import GRACE, Paper, SeasonTotal, is_over, is_right, mark_paper, season_total

NOON = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)
option_sets = st.sets(st.integers(0, 5), max_size=6)
papers = st.lists(
    st.builds(
        Paper,
        id=st.integers(1, 1000),
        on_day=st.dates(date(2026, 5, 1), date(2026, 5, 4)),
        score=st.sampled_from([0, 10, 50, 100]),
        time_ms=st.sampled_from([1000, 60_000, 299_999]),
        closed_at=st.integers(0, 5).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    ),
    max_size=8,
    unique_by=lambda paper: paper.id,
)


@pytest.mark.parametrize(("preset", "points"), [("default", 10), ("nanjing-2018", 5)])
@given(
    key=st.lists(option_sets.filter(bool), min_size=1, max_size=20),
    chosen=st.lists(st.none() | option_sets, min_size=20, max_size=20),
)
def test_a_paper_scores_what_a_count_by_hand_says(
    preset: str, points: int, key: list[set[int]], chosen: list[set[int] | None]
) -> None:
    rules = read_rule_set(preset_body(preset))
    keys = {f"q{at}": sorted(options) for at, options in enumerate(key)}
    answers = {
        f"q{at}": sorted(options, reverse=True)
        for at, options in enumerate(chosen)
        if options is not None and at < len(key)
    }
    by_hand = [name for name in keys if name in answers and set(answers[name]) == set(keys[name])]
    marked = mark_paper(rules, keys, answers)
    assert (marked.score, marked.correct_count) == (points * len(by_hand), len(by_hand))


def test_half_of_a_multiple_choice_is_worth_nothing() -> None:
    assert is_right([0, 2], [2, 0])
    for chosen in ([0], [2], [0, 1, 2], [0, 1], []):
        assert not is_right([0, 2], chosen)


def counted_by_hand(season: str, found: list[Paper]) -> SeasonTotal | None:
    """What the published words of each policy come to."""
    if not found:
        return None
    tuples: list[Any] = [(-p.score, p.time_ms, p.closed_at, p.id, p.on_day) for p in found]
    chosen, divide, scale = tuples, 1, 1
    if season == "best_single_paper":
        chosen = [min(tuples)]
    elif season == "sum_of_daily_best":
        days = defaultdict(list)
        for one in tuples:
            days[one[4]].append(one)
        chosen = [min(day) for day in days.values()]
    elif season == "last_paper":
        chosen = [max(tuples, key=lambda one: (one[2], one[3]))]
    elif season == "mean_of_papers":
        divide, scale = len(tuples), 10_000
    points = sum(-one[0] for one in chosen)
    if season == "papers_handed_in":
        points = len(tuples)
    return SeasonTotal(
        points=points * scale // divide,
        time_ms=sum(one[1] for one in chosen) // divide,
        reached_at=max(one[2] for one in chosen),
    )


@pytest.mark.parametrize("season", list(Season))
@given(found=papers)
def test_every_season_policy_equals_a_count_by_hand(season: Season, found: list[Paper]) -> None:
    assert season_total(season, found) == counted_by_hand(season.value, found)
    assert season_total(season, reversed(found)) == season_total(season, found)


def test_the_best_of_equal_scores_is_the_quicker_then_the_earlier() -> None:
    slow = Paper(id=1, on_day=NOON.date(), score=90, time_ms=200_000, closed_at=NOON)
    quick = Paper(
        id=2, on_day=NOON.date(), score=90, time_ms=100_000, closed_at=NOON + timedelta(hours=2)
    )
    early = Paper(
        id=3, on_day=NOON.date(), score=90, time_ms=100_000, closed_at=NOON + timedelta(hours=1)
    )
    found = season_total(Season.BEST, [slow, quick, early])
    assert found == SeasonTotal(points=90, time_ms=100_000, reached_at=early.closed_at)


def test_two_seconds_of_grace_and_not_one_moment_more() -> None:
    assert not is_over(NOON + GRACE, NOON)
    assert is_over(NOON + GRACE + timedelta(microseconds=1), NOON)
