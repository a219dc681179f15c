"""The first page: what waits for the organizer, by the providers of all slices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import func, select

from server import slices
from server.base.access import Organizer
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
