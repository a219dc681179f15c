"""The API middleware finds what Flask would find, and leaves to Flask what is not its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from server.base.texts import Texts
from server.base.uow import UnitOfWorkFactory
from server.base.web import metrics
from server.base.web.api_middleware import ApiMiddleware
from server.base.web.auth import Who
from server.base.web.endpoint import Route
from server.base.web.incoming import Incoming
from server.base.web.reply import HttpReply
from server.base.web.request_frame import RequestFrame
from tests.conftest import application_of
from tests.kit.clock import FakeClock

PATHS = [
    ("GET", "/things/<ref>"),
    ("GET", "/things/<ref>.ics"),
    ("GET", "/things/open"),
    ("GET", "/things/<ref>/parts/<part>"),
    ("POST", "/things"),
]


def answering(path: str) -> Any:
    def run(_sent: Incoming, **places: str) -> HttpReply:
        told = " ".join([path, *(f"{name}={value}" for name, value in places.items())])
        return HttpReply(200, told.encode(), (("Content-Type", "text/plain"),))

    return run


def flask(_environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"flask"]


@pytest.fixture
def middleware(clock: FakeClock, uow_factory: UnitOfWorkFactory) -> ApiMiddleware:
    texts: Texts = uow_factory.dependencies.texts
    runners = [
        (Route(method=method, path=path, view=lambda: None, who=Who.ANYONE), answering(path))
        for method, path in PATHS
    ]
    upload = Route(method="POST", path="/files", view=lambda: None, who=Who.ANYONE, upload=True)
    return ApiMiddleware(
        flask, [*runners, (upload, answering("/files"))], RequestFrame(clock, clock), texts
    )


def asked(middleware: ApiMiddleware, method: str, path: str) -> str:
    environ = EnvironBuilder(path, method=method).get_environ()
    return b"".join(middleware(environ, lambda *_: None)).decode()


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("GET", "/api/v1/things/a", "/things/<ref> ref=a"),
        ("GET", "/api/v1/things/open", "/things/open"),
        ("GET", "/api/v1/things/a.ics", "/things/<ref>.ics ref=a"),
        ("GET", "/api/v1/things/a.icsx", "/things/<ref> ref=a.icsx"),
        ("GET", "/api/v1/things/.ics", "/things/<ref> ref=.ics"),
        ("GET", "/api/v1/things/a/parts/b", "/things/<ref>/parts/<part> ref=a part=b"),
        ("GET", "/api/v1/things/%41%2B", "/things/<ref> ref=A+"),
        ("POST", "/api/v1/things", "/things"),
        ("HEAD", "/api/v1/things/a", "flask"),
        ("OPTIONS", "/api/v1/things/a", "flask"),
        ("PUT", "/api/v1/things/a", "flask"),
        ("GET", "/api/v1/things/", "flask"),
        ("GET", "/api/v1/things/a/", "flask"),
        ("GET", "/api/v1//things/a", "flask"),
        ("GET", "/api/v1/things/%E6%B0%B4", "flask"),
        ("GET", "/api/v1x/things/a", "flask"),
        ("GET", "/healthz", "flask"),
        ("POST", "/api/v1/files", "flask"),
    ],
)
def test_a_path_is_found_as_flask_would_find_it(
    middleware: ApiMiddleware, method: str, path: str, told: str
) -> None:
    assert asked(middleware, method, path) == told


def test_every_declared_endpoint_is_found_under_its_own_rule(app: Flask) -> None:
    """Flask's own map of the whole product is the judge, for every route but uploads."""
    middleware = app.wsgi_app
    while not isinstance(middleware, ApiMiddleware):
        middleware = getattr(middleware, "_next_app", None) or middleware.app  # type: ignore[attr-defined]
    found = {
        (method, known.rule)
        for (method, _), routes in middleware._known.items()
        for known in routes
    }
    rules = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert len(rules - found) == 1  # the upload of a picture
    assert found <= rules
    adapter = app.url_map.bind("x")
    for method, rule in found:
        path = rule.replace("<", "x").replace(">", "x")
        known = next(
            one
            for one in middleware._known[method, path.count("/") + 1]
            if one.match_path(path.split("/")) is not None
        )
        endpoint, places = adapter.match(path, method=method)
        assert app.url_map._rules_by_endpoint[endpoint][0].rule == known.rule
        assert known.match_path(path.split("/")) == places
    assert application_of(app).uow_factory is not None


def test_an_answer_is_counted_under_its_rule_and_carries_the_usual_headers(
    middleware: ApiMiddleware,
) -> None:
    rule = "/api/v1/things/<ref>"
    before = metrics.requests("GET", rule, "200")._value.get()
    heads: list[Any] = []
    environ = EnvironBuilder(
        "/api/v1/things/a", headers={"X-Request-Id": "mine-1234"}
    ).get_environ()
    b"".join(middleware(environ, lambda *given: heads.append(given)))
    [(status, headers)] = heads
    named = dict(headers)
    assert status == "200 OK"
    assert len(headers) == len(named)
    assert named["X-Request-Id"] == "mine-1234"
    assert named["Content-Length"] == "19"
    assert named["X-Content-Type-Options"] == "nosniff"
    assert named["Cache-Control"] == "no-store"
    assert "X-Campaign-Time" in named
    assert metrics.requests("GET", rule, "200")._value.get() == before + 1


def test_no_endpoint_of_a_slice_asks_flask_for_its_request() -> None:
    """The middleware makes no Flask request; only pages and the composition root use Flask."""
    own = {"base", "console", "emulator", "demo"}
    asking = [
        path.as_posix()
        for path in Path("server").rglob("*.py")
        if path.parent != Path("server") and path.parts[1] not in own
        if "from flask import" in path.read_text(encoding="utf-8")
    ]
    # Public pages.
    assert sorted(asking) == [
        "server/announcements/publishing/feed_page.py",
        "server/announcements/publishing/public_page.py",
        "server/certificates/verify_page.py",
    ]
