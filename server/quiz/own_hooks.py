"""Practice, reports, shares, visits and groups of a citizen who is erased, exported or joined."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.orm import aliased

from server.base.uow import Hooks, UnitOfWork
from server.quiz.models import (
    Attempt,
    Contest,
    GroupMember,
    Practice,
    PracticeAnswer,
    Question,
    QuestionReport,
    Share,
    Visit,
    WeChatGroup,
)
from server.quiz.practice import mistakes

# What may be there once for each citizen.
_ONCE: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (QuestionReport, ("question_id",)),
    (Visit, ("scene", "on_day")),
    (GroupMember, ("group_id",)),
)


def forget(uow: UnitOfWork, citizen_id: int) -> None:
    """Drop what only the person needs. A place on a group's board stays, with nobody's name."""
    own = select(Practice.id).where(Practice.citizen_id == citizen_id)
    _drop(uow, PracticeAnswer, PracticeAnswer.practice_id.in_(own))
    for table in (Practice, QuestionReport, Share, Visit):
        _drop(uow, table, table.citizen_id == citizen_id)


def join(uow: UnitOfWork, keep: int, gone: int) -> None:
    """Make one citizen's rows another's; what both have stays once."""
    for table, same in _ONCE:
        twin = aliased(table)
        matching = [getattr(twin, name) == getattr(table, name) for name in same]
        both = exists().where(twin.citizen_id == keep, *matching)
        _drop(uow, table, (table.citizen_id == gone) & both)
    for table in (Practice, Share, *(table for table, _ in _ONCE)):
        uow.session.execute(
            update(table)
            .where(table.citizen_id == gone)
            .values(citizen_id=keep)
            .execution_options(synchronize_session=False)
        )


def _drop(uow: UnitOfWork, table: Any, which: ColumnElement[bool]) -> None:
    uow.session.execute(delete(table).where(which).execution_options(synchronize_session=False))


def held(uow: UnitOfWork, citizen_id: int) -> dict[str, object]:
    """A citizen's practice, mistakes, reports, shares, visits and groups."""
    return {
        "practice": _practice(uow, citizen_id),
        "mistakes": [
            {"question_id": one.item.ref, "stem": one.item.stem, "wrong_at": one.wrong_at}
            for one in mistakes.book(uow, citizen_id)
        ],
        "question_reports": _reports(uow, citizen_id),
        "shares": _shares(uow, citizen_id),
        "visits": _rows(
            uow,
            select(Visit.scene, Visit.on_day, Visit.at)
            .where(Visit.citizen_id == citizen_id)
            .order_by(Visit.id),
        ),
        "groups": _rows(
            uow,
            select(WeChatGroup.ref.label("id"), GroupMember.joined_at)
            .join(WeChatGroup, WeChatGroup.id == GroupMember.group_id)
            .where(GroupMember.citizen_id == citizen_id)
            .order_by(GroupMember.id),
        ),
    }


def _reports(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    return _rows(
        uow,
        select(
            QuestionReport.ref.label("id"),
            Question.ref.label("question_id"),
            QuestionReport.reason,
            QuestionReport.made_at,
        )
        .join(Question, Question.id == QuestionReport.question_id)
        .where(QuestionReport.citizen_id == citizen_id)
        .order_by(QuestionReport.id),
    )


def _shares(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    return _rows(
        uow,
        select(Share.ref.label("id"), Contest.title.label("contest"), Share.made_at)
        .join(Attempt, Attempt.id == Share.attempt_id)
        .join(Contest, Contest.id == Attempt.contest_id)
        .where(Share.citizen_id == citizen_id)
        .order_by(Share.id),
    )


def _practice(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    asked = (
        select(
            Question.ref,
            Question.stem,
            Question.options,
            PracticeAnswer.chosen,
            PracticeAnswer.correct,
            PracticeAnswer.answered_at,
        )
        .join(Practice, Practice.id == PracticeAnswer.practice_id)
        .join(Question, Question.id == PracticeAnswer.question_id)
        .where(Practice.citizen_id == citizen_id)
        .order_by(PracticeAnswer.id)
    )
    return [
        {
            "question_id": row.ref,
            "stem": row.stem,
            "chosen": [row.options[at] for at in row.chosen],
            "correct": row.correct,
            "answered_at": row.answered_at,
        }
        for row in uow.session.execute(asked)
    ]


def _rows(uow: UnitOfWork, asked: Any) -> list[dict[str, object]]:
    return [dict(row._mapping) for row in uow.session.execute(asked)]


OWN_HOOKS = Hooks(forget=(forget,), held=(held,), join=(join,))
