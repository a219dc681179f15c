"""Visits by scene: once per citizen, app, scene and Beijing day, with the day's first time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, delete, select

from server.base.clock import beijing_day
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.channel.models import SceneVisit, VisitedApp


def record_visit(
    uow: UnitOfWork, citizen_id: int, app: VisitedApp, scene: str, at: datetime
) -> None:
    """Record that a citizen came with a scene; events may arrive in any order."""
    made = insert_for(uow.session, SceneVisit).values(
        citizen_id=citizen_id, app=app, scene=scene, day=beijing_day(at), at=at
    )
    uow.session.execute(
        made.on_conflict_do_update(
            index_elements=["citizen_id", "app", "scene", "day"],
            set_={"at": made.excluded.at},
            where=SceneVisit.at > made.excluded.at,
        )
    )


def citizens_by_scene(
    scenes: Collection[str], first_day: date | None, last_day: date | None
) -> Select[Any]:
    """A subquery of the citizens who came with one of these scenes; both days are included."""
    asked = select(SceneVisit.citizen_id).where(SceneVisit.scene.in_(scenes))
    if first_day is not None:
        asked = asked.where(SceneVisit.day >= first_day)
    if last_day is not None:
        asked = asked.where(SceneVisit.day <= last_day)
    return asked


def merge_visits(uow: UnitOfWork, keep: int, gone: int) -> None:
    """Move a merged citizen's visits to the survivor, who keeps each day's first time."""
    for visit in uow.session.scalars(select(SceneVisit).where(SceneVisit.citizen_id == gone)):
        record_visit(uow, keep, visit.app, visit.scene, visit.at)
    uow.session.execute(delete(SceneVisit).where(SceneVisit.citizen_id == gone))


def erase_account_visits(uow: UnitOfWork, citizen_id: int) -> None:
    """Delete a citizen's visits to the official account after unfollowing."""
    mine = SceneVisit.citizen_id == citizen_id
    of_account = SceneVisit.app == VisitedApp.OFFICIAL_ACCOUNT
    uow.session.execute(delete(SceneVisit).where(mine, of_account))


def tell_account_visits(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's visits to the official account, the earliest first, for the export."""
    visits = _visits_of(uow, citizen_id, VisitedApp.OFFICIAL_ACCOUNT)
    return [{"scene": one.scene, "day": one.day.isoformat()} for one in visits]


def tell_mini_program_visits(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's visits to the mini-program, the earliest first, for the export."""
    visits = _visits_of(uow, citizen_id, VisitedApp.MINI_PROGRAM)
    return [{"scene": one.scene, "on_day": one.day, "at": one.at} for one in visits]


def _visits_of(uow: UnitOfWork, citizen_id: int, app: VisitedApp) -> list[SceneVisit]:
    found = select(SceneVisit).where(SceneVisit.citizen_id == citizen_id, SceneVisit.app == app)
    return list(uow.session.scalars(found.order_by(SceneVisit.at, SceneVisit.id)))
