"""The page of the audience: places, units and the count before saving."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import select

from server.announcements.models import Announcement
from server.announcements.slice import SLICE
from server.base.access import Scope
from server.base.uow import UnitOfWorkFactory
from server.units import service as units
from server.units.service import UnitRow
from tests.kit.accounts import a_citizen
from tests.kit.activities import a_lecture
from tests.kit.announcement_form_probes import AUDIENCE_FORM
from tests.kit.announcements import an_announcement
from tests.kit.console import Browser, console_app

REF = "ann-audience"
PATH = f"/announcements/{REF}"
NANNING, QINGXIU, LIUZHOU = "450100", "450103", "450200"
# The same name in two cities, and a name that is a part of another.
SCHOOLS = (
    ("school-nn", "实验小学", NANNING, None),
    ("school-lz", "实验小学", LIUZHOU, None),
    ("school-qx", "青秀山小学", NANNING, QINGXIU),
    ("school-qx2", "青秀山小学分校", NANNING, QINGXIU),
)


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    with uow_factory.begin() as uow:
        rows = [
            UnitRow(ref=ref, name=name, kind="school", level="county" if county else "city",
                    city=city, county=county)
            for ref, name, city, county in SCHOOLS
        ]  # fmt: skip
        ids = units.load_units(uow, rows).ids
        an_announcement(uow, ref=REF)
        a_citizen(uow, city=NANNING, county=QINGXIU, unit_id=ids["school-qx"])
        a_citizen(uow, city=NANNING, county="450102")
        a_citizen(uow, city=LIUZHOU, unit_id=ids["school-lz"])
        a_citizen(uow)
    return console_app(uow_factory, *SLICE.pages)[0]


def count(app: Flask, values: Mapping[str, object], who: str = "editor-region") -> str:
    """The part of the page with the count."""
    asked = urlencode(values, doseq=True)
    status, shown = Browser(app, who).get(f"{PATH}/audience/count?{asked}")
    assert status == 200
    return shown


def rule_of(uow_factory: UnitOfWorkFactory) -> Mapping[str, object]:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalars(select(Announcement.audience)).one()


@pytest.mark.parametrize(
    ("values", "people"),
    [
        ({}, 4),
        ({"cities": [NANNING]}, 2),
        ({"cities": [NANNING, LIUZHOU]}, 3),
        ({"counties": [QINGXIU, "450102"]}, 2),
        ({"cities": [LIUZHOU], "counties": [QINGXIU]}, 2),
        ({"unit_names": "青秀山小学\n实验小学（柳州市）"}, 2),
        ({"unit_names": "青秀山小学", "cities": [LIUZHOU]}, 0),
    ],
)
def test_the_count_follows_the_form_before_it_is_saved(
    app: Flask, uow_factory: UnitOfWorkFactory, values: dict[str, object], people: int
) -> None:
    assert f"接收人有{people}人" in count(app, values)
    assert rule_of(uow_factory) == {}
    saved = Browser(app, "editor-region").ask("POST", f"{PATH}/audience", AUDIENCE_FORM | values)
    assert saved[0] == 303
    assert f"<dd>{people}</dd>" in Browser(app, "editor-region").get(PATH)[1]
    # What was saved is shown again, and counts the same.
    page = Browser(app, "editor-region").get(f"{PATH}/audience")[1]
    for code in (*values.get("cities", ()), *values.get("counties", ())):  # type: ignore[misc]
        assert f'value="{code}" checked' in page


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("实验小学", "名称相近的有：实验小学（南宁市）、实验小学（柳州市）。"),
        ("青秀山", "名称相近的有：青秀山小学（青秀区）、青秀山小学分校（青秀区）。"),
        ("月球大学", "名称相近的有：无。"),
        ("%", "名称相近的有：无。"),
    ],
)
def test_a_unit_that_is_not_clear_is_refused_with_similar_names(
    app: Flask, uow_factory: UnitOfWorkFactory, name: str, said: str
) -> None:
    assert said in count(app, {"unit_names": name})
    form = AUDIENCE_FORM | {"unit_names": name}
    status, page = Browser(app, "editor-region").ask("POST", f"{PATH}/audience", form)
    assert (status, said in page, f"{name}</textarea>" in page) == (422, True, True)
    assert rule_of(uow_factory) == {}


@pytest.mark.parametrize(
    "values",
    [
        {"took_part_from": "2026-05-02", "took_part_to": "2026-05-01"},
        {"contest": "daily-quiz", "best_rank": "0"},
        {"cities": ["Nanning"]},
        {"minimum_score": "many"},
        {"activity_from": "tomorrow"},
    ],
)
def test_a_wrong_condition_gets_a_sentence_instead_of_a_count(
    app: Flask, values: dict[str, object]
) -> None:
    shown = count(app, values)
    assert 'class="wrong"' in shown
    assert "人。" not in shown


@pytest.mark.parametrize(
    ("scope", "who", "offered", "missing"),
    [
        (Scope(), "editor-region", ('name="cities"', 'name="counties"'), ()),
        (Scope(city=NANNING), "editor-city", (f'value="{QINGXIU}"',), ('name="cities"', "450202")),
        (Scope(city=NANNING, county=QINGXIU), "editor-county", (), ('name="counties"',)),
    ],
)
def test_only_places_inside_the_announcement_are_offered(
    app: Flask, uow_factory: UnitOfWorkFactory, scope: Scope, who: str,
    offered: tuple[str, ...], missing: tuple[str, ...],
) -> None:  # fmt: skip
    with uow_factory.begin() as uow:
        ref = an_announcement(uow, scope=scope).ref
    status, page = Browser(app, who).get(f"/announcements/{ref}/audience")
    assert status == 200
    assert all(one in page for one in offered)
    assert not any(one in page for one in missing)


def test_many_activities_are_folded_until_one_is_chosen(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    browser, folded = Browser(app, "editor-region"), "选具体的活动（8个）"
    with uow_factory.begin() as uow:
        refs = [a_lecture(uow).ref for _ in range(5)]
    assert folded not in browser.get(f"{PATH}/audience")[1]
    with uow_factory.begin() as uow:
        refs += [a_lecture(uow).ref for _ in range(3)]
    assert f"<details><summary>{folded}" in browser.get(f"{PATH}/audience")[1]
    chosen = AUDIENCE_FORM | {"activities": [refs[0]]}
    assert browser.ask("POST", f"{PATH}/audience", chosen)[0] == 303
    assert f"<details open><summary>{folded}" in browser.get(f"{PATH}/audience")[1]


def test_a_place_outside_the_announcement_adds_nobody(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        ref = an_announcement(uow, scope=Scope(city=NANNING)).ref
    asked = urlencode({"cities": [LIUZHOU]}, doseq=True)
    shown = Browser(app, "editor-city").get(f"/announcements/{ref}/audience/count?{asked}")[1]
    assert "接收人有0人" in shown
    form = AUDIENCE_FORM | {"unit_names": "实验小学（柳州市）"}
    assert Browser(app, "editor-city").ask("POST", f"/announcements/{ref}/audience", form)[0] == 422
    assert Browser(app, "editor-county").get(f"/announcements/{ref}/audience/count")[0] == 404
