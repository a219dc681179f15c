"""Closed papers over seeded questions, inserted as rows, for the statistics of questions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from server.base.access import REGION, Scope
from server.base.clock import beijing_day, beijing_week
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork
from server.quiz.bank.service import renew_revision
from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState, QuestionKind, QuestionState
from server.quiz.models import Attempt, Entry, Question
from server.quiz.rules import is_right


def add_questions(
    uow: UnitOfWork, contest: ContestView, kinds: Sequence[QuestionKind], owner: Scope = REGION
) -> list[Question]:
    """Live questions in the bank of a contest; the first option is right, or the first two."""
    rows = []
    for at, kind in enumerate(kinds, start=1):
        judge = kind is QuestionKind.JUDGE
        rows.append(
            Question(
                ref=f"{contest.bank}-{at}", version=1, bank=contest.bank, kind=kind, topic="",
                benchmark="", difficulty=2, stem=f"第{at}题是哪一个？",
                options=["正确", "错误"] if judge else ["甲", "乙", "丙", "丁"],
                answer=[0, 1] if kind is QuestionKind.MULTIPLE else [0],
                explanation="因为如此。", source="", state=QuestionState.LIVE,
                made_at=uow.now, **owned_by(owner),
            )
        )  # fmt: skip
    uow.session.add_all(rows)
    uow.session.flush()
    renew_revision(uow, contest.bank)
    return rows


def add_papers(
    uow: UnitOfWork,
    contest: ContestView,
    entry_ids: Sequence[int],
    papers: Sequence[tuple[Sequence[Question], dict[str, list[int]]]],
) -> list[int]:
    """Closed papers with these answers, in turn for each entry, one a day; return their ids."""
    found = select(Entry.id, Entry.citizen_id).where(Entry.id.in_(entry_ids))
    citizens = {row.id: row.citizen_id for row in uow.session.execute(found)}
    rows = [
        _paper_row(uow, contest, at // len(entry_ids), paper)
        | {"entry_id": entry_id, "citizen_id": citizens[entry_id]}
        for at, paper in enumerate(papers)
        for entry_id in [entry_ids[at % len(entry_ids)]]
    ]
    made = uow.session.execute(insert(Attempt).returning(Attempt.id), rows)
    return sorted(made.scalars())


def _paper_row(
    uow: UnitOfWork,
    contest: ContestView,
    days: int,
    paper: tuple[Sequence[Question], dict[str, list[int]]],
) -> dict[str, Any]:
    questions, answers = paper
    began = uow.now - timedelta(days=days + 1)
    right = sum(is_right(one.answer, answers.get(one.ref, ())) for one in questions)
    day = beijing_day(began)
    took = timedelta(seconds=30 + days)
    return {
        "ref": uow.new_ref("att"), "contest_id": contest.id, "on_day": day,
        "on_week": beijing_week(day), "try_no": 1, "day_limit": 1, "started_at": began,
        "deadline_at": began + timedelta(minutes=5), "state": AttemptState.SUBMITTED,
        "rules_version": contest.rules.version,
        "paper": [{"q": one.id, "order": list(range(len(one.options)))} for one in questions],
        "answers": answers, "score": right * contest.rules.points_per_question,
        "correct_count": right, "duration_ms": took // timedelta(milliseconds=1),
        "closed_at": began + took, "tally": 0,
    }  # fmt: skip


def answer_by_skill(
    questions: Sequence[Question],
    skill: float,
    chance: random.Random,
    against: frozenset[str] = frozenset(),
) -> dict[str, list[int]]:
    """Answers by skill, some left out; to the refs in `against` the skilled answer wrong."""
    answers: dict[str, list[int]] = {}
    for one in questions:
        odds = 1 - skill if one.ref in against else skill
        if chance.random() < odds:
            answers[one.ref] = list(one.answer)
        elif chance.random() < 0.9:
            others = [at for at in range(len(one.options)) if at not in one.answer]
            answers[one.ref] = [others[0] if one.ref in against else chance.choice(others)]
    return answers
