"""The first page: what waits for the organizer, by the providers of all slices."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import func, select

from server import slices
from server.base.access import Organizer, Role
from server.base.ownership import writable_by
from server.base.uow import Hooks, UnitOfWork, UnitOfWorkFactory
from server.base.web.page import Waiting
from server.channel.models import KeywordRule, RuleState
from tests.kit.console import NANNING, Browser, console_app
from tests.kit.console_rules import make_rule


def count_rules(uow: UnitOfWork, organizer: Organizer) -> Iterable[Waiting]:
    rows = writable_by(select(func.count(KeywordRule.id)), organizer, KeywordRule)
    yield Waiting(
        count=uow.session.scalar(rows) or 0, said="console.list.count", path="/rules?state=on"
    )
    yield Waiting(count=0, said="console.list.wait", path="/nothing")


def with_waiting(uow_factory: UnitOfWorkFactory) -> UnitOfWorkFactory:
    hooks = Hooks(waiting=(count_rules,))
    return UnitOfWorkFactory(uow_factory.engine, replace(uow_factory.dependencies, hooks=hooks))


def test_what_waits_is_told_by_number_and_leads_to_its_page(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        make_rule(uow, NANNING, RuleState.ON)
    app, _ = console_app(with_waiting(uow_factory))
    shown = Browser(app, "editor-city").get()[1]
    assert '<a href="/console/rules?state=on"><span class="count">1</span>' in shown
    assert "共 1 条" in shown
    assert "/console/nothing" not in shown
    # What waits follows the place.
    assert "现在没有等您办理的事项。" in Browser(app, "editor-other").get()[1]


def test_the_providers_of_every_slice_reach_the_first_page() -> None:
    declared = [provide for one in slices.SLICES for provide in one.waiting]
    assert list(slices.HOOKS.waiting) == declared


def test_what_one_may_do_leads_to_its_pages_and_nothing_without_a_page_is_listed(
    uow_factory: UnitOfWorkFactory,
) -> None:
    tables = [pages for pages in slices.PAGES if pages.tag != "console"]
    app, _ = console_app(uow_factory, *tables)
    for role in Role:
        browser = Browser(app, f"{role.value}-region")
        shown = browser.get()[1]
        (listed,) = re.findall(r'<section aria-labelledby="powers">.*?</section>', shown, re.S)
        links = re.findall(r'<li><a href="/console([^"]+)">', listed)
        assert len(links) == listed.count("<li>") > 2, role
        (menu,) = re.findall(r"<nav class=\"side\".*?</nav>", shown, re.S)
        assert all(f'href="/console{link}"' in menu for link in links), role
        # No page of the console writes replies or codes yet.
        assert "自动回复" not in listed
        assert "二维码" not in listed
