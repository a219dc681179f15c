"""Regions and units for the mini-program's pickers; public."""

from __future__ import annotations

from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, endpoint
from server.base.web.schema import Page, fill_from
from server.units import service
from server.units.schemas import CityOut, CountyOut, UnitOut, UnitQuery

API = Api("units")


@endpoint(API, "GET", "/regions", who=Who.ANYONE, out=Page[CityOut])
def list_regions(uow: UnitOfWork) -> Page[CityOut]:
    """All cities with the county-level units that exist today; never more than one page."""
    items = [
        fill_from(
            city,
            CityOut,
            tile_row=city.tile[0],
            tile_col=city.tile[1],
            counties=[fill_from(county, CountyOut) for county in counties],
        )
        for city, counties in service.cities_today(uow)
    ]
    return Page(items=items, next=None)


@endpoint(API, "GET", "/units", who=Who.ANYONE, query=UnitQuery, out=Page[UnitOut])
def list_units(uow: UnitOfWork, query: UnitQuery) -> Page[UnitOut]:
    """Units to choose from: in a city, a county or the whole region, by a part of the name."""
    units, following = service.list_units(
        uow, region=query.region, q=query.q, limit=query.limit, after=query.after
    )
    items = [fill_from(unit, UnitOut, id=unit.ref) for unit in units]
    return Page(items=items, next=following)
