"""The history of an object: empty for one that was never changed, hidden outside the place."""

from __future__ import annotations

from server.audit.console import PAGES
from server.audit.service import Subject, record_change
from server.base.access import Scope
from server.base.uow import UnitOfWorkFactory
from tests.kit.console import PEOPLE, Browser, console_app


def test_an_object_without_changes_has_an_empty_history(uow_factory: UnitOfWorkFactory) -> None:
    console, _ = console_app(uow_factory, PAGES)
    with uow_factory.begin() as uow:
        subject = Subject("question", "q_of_liuzhou", Scope(city="450200"))
        record_change(uow, PEOPLE["editor-region"], "quiz.edit_question", subject, after={"a": 1})
    browser = Browser(console, "editor-city")
    status, shown = browser.get("/audit/question/q_imported")
    assert (status, "还没有修改记录" in shown) == (200, True)
    assert browser.get("/audit/question/q_of_liuzhou")[0] == 404
    assert (
        "还没有修改记录"
        not in Browser(console, "editor-region").get("/audit/question/q_of_liuzhou")[1]
    )
