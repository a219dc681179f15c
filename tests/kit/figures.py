"""Participations for the dashboard, and its figures counted independently from the rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.dashboard.models import FigureDay, FigureGroup, FigureHour, Participant
from server.dashboard.tasks import count_changes
from server.programme.models import Participation
from server.programme.participation import Fact, record_participation
from tests.kit.gateway import RecordingGateway

MAY = date(2026, 5, 1)
FIGURES = (FigureDay, FigureHour, FigureGroup)


def took_part(uow: UnitOfWork, citizen_id: int, ref: str, day: int = 0, **facts: Any) -> None:
    """A participation of a citizen on a day from 1 May on."""
    usual: dict[str, Any] = {"city": None, "county": None, "unit_id": None, "hour": 12}
    record_participation(
        uow,
        Fact(citizen_id=citizen_id, kind="paper", source_ref=ref, programme=None,
             on_day=MAY + timedelta(days=day), **{**usual, **facts}),
    )  # fmt: skip


def count(uow_factory: UnitOfWorkFactory) -> int:
    """Run the background task that counts new participations."""
    return count_changes(TaskContext(uow_factory=uow_factory, gateway=RecordingGateway()))


def stored(uow: UnitOfWork) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Every figure of the dashboard."""
    return {
        (model.__tablename__, row[0], row[1]): tuple(row[2:])
        for model in FIGURES
        for row in uow.session.execute(select(*model.__table__.c))
    }


def places_of(row: Any) -> list[str]:
    found = ["region"]
    found += [f"city:{row.city}"] if row.city else []
    found += [f"county:{row.county}"] if row.county else []
    return found + ([f"unit:{row.unit_id}"] if row.unit_id else [])


def recounted(uow: UnitOfWork) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The same figures, computed only from the rows of participation."""
    rows = uow.session.scalars(select(Participation).order_by(Participation.id)).all()
    days, hours, groups = (defaultdict(Counter) for _ in range(3))  # type: ignore[var-annotated]
    people: dict[int, list[Participation]] = defaultdict(list)
    for row in rows:
        people[row.citizen_id].append(row)
        for place in places_of(row):
            days[place, row.on_day]["times"] += 1
            hours[place, row.hour]["times"] += 1
            groups[place, row.audience or ""]["times"] += 1
    for mine in people.values():
        latest = max(mine, key=lambda one: (one.on_day, one.id))
        first = min(one.on_day for one in mine)
        for place in places_of(latest):
            days[place, first]["newcomers"] += 1
            groups[place, latest.audience or ""]["people"] += 1
            groups[place, latest.audience or ""]["returned"] += len({o.on_day for o in mine}) > 1
    return {
        **{("figure_day", *key): (c["times"], c["newcomers"]) for key, c in days.items()},
        **{("figure_hour", *key): (c["times"],) for key, c in hours.items()},
        **{("figure_group", *key): (c["times"], c["people"], c["returned"])
           for key, c in groups.items()},
    }  # fmt: skip


def participants(uow: UnitOfWork) -> set[int]:
    return set(uow.session.scalars(select(Participant.citizen_id)))
