"""Visitors are sent to the login that a higher layer provides, and come back to their page."""

from __future__ import annotations

import pytest
from flask import Flask

from server.base.uow import UnitOfWorkFactory
from server.console.assets import Assets
from server.console.form_session import install_form_session
from server.console.frame import Console
from server.console.home import PAGES as HOME
from server.console.layout import Account
from server.console.templates import Templates
from tests.kit.console import Browser, resolve_test_session
from tests.kit.console_rules import PAGES

LOGIN = Account(login="/console/login", logout="/console/logout", settings="/console/account")


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    dependencies = uow_factory.dependencies
    made = Flask("tests", static_folder=None)
    install_form_session(made, dependencies.settings, dependencies.keys)
    console = Console(
        uow_factory=uow_factory,
        tables=(HOME, PAGES),
        templates=Templates((HOME, PAGES), dependencies.texts, Assets()),
        resolve=resolve_test_session,
        audit=lambda _uow, _entry: None,
        account=LOGIN,
    )
    made.register_blueprint(console.build_blueprint())
    return made


@pytest.mark.parametrize(
    ("method", "path", "back"),
    [
        ("GET", "/console/rules?a=1&b=%E4%B8%AD", "/console/rules%3Fa%3D1%26b%3D%25E4%25B8%25AD"),
        ("GET", "/console", "/console"),
        # The address of a button is no page: the nearest page above it is opened.
        ("POST", "/console/rules/x/off?secret=1", "/console/rules/x"),
        ("POST", "/console/rules/x/edit", "/console/rules/x/edit"),
    ],
)
def test_a_visitor_is_sent_to_the_login_with_the_way_back(
    app: Flask, method: str, path: str, back: str
) -> None:
    answer = app.test_client().open(path, method=method, headers={"Host": "forged.example"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/console/login?next={back}"


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://x/console/rules?state=on", "/console/rules%3Fstate%3Don"),
        ("http://x/console/rules/y/off", "/console/rules/x"),
        ("http://x/consolex", "/console/rules/x"),
        ("//evil.example/console/rules", "/console/rules"),
        ("", "/console/rules/x"),
    ],
)
def test_after_a_form_the_login_leads_back_to_the_page_with_the_form(
    app: Flask, referer: str, back: str
) -> None:
    answer = app.test_client().post("/console/rules/x/off", headers={"Referer": referer})
    assert answer.headers["Location"] == f"/console/login?next={back}"


def test_htmx_loads_the_login_as_a_page_of_its_own(app: Flask) -> None:
    answer = app.test_client().get("/console/rules", headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/console/login?next=/console/rules"
    assert "Location" not in answer.headers
    assert "HX-Request" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("shown", "back"),
    [
        ("http://x/console/rules/new?base=a", "/console/rules/new%3Fbase%3Da"),
        ("http://x/elsewhere", "/console/rules"),
        ("//evil.example/console/rules/y", "/console/rules/y"),
    ],
)
def test_after_the_login_the_whole_page_is_shown_and_not_a_part_of_it(
    app: Flask, shown: str, back: str
) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": shown}
    answer = app.test_client().get("/console/rules", headers=headers)
    assert answer.headers["HX-Redirect"] == f"/console/login?next={back}"


def test_a_refusal_keeps_the_menu_for_those_who_are_signed_in(app: Flask) -> None:
    status, shown = Browser(app, "editor-city").get("/nothing/here")
    assert (status, "未能打开" in shown) == (404, True)
    assert '<nav class="side"' in shown
    assert '<nav class="side"' not in app.test_client().get("/console/nothing/here").text


def test_a_session_that_ended_is_sent_to_the_login_too(app: Flask) -> None:
    assert Browser(app, "nobody").open("GET", "", {}).status_code == 303


def test_everybody_signed_in_finds_the_own_account_and_the_way_out(app: Flask) -> None:
    shown = Browser(app, "editor-city").get()[1]
    assert '<a href="/console/account">' in shown
    assert '<form method="post" action="/console/logout" data-forget>' in shown
