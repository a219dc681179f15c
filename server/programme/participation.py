"""Participations: one row per cause, written in the transaction of the cause."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from server.base.sql.prepared import run_by_commit
from server.base.sql.tables import insert_for, table_of
from server.base.uow import UnitOfWork
from server.programme.models import Participation
from server.units import service as units

# The kind of a participation by attendance of an activity; its cause is the sign-up.
ATTENDED = "attended"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One participation; see `Participation`."""

    citizen_id: int
    kind: str
    source_ref: str
    programme: str | None
    city: str | None
    county: str | None
    unit_id: int | None
    on_day: date
    audience: str | None = None
    hour: int | None = None
    completed: bool = True


@dataclass(frozen=True, kw_only=True)
class TookPart:
    """A filter of participations; None means any. Both days are included."""

    programme: str | None = None
    kind: str | None = None
    city: str | None = None
    county: str | None = None
    unit_id: int | None = None
    first_day: date | None = None
    last_day: date | None = None


_participation = table_of(Participation)
_ADD = {
    "sqlite": sqlite.insert(_participation).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_participation).on_conflict_do_nothing(),
}


def record_participation(uow: UnitOfWork, fact: Fact) -> None:
    """Insert a participation, in the transaction of its cause; idempotent."""
    values = {
        "citizen_id": fact.citizen_id,
        "kind": fact.kind,
        "source_ref": fact.source_ref,
        "programme": fact.programme,
        "city": fact.city,
        "county": fact.county,
        "unit_id": fact.unit_id,
        "on_day": fact.on_day,
        "audience": fact.audience,
        "hour": fact.hour,
        "completed": fact.completed,
    }
    run_by_commit(uow, _ADD[uow.transaction.dialect.name], values)


def record_missing(uow: UnitOfWork, facts: Sequence[Fact]) -> int:
    """Insert missing participations; return how many. Existing rows are not changed."""
    if not facts:
        return 0
    fresh = insert_for(uow.session, Participation).on_conflict_do_nothing()
    rows = [asdict(fact) for fact in facts]
    # Without the option SQLAlchemy would send a statement for each set of empty columns.
    options = {"render_nulls": True}
    made = uow.session.scalars(fresh.returning(Participation.id), rows, execution_options=options)
    return len(made.all())


def withdraw_participation(
    uow: UnitOfWork, kind: str, source_refs: Collection[str] | Select[Any]
) -> int:
    """Delete participations whose cause was undone; return how many."""
    gone: Any = uow.session.execute(
        delete(Participation).where(
            Participation.kind == kind, Participation.source_ref.in_(source_refs)
        )
    )
    return int(gone.rowcount)


def recorded_refs(uow: UnitOfWork, kind: str, source_refs: Collection[str]) -> set[str]:
    """The given causes that have a row."""
    found = select(Participation.source_ref).where(
        Participation.kind == kind, Participation.source_ref.in_(source_refs)
    )
    return set(uow.session.scalars(found))


def refs_after(uow: UnitOfWork, kind: str, last_id: int, limit: int) -> list[tuple[int, str]]:
    """Recorded causes of a kind after a row id, as (row id, ref), in row order."""
    found = (
        select(Participation.id, Participation.source_ref)
        .where(Participation.kind == kind, Participation.id > last_id)
        .order_by(Participation.id)
        .limit(limit)
    )
    return [(row.id, row.source_ref) for row in uow.session.execute(found)]


def parts_taken(
    uow: UnitOfWork, citizen_ids: Sequence[int] | Select[Any], since: date
) -> list[tuple[int, date, int | None]]:
    """Participations of these citizens from a day on: citizen, day, and the hour if known."""
    rows = uow.session.execute(
        select(Participation.citizen_id, Participation.on_day, Participation.hour).where(
            Participation.citizen_id.in_(citizen_ids), Participation.on_day >= since
        )
    )
    return [(row.citizen_id, row.on_day, row.hour) for row in rows]


def citizens_who(took_part: TookPart) -> Select[int]:
    """A subquery of the citizens who took part, each once.

    Erased citizens are included, so that they are counted too.
    """
    asked = select(Participation.citizen_id).distinct()
    for name in ("programme", "kind", "city", "county", "unit_id"):
        wanted = getattr(took_part, name)
        if wanted is not None:
            asked = asked.where(getattr(Participation, name) == wanted)
    if took_part.first_day is not None:
        asked = asked.where(Participation.on_day >= took_part.first_day)
    if took_part.last_day is not None:
        asked = asked.where(Participation.on_day <= took_part.last_day)
    return asked


def history_of(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's participations, the earliest first, with the unit's name."""
    rows = uow.session.scalars(
        select(Participation)
        .where(Participation.citizen_id == citizen_id)
        .order_by(Participation.on_day, Participation.id)
    ).all()
    names = {
        number: None if found is None else found.name
        for number in {row.unit_id for row in rows if row.unit_id is not None}
        for found in (units.unit_by_id(uow, number),)
    }
    return [
        {
            "kind": row.kind,
            "programme": row.programme,
            "day": row.on_day,
            "city": row.city,
            "county": row.county,
            "unit": None if row.unit_id is None else names[row.unit_id],
            "audience": row.audience,
            "hour": row.hour,
            "completed": row.completed,
        }
        for row in rows
    ]
