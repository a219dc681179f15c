"""Reports about questions as personal data: the declaration of their table, and the export."""

from __future__ import annotations

from sqlalchemy import select

from server.base.personal_data import Erase, Merge, Personal
from server.base.uow import UnitOfWork
from server.quiz.models import Question, QuestionReport


def tell_reports(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """The citizen's reports about questions."""
    rows = uow.session.execute(
        select(
            QuestionReport.ref.label("id"),
            Question.ref.label("question_id"),
            QuestionReport.reason,
            QuestionReport.made_at,
        )
        .join(Question, Question.id == QuestionReport.question_id)
        .where(QuestionReport.citizen_id == citizen_id)
        .order_by(QuestionReport.id)
    )
    return [dict(row._mapping) for row in rows]


PERSONAL = (
    Personal(
        QuestionReport,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.KEEP_ONE,
        export={"question_reports": tell_reports},
    ),
)
