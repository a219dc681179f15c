"""API types of regions and units."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from server.base.web.schema import Out, PageQuery

Code = Annotated[str, Meta(description="GB/T 2260 code")]


class CountyOut(Out, frozen=True, kw_only=True):
    """A county-level unit that exists today."""

    code: Code
    name: str
    kind: str


class CityOut(Out, frozen=True, kw_only=True):
    """A city with its square on the tile map, counted from 0, and its county-level units."""

    code: Code
    name: str
    short: str
    tile_row: int
    tile_col: int
    counties: list[CountyOut]


class UnitQuery(PageQuery, frozen=True, kw_only=True):
    """Filter of units: place, and part of the name."""

    region: Code | None = None
    q: Annotated[str, Meta(max_length=40)] | None = None


class UnitOut(Out, frozen=True, kw_only=True):
    """A unit; `assumed` marks a name without a source."""

    id: str
    name: str
    kind: str
    level: str
    city: Code | None
    county: Code | None
    assumed: bool
