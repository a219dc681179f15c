"""The facts of the region: counts, validity, old codes, the grid."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from server.base.errors import Invalid
from server.units import service
from server.units.rules import OldCode, RegionsDocument, regions_of

NOTICE_DAY = date(2020, 4, 20)
TODAY = date(2026, 5, 1)
DATA = Path(service.__file__).with_name("data") / "regions.json"


def kinds_on(day: date) -> Counter[str]:
    return Counter(c.kind for city in service.load_regions().cities for c in city.counties_on(day))


def test_there_are_14_cities_and_111_county_level_units_in_the_notices_year_and_now() -> None:
    assert len(service.load_regions().cities) == 14
    assert kinds_on(NOTICE_DAY) == {"市辖区": 41, "县级市": 9, "县": 49, "自治县": 12}
    assert kinds_on(TODAY) == {"市辖区": 41, "县级市": 10, "县": 48, "自治县": 12}


def test_each_city_has_the_number_of_counties_that_it_really_has() -> None:
    counted = {c.short: len(c.counties_on(TODAY)) for c in service.load_regions().cities}
    assert counted == {
        "南宁": 12, "柳州": 10, "桂林": 17, "梧州": 7, "北海": 4, "防城港": 4, "钦州": 4,
        "贵港": 5, "玉林": 7, "百色": 12, "贺州": 5, "河池": 11, "来宾": 6, "崇左": 7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("day", "name"), [(date(2021, 2, 2), "横县"), (date(2021, 2, 3), "横州市")]
)
def test_one_county_became_a_city_overnight(day: date, name: str) -> None:
    nanning = service.load_regions().find_city("450100")
    assert nanning is not None
    named = [c.name for c in nanning.counties_on(day) if c.name.startswith("横")]
    assert named == [name]


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("450127", "450181", "横州市"),
        ("450331", "450381", "荔浦市"),
        ("451021", "451003", "田阳区"),
        ("451023", "451082", "平果市"),
        ("451281", "451203", "宜州区"),
    ],
)
def test_an_old_code_leads_to_the_unit_that_took_its_place(old: str, new: str, name: str) -> None:
    places = service.load_regions()
    assert places.current_code(old) == new
    found = places.find_county(places.current_code(old))
    assert found is not None
    assert found.name == name
    home = places.city_of(old)
    assert home is not None
    assert places.check_place(home.code, old) == (home.code, new)


def test_the_grid_has_one_square_a_city() -> None:
    tiles = [city.tile for city in service.load_regions().cities]
    assert len(set(tiles)) == 14
    assert {*tiles, (0, 0), (0, 1)} == {(row, col) for row in range(4) for col in range(4)}


def test_a_place_may_be_unsaid_or_a_city_alone() -> None:
    places = service.load_regions()
    assert places.check_place(None, None) == (None, None)
    assert places.check_place("450200", None) == ("450200", None)
    assert places.check_place("450100", "450103") == ("450100", "450103")


@pytest.mark.parametrize(
    ("city", "county", "field"),
    [
        ("450000", None, "city"),
        ("440100", None, "city"),
        ("", None, "city"),
        ("450100", "450203", "county"),
        ("450100", "999999", "county"),
        (None, "450103", "county"),
        ("450100", "450100", "county"),
    ],
)
def test_a_place_that_does_not_fit_is_refused(
    city: str | None, county: str | None, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        service.load_regions().check_place(city, county)
    assert [loc for loc, _ in refusal.value.errors] == [("body", field)]


def test_every_code_lies_inside_its_city() -> None:
    for city in service.load_regions().cities:
        assert all(county.code[:4] == city.code[:4] for county in city.counties)


def test_a_data_file_with_a_lost_old_code_or_a_double_code_is_refused() -> None:
    places = service.load_regions()
    sound = RegionsDocument(
        region=places.region,
        city_association=places.association,
        old_codes=(),
        cities=places.cities,
    )
    lost = OldCode(code="450331", name="荔浦县", now="450399")
    with pytest.raises(ValueError, match="lead nowhere"):
        regions_of(replace(sound, old_codes=(lost,)))
    with pytest.raises(ValueError, match="share a code"):
        regions_of(replace(sound, cities=(*places.cities, places.cities[0])))


def test_the_data_file_names_its_sources() -> None:
    assert len(json.loads(DATA.read_text(encoding="utf-8"))["source"]) >= 3
