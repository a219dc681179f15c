"""Result cards as personal data: what is declared about their table, and the export."""

from __future__ import annotations

from sqlalchemy import select

from server.base.personal_data import Erase, Merge, Personal
from server.base.uow import UnitOfWork
from server.quiz.models import Attempt, Contest, Share


def tell_shares(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """The citizen's result cards."""
    rows = uow.session.execute(
        select(Share.ref.label("id"), Contest.title.label("contest"), Share.made_at)
        .join(Attempt, Attempt.id == Share.attempt_id)
        .join(Contest, Contest.id == Attempt.contest_id)
        .where(Share.citizen_id == citizen_id)
        .order_by(Share.id)
    )
    return [dict(row._mapping) for row in rows]


PERSONAL = (
    Personal(
        Share,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.REPOINT,
        export={"shares": tell_shares},
    ),
)
