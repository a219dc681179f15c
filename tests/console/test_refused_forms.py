"""A refused POST keeps what was typed; whoever is second reads that somebody was faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from flask import Flask
from wtforms import HiddenField, PasswordField, SelectField, StringField

from server import slices
from server.base.errors import AlreadyDone, AppError, Conflict, NotFound
from server.base.uow import UnitOfWorkFactory
from server.base.web.page import FieldRefused, PageRoute, Pages
from server.console.forms import ConsoleForm
from server.console.home import PAGES as HOME
from tests.console.test_every_page import fill_address, who_may_open
from tests.kit.console import Browser, console_app

# Its form is shown for a chosen unit alone, which a refusal may concern.
BEGINS_ANEW = "POST /units/<ref>/merge"
TYPED = "刚才写的<字>"
Refuse = Callable[[PageRoute], AppError]


def refuse_every_change(uow_factory: UnitOfWorkFactory, refuse: Refuse) -> Flask:
    """The console, with views of POSTs that all raise a refusal."""

    def refusing(route: PageRoute) -> PageRoute:
        def raise_refusal(*_given: Any, **_named: Any) -> Any:
            raise refuse(route)

        raise_refusal.__name__ = route.view.__name__
        return replace(route, view=raise_refusal, ask=None) if route.method == "POST" else route

    tables = {
        pages.tag: Pages(pages.tag, pages.folder, [refusing(route) for route in pages.routes])
        for pages in slices.PAGES
    }
    first = tables.pop(HOME.tag)
    return console_app(uow_factory, *tables.values(), first=first)[0]


def every_change() -> Iterator[PageRoute]:
    for pages in slices.PAGES:
        for route in pages.routes:
            if route.method == "POST":
                yield route


def texts_of(route: PageRoute) -> list[str]:
    """The fields of a form in which a person writes."""
    assert route.form is not None
    with Flask("tests").test_request_context("/console"):
        form = route.form(formdata=None)
    return [
        one.name
        for one in form
        if isinstance(one, StringField)
        and not isinstance(one, HiddenField | PasswordField | SelectField)
    ]


def send_change(app: Flask, uow_factory: UnitOfWorkFactory, route: PageRoute) -> tuple[int, str]:
    given = dict.fromkeys(texts_of(route), TYPED) if route.form is not None else {}
    browser = Browser(app, who_may_open(route))
    status, shown = browser.ask("POST", fill_address(uow_factory, route), given)
    return status, unescape(shown)


@pytest.fixture
def any_form_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConsoleForm, "validate", lambda _form, **_more: True)


@pytest.mark.usefixtures("any_form_is_valid")
def test_every_refused_change_stays_on_its_page_with_what_was_typed(
    uow_factory: UnitOfWorkFactory,
) -> None:
    app = refuse_every_change(uow_factory, lambda _route: Conflict())
    faults = []
    for route in every_change():
        status, shown = send_change(app, uow_factory, route)
        told = "现在不能这样做。" in shown
        menu = '<nav class="side"' in shown
        anew = route.form is None or not texts_of(route) or route.spelled == BEGINS_ANEW
        kept = anew or ("<form" in shown and TYPED in shown)
        if (status, told, menu, kept, "未能打开" in shown) != (409, True, True, True, False):
            faults.append(f"{route.spelled}: {status} {told=} {menu=} {kept=}")
    assert faults == [], "\n".join(faults)


@pytest.mark.usefixtures("any_form_is_valid")
def test_every_field_can_be_refused_with_its_sentence(uow_factory: UnitOfWorkFactory) -> None:
    def refuse_text(route: PageRoute) -> AppError:
        return FieldRefused((*texts_of(route), "nothing")[0], "console.form.no_number")

    app = refuse_every_change(uow_factory, refuse_text)
    faults = []
    for route in every_change():
        if route.form is not None and route.spelled != BEGINS_ANEW:
            status, shown = send_change(app, uow_factory, route)
            typed = TYPED in shown or not texts_of(route)
            if (status, "请填写数字。" in shown, typed) != (422, True, True):
                faults.append(f"{route.spelled}: {status} {typed=}")
    assert faults == [], "\n".join(faults)


@pytest.mark.usefixtures("any_form_is_valid")
def test_whoever_is_second_reads_that_it_is_done_and_where_it_stands(
    uow_factory: UnitOfWorkFactory,
) -> None:
    app = refuse_every_change(uow_factory, lambda _route: AlreadyDone())
    faults = []
    for route in every_change():
        status, shown = send_change(app, uow_factory, route)
        seen = ("已经办理" in shown, "查看现在的情况" in shown, "未能打开" in shown)
        typed = TYPED in shown or route.form is None or not texts_of(route)
        if (status, *seen, typed) != (409, True, True, False, True):
            faults.append(f"{route.spelled}: {status} {seen} {typed=}")
    assert faults == [], "\n".join(faults)


@pytest.mark.usefixtures("any_form_is_valid")
def test_a_form_whose_token_expired_comes_back_with_a_new_one(
    uow_factory: UnitOfWorkFactory,
) -> None:
    app = refuse_every_change(uow_factory, lambda _route: Conflict())
    route = next(one for one in every_change() if one.spelled == "POST /questions/<ref>/return")
    browser = Browser(app, who_may_open(route))
    given = {"csrf_token": "worn", "remark": TYPED}
    path = fill_address(uow_factory, route)
    status, shown = browser.ask("POST", path, given)
    assert (status, TYPED in unescape(shown)) == (400, True)
    assert "页面停留太久" in shown
    assert 'name="csrf_token"' in shown


@pytest.mark.usefixtures("any_form_is_valid")
def test_a_choice_that_is_gone_is_told_in_the_form_and_a_missing_object_is_not_found(
    uow_factory: UnitOfWorkFactory,
) -> None:
    app = refuse_every_change(uow_factory, lambda _route: NotFound())
    route = next(one for one in every_change() if one.spelled == "POST /questions/<ref>/return")
    status, shown = send_change(app, uow_factory, route)
    assert (status, TYPED in shown, "已经不存在，请重新选择" in shown) == (404, True, True)
    missing = Browser(app, who_may_open(route)).ask("POST", "/questions/q_none/return", {})
    assert (missing[0], "未能打开" in missing[1]) == (404, True)
