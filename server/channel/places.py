"""Expands one rule of the shipped file to every city or county, under all of its names.

Pure, except for the places, which are data of the units slice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from server.units import service as units
from server.units.service import City

Kind = Literal["city", "county"]

# 金秀瑶族自治县 is also 金秀, 宾阳县 also 宾阳; 藤县 is not shortened: 藤 is ambiguous.
_SHORT = re.compile(r"(.{2}).+自治县|(.{2,})[市县区]")


def names_by_code(kind: Kind) -> dict[str, tuple[str, ...]]:
    """The names of each city or county, by its code.

    A county also has its former names, and its name with the city in front.
    """
    cities = units.load_regions().cities
    if kind == "city":
        return {city.code: (city.short, city.name) for city in cities}
    return {code: names for city in cities for code, names in _county_names(city)}


def _county_names(city: City) -> Iterator[tuple[str, tuple[str, ...]]]:
    regions = units.load_regions()
    by_code: dict[str, list[str]] = {}
    for county in city.counties:
        by_code.setdefault(regions.current_code(county.code), []).append(county.name)
    for code, names in by_code.items():
        called = dict.fromkeys(short for name in names for short in _short_names(name))
        whole = (f"{before}{name}" for name in names for before in (city.short, city.name))
        yield code, (*called, *whole)


def _short_names(name: str) -> Iterator[str]:
    found = _SHORT.fullmatch(name)
    if found is not None:
        yield found[1] or found[2]
    yield name
