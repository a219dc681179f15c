"""Every page of the product in Chromium, on a wide and a narrow screen: nothing serious for axe.

The pages come from the table of routes and the objects that they show from the matrix, so a new
page is looked at as soon as it is declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Browser
from sqlalchemy import update

from server import slices
from server.activities import posters
from server.activities.models import Activity
from server.app import Overrides, create_app
from server.base.settings import Settings
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.page import PageRoute
from server.quiz.bank import pictures
from server.quiz.models import Question
from tests.console.test_matrix import PROBES
from tests.kit.browser import browser
from tests.kit.console import PEOPLE, resolve_test_session
from tests.kit.console_browser import (
    NARROW,
    WIDE,
    a_context,
    built_libraries,
    inspect,
    load_page,
    resize_page,
    served,
)
from tests.kit.console_matrix import MISSING, NO_PAGES
from tests.kit.pictures import a_picture

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]


PICTURED = {"/questions/<ref>", "/questions/<ref>/versions", "/questions/<ref>/edit"}
POSTERED = {"/activities/<ref>", "/activities/<ref>/edit", "/activities/<ref>/describe"}


@pytest.fixture
def whole(settings: Settings, overrides: Overrides) -> Iterator[Flask]:
    built_libraries()
    made = create_app(settings, replace(overrides, signed_in=resolve_test_session))
    yield made
    made.extensions["kepu"].uow_factory.engine.dispose()


def who_may_open(route: PageRoute) -> str:
    return next(
        name
        for name, one in PEOPLE.items()
        if one.has_permission(route.needs) and name.endswith("-region")
    )


def fill_address(uow_factory: UnitOfWorkFactory, route: PageRoute) -> str:
    """The address of a page, with an object made for it."""
    probe, organizer = PROBES.get(route.spelled), PEOPLE[who_may_open(route)]
    assert probe is not None, f"{route.spelled}: {MISSING}"
    places = {}
    with uow_factory.begin() as uow:
        if probe.before is not None:
            probe.before(uow, organizer)
        if probe.make_own is not None:
            places = probe.make_own(uow, organizer)
        elif probe.make is not None:
            places = probe.make(uow, organizer.scope, True)
        if route.path in PICTURED:
            give_picture(uow, places["ref"])
        if route.path in POSTERED:
            name = posters.keep_poster(uow, posters.convert_poster(a_picture()))
            described = update(Activity).where(Activity.ref == places["ref"])
            uow.session.execute(described.values(poster=name))
    path = route.path
    for name in route.places:
        assert name in places, f"{route.spelled}: {MISSING}"
        path = path.replace(f"<{name}>", places[name])
    return path.rstrip("/")


def give_picture(uow: UnitOfWork, ref: str) -> None:
    """A second version of a question, with a picture and a long text without spaces."""
    name = pictures.keep_picture(uow, pictures.convert_picture(a_picture()))
    row = uow.session.query(Question).filter_by(ref=ref).one()
    facts = {column: getattr(row, column) for column in Question.__table__.columns.keys()}  # noqa: SIM118 - columns, not a dict
    changed = {"id": None, "version": 2, "stem": "x²" * 120, "picture": name, "state": "draft"}
    uow.session.add(Question(**{**facts, **changed, "picture_alt": "红底白横杠的圆形标志"}))


def test_no_page_of_the_product_has_a_serious_fault(browser: Browser, whole: Flask) -> None:
    routes = [
        route
        for pages in slices.PAGES
        for route in pages.routes
        if route.method == "GET" and route.path not in NO_PAGES
    ]
    assert len(routes) > 60
    uow_factory = whole.extensions["kepu"].uow_factory
    faults = []
    with served(whole, uow_factory) as site, a_context(browser) as context:
        page = context.new_page()
        for route in routes:
            path = fill_address(uow_factory, route)
            load_page(page, site, who_may_open(route), path, WIDE)
            for size in (WIDE, NARROW):
                resize_page(page, size)
                faults += [f"{path} at {size[0]}: {fault}" for fault in inspect(page)]
            if page.locator("h1").count() == 0:
                faults.append(f"{path}: no page")
    assert faults == [], "\n".join(faults)
