"""Data export of a citizen's practice, mistakes, reports, shares and groups."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from server.base.uow import UnitOfWork
from server.quiz.models import (
    Attempt,
    Contest,
    GroupMember,
    Practice,
    PracticeAnswer,
    Question,
    QuestionReport,
    Share,
    WeChatGroup,
)
from server.quiz.practice import mistakes


def tell_mistakes(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's wrong-answer book."""
    return [
        {"question_id": one.item.ref, "stem": one.item.stem, "wrong_at": one.wrong_at}
        for one in mistakes.book(uow, citizen_id)
    ]


def tell_groups(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """The WeChat groups whose boards a citizen is on."""
    return _rows_as_dicts(
        uow,
        select(WeChatGroup.ref.label("id"), GroupMember.joined_at)
        .join(WeChatGroup, WeChatGroup.id == GroupMember.group_id)
        .where(GroupMember.citizen_id == citizen_id)
        .order_by(GroupMember.id),
    )


def tell_reports(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """The citizen's reports about questions."""
    return _rows_as_dicts(
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


def tell_shares(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """The citizen's result cards."""
    return _rows_as_dicts(
        uow,
        select(Share.ref.label("id"), Contest.title.label("contest"), Share.made_at)
        .join(Attempt, Attempt.id == Share.attempt_id)
        .join(Contest, Contest.id == Attempt.contest_id)
        .where(Share.citizen_id == citizen_id)
        .order_by(Share.id),
    )


def tell_practice(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """The citizen's practice answers."""
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


def _rows_as_dicts(uow: UnitOfWork, asked: Any) -> list[dict[str, object]]:
    return [dict(row._mapping) for row in uow.session.execute(asked)]
