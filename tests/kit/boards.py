"""Inserts contests, entries and closed papers directly, and recounts boards independently."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import event, insert, select, update
from sqlalchemy.orm import Session

from server.accounts.models import Citizen
from server.base.clock import beijing_day, beijing_week
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState
from server.quiz.leaderboards import service as boards
from server.quiz.leaderboards import tasks as board_tasks
from server.quiz.models import Attempt, Entry
from server.units.models import Unit
from tests.kit.clock import FakeClock
from tests.kit.contests import a_contest as a_contest

_count = itertools.count(1)
SEASONS = (
    "best_single_paper",
    "sum_of_daily_best",
    "sum_of_scores",
    "mean_of_papers",
    "last_paper",
)
PLACES = ("city", "county", "unit_id", "audience")


def people(uow: UnitOfWork, count: int, **columns: Any) -> list[int]:
    """Insert citizens with nicknames in one statement; return their ids."""
    rows = [
        {"ref": f"cit_{next(_count)}", "nickname": f"王{at}号", "nickname_state": "shown",
         "language": "zh", "elder_mode": False, "public_rank": False, "topics": [],
         "created_at": uow.now, **columns}
        for at in range(count)
    ]  # fmt: skip
    made = uow.session.execute(insert(Citizen).returning(Citizen.id), rows)
    return sorted(made.scalars())


def a_unit(uow: UnitOfWork) -> Unit:
    number = next(_count)
    unit = Unit(
        ref=f"unit-{number}", name=f"单位{number}", kind="school", level="county", assumed=False
    )
    uow.session.add(unit)
    uow.session.flush()
    return unit


def an_entry(uow: UnitOfWork, contest: ContestView, citizen_id: int, **place: Any) -> int:
    row = {"contest_id": contest.id, "citizen_id": citizen_id, "left_scopes": [], **place}
    return int(uow.session.execute(insert(Entry).values(row).returning(Entry.id)).scalar_one())


def entries(uow: UnitOfWork, contest: ContestView, count: int, **place: Any) -> list[int]:
    return [an_entry(uow, contest, citizen, **place) for citizen in people(uow, count)]


def a_paper(
    uow: UnitOfWork, contest: ContestView, entry_id: int, *, score: int, time_ms: int = 60_000,
    closed_at: datetime | None = None, state: str = "submitted", started_on: date | None = None,
) -> int:  # fmt: skip
    """Insert a paper: closed but not counted yet, or open."""
    closed_at = closed_at or uow.now
    started = closed_at - timedelta(milliseconds=time_ms)
    on_day = started_on or beijing_day(started)
    session = uow.session
    citizen = session.scalar(select(Entry.citizen_id).where(Entry.id == entry_id))
    taken = session.scalars(
        select(Attempt.try_no).where(Attempt.entry_id == entry_id, Attempt.on_day == on_day)
    ).all()
    limit = contest.rules.papers_per_day
    row = {
        "ref": f"att_{next(_count)}", "contest_id": contest.id, "entry_id": entry_id,
        "citizen_id": citizen, "on_day": on_day, "on_week": beijing_week(on_day),
        "try_no": max(taken, default=0) + 1, "day_limit": limit, "started_at": started,
        "deadline_at": started + timedelta(seconds=300), "state": AttemptState(state),
        "rules_version": contest.rules.version, "paper": [], "answers": {},
    }  # fmt: skip
    if state != "open":
        row |= {"score": score, "correct_count": score // 10, "duration_ms": time_ms,
                "closed_at": closed_at}  # fmt: skip
    return int(session.execute(insert(Attempt).values(row).returning(Attempt.id)).scalar_one())


def close_paper(uow: UnitOfWork, attempt_id: int, *, score: int, time_ms: int) -> None:
    uow.session.execute(
        update(Attempt)
        .where(Attempt.id == attempt_id)
        .values(state=AttemptState.SUBMITTED, score=score, correct_count=0, duration_ms=time_ms,
                closed_at=uow.now)
    )  # fmt: skip


def hand_in(uow: UnitOfWork, contest: ContestView, entry_id: int, **paper: Any) -> boards.Ranks:
    """Insert a closed paper and count it in the same transaction, as a submission does."""
    return count(uow, a_paper(uow, contest, entry_id, **paper))


def count(uow: UnitOfWork, attempt_id: int) -> boards.Ranks:
    """Count a closed paper into the standings."""
    row = uow.session.execute(
        select(Attempt.contest_id, Attempt.entry_id).where(Attempt.id == attempt_id)
    ).one()
    rules = contests.contest_by_id(uow, row.contest_id).rules
    played = boards.closed_papers(uow, row.entry_id)
    now = next(one for one in played if one.paper.id == attempt_id)
    return boards.record_result(uow, boards.lock_entry(uow, row.entry_id), played, now, rules)


def recounted(
    session: Session, contest: ContestView, scope: str, period: str
) -> list[tuple[int, int, int]]:
    """The board, counted again from the closed papers: (entry, points, time)."""
    papers = defaultdict(list)
    kind, _, value = scope.partition(":")
    column = {"unit": "unit_id"}.get(kind, kind)
    for paper, entry in session.execute(
        select(Attempt, Entry).join(Entry, Entry.id == Attempt.entry_id)
        .where(Attempt.contest_id == contest.id, Attempt.state != AttemptState.OPEN)
        .execution_options(populate_existing=True)
    ):  # fmt: skip
        here = scope == "region" or str(getattr(entry, column)) == value
        then = period in ("total", f"day:{paper.on_day}", f"week:{paper.on_week}")
        if here and then and entry.merged_at is None:
            papers[entry.id].append(
                (-paper.score, paper.duration_ms, paper.closed_at, paper.on_day, paper.id)
            )
    rows = []
    for entry_id, all_of_them in papers.items():
        entry_lock, divisor, scale = _counted(contest.rules.season.value, all_of_them)
        points = -sum(p[0] for p in entry_lock) * scale // divisor
        time_ms = sum(p[1] for p in entry_lock) // divisor
        reached = int(max(p[2] for p in entry_lock).timestamp() * 1000)
        rows.append((-points, time_ms, reached, entry_id))
    return [(entry_id, -points, time_ms) for points, time_ms, _, entry_id in sorted(rows)]


def _counted(season: str, papers: list[Any]) -> tuple[list[Any], int, int]:
    if season == "best_single_paper":
        return [min(papers)], 1, 1
    if season == "last_paper":
        return [max(papers, key=lambda paper: (paper[2], paper[4]))], 1, 1
    if season == "mean_of_papers":
        return papers, len(papers), 10_000
    if season == "sum_of_daily_best":
        return [min(p for p in papers if p[3] == day) for day in {p[3] for p in papers}], 1, 1
    return papers, 1, 1


@contextmanager
def at_most(uow_factory: UnitOfWorkFactory, count: int) -> Iterator[list[str]]:
    """Check that at most `count` statements reach the database; yield them, in order."""
    said: list[str] = []

    def heard(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(("SELECT", "INSERT", "UPDATE")):
            said.append(statement)

    event.listen(uow_factory.engine, "before_cursor_execute", heard)
    yield said
    event.remove(uow_factory.engine, "before_cursor_execute", heard)
    assert len(said) <= count, "\n".join(said)


def a_season(uow: UnitOfWork, contest: ContestView, clock: FakeClock) -> list[tuple[str, str]]:
    """Let two dozen citizens of many places play six days, with many ties; return the boards."""
    chance = random.Random(7)
    unit = a_unit(uow)
    places = [
        {"city": "450100", "county": "450103", "audience": "youth"},
        {"city": "450100", "county": "450102", "unit_id": unit.id},
        {"city": "450200", "county": "450202", "unit_id": unit.id, "audience": "elder"},
        {},
    ]
    players = [an_entry(uow, contest, c, **places[c % 4]) for c in people(uow, 24)]
    for day in range(6):
        for entry in chance.sample(players, 12):
            for _ in range(chance.randint(1, 2)):
                at = clock.now() + timedelta(days=day, seconds=chance.randrange(3) * 1.0015)
                hand_in(
                    uow, contest, entry, score=chance.choice([0, 60, 100]), closed_at=at,
                    time_ms=chance.choice([0, 30_000, 300_000]),
                )  # fmt: skip
    scopes = ["region", "city:450100", "county:450202", f"unit:{unit.id}", "audience:elder"]
    return [(p, s) for p in ("total", "day:2026-05-03", "week:2026-W18") for s in scopes]


def answer_wake_ups(
    uow_factory: UnitOfWorkFactory, rung: Sequence[tuple[str, tuple[int, ...]]]
) -> int:
    """Run the tasks of these wake-ups, as a worker does."""
    steps = {task.name: task.step for task in board_tasks.BOARD_TASKS}
    context = TaskContext(uow_factory=uow_factory, gateway=None)
    return sum(steps[name](context, *numbers) for name, numbers in list(rung) if name in steps)
