"""The directory of units for organizers: search, create, rename and close inside a place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, not_, or_, select, true

from server.base.access import Scope
from server.base.clock import beijing_day
from server.base.errors import NotFound
from server.base.sql.locks import lock_name
from server.base.sql.tables import insert_rows
from server.base.uow import UnitOfWork
from server.units.kinds import Level
from server.units.models import Unit

# Rows per INSERT statement.
_INSERTED = 1000


def select_directory(
    uow: UnitOfWork,
    scope: Scope,
    *,
    q: str = "",
    kind: str | None = None,
    is_open: bool | None = None,
    place: str | None = None,
) -> Select[Any]:
    """The units in a place: with these words in the name, of a kind, open or closed.

    `place` is a spelled city or county that restricts further; an unknown one finds nothing.
    """
    rows = select(Unit).where(_inside_scope(scope))
    if words := q.strip():
        named = Unit.name.icontains(words, autoescape=True)
        rows = rows.where(or_(named, Unit.full_name.icontains(words, autoescape=True)))
    if kind is not None:
        rows = rows.where(Unit.kind == kind)
    if is_open is not None:
        rows = rows.where(_is_open(uow) if is_open else not_(_is_open(uow)))
    if place is not None:
        rows = rows.where(or_(*_code_matches(place)))
    return rows


def _code_matches(place: str) -> tuple[ColumnElement[bool], ...]:
    code = place.partition(":")[2]
    return (Unit.city == code, Unit.county == code)


def find_in_scope(uow: UnitOfWork, scope: Scope, ref: str, *, lock: bool = False) -> Unit:
    """The unit with this ref in a place.

    Raises: NotFound (404).
    """
    rows = select(Unit).where(Unit.ref == ref, _inside_scope(scope))
    unit = uow.session.scalar(rows.with_for_update() if lock else rows)
    if unit is None:
        raise NotFound
    return unit


def name_taken(uow: UnitOfWork, place: Scope, name: str, *, but: int = 0) -> bool:
    """Whether an open unit of exactly this place has this name."""
    same = and_(Unit.city.is_not_distinct_from(place.city),
                Unit.county.is_not_distinct_from(place.county))  # fmt: skip
    rows = select(Unit.id).where(Unit.name == name, same, Unit.id != but, _is_open(uow))
    return uow.session.scalar(rows.limit(1)) is not None


def create_unit(uow: UnitOfWork, place: Scope, name: str, kind: str) -> Unit:
    """Add a unit to a region, city or county."""
    unit = Unit(**_facts_of(uow, place), name=name, kind=kind)
    uow.session.add(unit)
    uow.session.flush()
    return unit


def lock_directory(uow: UnitOfWork) -> None:
    """Let one transaction at a time add units, so that no name is added twice.

    Locks: the name of the directory.
    """
    lock_name(uow, "units", "directory")


def list_names(uow: UnitOfWork, scope: Scope) -> list[tuple[Unit, bool]]:
    """Every unit in a place, and whether it exists today."""
    rows = uow.session.scalars(select(Unit).where(_inside_scope(scope)))
    return [(unit, is_open(uow, unit)) for unit in rows]


def add_units(uow: UnitOfWork, rows: Sequence[tuple[Scope, str, str, str | None]]) -> None:
    """Add units: place, name, kind and full name of each."""
    for start in range(0, len(rows), _INSERTED):
        made = [
            {**_facts_of(uow, place), "name": name, "kind": kind, "full_name": full_name}
            for place, name, kind, full_name in rows[start : start + _INSERTED]
        ]
        insert_rows(uow.session, Unit, made)


def _facts_of(uow: UnitOfWork, place: Scope) -> dict[str, Any]:
    level = Level.REGION if place.city is None else Level.CITY
    return {
        "ref": uow.new_ref("unt"),
        "level": level if place.county is None else Level.COUNTY,
        "city": place.city,
        "county": place.county,
        "assumed": False,
    }


def close_unit(uow: UnitOfWork, unit: Unit) -> None:
    """Close a unit from today on: nobody can join it, and its results stay."""
    yesterday = beijing_day(uow.now) - timedelta(days=1)
    unit.valid_to = yesterday
    if unit.valid_from is not None and unit.valid_from > yesterday:
        unit.valid_from = yesterday


def is_open(uow: UnitOfWork, unit: Unit) -> bool:
    """Whether the unit exists today."""
    return unit.valid_to is None or unit.valid_to >= beijing_day(uow.now)


def _is_open(uow: UnitOfWork) -> ColumnElement[bool]:
    return or_(Unit.valid_to.is_(None), Unit.valid_to >= beijing_day(uow.now))


def _inside_scope(scope: Scope) -> ColumnElement[bool]:
    if scope.unit_id is not None:
        return Unit.id == scope.unit_id
    if scope.county is not None:
        return Unit.county == scope.county
    return true() if scope.city is None else Unit.city == scope.city
