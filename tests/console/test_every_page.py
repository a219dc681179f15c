"""Every page of the product that has no variable part, in Chromium: nothing serious for axe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Browser

from server import slices
from server.app import Overrides, create_app
from server.base.settings import Settings
from server.base.web.page import PageRoute
from tests.kit.browser import browser
from tests.kit.console import PEOPLE, resolve_test_session
from tests.kit.console_browser import a_context, built_libraries, check_page, served

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]


# Parts that a page loads into itself.
FRAGMENTS = {"/contests/rules-preview"}


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
        if one.has_permission(route.needs) and name.endswith("-city")
    )


def test_no_page_of_the_product_has_a_serious_fault(browser: Browser, whole: Flask) -> None:
    routes = [
        route
        for pages in slices.PAGES
        for route in pages.routes
        if route.method == "GET" and not route.places and route.path not in FRAGMENTS
    ]
    assert len(routes) >= 5
    uow_factory = whole.extensions["kepu"].uow_factory
    faults = []
    with served(whole, uow_factory) as site, a_context(browser) as context:
        for route in routes:
            faults += check_page(context, site, who_may_open(route), route.path.rstrip("/"))
    assert faults == [], "\n".join(faults)
