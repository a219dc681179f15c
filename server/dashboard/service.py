"""Reads the counted figures of a place for the pages; nothing here counts.

An organizer sees the figures of the place in the scope and of every place below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, select

from server.base.access import REGION, Organizer, Scope
from server.base.clock import beijing_day
from server.base.errors import Invalid, NotFound
from server.base.uow import UnitOfWork
from server.dashboard.counting import PARTICIPATION
from server.dashboard.funnel import FUNNEL, STEPS
from server.dashboard.models import FigureDay, FigureFunnel, FigureGroup, FigureHour, FigureState
from server.dashboard.rules import DaySum, shade_steps, share_of, sum_weeks, without_gaps
from server.programme import service as programmes
from server.units import service as units

AUDIENCES = ("youth", "farmer", "worker", "official", "elder")
# Units of one county in its table.
_MOST_UNITS = 500


@dataclass(frozen=True, kw_only=True)
class PlaceFigures:
    """A place with its figures.

    Units: `per_10000` participants per 10,000 residents where these are known; `shade` from 0 to 5
    for the map; `tile` (row, column) on the schematic map, from 1; no `place` for people who stated
    none.
    """

    place: str | None
    name: str
    people: int
    times: int
    returned: int
    per_10000: float | None = None
    shade: int = 0
    tile: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class GroupFigures:
    """An audience group; `reached` is the number of listed places that have people of it."""

    audience: str
    people: int
    times: int
    share: float
    reached: int


@dataclass(frozen=True, kw_only=True)
class FunnelStep:
    """A step with its number of people and the share of those of the step before."""

    step: str
    people: int
    share: float | None


@dataclass(frozen=True, kw_only=True)
class PlaceStep:
    """A place on the path from the organizer's own place to the shown one."""

    place: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """All figures of one place.

    `below` are the places of the next level, `unplaced` those who stated none of them; their sums
    are the totals, except for the units of a county. `counted_at` is when the figures of
    participation were complete, `funnel_at` when the funnel was counted; None before the first
    time.
    """

    path: Sequence[PlaceStep]
    level: str
    counted_at: datetime | None
    funnel_at: datetime | None
    total: PlaceFigures
    on_day: date
    today: int
    below: Sequence[PlaceFigures]
    unplaced: PlaceFigures | None
    days: Sequence[DaySum]
    weeks: Sequence[DaySum]
    hours: Sequence[int]
    groups: Sequence[GroupFigures]
    funnel: Sequence[FunnelStep]
    target: float | None
    target_year: int | None


def read_dashboard(uow: UnitOfWork, organizer: Organizer, spelled: str) -> Dashboard:
    """The figures of a place.

    Raises: NotFound (404) for an unknown place, or one outside the organizer's scope.
    """
    scope, name = place_within(uow, organizer, spelled)
    places = _places_below(uow, scope)
    sums = _sums_of(uow, [spelled, *(one.place for one in places)])
    total = _with_sums(PlaceFigures(place=spelled, name=name, people=0, times=0, returned=0), sums)
    below = _shade_places([_with_sums(one, sums) for one in places])
    days = without_gaps(_days_of(uow, spelled), beijing_day(uow.now))
    stated = _instants_of(uow)
    target = _target_of(uow)
    return Dashboard(
        path=_path_to(organizer, scope, name),
        level=_level_of(scope),
        counted_at=stated.get(PARTICIPATION),
        funnel_at=stated.get(FUNNEL),
        total=total,
        on_day=beijing_day(uow.now),
        today=days[-1].times if days else 0,
        below=below,
        unplaced=None if scope.county or scope.unit_id else _rest_of(total, below),
        days=days,
        weeks=sum_weeks(days),
        hours=_hours_of(uow, spelled),
        groups=_groups_of(uow, spelled, [one.place for one in below if one.place]),
        funnel=_funnel_of(uow, spelled),
        target=target and target[0],
        target_year=target and target[1],
    )


def _instants_of(uow: UnitOfWork) -> dict[str, datetime]:
    return {one.kind: one.counted_at for one in uow.session.scalars(select(FigureState))}


def place_within(uow: UnitOfWork, organizer: Organizer, spelled: str) -> tuple[Scope, str]:
    """The scope and the name of a place in the organizer's scope.

    Raises: NotFound (404).
    """
    if spelled == organizer.scope.spelled:
        return organizer.scope, organizer.place
    try:
        scope, name = units.resolve_scope(uow, spelled)
    except Invalid:
        raise NotFound from None
    if not organizer.scope.covers_scope(scope):
        raise NotFound
    return scope, name


def _level_of(scope: Scope) -> str:
    return scope.spelled.partition(":")[0]


def _path_to(organizer: Organizer, scope: Scope, name: str) -> list[PlaceStep]:
    places = units.load_regions()
    names = {REGION.spelled: places.region.name, scope.spelled: name}
    city = places.find_city(scope.city) if scope.city else None
    county = places.find_county(scope.county) if scope.county else None
    if city is not None:
        names[f"city:{city.code}"] = city.name
    if county is not None:
        names[f"county:{scope.county}"] = county.name
    visible = [one for one in scope.above if one == organizer.scope.spelled or
               one not in organizer.scope.above]  # fmt: skip
    return [PlaceStep(place=one, name=names[one]) for one in (*visible, scope.spelled)]


def _places_below(uow: UnitOfWork, scope: Scope) -> list[PlaceFigures]:
    """The places of the next level, without figures."""
    if scope.unit_id is not None:
        return []
    if scope.county is not None:
        found, _ = units.list_units(uow, region=scope.county, q=None, limit=_MOST_UNITS, after=None)
        return [_empty_place(f"unit:{one.id}", one.name) for one in found]
    if scope.city is not None:
        city = units.load_regions().find_city(scope.city)
        counties = city.counties_on(beijing_day(uow.now)) if city is not None else ()
        return [_empty_place(f"county:{one.code}", one.name) for one in counties]
    return [
        _empty_place(f"city:{one.code}", one.short, tile=(one.tile[0] + 1, one.tile[1] + 1))
        for one in units.load_regions().cities
    ]


def _empty_place(place: str, name: str, tile: tuple[int, int] | None = None) -> PlaceFigures:
    return PlaceFigures(place=place, name=name, people=0, times=0, returned=0, tile=tile)


Sums = dict[str, tuple[int, int, int]]


def _sums_of(uow: UnitOfWork, places: Iterable[str | None]) -> Sums:
    """People, participations and returned people by place, in one statement."""
    figures = FigureGroup
    asked = (
        select(
            figures.place,
            func.sum(figures.people),
            func.sum(figures.times),
            func.sum(figures.returned),
        )
        .where(figures.place.in_([one for one in places if one is not None]))
        .group_by(figures.place)
    )
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in uow.session.execute(asked)}


def _with_sums(one: PlaceFigures, sums: Sums) -> PlaceFigures:
    people, times, returned = sums.get(one.place or "", (0, 0, 0))
    kind, _, code = (one.place or "").partition(":")
    residents = units.load_residents().residents
    known = residents.get(code) if kind == "city" else None
    if one.place == REGION.spelled:
        known = sum(residents.values())
    return PlaceFigures(
        place=one.place,
        name=one.name,
        people=people,
        times=times,
        returned=returned,
        per_10000=None if known is None else people * 10_000 / known,
        tile=one.tile,
    )


def _shade_places(below: list[PlaceFigures]) -> list[PlaceFigures]:
    """The places with their shade: by residents where these are known, else by people."""
    shades = shade_steps([one.people if one.per_10000 is None else one.per_10000 for one in below])
    return [
        PlaceFigures(**{**vars(one), "shade": shade})
        for one, shade in zip(below, shades, strict=True)
    ]


def _rest_of(total: PlaceFigures, below: Sequence[PlaceFigures]) -> PlaceFigures:
    """The figures of people without a place of the next level; with them the table adds up."""
    rest = {
        name: getattr(total, name) - sum(getattr(one, name) for one in below)
        for name in ("people", "times", "returned")
    }
    return PlaceFigures(place=None, name="", **rest)


def _days_of(uow: UnitOfWork, place: str) -> list[DaySum]:
    days = select(FigureDay).where(FigureDay.place == place).order_by(FigureDay.on_day)
    return [
        DaySum(first=row.on_day, times=row.times, newcomers=row.newcomers)
        for row in uow.session.scalars(days)
    ]


def _hours_of(uow: UnitOfWork, place: str) -> list[int]:
    hours = select(FigureHour.hour, FigureHour.times).where(FigureHour.place == place)
    found: dict[int, int] = {row[0]: row[1] for row in uow.session.execute(hours)}
    return [found.get(hour, 0) for hour in range(24)]


def _groups_of(uow: UnitOfWork, place: str, below: Sequence[str]) -> list[GroupFigures]:
    rows = uow.session.scalars(select(FigureGroup).where(FigureGroup.place == place)).all()
    found = {row.audience: row for row in rows}
    everybody = sum(row.people for row in rows)
    reached = _places_reached(uow, below)
    return [
        GroupFigures(
            audience=audience,
            people=row.people if row else 0,
            times=row.times if row else 0,
            share=share_of(row.people if row else 0, everybody) or 0.0,
            reached=reached.get(audience, 0),
        )
        for audience in (*AUDIENCES, "")
        for row in (found.get(audience),)
    ]


def _places_reached(uow: UnitOfWork, below: Sequence[str]) -> dict[str, int]:
    asked = (
        select(FigureGroup.audience, func.count())
        .where(FigureGroup.place.in_(below), FigureGroup.people > 0)
        .group_by(FigureGroup.audience)
    )
    return {row[0]: row[1] for row in uow.session.execute(asked)}


def _funnel_of(uow: UnitOfWork, place: str) -> list[FunnelStep]:
    row: Any = uow.session.get(FigureFunnel, place)
    counts = [getattr(row, step) if row is not None else 0 for step in STEPS]
    before = [None, None, *counts[1:]]
    return [
        # Following and logging in do not depend on each other.
        FunnelStep(step=step, people=count, share=None if of is None else share_of(count, of))
        for step, count, of in zip(STEPS, counts, before, strict=False)
    ]


def _target_of(uow: UnitOfWork) -> tuple[float, int] | None:
    """The target of the survey, from the campaign's notice."""
    try:
        target = programmes.find_campaign(uow).target
    except NotFound:
        return None
    return float(target["percent"]), int(target["year"])


def expire_funnel(uow: UnitOfWork) -> None:
    """Let the next sweep count the funnel again, after citizens of the past were added."""
    uow.session.execute(delete(FigureState).where(FigureState.kind == FUNNEL))
