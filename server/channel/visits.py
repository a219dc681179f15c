"""Visits by scene: once per citizen, scene and Beijing day, with the day's first time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from server.base.clock import beijing_day
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.channel.models import SceneVisit


def record_visit(uow: UnitOfWork, citizen_id: int, scene: str, at: datetime) -> None:
    """Record that a citizen came with a scene; events may arrive in any order."""
    made = insert_for(uow.session, SceneVisit).values(
        citizen_id=citizen_id, scene=scene, day=beijing_day(at), at=at
    )
    uow.session.execute(
        made.on_conflict_do_update(
            index_elements=["citizen_id", "scene", "day"],
            set_={"at": made.excluded.at},
            where=SceneVisit.at > made.excluded.at,
        )
    )


def merge_visits(uow: UnitOfWork, keep: int, gone: int) -> None:
    """Move a merged citizen's visits to the survivor, who keeps each day's first time."""
    for visit in uow.session.scalars(select(SceneVisit).where(SceneVisit.citizen_id == gone)):
        record_visit(uow, keep, visit.scene, visit.at)
    uow.session.execute(delete(SceneVisit).where(SceneVisit.citizen_id == gone))


def tell_visits(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's visits, the earliest first, for the export."""
    visits = uow.session.scalars(
        select(SceneVisit).where(SceneVisit.citizen_id == citizen_id).order_by(SceneVisit.at)
    )
    return [{"scene": one.scene, "day": one.day.isoformat()} for one in visits]
