"""Regions: cities, county-level units with their validity, replaced codes, the tile grid.

Pure: callers build `Regions` from the data file; nothing here reads files or clocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from server.base.errors import Invalid


@dataclass(frozen=True, kw_only=True)
class RegionRow:
    """The region itself, from the data file."""

    code: str
    name: str
    short: str


@dataclass(frozen=True, kw_only=True)
class County:
    """A county-level unit: district, county-level city, county or autonomous county."""

    code: str
    name: str
    kind: str
    valid_from: date | None = None
    valid_to: date | None = None

    def valid_on(self, day: date) -> bool:
        """Whether the unit exists on a day; both ends of its validity are included."""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, kw_only=True)
class City:
    """A city with all present and former county-level units.

    Units: `tile` is (row, column) on the schematic grid, from 0.
    """

    code: str
    name: str
    short: str
    tile: tuple[int, int]
    counties: tuple[County, ...]

    def counties_on(self, day: date) -> tuple[County, ...]:
        """The county-level units that exist on a day."""
        return tuple(county for county in self.counties if county.valid_on(day))


@dataclass(frozen=True, kw_only=True)
class OldCode:
    """A replaced code that is still in use, and its successor."""

    code: str
    name: str
    now: str


@dataclass(frozen=True, kw_only=True)
class AssociationPattern:
    """The naming pattern of a city's association."""

    name: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class RegionsDocument:
    """The content of the data file."""

    region: RegionRow
    city_association: AssociationPattern
    old_codes: tuple[OldCode, ...]
    cities: tuple[City, ...]


@dataclass(frozen=True, kw_only=True)
class Regions:
    """All places of the campaign; immutable, one instance per process."""

    region: RegionRow
    association: AssociationPattern
    cities: tuple[City, ...]
    _cities: Mapping[str, City]
    _counties: Mapping[str, tuple[City, County]]
    _now: Mapping[str, str]

    def find_city(self, code: str) -> City | None:
        """The city with this code."""
        return self._cities.get(code)

    def find_county(self, code: str) -> County | None:
        """The county-level unit with this code, or the successor of a replaced code."""
        found = self._counties.get(code) or self._counties.get(self.current_code(code))
        return found[1] if found else None

    def city_of(self, county_code: str) -> City | None:
        """The city that a county-level unit belongs to."""
        found = self._counties.get(self.current_code(county_code))
        return found[0] if found else None

    def current_code(self, code: str) -> str:
        """The successor of a replaced code; any other code unchanged."""
        return self._now.get(code, code)

    def knows_code(self, code: str) -> bool:
        """Whether the code is the region, one of its cities, or one of their counties."""
        return (
            code == self.region.code or code in self._cities or self.find_county(code) is not None
        )

    def check_place(self, city: str | None, county: str | None) -> tuple[str | None, str | None]:
        """Validate a citizen's city and county and return their current codes.

        Raises: Invalid (422) for an unknown code, a county elsewhere, or a county without a city.
        """
        if city is not None and city not in self._cities:
            raise Invalid((("body", "city"), "no such city"))
        if county is None:
            return city, None
        if city is None:
            raise Invalid((("body", "county"), "a county needs its city"))
        home = self.city_of(county)
        if home is None:
            raise Invalid((("body", "county"), "no such county"))
        if home.code != city:
            raise Invalid((("body", "county"), "this county is in another city"))
        return city, self.current_code(county)


def regions_of(document: RegionsDocument) -> Regions:
    """Build the places from the data file.

    Raises: ValueError when two places share a code or an old code has no successor.
    """
    counties = {c.code: (city, c) for city in document.cities for c in city.counties}
    cities = {city.code: city for city in document.cities}
    now = {old.code: old.now for old in document.old_codes}
    _check_codes(document, [*cities, *counties], now)
    return Regions(
        region=document.region,
        association=document.city_association,
        cities=document.cities,
        _cities=MappingProxyType(cities),
        _counties=MappingProxyType(counties),
        _now=MappingProxyType(now),
    )


def _check_codes(document: RegionsDocument, codes: Iterable[str], now: Mapping[str, str]) -> None:
    known = set(codes)
    listed = len(document.cities) + sum(len(city.counties) for city in document.cities)
    if len(known) != listed:
        raise ValueError("two places share a code")
    lost = [old for old, new in now.items() if new not in known or new in now]
    if lost:
        raise ValueError(f"old codes lead nowhere: {lost}")
