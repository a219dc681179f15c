"""The pages of scanner grants: a code that is shown once, its holder, its end."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from server.base.uow import UnitOfWorkFactory
from server.checkin.codes import hash_grant_code
from server.checkin.grant_pages import PAGES
from server.checkin.grants import redeem_grant
from server.checkin.models import ScannerGrant
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture
from tests.kit.checkin_probes import open_hall
from tests.kit.clock import FakeClock
from tests.kit.console import NANNING, Browser, console_app

GRANT = {"gate": "东门", "hours": "0"}


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES)[0]


@pytest.fixture
def lecture(uow_factory: UnitOfWorkFactory) -> Lecture:
    with uow_factory.begin() as uow:
        return open_hall(uow, NANNING)


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codes of the pictures that are drawn."""
    drawn: list[str] = []
    monkeypatch.setattr(
        "server.checkin.grant_pages.draw_grant", lambda code: drawn.append(code) or "data:,x"
    )
    return drawn


def test_the_code_of_a_new_grant_is_shown_once_and_makes_one_citizen_its_holder(
    app: Flask, uow_factory: UnitOfWorkFactory, lecture: Lecture, codes: list[str]
) -> None:
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/grants"
    assert editor.ask("POST", path, {**GRANT, "gate": ""})[0] == 422
    assert editor.ask("POST", path, {**GRANT, "gate": "长" * 21})[0] == 422
    status, shown = editor.ask("POST", path, GRANT)
    assert status == 200
    assert "只显示这一次" in shown
    (code,) = codes
    listed = editor.get(path)[1]
    assert "等待扫码" in listed
    assert code not in listed
    with uow_factory.begin() as uow:
        row = uow.session.scalars(select(ScannerGrant)).one()
        assert row.code_hash == hash_grant_code(code)
        redeem_grant(uow, a_citizen(uow, nickname="韦大姐").id, code)
    listed = editor.get(path)[1]
    assert "使用中" in listed
    assert "工作人员：" in listed


def test_a_grant_ends_at_the_chosen_time_or_when_it_is_revoked(
    app: Flask, uow_factory: UnitOfWorkFactory, lecture: Lecture, clock: FakeClock
) -> None:
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/grants"
    for hours in ("2", "0"):
        assert editor.ask("POST", path, {**GRANT, "hours": hours})[0] == 200
    with uow_factory.begin(read_only=True) as uow:
        ends = uow.session.scalars(select(ScannerGrant.expires_at).order_by(ScannerGrant.id)).all()
        hours = uow.settings.checkin.grant_hours
        assert ends[0] == uow.now + timedelta(hours=2)
        assert ends[1] == uow.now + timedelta(minutes=30, hours=2 + hours)
    clock.advance(2 * 3600)
    listed = editor.get(path)[1]
    assert "已过期" in listed
    (revoke,) = set(re.findall(r'action="/console(/grants/\w+/revoke)"', listed))
    assert editor.ask("POST", revoke, {})[0] == 303
    assert "已收回" in editor.get(path)[1]
    assert editor.ask("POST", revoke, {})[0] == 409


def test_hours_that_were_not_offered_are_refused(app: Flask, lecture: Lecture) -> None:
    path = f"/activities/{lecture.ref}/grants"
    assert Browser(app, "editor-city").ask("POST", path, {**GRANT, "hours": "9000"})[0] == 422


def test_grants_of_another_place_are_neither_made_nor_ended(
    app: Flask, uow_factory: UnitOfWorkFactory, lecture: Lecture
) -> None:
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/grants"
    assert editor.ask("POST", path, GRANT)[0] == 200
    with uow_factory.begin(read_only=True) as uow:
        ref = uow.session.scalars(select(ScannerGrant.ref)).one()
    for who, status in (("editor-other", 404), ("editor-county", 404), ("approver-city", 403)):
        other = Browser(app, who)
        assert other.get(path)[0] == status
        assert other.ask("POST", path, GRANT)[0] == status
        assert other.ask("POST", f"/grants/{ref}/revoke", {})[0] == status
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(ScannerGrant.revoked_at)).all() == [None]
