"""Places and units over HTTP, without a token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from server.base.uow import UnitOfWorkFactory
from tests.kit.clock import FakeClock
from tests.kit.units import a_unit


def codes(client: Any) -> set[str]:
    cities = client.get("/regions").get_json()["items"]
    return {county["code"] for city in cities for county in city["counties"]}


def test_regions_are_the_cities_with_their_counties_and_squares(client: Any) -> None:
    cities = client.get("/regions").get_json()["items"]
    assert len(cities) == 14
    assert sum(len(city["counties"]) for city in cities) == 111
    nanning = next(city for city in cities if city["code"] == "450100")
    assert (nanning["name"], nanning["tile_row"], nanning["tile_col"]) == ("南宁市", 2, 1)
    assert {"code": "450103", "name": "青秀区", "kind": "市辖区"} in nanning["counties"]


def test_regions_are_those_of_the_beijing_day(client: Any, clock: FakeClock) -> None:
    clock.set(datetime(2021, 2, 2, 15, 59, 59, tzinfo=UTC))
    assert codes(client) & {"450127", "450181"} == {"450127"}
    clock.set(datetime(2021, 2, 2, 16, 0, tzinfo=UTC))
    assert codes(client) & {"450127", "450181"} == {"450181"}


def test_units_are_listed_page_by_page(client: Any, uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        wanted = [a_unit(uow, name=f"{n}号小学").ref for n in range(3)]
        a_unit(uow, name="noise", city="450200")
    first = client.get("/units?region=450100&q=小学&limit=2").get_json()
    rest = client.get(f"/units?region=450100&q=小学&limit=2&after={first['next']}").get_json()
    assert [unit["id"] for unit in first["items"] + rest["items"]] == wanted
    assert rest["next"] is None


@pytest.mark.parametrize(
    "query",
    ["region=110000", "limit=0", "limit=101", "limit=x", "after=x", "q=%00", "q=" + "x" * 41],
)
def test_a_bad_question_is_422(client: Any, query: str) -> None:
    answer = client.get(f"/units?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "invalid"
