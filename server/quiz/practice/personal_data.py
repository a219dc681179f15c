"""Practice as personal data: what is declared about its tables, and the export."""

from __future__ import annotations

from sqlalchemy import select

from server.base.personal_data import Erase, Merge, Personal
from server.base.uow import UnitOfWork
from server.quiz.models import Practice, PracticeAnswer, Question
from server.quiz.practice import mistakes


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


def tell_mistakes(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's wrong-answer book."""
    return [
        {"question_id": one.item.ref, "stem": one.item.stem, "wrong_at": one.wrong_at}
        for one in mistakes.list_mistakes(uow, citizen_id)
    ]


PERSONAL = (
    Personal(
        PracticeAnswer,
        "practice_id",
        erase=Erase.DELETE,
        export={"practice": tell_practice, "mistakes": tell_mistakes},
    ),
    Personal(
        Practice,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.REPOINT,
        untold_because="its answers are told",
    ),
)
