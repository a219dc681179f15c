"""Reports about questions as personal data: the declaration of their table, and the export."""

from __future__ import annotations

from sqlalchemy import select

from server.base.personal_data import Erase, Merge, Personal
from server.base.uow import UnitOfWork
from server.quiz.models import Entry, Question, QuestionReport, RankChange, RescoredPaper, Rescoring


def tell_reports(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """The citizen's reports about questions."""
    rows = uow.session.execute(
        select(
            QuestionReport.ref.label("id"),
            Question.ref.label("question_id"),
            QuestionReport.reason,
            QuestionReport.made_at,
            QuestionReport.decision,
            QuestionReport.answer,
            QuestionReport.decided_at,
        )
        .join(Question, Question.id == QuestionReport.question_id)
        .where(QuestionReport.citizen_id == citizen_id)
        .order_by(QuestionReport.id)
    )
    return [dict(row._mapping) for row in rows]


def tell_rank_changes(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """The citizen's ranks before and after questions were voided."""
    rows = uow.session.execute(
        select(RankChange.old_rank, RankChange.new_rank, Rescoring.started_at)
        .join(Rescoring, Rescoring.id == RankChange.rescoring_id)
        .join(Entry, Entry.id == RankChange.entry_id)
        .where(Entry.citizen_id == citizen_id)
        .order_by(RankChange.id)
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
    Personal(
        RankChange,
        "entry_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="the trail of a rescoring must stay complete, with nobody's name",
        export={"rank_changes": tell_rank_changes},
    ),
    Personal(
        RescoredPaper,
        "attempt_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="says how a paper's score came about, with nobody's name",
        untold_because="the scores are told with the papers",
    ),
)
