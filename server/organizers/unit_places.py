"""Places as people write them in tables: names with and without their ending, codes; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from server.base.access import REGION, Scope
from server.units.service import Regions

# The ending of a county's name: `融水苗族自治县` is also `融水`.
_ENDING = re.compile(r"(?:(?:苗|侗|瑶|壮|仫佬|毛南|各)族)?自治县$|[县市区]$")
# Values of the county column for a unit of the city itself, and of the region itself.
_CITY_ITSELF = ("市本级", "市直", "市属", "本级")
_REGION_ITSELF = ("自治区", "区直", "区本级", "自治区本级", "自治区直属", "省级")
_SHORTEST = 2

# A code of `UnitReason` with its facts.
PlaceFault = tuple[str, Mapping[str, object]]


class Places:
    """All places of the campaign by what people call them."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        region = regions.region
        self._region_names = {region.code, region.name, region.short, *_REGION_ITSELF}
        self._cities = {
            name: city.code
            for city in regions.cities
            for name in (city.code, city.name, city.short)
        }
        self._counties: dict[str, set[str]] = defaultdict(set)
        for city in regions.cities:
            for county in city.counties:
                names = {county.code, county.name, _without_ending(county.name)}
                names |= {f"{city.name}{county.name}", f"{city.short}{county.name}"}
                for name in names:
                    self._counties[name].add(regions.current_code(county.code))

    def find_place(self, city: str, county: str, own: Scope) -> Scope | PlaceFault:
        """The place that a row names: its county, else its city, else `own` when both are empty.

        Without a city, the county is searched in the city of `own`. A column of codes may contain
        cities too.
        """
        if not city and not county:
            return own
        home = self._cities.get(city) if city else own.city
        if city and home is None and city not in self._region_names:
            return "wrong_city", {"given": city[:40]}
        if county in self._region_names or county in self._cities:
            city, county, home = county, "", self._cities.get(county, home)
        if not county or county in _CITY_ITSELF:
            return REGION if home is None else Scope(city=home)
        return self._find_county(county, home)

    def _find_county(self, given: str, home: str | None) -> Scope | PlaceFault:
        codes = self._codes_of(given)
        homes = {code: self._home_of(code) for code in codes}
        fits = [code for code in codes if home is None or homes[code] == home]
        if len(fits) == 1:
            return Scope(city=homes[fits[0]], county=fits[0])
        if fits:
            return "county_unclear", {"given": given[:40]}
        if not codes:
            return "wrong_county", {"given": given[:40]}
        named = self.name_scope(Scope(city=homes[min(codes)]))
        return "county_elsewhere", {"given": given[:40], "home": named}

    def _codes_of(self, given: str) -> set[str]:
        if given in self._counties:
            return self._counties[given]
        old = self._regions.find_county(given)
        if old is not None:
            return {old.code}
        stem = _without_ending(given)
        return self._counties.get(stem, set()) if stem != given else set()

    def _home_of(self, county: str) -> str | None:
        city = self._regions.city_of(county)
        return None if city is None else city.code

    def name_scope(self, scope: Scope) -> str:
        """The name of a place, with its city."""
        if scope.city is None:
            return self._regions.region.name
        city = self._regions.find_city(scope.city)
        county = None if scope.county is None else self._regions.find_county(scope.county)
        return "".join(one.name for one in (city, county) if one is not None)


def _without_ending(name: str) -> str:
    stem = _ENDING.sub("", name)
    return stem if len(stem) >= _SHORTEST else name
