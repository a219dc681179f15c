"""The pages of final ranks: a refused instant keeps the form, an end at midnight is 24:00."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from server.audit.service import record_page
from server.base.clock import BEIJING
from server.base.uow import UnitOfWorkFactory
from server.quiz.contests.service import ContestView
from server.quiz.sealing.console import PAGES
from tests.kit.clock import FakeClock
from tests.kit.console import Browser, console_app
from tests.kit.quiz import open_contest


@pytest.fixture
def contest(uow_factory: UnitOfWorkFactory) -> ContestView:
    return open_contest(uow_factory)


@pytest.fixture
def console(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES, audit=record_page)[0]


def test_a_freeze_in_the_past_is_refused_at_its_field_and_the_reason_stays(
    console: Flask, contest: ContestView, clock: FakeClock
) -> None:
    browser = Browser(console, "approver-region")
    path = f"/contests/{contest.ref}/final/freeze"
    given = {"freezes_at": "2020-01-01T08:00", "reason": "决赛前一小时"}
    status, shown = browser.ask("POST", path, given)
    assert status == 422
    assert "冻结时间至少要在一分钟以后" in shown
    assert "决赛前一小时" in shown
    later = (clock.now() + timedelta(hours=1)).astimezone(BEIJING)
    given["freezes_at"] = f"{later:%Y-%m-%dT%H:%M}"
    assert browser.ask("POST", path, given)[0] == 303


def test_the_steps_tell_when_the_contest_ends(console: Flask, contest: ContestView) -> None:
    shown = Browser(console, "approver-region").get(f"/contests/{contest.ref}/final")[1]
    assert "结束一分钟以后" in shown
    assert " 00:00结束" not in shown
