"""The rows behind the figures: participants and participations of a place, without names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, Select, select, true

from server.base.access import Organizer, Scope
from server.base.clock import beijing_day
from server.base.ownership import Placed, people_of
from server.base.uow import UnitOfWork
from server.console.tables import Column, ColumnKind, Filter, FilterKind, ListQuery, Table
from server.dashboard.models import Participant
from server.dashboard.service import AUDIENCES, place_within
from server.programme.service import Participation
from server.units import service as units

_Group = Literal["youth", "farmer", "worker", "official", "elder", "none"]
# Mapped columns are no attributes of the protocol for mypy.
_PEOPLE = cast("type[Placed]", Participant)
_TIMES = cast("type[Placed]", Participation)
_GROUPS = tuple((one, f"dashboard.group.{one}") for one in (*AUDIENCES, "none"))


class ParticipantQuery(ListQuery, frozen=True, kw_only=True):
    """Participants of a place and a group."""

    place: str | None = None
    group: _Group | None = None


class ParticipationQuery(ListQuery, frozen=True, kw_only=True):
    """Participations of a place, a group and a day."""

    place: str | None = None
    group: _Group | None = None
    day: date | None = None


@dataclass(frozen=True, kw_only=True)
class PlacedRow:
    """A row with the names of its place."""

    row: Any
    city: str | None
    county: str | None
    unit: str | None


def _select_participants(
    uow: UnitOfWork, organizer: Organizer, query: ParticipantQuery
) -> Select[Any]:
    shown = people_of(select(Participant), organizer, _PEOPLE)
    return shown.where(*_conditions_of(uow, organizer, query, Participant))


def _select_participations(
    uow: UnitOfWork, organizer: Organizer, query: ParticipationQuery
) -> Select[Any]:
    shown = people_of(select(Participation), organizer, _TIMES)
    if query.day is not None:
        shown = shown.where(Participation.on_day == query.day)
    return shown.where(*_conditions_of(uow, organizer, query, Participation))


def _conditions_of(
    uow: UnitOfWork,
    organizer: Organizer,
    query: ParticipantQuery | ParticipationQuery,
    model: Any,
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.place is not None:
        scope, _ = place_within(uow, organizer, query.place)
        conditions.append(_is_inside(scope, model))
    if query.group is not None:
        wanted = None if query.group == "none" else query.group
        conditions.append(model.audience.is_not_distinct_from(wanted))
    return conditions


def _is_inside(scope: Scope, model: type[Placed]) -> ColumnElement[bool]:
    if scope.unit_id is not None:
        return model.unit_id == scope.unit_id
    if scope.county is not None:
        return model.county == scope.county
    return true() if scope.city is None else model.city == scope.city


def _name_places(uow: UnitOfWork, rows: Sequence[Any]) -> list[PlacedRow]:
    places = units.load_regions()
    found = list(rows)
    names = units.units_by_id(uow, {one.unit_id for one in found if one.unit_id is not None})
    named = []
    for one in found:
        city = places.find_city(one.city) if one.city else None
        county = places.find_county(one.county) if one.county else None
        unit = names.get(one.unit_id)
        named.append(
            PlacedRow(
                row=one,
                city=city.name if city else None,
                county=county.name if county else None,
                unit=unit.name if unit else None,
            )
        )
    return named


def _list_places(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """The cities and counties in the organizer's scope, for the filter."""
    today = beijing_day(uow.now)
    found = []
    for city in units.load_regions().cities:
        scopes = [(Scope(city=city.code), city.name)]
        scopes += [
            (Scope(city=city.code, county=county.code), f"{city.name}{county.name}")
            for county in city.counties_on(today)
        ]
        found += [
            (scope.spelled, name) for scope, name in scopes if organizer.scope.covers_scope(scope)
        ]
    return found


def _count_column(name: str, model: Any) -> Column:
    return Column(
        name=name,
        title=f"dashboard.column.{name}",
        value=lambda one: getattr(one.row, name),
        kind=ColumnKind.NUMBER,
        sort=getattr(model, name),
    )


def _day_column(name: str, model: Any) -> Column:
    return Column(
        name=name,
        title=f"dashboard.column.{name}",
        value=lambda one: getattr(one.row, name),
        kind=ColumnKind.DATE,
        sort=getattr(model, name),
    )


_PLACE_COLUMNS = (
    Column(name="city", title="dashboard.column.city", value=lambda one: one.city),
    Column(name="county", title="dashboard.column.county", value=lambda one: one.county),
    Column(name="unit", title="dashboard.column.unit", value=lambda one: one.unit),
    Column(
        name="group",
        title="dashboard.column.group",
        value=lambda one: one.row.audience or "none",
        words="dashboard.group",
    ),
)
_FILTERS = (
    Filter(name="place", title="dashboard.column.place", options=_list_places),
    Filter(name="group", title="dashboard.column.group", choices=_GROUPS),
)
PARTICIPANTS = Table(
    name="dashboard.participants",
    path="/participants",
    title="dashboard.rows.participants",
    empty="dashboard.rows.no_participants",
    query=ParticipantQuery,
    select=_select_participants,
    key=Participant.id,
    sort="-last_day",
    persons=True,
    prepare=_name_places,
    filters=_FILTERS,
    columns=(
        *_PLACE_COLUMNS,
        _day_column("first_day", Participant),
        _day_column("last_day", Participant),
        _count_column("days", Participant),
        _count_column("times", Participant),
    ),
)
PARTICIPATIONS = Table(
    name="dashboard.participations",
    path="/participations",
    title="dashboard.rows.participations",
    empty="dashboard.rows.no_participations",
    query=ParticipationQuery,
    select=_select_participations,
    key=Participation.id,
    sort="-on_day",
    persons=True,
    prepare=_name_places,
    filters=(*_FILTERS, Filter(name="day", title="dashboard.column.day", kind=FilterKind.DATE)),
    columns=(
        _day_column("on_day", Participation),
        Column(
            name="hour",
            title="dashboard.column.hour",
            value=lambda one: one.row.hour,
            kind=ColumnKind.NUMBER,
        ),
        *_PLACE_COLUMNS,
        Column(
            name="completed",
            title="dashboard.column.completed",
            value=lambda one: "yes" if one.row.completed else "no",
            words="dashboard.completed",
        ),
    ),
)
