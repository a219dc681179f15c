"""Sealed ranks as personal data: they hold no name, and an erasure leaves them as they are."""

from __future__ import annotations

from sqlalchemy import select

from server.base.personal_data import Erase, Personal
from server.base.uow import UnitOfWork
from server.quiz.enums import SealState
from server.quiz.models import Contest, Entry, SealedRank, SealedVersion

_SHOWN = (SealState.PUBLISHED, SealState.REPLACED)


def tell_final_ranks(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's ranks in every version of final ranks that was published."""
    rows = uow.session.execute(
        select(
            Contest.title.label("contest"),
            SealedVersion.number.label("version"),
            SealedVersion.published_at,
            SealedRank.rank,
            SealedRank.city_rank,
        )
        .join(SealedVersion, SealedVersion.id == SealedRank.version_id)
        .join(Contest, Contest.id == SealedVersion.contest_id)
        .join(Entry, Entry.id == SealedRank.entry_id)
        .where(Entry.citizen_id == citizen_id, SealedVersion.state.in_(_SHOWN))
        .order_by(SealedVersion.id)
    )
    return [dict(row._mapping) for row in rows]


PERSONAL = (
    Personal(
        SealedRank,
        "entry_id",
        refers_to=Entry,
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="published ranks stay verifiable, with nobody's name",
        export={"final_ranks": tell_final_ranks},
    ),
)
