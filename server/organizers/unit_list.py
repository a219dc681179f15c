"""The list of units, declared once for its page and its exports.

The titles of its columns are headings that an import reads, so that an export can be imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select

from server.base.access import Organizer
from server.base.uow import UnitOfWork
from server.console.tables import Column, Filter, FilterKind, ListQuery, Table
from server.units import service as units


class UnitState(StrEnum):
    """State of a unit: whether citizens can choose it."""

    OPEN = "open"
    SHUT = "shut"


class UnitListQuery(ListQuery, frozen=True, kw_only=True):
    """Filters of the list: a part of the name, the kind, the state, the county."""

    q: str | None = None
    kind: str | None = None
    state: UnitState | None = None
    place: str | None = None


@dataclass(frozen=True, kw_only=True)
class _UnitLine:
    unit: units.Unit
    city: str | None
    county: str | None
    state: UnitState


def _find_units(uow: UnitOfWork, organizer: Organizer, query: UnitListQuery) -> Select[Any]:
    is_open = None if query.state is None else query.state is UnitState.OPEN
    return units.select_directory(
        uow, organizer.scope, q=query.q or "", kind=query.kind, is_open=is_open, place=query.place
    )


def _add_places(uow: UnitOfWork, rows: Sequence[units.Unit]) -> Sequence[_UnitLine]:
    return [
        _UnitLine(
            unit=unit,
            city=None if unit.city is None else units.name_place(unit.city),
            county=None if unit.county is None else units.name_place(unit.county),
            state=UnitState.OPEN if units.is_open(uow, unit) else UnitState.SHUT,
        )
        for unit in rows
    ]


def _list_places(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    return [
        (scope.spelled, name)
        for scope, name in units.list_places(uow)
        if organizer.scope.covers_scope(scope) and scope != organizer.scope
    ]


UNITS = Table(
    name="organizers.units",
    path="/units",
    title="organizers.units.title",
    empty="organizers.units.none",
    query=UnitListQuery,
    select=_find_units,
    prepare=_add_places,
    key=units.Unit.id,
    sort="",
    columns=(
        Column(
            name="name",
            title="organizers.units.name",
            value=lambda line: line.unit.name,
            sort=units.Unit.name,
            address=lambda line: f"/console/units/{line.unit.ref}",
        ),
        Column(
            name="kind",
            title="organizers.units.kind",
            value=lambda line: line.unit.kind if line.unit.kind in units.KINDS else None,
            words="organizers.unit_kind",
        ),
        Column(name="city", title="organizers.units.city", value=lambda line: line.city),
        Column(name="county", title="organizers.units.county", value=lambda line: line.county),
        Column(
            name="full_name",
            title="organizers.units.full_name",
            value=lambda line: line.unit.full_name,
            shown=False,
        ),
        Column(
            name="state",
            title="organizers.people.state",
            value=lambda line: line.state.value,
            words="organizers.units",
            badge=lambda line: "good" if line.state is UnitState.OPEN else "bad",
        ),
    ),
    filters=(
        Filter(name="q", title="organizers.units.search", kind=FilterKind.SEARCH),
        Filter(
            name="kind",
            title="organizers.units.kind",
            choices=[(one, f"organizers.unit_kind.{one}") for one in units.KINDS],
        ),
        Filter(name="place", title="organizers.units.place", options=_list_places),
        Filter(
            name="state",
            title="organizers.people.state",
            choices=[(one.value, f"organizers.units.{one.value}") for one in UnitState],
        ),
    ),
)
