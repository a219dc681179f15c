"""The directory of units: create, rename and close inside the own place."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from server.base.access import Role
from server.base.uow import UnitOfWorkFactory
from server.units import service as units
from server.units.models import Level, Unit
from tests.conftest import application_of
from tests.kit.clock import FakeClock
from tests.kit.console import Browser
from tests.kit.organizers import an_account, logged_in

FORM = {"name": "青秀区第三小学", "kind": "school", "place": "county:450103"}


@pytest.fixture
def factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


@pytest.fixture
def admin(app: Flask, factory: UnitOfWorkFactory, clock: FakeClock) -> Browser:
    with factory.begin() as uow:
        an_account(uow, "admin", role=Role.SYSTEM_ADMIN)
    return logged_in(app, clock, "admin")


def the_unit(factory: UnitOfWorkFactory) -> Unit:
    with factory.begin(read_only=True) as uow:
        return uow.session.scalars(select(Unit)).one()


def test_a_unit_is_created_renamed_and_closed(admin: Browser, factory: UnitOfWorkFactory) -> None:
    assert admin.ask("POST", "/units/new", FORM)[0] == 303
    unit = the_unit(factory)
    assert (unit.name, unit.level, unit.city) == ("青秀区第三小学", Level.COUNTY, "450100")
    assert "青秀区第三小学" in admin.get("/units?q=第三")[1]
    assert admin.ask("POST", f"/units/{unit.ref}/name", {"name": "新竹小学"})[0] == 303
    assert the_unit(factory).name == "新竹小学"
    with factory.begin(read_only=True) as uow:
        assert units.unit_by_ref(uow, unit.ref) is not None
    assert admin.ask("POST", f"/units/{unit.ref}/close", {"reason": "撤并"})[0] == 303
    with factory.begin(read_only=True) as uow:
        assert units.unit_by_ref(uow, unit.ref) is None
    assert admin.ask("POST", f"/units/{unit.ref}/close", {"reason": "撤并"})[0] == 409
    assert "已停用" in admin.get(f"/units/{unit.ref}")[1]


def test_a_name_is_taken_once_in_a_place_and_free_again_after_closing(
    admin: Browser, factory: UnitOfWorkFactory
) -> None:
    assert admin.ask("POST", "/units/new", FORM)[0] == 303
    status, shown = admin.ask("POST", "/units/new", FORM)
    assert status == 422
    assert "已经有同名的单位" in shown
    assert admin.ask("POST", "/units/new", {**FORM, "place": "city:450100"})[0] == 303
    with factory.begin(read_only=True) as uow:
        ref = uow.session.scalars(select(Unit.ref).where(Unit.county == "450103")).one()
    assert admin.ask("POST", f"/units/{ref}/close", {"reason": "x"})[0] == 303
    assert admin.ask("POST", "/units/new", FORM)[0] == 303


@pytest.mark.parametrize(
    "changed", [{"place": "region"}, {"place": "city:450200"}, {"kind": "x"}, {"name": ""}]
)
def test_a_unit_stays_inside_the_own_place(admin: Browser, changed: dict[str, str]) -> None:
    assert admin.ask("POST", "/units/new", {**FORM, **changed})[0] == 422
