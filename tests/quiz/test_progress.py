"""Where a citizen stands: the same from Redis and without it, and what a recount says."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.base.uow import UnitOfWorkFactory
from server.quiz.attempts import progress
from server.quiz.attempts.progress import SeasonProgress
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards import figures
from server.quiz.leaderboards import tasks as board_tasks
from server.quiz.models import Entry
from tests.conftest import application_of
from tests.kit import boards as kit
from tests.kit.accounts import a_citizen, a_session
from tests.kit.boards import (
    SEASONS,
    a_contest,
    a_season,
    an_entry,
    at_most,
    hand_in,
    recounted,
)
from tests.kit.clock import FakeClock


def reached(
    uow_factory: UnitOfWorkFactory, contest: ContestView, citizen_id: int
) -> SeasonProgress:
    with uow_factory.begin(read_only=True) as uow:
        return progress.season_progress(uow, [contest], citizen_id)[contest.id]


def shown_distance(above: float, mine: float) -> float:
    if above == mine:
        return 0
    shown = Decimal(figures.say_score(above)) - Decimal(figures.say_score(mine))
    return float(max(shown, Decimal("0.01")))


def expected(
    totals: list[tuple[int, int, int]], today: dict[int, int], entry_id: int, scale: int
) -> SeasonProgress:
    """What the recounted boards say of an entry: (entry, points, time), the best first."""
    place = [entry for entry, _, _ in totals].index(entry_id)
    _, points, time_ms = totals[place]
    above = totals[place - 1] if place else None
    behind = None if above is None else above[1] - points
    day = today.get(entry_id)
    return SeasonProgress(
        total=points / scale,
        today_score=None if day is None else day / scale,
        rank=place + 1,
        behind_next=None if above is None else shown_distance(above[1] / scale, points / scale),
        behind_next_ms=(time_ms // 1000 - above[2] // 1000) * 1000
        if above is not None and behind == 0
        else None,
    )


@pytest.mark.parametrize("season", SEASONS)
def test_every_place_and_distance_of_every_policy_equals_a_recount(
    season: str, either: UnitOfWorkFactory, without: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with either.begin() as uow:
        contest = a_contest(uow, season=season, papers_per_day=9)
        a_season(uow, contest, clock)
        rows = uow.session.execute(select(Entry.id, Entry.citizen_id))
        people = {row.id: row.citizen_id for row in rows}
        (nobody,) = kit.people(uow, 1)
        totals = recounted(uow.session, contest, "region", "total")
        day = recounted(uow.session, contest, "region", "day:2026-05-01")
    scale = 10_000 if season == "mean_of_papers" else 1
    today = {entry: points for entry, points, _ in day}
    assert any(one[1] == other[1] for one, other in pairwise(totals)), "ties are among them"
    assert board_tasks.build_board(either, contest.id, "total/region")
    for entry, _, _ in totals:
        told = expected(totals, today, entry, scale)
        with at_most(either, 1) as said:
            assert reached(either, contest, people[entry]) == told
        assert "(SELECT count" not in said[0]
        assert reached(without, contest, people[entry]) == told
    assert reached(either, contest, nobody) == SeasonProgress()


def test_a_board_of_redis_that_is_behind_is_not_believed(either: UnitOfWorkFactory) -> None:
    with either.begin() as uow:
        contest = a_contest(uow, papers_per_day=9)
        first, second = kit.people(uow, 2)
        hand_in(uow, contest, an_entry(uow, contest, first), score=60)
        mine = an_entry(uow, contest, second)
        hand_in(uow, contest, mine, score=50)
    assert board_tasks.build_board(either, contest.id, "total/region")
    assert reached(either, contest, second).rank == 2
    lost = either.dependencies.kv.leaderboard
    kept = lost.apply_changes
    lost.apply_changes = lambda *_: None  # type: ignore[method-assign]
    with either.begin() as uow:
        hand_in(uow, contest, mine, score=100)
    lost.apply_changes = kept  # type: ignore[method-assign]
    told = reached(either, contest, second)
    assert (told.total, told.rank, told.behind_next) == (100, 1, None)


def test_the_distance_is_in_points_and_where_those_are_equal_in_time(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        people = kit.people(uow, 4)
        results = ((90, 60_000), (70, 61_000), (70, 64_500), (70, 64_500))
        for at, (citizen, (score, time_ms)) in enumerate(zip(people, results, strict=True)):
            hand_in(
                uow, contest, an_entry(uow, contest, citizen), score=score, time_ms=time_ms,
                closed_at=uow.now + timedelta(seconds=at),
            )  # fmt: skip
    told = [reached(uow_factory, contest, citizen) for citizen in people]
    assert [one.rank for one in told] == [1, 2, 3, 4]
    assert [one.behind_next for one in told] == [None, 20, 0, 0]
    assert [one.behind_next_ms for one in told] == [None, None, 3_000, 0]


def test_today_and_the_total_are_two_figures(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        (citizen,) = kit.people(uow, 1)
        entry = an_entry(uow, contest, citizen)
        hand_in(uow, contest, entry, score=80)
    clock.advance(86_400)
    assert (
        reached(uow_factory, contest, citizen).total,
        reached(uow_factory, contest, citizen).today_score,
    ) == (
        80,
        None,
    )
    with uow_factory.begin() as uow:
        hand_in(uow, contest, entry, score=30)
    told = reached(uow_factory, contest, citizen)
    assert (told.total, told.today_score) == (110, 30)


@pytest.mark.parametrize("ready", [True, False])
def test_the_list_of_contests_costs_few_questions_however_many_there_are(
    ready: bool, app: Flask, client: Any, uow_factory: UnitOfWorkFactory
) -> None:
    def season(count: int) -> tuple[str, list[ContestView]]:
        with uow_factory.begin() as uow:
            me = a_citizen(uow)
            contests = [a_contest(uow) for _ in range(count)]
            for contest in contests:
                hand_in(uow, contest, an_entry(uow, contest, me.id), score=50)
            return a_session(uow, me), contests

    for count in (1, 12):
        token, contests = season(count)
        if ready:
            for contest in contests:
                assert board_tasks.build_board(uow_factory, contest.id, "total/region")
        client.get(f"/contests?limit={count}", citizen=token)
        with at_most(application_of(app).uow_factory, 5 if ready else 6):
            listed = client.get(f"/contests?limit={count}", citizen=token).get_json()["items"]
        assert [one["me"]["total"] for one in listed] == [50] * count
        assert {one["me"]["rank"] for one in listed} == {1}
