"""The boards of a played season against a recount of the raw answers, by the published rules."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from server.base.uow import UnitOfWorkFactory
from server.quiz.attempts import attempt_store
from server.quiz.attempts import service as attempts
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards import board_view
from server.quiz.models import Practice, PracticeAnswer, Question
from tests.kit.clock import FakeClock
from tests.kit.quiz import (
    Answers,
    Shown,
    citizens,
    guessed,
    open_contest,
    right_texts,
    shown,
    some_right,
)

CITIES = ("450100", "450200")


@dataclass(frozen=True)
class Person:
    """A citizen with the place and the group that papers count for."""

    citizen: int
    city: str
    division: str | None


@dataclass(frozen=True)
class Played:
    """One paper as it was seen from outside."""

    citizen: int
    city: str
    division: str | None
    day: date
    ended: datetime
    seconds: float
    questions: list[Shown]
    answers: Answers


def by_oracle(papers: Sequence[Played], points: int, season: str) -> list[tuple[int, int, int]]:
    """(citizen, score, milliseconds) in order, from raw answers and the file of questions."""
    by_citizen = defaultdict(list)
    for paper in papers:
        right = 0
        for question in paper.questions:
            words = dict(question.options)
            chosen = {words[key] for key in paper.answers.get(question.id, [])}
            right += bool(chosen) and chosen == right_texts(question.id)
        row = (-right * points, round(paper.seconds * 1000), paper.ended, paper.day)
        by_citizen[paper.citizen].append(row)
    table = []
    for citizen, rows in by_citizen.items():
        counted = rows
        if season == "best":
            counted = [min(rows)]
        elif season == "sum of daily best":
            counted = [min(r for r in rows if r[3] == day) for day in {r[3] for r in rows}]
        score = -sum(r[0] for r in counted) if season != "papers" else len(counted)
        table.append((-score, sum(r[1] for r in counted), max(r[2] for r in counted), citizen))
    return [(citizen, -score, time) for score, time, _, citizen in sorted(table)]


def one_paper(
    uow_factory: UnitOfWorkFactory,
    contest: ContestView,
    person: Person,
    chance: random.Random,
) -> Played:
    clock, citizen = uow_factory.dependencies.clock, person.citizen
    begun = clock.now()
    with uow_factory.begin() as uow:
        view = attempts.start_paper(uow, contest.ref, citizen, person.division).view
    ref, answers, questions = view.sheet.ref, {}, []
    while len(questions) < len(view.slots):
        before = len(questions)
        with uow_factory.begin(read_only=True) as uow:
            questions = shown(attempts.read_paper(uow, ref, citizen))
        new = guessed(questions[before:], chance)
        clock.advance(chance.choice([1, 3, 7]))  # type: ignore[attr-defined]
        with uow_factory.begin() as uow:
            attempts.save_answers(uow, ref, citizen, new)
        answers |= new
        if len(questions) == len(view.slots):
            break
        if not new:
            clock.advance(60)  # type: ignore[attr-defined]
        with uow_factory.begin() as uow:
            attempts.open_next(uow, ref, citizen)
    with uow_factory.begin() as uow:
        attempts.submit_paper(uow, ref, citizen, {})
    ended = clock.now()
    day = (begun + timedelta(hours=8)).date()
    seconds = min((ended - begun).total_seconds(), contest.rules.paper_seconds)
    return Played(citizen, person.city, person.division, day, ended, seconds, questions, answers)


def warm_up(uow_factory: UnitOfWorkFactory, citizen: int, count: int) -> None:
    """Answer so many questions in practice."""
    with uow_factory.begin() as uow:
        practice = Practice(ref=uow.new_ref("pra"), citizen_id=citizen, paper=[], made_at=uow.now)
        uow.session.add(practice)
        uow.session.flush()
        ids = uow.session.scalars(select(Question.id).order_by(Question.id).limit(count))
        for question_id in ids:
            uow.session.add(
                PracticeAnswer(practice_id=practice.id, question_id=question_id, chosen=[0],
                               correct=False, answered_at=uow.now)
            )  # fmt: skip


def a_season(
    uow_factory: UnitOfWorkFactory, contest: ContestView, chance: random.Random
) -> list[Played]:
    """What some people of two cities played in four days, up to three papers a day."""
    divisions = [one.key for one in contest.rules.divisions] or [None]
    people = [
        Person(citizen, city, divisions[at % len(divisions)])
        for city in CITIES
        for at, citizen in enumerate(citizens(uow_factory, 5, city=city))
    ]
    papers = []
    for person in people:
        warm_up(uow_factory, person.citizen, contest.rules.warm_up_questions)
    for _day in range(4):
        for person in people:
            if chance.random() < 0.8:
                for _paper in range(chance.randint(1, min(3, contest.rules.papers_per_day))):
                    papers.append(one_paper(uow_factory, contest, person, chance))
        uow_factory.dependencies.clock.advance(86_400)  # type: ignore[attr-defined]
    return papers


PRESETS = [
    ("default", 10, "sum of daily best"),
    ("nanjing-2018", 5, "best"),
    ("ningxia-2018", 1, "best"),
    ("jiangsu-2017", 1, "best"),
    ("chongqing-2019", 10, "papers"),
    ("guangdong-2021", 1, "sum"),
    ("qingdao-2023", 20, "sum"),
    ("fujian-2025", 10, "sum"),
]


@pytest.mark.parametrize(("preset", "points", "season"), PRESETS)
def test_every_board_equals_a_recount_of_the_raw_answers(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, preset: str, points: int, season: str
) -> None:
    chance = random.Random(preset)
    contest = open_contest(uow_factory, preset)
    papers = a_season(uow_factory, contest, chance)
    boards = {
        ("region", "total"): papers,
        ("region", "week:2026-W18"): [p for p in papers if p.day <= date(2026, 5, 3)],
        ("region", "week:2026-W19"): [p for p in papers if p.day == date(2026, 5, 4)],
        ("region", f"day:{papers[0].day}"): [p for p in papers if p.day == papers[0].day],
        ("city:450200", "total"): [p for p in papers if p.city == "450200"],
    }
    for key in {p.division for p in papers if p.division}:
        boards[f"division:{key}", "total"] = [p for p in papers if p.division == key]
    for (scope, period), found in boards.items():
        expected = by_oracle(found, points, season)
        assert len(expected) > (3 if ":" not in scope or scope.startswith("city") else 1)
        with uow_factory.begin(read_only=True) as uow:
            board = board_view.read_board(uow, contest, scope=scope, period=period, limit=100)
            order = [
                board_view.read_board(
                    uow, contest, scope=scope, period=period, citizen_id=citizen
                ).me
                for citizen, _, _ in expected
            ]
        lines = [(line.rank, line.score, line.duration_ms) for line in board.items]
        assert lines == [(at, s, t) for at, (_, s, t) in enumerate(expected, start=1)]
        assert [mine.rank for mine in order if mine] == list(range(1, len(expected) + 1))
        assert board.total == len(expected)


def handed_in(
    uow_factory: UnitOfWorkFactory, contest: ContestView, plan: list[tuple[int, int, int]]
) -> None:
    """(citizen, seconds from now at the start, seconds used), each with 80 points."""
    clock, noon = uow_factory.dependencies.clock, uow_factory.dependencies.clock.now()
    papers = {}
    acts = [(begins, citizen, None) for citizen, begins, _ in plan]
    acts += [(begins + used, citizen, used) for citizen, begins, used in plan]
    for at, citizen, used in sorted(acts, key=lambda act: act[0]):
        clock.set(noon + timedelta(seconds=at))  # type: ignore[attr-defined]
        with uow_factory.begin() as uow:
            if used is None:
                papers[citizen] = attempts.start_paper(uow, contest.ref, citizen).view
            else:
                view = papers[citizen]
                attempts.submit_paper(uow, view.sheet.ref, citizen, some_right(shown(view), 8))


def three_ties_rank_by_time_then_earlier_finish_then_older_entry(
    application: UnitOfWorkFactory,
) -> None:
    contest = open_contest(application)
    slow, late, early, twin, quick = citizens(application, 5)
    handed_in(
        application,
        contest,
        [(slow, 0, 90), (late, 60, 60), (early, 10, 60), (twin, 10, 60), (quick, 200, 45)],
    )
    with application.begin(read_only=True) as uow:
        ranks = {
            citizen: board_view.read_board(uow, contest, citizen_id=citizen).me.rank  # type: ignore[union-attr]
            for citizen in (quick, early, twin, late, slow)
        }
        lines = board_view.read_board(uow, contest).items
    assert list(ranks.values()) == [1, 2, 3, 4, 5]
    assert [line.duration_ms for line in lines] == [45_000, 60_000, 60_000, 60_000, 90_000]
    with application.begin(read_only=True) as uow:
        views = [
            attempt_store.list_in_contest(uow, contest.id, [c])[0] for c in (quick, early, twin)
        ]
    assert views[1].closed_at == views[2].closed_at


@pytest.mark.race
def test_ties_rank_alike_on_both_databases_with_redis(either: UnitOfWorkFactory) -> None:
    three_ties_rank_by_time_then_earlier_finish_then_older_entry(either)


@pytest.mark.race
def test_ties_rank_alike_on_both_databases_without_redis(without: UnitOfWorkFactory) -> None:
    three_ties_rank_by_time_then_earlier_finish_then_older_entry(without)
