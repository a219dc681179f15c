"""Every route of the product's console: forms need their token, answers their headers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from server import slices
from server.app import Overrides, create_app
from server.base.settings import Settings
from server.base.web.page import PageRoute
from server.base.web.uploads import BODY_LIMIT_BYTES
from server.console.form_session import SESSION_COOKIE
from server.console.forms import takes_file
from tests.kit.console import PEOPLE, Browser, resolve_test_session

ROUTES = [route for pages in slices.PAGES for route in pages.routes]
FORGED = "evil.example"


@pytest.fixture
def whole(settings: Settings, overrides: Overrides) -> Iterator[Flask]:
    made = create_app(settings, replace(overrides, signed_in=resolve_test_session))
    yield made
    made.extensions["kepu"].uow_factory.engine.dispose()


def who_may_open(route: PageRoute) -> str:
    return next(
        name
        for name, one in PEOPLE.items()
        if one.has_permission(route.needs) and name.endswith("-region")
    )


def address_of(path: str) -> str:
    """An address of the console, its variable parts without a meaning."""
    return "/console" + path.replace("<", "").replace(">", "").rstrip("/")


def test_no_change_is_made_without_the_token_of_the_form(whole: Flask) -> None:
    posts = [route for route in ROUTES if route.method == "POST"]
    assert len(posts) > 40
    for route in posts:
        browser = Browser(whole, who_may_open(route))
        given = f"{len(browser.token())} letters"
        for form in ({}, {"csrf_token": ""}, {"csrf_token": given}):
            answer = browser.client.post(address_of(route.path), data=form)
            assert (answer.status_code, "Location" in answer.headers) == (400, False), route.spelled
        # The same request with a token fails for another reason, or works.
        form = {"csrf_token": browser.token()}
        status = browser.client.post(address_of(route.path), data=form).status_code
        assert status != 400, route.spelled


def test_no_open_form_is_taken_without_its_token(whole: Flask) -> None:
    posts = [one for pages in slices.PAGES for one in pages.open_routes if one.method == "POST"]
    assert posts
    for route in posts:
        answer = whole.test_client().post(address_of(route.path), data={"username": "x"})
        assert answer.status_code == 400, route.path


def test_no_answer_is_framed_cached_or_built_from_the_host(whole: Flask) -> None:
    for route in ROUTES:
        if route.method != "GET":
            continue
        for who in (who_may_open(route), None):
            client = whole.test_client()
            if who is not None:
                client.set_cookie(SESSION_COOKIE, who, path="/console", domain=FORGED)
            answer = client.get(
                address_of(route.path), base_url=f"http://{FORGED}",
                headers={"X-Forwarded-Host": FORGED, "X-Forwarded-Proto": "https"},
            )  # fmt: skip
            assert answer.status_code in (200, 303, 404, 422), route.spelled
            assert (answer.status_code == 303) == (who is None), route.spelled
            told = answer.headers
            assert told["Cache-Control"] == "no-store", route.spelled
            assert told["X-Frame-Options"] == "DENY", route.spelled
            assert told["X-Content-Type-Options"] == "nosniff", route.spelled
            assert "frame-ancestors 'none'" in told["Content-Security-Policy"], route.spelled
            assert "Access-Control-Allow-Origin" not in told, route.spelled
            assert FORGED.encode() not in answer.data, route.spelled
            # The cookie of a test client names its own host.
            headers = [value for name, value in told if name != "Set-Cookie"]
            assert not any(FORGED in value for value in headers), route.spelled


def test_no_form_takes_more_than_its_bound(whole: Flask) -> None:
    for route in ROUTES:
        if route.form is None or route.method != "POST":
            continue
        most = BODY_LIMIT_BYTES if takes_file(route.form) else 1024 * 1024
        browser = Browser(whole, who_may_open(route))
        form = {"csrf_token": browser.token(), "x": "x" * (most + 1)}
        answer = browser.client.post(address_of(route.path), data=form)
        assert answer.status_code == 413, route.spelled
