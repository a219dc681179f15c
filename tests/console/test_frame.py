"""What the frame does around every page: forms, tokens, audit, refusals, headers, the menu."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import flask
import pytest
from flask import Flask
from flask.sessions import NullSession
from sqlalchemy import select

from server.app import Overrides, create_app
from server.base.access import Organizer, Permission
from server.base.database_away import DatabaseAway
from server.base.errors import AppError, TooManyRequests
from server.base.settings import Settings
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.page import (
    FieldRefused,
    Page,
    PagePreflight,
    PageRefused,
    Pages,
    Redirect,
    Visit,
    VisitReply,
    open_page,
    page,
)
from server.channel.models import KeywordRule, RuleState
from server.console.assets import Assets
from server.console.frame import POLICY
from server.console.templates import Templates
from tests.kit.clock import FakeClock
from tests.kit.console import NANNING, Browser, console_app, resolve_test_session
from tests.kit.console_rules import PAGES, RuleForm, make_rule
from tests.kit.gateway import RecordingGateway

EDITOR = "editor-city"
SLUG = "rule-city-450100-on"


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    with uow_factory.begin() as uow:
        make_rule(uow, NANNING, RuleState.ON)
    app, app_audit = console_app(uow_factory, PAGES)
    app.extensions["audit"] = app_audit
    return app


def text_of(uow_factory: UnitOfWorkFactory) -> str | None:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalar(select(KeywordRule.text))


def test_a_change_is_kept_told_on_the_next_page_and_written_to_the_audit(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    browser = Browser(app, EDITOR)
    answer = browser.open("POST", f"/rules/{SLUG}/edit", {"text": "新的回复"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/rules")
    assert text_of(uow_factory) == "新的回复"
    _, shown = browser.get("/rules")
    assert '<p class="said" role="status">首页</p>' in shown
    assert "said" not in browser.get("/rules")[1]
    (entry,) = app.extensions["audit"]
    assert (entry.page, entry.places) == ("POST /rules/<slug>/edit", {"slug": SLUG})
    assert (entry.organizer.place, entry.network) == ("南宁市", "127.0.0.1")


def test_a_wrong_form_comes_back_with_what_was_typed_and_changes_nothing(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    typed = "<b>二十个字</b>再加上很多字"
    status, shown = Browser(app, EDITOR).ask(
        "POST", f"/rules/{SLUG}/edit", {"text": typed, "priority": "x"}
    )
    assert status == 422
    assert "&lt;b&gt;二十个字&lt;/b&gt;再加上很多字" in shown
    assert "有 2 处需要修改" in shown
    assert re.search(
        r'aria-describedby="text-wrong".*?id="text-wrong">请从列表中选择一项。<', shown, re.S
    )
    assert 'id="priority-wrong">请填写数字。<' in shown
    assert text_of(uow_factory) == "reply"
    assert app.extensions["audit"] == []


def test_a_field_that_the_service_refuses_is_shown_again_and_changes_nothing(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        make_rule(uow, NANNING, RuleState.ON)

    def refuse_text(uow: UnitOfWork, organizer: Organizer, slug: str, form: RuleForm) -> Redirect:
        (route,) = (r for r in PAGES.routes if r.spelled == "POST /rules/<slug>/edit")
        route.view(uow, organizer, slug, form)
        raise FieldRefused("text", "console.form.no_choice")

    routes = [
        replace(r, view=refuse_text) if r.spelled == "POST /rules/<slug>/edit" else r
        for r in PAGES.routes
    ]
    app, audit = console_app(uow_factory, Pages(PAGES.tag, PAGES.folder, routes))
    status, shown = Browser(app, EDITOR).ask("POST", f"/rules/{SLUG}/edit", {"text": "新的"})
    assert status == 422
    assert 'value="新的"' in shown
    assert 'id="text-wrong">请从列表中选择一项。<' in shown
    assert text_of(uow_factory) == "reply"
    assert audit == []


def test_what_a_page_asks_before_its_transaction_reaches_the_view(
    uow_factory: UnitOfWorkFactory,
) -> None:
    depths = []

    def ask_depth(preflight: PagePreflight) -> str:
        depths.append(preflight.uow_factory.depth)
        return preflight.organizer.place

    def store_place(uow: UnitOfWork, organizer: Organizer, asked: str) -> Redirect:
        depths.append(uow_factory.depth)
        return Redirect(f"/{asked}")

    pages = Pages("one", PAGES.folder)
    page(pages, "POST", "/one", needs=Permission.CONSOLE_OPEN, ask=ask_depth)(store_place)
    app, _ = console_app(uow_factory, pages)
    answer = Browser(app, EDITOR).open("POST", "/one", {})
    assert (answer.status_code, depths) == (303, [0, 1])


def test_an_open_page_needs_no_session_and_its_form_needs_a_token(
    uow_factory: UnitOfWorkFactory,
) -> None:
    pages = Pages("one", PAGES.folder)

    def greet(visit: Visit) -> VisitReply:
        return VisitReply(shown=Redirect("/x"), status=200, renewed=True)

    open_page(pages, "POST", "/open")(greet)
    app, _ = console_app(uow_factory, pages)
    browser = Browser(app)
    assert browser.client.post("/console/open").status_code == 400
    assert browser.open("POST", "/open", {}).status_code == 303
    with browser.client.session_transaction("/console") as session:
        assert dict(session) == {}
    assert browser.open("GET", "/open", {}).status_code == 404


@pytest.mark.parametrize("token", [None, "", "x", "stale"])
def test_a_form_without_the_token_of_its_browser_is_refused(
    app: Flask, uow_factory: UnitOfWorkFactory, token: str | None
) -> None:
    browser = Browser(app, EDITOR)
    # A token of another browser is signed just as well.
    given = Browser(app, EDITOR).token() if token == "stale" else token
    form = {"text": "x"} if given is None else {"text": "x", "csrf_token": given}
    with browser.client.session_transaction("/console") as session:
        session["csrf_token"] = "1" * 40
    answer = browser.client.post(f"/console/rules/{SLUG}/edit", data=form)
    assert answer.status_code == 400
    assert "没有保存" in answer.text
    assert text_of(uow_factory) == "reply"


def test_the_token_that_a_form_shows_is_taken(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    client = Browser(app, EDITOR).client
    shown = client.get(f"/console/rules/{SLUG}/edit").text
    (token,) = re.findall(r'name="csrf_token" value="([^"]+)"', shown)
    form = {"csrf_token": token, "text": "真的"}
    assert client.post(f"/console/rules/{SLUG}/edit", data=form).status_code == 303
    assert text_of(uow_factory) == "真的"


def test_the_cookie_of_forms_goes_to_the_console_alone(
    uow_factory: UnitOfWorkFactory, settings: Settings
) -> None:
    with uow_factory.begin() as uow:
        make_rule(uow, NANNING, RuleState.ON)
    for environment, secure in (("production", True), ("demo", False)):
        app, _ = console_app(
            uow_factory, PAGES, settings=replace(settings, environment=environment)
        )
        answer = Browser(app, EDITOR).client.get(f"/console/rules/{SLUG}/edit")
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("kepu_console_form=")
        assert ("Secure" in cookie) is secure
        for wanted in ("HttpOnly", "Path=/console", "SameSite=Lax"):
            assert wanted in cookie


def failing(trouble: Exception) -> Callable[..., Page]:
    def view(uow: UnitOfWork, organizer: Organizer) -> Page:
        raise trouble

    return view


def one_page(view: Callable[..., Any], method: str = "GET") -> Pages:
    pages = Pages("one", PAGES.folder)
    page(pages, method, "/one", needs=Permission.CONSOLE_OPEN)(view)
    return pages


@pytest.mark.parametrize("who", [None, EDITOR])
def test_the_first_page_answers_with_and_without_a_last_slash(
    uow_factory: UnitOfWorkFactory, who: str | None
) -> None:
    app, _ = console_app(uow_factory, PAGES)
    client = Browser(app, who).client
    bare, slashed = client.get("/console"), client.get("/console/")
    assert bare.status_code == slashed.status_code == (200 if who else 401)
    assert bare.headers["Content-Type"] == slashed.headers["Content-Type"]
    assert client.delete("/console/").status_code == client.delete("/console").status_code == 405
    assert client.get("/console//").status_code == 404


@pytest.mark.parametrize(
    ("trouble", "status"),
    [(RuntimeError("secret"), 500), (DatabaseAway(), 503), (TooManyRequests(7), 429)],
)
def test_every_failure_is_a_page_that_tells_nothing_of_its_cause(
    uow_factory: UnitOfWorkFactory,
    trouble: Exception,
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    app, _ = console_app(uow_factory, one_page(failing(trouble)))
    answer = Browser(app, EDITOR).open("GET", "/one", {})
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert "secret" not in answer.text
    assert 'href="/console"' in answer.text
    assert ("Retry-After" in answer.headers) is isinstance(trouble, AppError)
    assert ("unhandled error" in caplog.text) is (status == 500)


@pytest.mark.parametrize("who", [None, EDITOR, "system_admin-region"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/rules/", "/rules/%00", "/a//b", "//rules", "/assets/none.css"]
)
def test_no_address_of_the_console_answers_in_json_or_with_an_address_of_its_own(
    app: Flask, who: str | None, method: str, path: str
) -> None:
    browser = Browser(app, who)
    answer = browser.client.open(
        f"/console{path}", method=method, headers={"Host": "forged.example"}
    )
    assert answer.mimetype == "text/html"
    assert "Location" not in answer.headers
    assert "forged" not in answer.text
    if who is None or method != "GET":
        assert answer.status_code in (401, 404, 405)


def test_every_page_forbids_what_it_does_not_need(app: Flask) -> None:
    for who, path in ((None, ""), (EDITOR, ""), (EDITOR, "/nothing"), (EDITOR, "/rules")):
        headers = Browser(app, who).open("GET", path, {}).headers
        assert headers["Content-Security-Policy"] == POLICY
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Frame-Options"] == "DENY"
    assert "unsafe" not in POLICY


def test_the_menu_shows_what_the_role_may_open(app: Flask) -> None:
    menus = {
        who: re.findall(r'<li><a href="([^"]+)"', Browser(app, who).get()[1].split("</nav>")[0])
        for who in (EDITOR, "auditor-unit", "system_admin-region")
    }
    assert menus == {
        EDITOR: ["/console", "/console/jobs", "/console/rules"],
        "auditor-unit": ["/console", "/console/jobs", "/console/rules"],
        "system_admin-region": ["/console", "/console/jobs"],
    }


def test_a_view_that_forgets_the_scope_is_stopped_before_it_shows_a_row(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        make_rule(uow, NANNING, RuleState.ON)

    def leaky(uow: UnitOfWork, organizer: Organizer) -> Page:
        return Page("sample/rules.html", rules=uow.session.scalars(select(KeywordRule)).all())

    app, _ = console_app(uow_factory, PAGES, one_page(leaky))
    status, shown = Browser(app, EDITOR).get("/one")
    assert status == 500
    assert "reply" not in shown


def test_a_failed_change_leaves_neither_the_change_nor_its_audit(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        make_rule(uow, NANNING, RuleState.ON)

    def audit(uow: UnitOfWork, entry: object) -> None:
        raise RuntimeError("the trail is full")

    app, _ = console_app(uow_factory, PAGES)
    broken, _ = console_app(uow_factory, PAGES, audit=audit)
    assert Browser(broken, EDITOR).ask("POST", f"/rules/{SLUG}/off", {})[0] == 500
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(KeywordRule.state)) is RuleState.ON
    assert Browser(app, EDITOR).ask("POST", f"/rules/{SLUG}/off", {})[0] == 303


def view(uow: UnitOfWork, organizer: Organizer) -> Page:
    return Page("one/x.html")


def form_view(uow: UnitOfWork, organizer: Organizer, form: RuleForm) -> Redirect:
    return Redirect("/")


def asking_view(uow: UnitOfWork, organizer: Organizer, asked: str) -> Redirect:
    return Redirect(asked)


WRONG: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (view, {"method": "PUT"}, "the method is one of"),
    (view, {"needs": "console.open"}, "say needs=Permission"),
    (view, {"needs": None}, "say needs=Permission"),
    (view, {"path": "/x/<ref>"}, r"the view takes \(uow, organizer, ref\)"),
    (lambda uow: Page("one/x.html"), {}, r"the view takes \(uow, organizer\)"),
    (form_view, {}, r"the view takes \(uow, organizer\)"),
    (form_view, {"method": "POST", "form": RuleForm}, "declare first the GET of the same path"),
    (view, {"ask": view}, r"the view takes \(uow, organizer, asked\)"),
    (asking_view, {"ask": view}, "only a POST has something to `ask`"),
    (view, {"method": "POST", "menu": "console.menu.home"}, "only a GET without places"),
]


@pytest.mark.parametrize(("declared", "given", "said"), WRONG)
def test_a_page_that_cannot_work_is_refused_where_it_is_declared(
    declared: Callable[..., Any], given: dict[str, Any], said: str
) -> None:
    facts = {"method": "GET", "path": "/x", "needs": Permission.CONSOLE_OPEN, **given}
    with pytest.raises(PageRefused, match=said):
        page(Pages("one", Path()), facts.pop("method"), facts.pop("path"), **facts)(declared)


def test_two_tables_of_pages_with_one_tag_are_refused(uow_factory: UnitOfWorkFactory) -> None:
    with pytest.raises(ValueError, match="two tables of pages have the tag sample"):
        Templates((PAGES, PAGES), uow_factory.dependencies.texts, Assets())


def test_a_value_that_a_template_names_and_nobody_gave_is_a_failure(
    uow_factory: UnitOfWorkFactory, caplog: pytest.LogCaptureFixture
) -> None:
    def empty(uow: UnitOfWork, organizer: Organizer) -> Page:
        return Page("sample/rules.html")

    app, _ = console_app(uow_factory, PAGES, one_page(empty))
    with caplog.at_level(logging.ERROR):
        assert Browser(app, EDITOR).get("/one")[0] == 500
    assert "'rules' is undefined" in str(caplog.records[-1].exc_info)


def test_the_whole_server_shows_the_page_of_the_session_that_it_is_given(
    settings: Settings, clock: FakeClock, gateway: RecordingGateway
) -> None:
    given = Overrides(clock=clock, gateway=gateway, signed_in=resolve_test_session)
    server = create_app(settings, given)
    for path in ("", "/"):
        status, shown = Browser(server, "editor-county").get(path)
        assert status == 200
        assert "南宁市青秀区" in shown
        (address,) = re.findall(r'href="(/console/assets/console[^"]+)"', shown)
    sheet = server.test_client().get(address)
    assert (sheet.status_code, sheet.mimetype) == (200, "text/css")
    server.extensions["kepu"].uow_factory.engine.dispose()


def test_no_other_address_opens_the_session_of_forms(app: Flask) -> None:
    opened = {}
    for path in ("/console/rules", "/consoles", "/api/v1/me", "/"):
        with app.test_request_context(path):
            opened[path] = not isinstance(flask.session._get_current_object(), NullSession)  # type: ignore[attr-defined]
    assert opened == {"/console/rules": True, "/consoles": False, "/api/v1/me": False, "/": False}
