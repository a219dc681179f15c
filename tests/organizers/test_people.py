"""Accounts as administrators manage them: invitation, role, recovery, closing, leaving a post."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from server.base.access import Role
from server.base.uow import UnitOfWorkFactory
from server.organizers.models import AccountState, OrganizerAccount
from tests.conftest import application_of
from tests.kit.clock import FakeClock
from tests.kit.console import Browser
from tests.kit.organizers import an_account, logged_in, submit_login


@pytest.fixture
def factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


@pytest.fixture
def admin(app: Flask, factory: UnitOfWorkFactory, clock: FakeClock) -> Browser:
    """The system administrator of Nanning."""
    with factory.begin() as uow:
        an_account(uow, "admin", role=Role.SYSTEM_ADMIN)
    return logged_in(app, clock, "admin")


def add_account(factory: UnitOfWorkFactory, username: str, place: str, role: Role) -> str:
    with factory.begin() as uow:
        return an_account(uow, username, place=place, role=role).ref


def read_account(factory: UnitOfWorkFactory, username: str) -> OrganizerAccount:
    with factory.begin(read_only=True) as uow:
        found = select(OrganizerAccount).where(OrganizerAccount.username == username)
        return uow.session.scalars(found).one()


def invitation(**changed: str) -> dict[str, str]:
    return {"username": "nong", "name": "农", "role": "editor", "place": "county:450103", **changed}


def test_an_invitation_shows_its_link_once_and_the_link_opens(
    app: Flask, admin: Browser, factory: UnitOfWorkFactory
) -> None:
    status, shown = admin.ask("POST", "/organizers/invite", invitation())
    assert status == 200
    (token,) = re.findall(r"/console/links/([\w-]+)", shown)
    assert Browser(app).get(f"/links/{token}")[0] == 200
    account = read_account(factory, "nong")
    assert (account.state, account.owner) == (AccountState.INVITED, "county:450103")
    page = admin.get(f"/organizers/{account.ref}")[1]
    assert token not in page
    assert "等待启用" in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"username": "admin"}, "已经有人使用"),
        ({"username": "X"}, "用户名为3到32个字符"),
        ({"place": "region"}, "请选择您管理范围之内的地方"),
        ({"place": "city:450200"}, "请选择您管理范围之内的地方"),
        ({"place": "nowhere"}, "请选择您管理范围之内的地方"),
        ({"role": "king"}, "请从列表中选择一项"),
        ({"name": ""}, "请填写姓名"),
    ],
)
def test_an_invitation_stays_inside_the_own_place_and_says_what_is_wrong(
    admin: Browser, changed: dict[str, str], said: str
) -> None:
    status, shown = admin.ask("POST", "/organizers/invite", invitation(**changed))
    assert status == 422
    assert said in shown


def test_another_role_ends_the_sessions_of_the_account(
    app: Flask, admin: Browser, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    ref = add_account(factory, "wei", "city:450100", Role.EDITOR)
    wei = logged_in(app, clock)
    form = {"role": "approver", "place": "county:450103", "reason": "岗位调整"}
    assert admin.ask("POST", f"/organizers/{ref}/role", form)[0] == 303
    assert wei.get()[0] == 303
    account = read_account(factory, "wei")
    assert (account.role, account.owner) == (Role.APPROVER, "county:450103")
    outside = {**form, "place": "region"}
    assert admin.ask("POST", f"/organizers/{ref}/role", outside)[0] == 422


def test_a_recovery_link_ends_the_sessions_at_once(
    app: Flask, admin: Browser, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    ref = add_account(factory, "wei", "city:450100", Role.EDITOR)
    wei = logged_in(app, clock)
    status, shown = admin.ask("POST", f"/organizers/{ref}/link", {})
    assert status == 200
    assert "24小时内不能审核" in shown
    assert wei.get()[0] == 303


def test_a_closed_account_cannot_log_in_and_stays_closed(
    app: Flask, admin: Browser, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    ref = add_account(factory, "wei", "city:450100", Role.EDITOR)
    wei = logged_in(app, clock)
    assert admin.ask("POST", f"/organizers/{ref}/close", {"reason": "离职"})[0] == 303
    assert wei.get()[0] == 303
    assert submit_login(Browser(app)).status_code == 401
    assert admin.ask("POST", f"/organizers/{ref}/close", {"reason": "离职"})[0] == 409
    assert admin.ask("POST", f"/organizers/{ref}/link", {})[0] == 409


def test_nobody_changes_recovers_or_closes_the_own_account(
    admin: Browser, factory: UnitOfWorkFactory
) -> None:
    ref = read_account(factory, "admin").ref
    form = {"role": "approver", "place": "city:450100", "reason": "x", "successor": ref}
    for act in ("role", "link", "close", "leave"):
        assert admin.ask("POST", f"/organizers/{ref}/{act}", form)[0] == 409, act


def test_who_leaves_hands_over_to_somebody_fit(
    admin: Browser, factory: UnitOfWorkFactory, app: Flask
) -> None:
    leaving = add_account(factory, "wei", "county:450103", Role.EDITOR)
    fit = add_account(factory, "lan", "city:450100", Role.EDITOR)
    unfit = add_account(factory, "mo", "city:450100", Role.APPROVER)
    page = admin.get(f"/organizers/{leaving}/leave")[1]
    assert re.findall(r'<option value="(org_\w+)"', page) == [fit]
    form = {"successor": unfit, "reason": "调走"}
    assert admin.ask("POST", f"/organizers/{leaving}/leave", form)[0] == 409
    assert read_account(factory, "wei").state is AccountState.ACTIVE
    assert admin.ask("POST", f"/organizers/{leaving}/leave", {**form, "successor": fit})[0] == 303
    assert read_account(factory, "wei").state is AccountState.CLOSED


def test_the_list_is_filtered_and_goes_on(admin: Browser, factory: UnitOfWorkFactory) -> None:
    for number in range(3):
        add_account(factory, f"wei{number}", "city:450100", Role.EDITOR)
    first = admin.get("/organizers?limit=2")[1]
    assert re.findall(r"<td class=\"nowrap\">(wei\d|admin)</td>", first) == ["wei2", "wei1"]
    (following,) = re.findall(r"after=([^&\"]+)", first)
    second = admin.get(f"/organizers?limit=2&after={following}")[1]
    assert re.findall(r"<td class=\"nowrap\">(wei\d|admin)</td>", second) == ["wei0", "admin"]
    assert "没有符合条件的管理人员" in admin.get("/organizers?q=nobody")[1]
