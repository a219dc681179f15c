"""Participations to be counted: pending changes, sums per person, sums without pending changes.

The changes are noted by triggers, see `ParticipationChange`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, case, delete, func, literal, select, union_all

from server.base.uow import UnitOfWork
from server.programme.models import Participation, ParticipationChange

_COUNTED = ("city", "county", "unit_id", "audience", "on_day", "hour")


class NotedParticipation(NamedTuple):
    """A participation that was added (`sign` 1) or removed (-1)."""

    id: int
    sign: int
    citizen_id: int
    city: str | None
    county: str | None
    unit_id: int | None
    audience: str | None
    on_day: date
    hour: int | None


class PersonSum(NamedTuple):
    """All participations of a citizen, with the place and group of the latest one.

    Units: `times` participations on `days` different days, `completed` of them to the end.
    """

    citizen_id: int
    city: str | None
    county: str | None
    unit_id: int | None
    audience: str | None
    first_day: date
    last_day: date
    days: int
    times: int
    completed: int


def pending_changes(uow: UnitOfWork, limit: int) -> list[NotedParticipation]:
    """The oldest changes that are not counted yet."""
    columns = [getattr(ParticipationChange, name) for name in NotedParticipation._fields]
    found = select(*columns).order_by(ParticipationChange.id).limit(limit)
    return [NotedParticipation(*row) for row in uow.session.execute(found)]


def drop_changes(uow: UnitOfWork, changes: Sequence[NotedParticipation]) -> None:
    """Delete changes, in the transaction that counts them."""
    ids = [one.id for one in changes]
    uow.session.execute(delete(ParticipationChange).where(ParticipationChange.id.in_(ids)))


def sum_by_person(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, PersonSum]:
    """The sums of these citizens; those without a participation are left out."""
    of_person = func.row_number().over(
        partition_by=Participation.citizen_id,
        order_by=(Participation.on_day.desc(), Participation.id.desc()),
    )
    ranked = (
        select(
            Participation.citizen_id,
            Participation.city,
            Participation.county,
            Participation.unit_id,
            Participation.audience,
            of_person.label("place_in_order"),
        )
        .where(Participation.citizen_id.in_(citizen_ids))
        .subquery()
    )
    sums = (
        select(
            Participation.citizen_id,
            func.min(Participation.on_day).label("first_day"),
            func.max(Participation.on_day).label("last_day"),
            func.count(Participation.on_day.distinct()).label("days"),
            func.count().label("times"),
            func.sum(case((Participation.completed, 1), else_=0)).label("completed"),
        )
        .where(Participation.citizen_id.in_(citizen_ids))
        .group_by(Participation.citizen_id)
        .subquery()
    )
    found = (
        select(*(c for c in ranked.c if c.name != "place_in_order"), *list(sums.c)[1:])
        .join(sums, sums.c.citizen_id == ranked.c.citizen_id)
        .where(ranked.c.place_in_order == 1)
    )
    return {row.citizen_id: PersonSum(*row) for row in uow.session.execute(found)}


def citizens_after(uow: UnitOfWork, citizen_id: int, limit: int) -> list[int]:
    """The next citizens with a participation after a row id, in order."""
    found = (
        select(Participation.citizen_id)
        .where(Participation.citizen_id > citizen_id)
        .distinct()
        .order_by(Participation.citizen_id)
        .limit(limit)
    )
    return list(uow.session.scalars(found))


def sum_counted(uow: UnitOfWork, *columns: str) -> list[Row[Any]]:
    """How many participations there are by these columns, without the pending changes.

    Rows and changes are read in one statement, so that they agree; the number of participations
    is the last column of each row.
    """
    changed = ParticipationChange
    recorded = union_all(
        select(*_columns_of(Participation), literal(1).label("number")),
        select(*_columns_of(changed), (-changed.sign).label("number")),
    ).subquery()
    keys = [recorded.c[name] for name in columns]
    total = func.sum(recorded.c.number)
    asked = select(*keys, total).group_by(*keys).having(total != 0)
    return list(uow.session.execute(asked))


def _columns_of(table: Any) -> list[ColumnElement[Any]]:
    return [getattr(table, name) for name in _COUNTED]
