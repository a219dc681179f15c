"""Regions and units for other slices: lookups, the list of units, idempotent loading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, func, or_, select, update

from server.base.access import REGION, Scope
from server.base.clock import beijing_day
from server.base.errors import Invalid
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.base.web.cursor import decode_cursor, encode_cursor
from server.units.directory import add_units as add_units
from server.units.directory import close_unit as close_unit
from server.units.directory import create_unit as create_unit
from server.units.directory import find_in_scope as find_in_scope
from server.units.directory import is_open as is_open
from server.units.directory import list_names as list_names
from server.units.directory import lock_directory as lock_directory
from server.units.directory import name_taken as name_taken
from server.units.directory import select_directory as select_directory
from server.units.kinds import KINDS as KINDS
from server.units.kinds import Level as Level
from server.units.kinds import kind_of_word as kind_of_word
from server.units.merging import end_merge as end_merge
from server.units.merging import find_successor as find_successor
from server.units.merging import lock_pair as lock_pair
from server.units.merging import merge_unit as merge_unit
from server.units.merging import unended_merges as unended_merges
from server.units.models import Unit as Unit
from server.units.rules import City as City
from server.units.rules import County as County
from server.units.rules import Regions as Regions
from server.units.rules import RegionsDocument, regions_of

_DATA = Path(__file__).with_name("data") / "regions.json"
_BIGGEST_ID = 2**63 - 1
_ROW_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class UnitRow:
    """A unit in a file; `ref` is its public id.

    `kind` is one of `KINDS` or a word for it; `city` and `county` are codes, and replaced ones are
    stored as their successors.
    """

    ref: str
    name: str
    kind: str
    level: Level
    full_name: str | None = None
    city: str | None = None
    county: str | None = None
    assumed: bool = False
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, kw_only=True)
class UnitView:
    """A unit as other slices see it."""

    id: int
    ref: str
    name: str
    kind: str
    level: Level
    city: str | None
    county: str | None
    assumed: bool


@dataclass(frozen=True, kw_only=True)
class LoadedUnits:
    """Result of a load; `ids` maps ref to row id."""

    created: int
    changed: int
    ids: dict[str, int]


_READ_REGIONS = msgspec.json.Decoder(RegionsDocument)


@cache
def load_regions() -> Regions:
    """The places of the campaign, read once per process."""
    return regions_of(_READ_REGIONS.decode(_DATA.read_bytes()))


@dataclass(frozen=True, kw_only=True)
class ResidentsDocument:
    """The census figures: `residents` by city code, on the day `as_of`."""

    source: str
    as_of: date
    residents: dict[str, int]


_READ_RESIDENTS = msgspec.json.Decoder(ResidentsDocument)


@cache
def load_residents() -> ResidentsDocument:
    """The number of residents of each city, read once per process."""
    return _READ_RESIDENTS.decode(_DATA.with_name("residents.json").read_bytes())


def cities_today(uow: UnitOfWork) -> list[tuple[City, tuple[County, ...]]]:
    """The cities with the county-level units that exist today."""
    today = beijing_day(uow.now)
    return [(city, city.counties_on(today)) for city in load_regions().cities]


def unit_by_ref(uow: UnitOfWork, ref: str) -> UnitView | None:
    """The unit with this public id, if it exists today; for a merged one the unit of today."""
    if "\0" in ref:
        return None
    return _find_first(uow, and_(_leads_from(Unit.ref == ref), _valid_on(beijing_day(uow.now))))


def unit_to_join(uow: UnitOfWork, ref: str) -> UnitView | None:
    """As `unit_by_ref`, for a citizen who is about to become a member.

    A merge of the unit waits for this transaction, and so moves its member too.
    Locks: the unit, shared with other new members.
    """
    if "\0" in ref:
        return None
    held = select(Unit.id).where(Unit.ref == ref).with_for_update(read=True)
    uow.session.execute(held)
    return unit_by_ref(uow, ref)


def unit_by_id(uow: UnitOfWork, unit_id: int) -> UnitView | None:
    """The unit with this row id, even if it no longer exists today."""
    return _find_first(uow, Unit.id == unit_id)


def resolve_scope(uow: UnitOfWork, spelled: str) -> tuple[Scope, str]:
    """Resolve a scope to its codes on every level, and to the name of its place.

    `spelled` has the spelling of boards: `region`, `city:450100`, `county:450103`, `unit:7`.
    Raises: Invalid (422) for anything that is not a place of the campaign.
    """
    kind, _, value = spelled.partition(":")
    places = load_regions()
    city, county = places.find_city(value), places.find_county(value)
    if spelled == REGION.spelled:
        return REGION, places.region.name
    if kind == "city" and city is not None:
        return Scope(city=city.code), city.name
    home = places.city_of(value)
    if kind == "county" and county is not None and home is not None:
        return Scope(city=home.code, county=places.current_code(value)), f"{home.name}{county.name}"
    unit = _today_by_id(uow, int(value)) if kind == "unit" and _ROW_ID.fullmatch(value) else None
    if unit is None:
        raise Invalid((("scope",), "no such region, city, county or unit"))
    return Scope(city=unit.city, county=unit.county, unit_id=unit.id), unit.name


def name_owner(uow: UnitOfWork, spelled: str) -> str:
    """The name of a place that owns rows, even if it no longer exists today; empty if unknown."""
    kind, _, value = spelled.partition(":")
    if kind == "unit" and _ROW_ID.fullmatch(value):
        unit = unit_by_id(uow, int(value))
        return "" if unit is None else unit.name
    return resolve_scope(uow, spelled)[1]


def name_place(code: str) -> str:
    """The name of a city or county by its code; the code itself for an unknown one."""
    places = load_regions()
    found = places.find_city(code) or places.find_county(code)
    return code if found is None else found.name


def list_places(uow: UnitOfWork) -> list[tuple[Scope, str]]:
    """The cities, each followed by its counties of today, with their full names."""
    found = []
    for city, counties in cities_today(uow):
        found.append((Scope(city=city.code), city.name))
        found += [(Scope(city=city.code, county=c.code), f"{city.name}{c.name}") for c in counties]
    return found


def units_by_id(uow: UnitOfWork, ids: Iterable[int]) -> dict[int, UnitView]:
    """The units with these row ids."""
    wanted = set(ids)
    if not wanted:
        return {}
    found = uow.session.execute(_SELECT.where(Unit.id.in_(wanted)))
    return {row.id: UnitView(**row._mapping) for row in found}


def list_units(
    uow: UnitOfWork, *, region: str | None, q: str | None, limit: int, after: str | None
) -> tuple[list[UnitView], str | None]:
    """One page of today's units in a place whose name contains `q`, and the next cursor.

    Raises: Invalid (422) for an unknown place, an unusable search word or cursor.
    """
    wanted = [_valid_on(beijing_day(uow.now))]
    if region is not None:
        wanted.append(_inside_region(region))
    if q is not None and q.strip():
        wanted.append(_name_matches(q.strip()))
    if after is not None:
        wanted.append(Unit.id > _position_from_cursor(after))
    found = uow.session.execute(_SELECT.where(*wanted).order_by(Unit.id).limit(limit + 1))
    units = [UnitView(**row._mapping) for row in found]
    more = len(units) > limit
    return units[:limit], encode_cursor(units[limit - 1].id) if more else None


def load_units(uow: UnitOfWork, rows: Sequence[UnitRow]) -> LoadedUnits:
    """Store units by ref: insert new ones, update changed ones, keep the others.

    Raises: Invalid (422) when a place is unknown or a ref occurs twice.
    """
    wanted = {row.ref: _stored_values(row) for row in rows}
    if len(wanted) != len(rows):
        raise Invalid((("ref",), "a unit is named twice"))
    known = _by_ref(uow, list(wanted))
    fresh = [values for ref, values in wanted.items() if ref not in known]
    if fresh:
        adding = insert_for(uow.session, Unit).on_conflict_do_nothing(index_elements=["ref"])
        uow.session.execute(adding, fresh)
    changed = 0
    for ref, values in wanted.items():
        if ref in known and any(known[ref][name] != value for name, value in values.items()):
            uow.session.execute(update(Unit).where(Unit.ref == ref).values(**values))
            changed += 1
    ids = {ref: row["id"] for ref, row in _by_ref(uow, list(wanted)).items()}
    return LoadedUnits(created=len(fresh), changed=changed, ids=ids)


def load_city_associations(uow: UnitOfWork) -> LoadedUnits:
    """Store the 14 city associations; their names follow the pattern and are marked as assumed.

    Source: the notice's recipients name every city's association without its full name.
    """
    pattern = load_regions().association
    return load_units(
        uow,
        [
            UnitRow(
                ref=f"ast-{city.code}",
                name=pattern.name.format(city=city.name),
                kind=pattern.kind,
                level=Level.CITY,
                city=city.code,
                assumed=True,
            )
            for city in load_regions().cities
        ],
    )


_SELECT = select(
    Unit.id, Unit.ref, Unit.name, Unit.kind, Unit.level, Unit.city, Unit.county, Unit.assumed
)


def _find_first(uow: UnitOfWork, wanted: ColumnElement[bool]) -> UnitView | None:
    row = uow.session.execute(_SELECT.where(wanted)).first()
    return UnitView(**row._mapping) if row else None


def _today_by_id(uow: UnitOfWork, unit_id: int) -> UnitView | None:
    return _find_first(uow, _leads_from(Unit.id == unit_id))


def _leads_from(named: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition for the unit that fulfils `named`, or for its successor when it is merged."""
    found = select(func.coalesce(Unit.merged_into, Unit.id)).where(named)
    return Unit.id == found.scalar_subquery()


def _valid_on(day: date) -> ColumnElement[bool]:
    return and_(
        or_(Unit.valid_from.is_(None), Unit.valid_from <= day),
        or_(Unit.valid_to.is_(None), Unit.valid_to >= day),
    )


def _inside_region(region: str) -> ColumnElement[bool]:
    places = load_regions()
    if region == places.region.code:
        return Unit.level != Level.NATIONAL
    if places.find_city(region) is not None:
        return Unit.city == region
    if places.find_county(region) is not None:
        return Unit.county == places.current_code(region)
    raise Invalid((("query", "region"), "no such region, city or county"))


def _name_matches(words: str) -> ColumnElement[bool]:
    if "\0" in words:
        raise Invalid((("query", "q"), "NUL is not allowed"))
    return or_(
        Unit.name.icontains(words, autoescape=True),
        Unit.full_name.icontains(words, autoescape=True),
    )


def _position_from_cursor(after: str) -> int:
    (position,) = decode_cursor(after, int)
    if not isinstance(position, int) or not 0 <= position <= _BIGGEST_ID:
        raise Invalid((("query", "after"), "an unreadable cursor"))
    return position


def _stored_values(row: UnitRow) -> dict[str, Any]:
    city, county = load_regions().check_place(row.city, row.county)
    kind = kind_of_word(row.kind) or "other"
    return {**asdict(row), "kind": kind, "city": city, "county": county}


def _by_ref(uow: UnitOfWork, refs: list[str]) -> dict[str, dict[str, Any]]:
    table = Unit.__table__
    found = uow.session.execute(select(*table.c).where(table.c.ref.in_(refs)))
    return {row.ref: dict(row._mapping) for row in found}
