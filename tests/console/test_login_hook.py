"""Visitors are sent to the login that a higher layer provides, and come back to their page."""

from __future__ import annotations

import pytest
from flask import Flask

from server.base.uow import UnitOfWorkFactory
from server.console.assets import Assets
from server.console.form_session import install_form_session
from server.console.frame import Account, Console
from server.console.home import PAGES as HOME
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
        ("POST", "/console/rules/x/off?secret=1", "/console/rules/x/off"),
    ],
)
def test_a_visitor_is_sent_to_the_login_with_the_way_back(
    app: Flask, method: str, path: str, back: str
) -> None:
    answer = app.test_client().open(path, method=method, headers={"Host": "forged.example"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/console/login?next={back}"


def test_htmx_loads_the_login_as_a_page_of_its_own(app: Flask) -> None:
    answer = app.test_client().get("/console/rules", headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/console/login?next=/console/rules"
    assert "Location" not in answer.headers
    assert "HX-Request" in answer.headers["Vary"]


def test_a_session_that_ended_is_sent_to_the_login_too(app: Flask) -> None:
    assert Browser(app, "nobody").open("GET", "", {}).status_code == 303


def test_everybody_signed_in_finds_the_own_account_and_the_way_out(app: Flask) -> None:
    shown = Browser(app, "editor-city").get()[1]
    assert '<a href="/console/account">' in shown
    assert '<form method="post" action="/console/logout">' in shown
