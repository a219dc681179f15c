"""One-time links: an invitation opens an account, a recovery ends what was before it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from server.base.access import Permission, Role
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.organizers import codes, links
from server.organizers.models import AccountState, LinkPurpose, OrganizerAccount
from server.organizers.sessions import organizer_of
from tests.conftest import application_of
from tests.kit.clock import FakeClock
from tests.kit.console import Browser
from tests.kit.organizers import an_account, code_of, logged_in, submit_login

NEW = "seven-swans-a-swimming"


@pytest.fixture
def factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


def a_link(
    factory: UnitOfWorkFactory, purpose: LinkPurpose, role: Role = Role.APPROVER
) -> tuple[str, str]:
    """The token of a link, and the secret that its page offers."""
    state = AccountState.INVITED if purpose is LinkPurpose.INVITE else AccountState.ACTIVE
    with factory.begin() as uow:
        account = an_account(uow, role=role, state=state)
        token = links.issue_link(uow, account.id, purpose)
        return token, codes.derived_secret(uow.keys, f"link:{token}")


def fill_in(clock: FakeClock, secret: str) -> dict[str, str]:
    return {"password": NEW, "again": NEW, "totp": code_of(clock, secret)}


def the_account(uow: UnitOfWork) -> OrganizerAccount:
    return uow.session.scalars(select(OrganizerAccount)).one()


def test_an_invitation_sets_password_and_code_and_works_once(
    app: Flask, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    token, secret = a_link(factory, LinkPurpose.INVITE)
    browser = Browser(app)
    status, shown = browser.get(f"/links/{token}")
    assert status == 200
    for wanted in ("启用账号", "wei", "审核员", "南宁市", secret, "data:image/svg+xml"):
        assert wanted in shown
    status, done = browser.ask("POST", f"/links/{token}", fill_in(clock, secret))
    assert status == 200
    recovery = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", done)
    assert len(recovery) == 10
    assert browser.get(f"/links/{token}")[0] == 404
    assert browser.ask("POST", f"/links/{token}", fill_in(clock, secret))[0] == 404
    assert submit_login(Browser(app), password=NEW, code=recovery[0]).status_code == 303
    # The code that was typed to set it up is used up as well.
    again = submit_login(Browser(app), password=NEW, code=code_of(clock, secret))
    assert again.status_code == 401


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"again": "another-one-2"}, "两次填写的密码不一样"),
        ({"password": "short", "again": "short"}, "密码太短"),
        ({"password": "", "again": ""}, "请填写密码"),
        ({"totp": ""}, "请填写验证器上显示的6位数字"),
        ({"totp": "000000"}, "验证码不正确"),
    ],
)
def test_a_link_that_was_filled_in_wrongly_can_be_filled_in_again(
    app: Flask, factory: UnitOfWorkFactory, clock: FakeClock, changed: dict[str, str], said: str
) -> None:
    token, secret = a_link(factory, LinkPurpose.INVITE)
    given = {**fill_in(clock, secret), **changed}
    status, shown = Browser(app).ask("POST", f"/links/{token}", given)
    assert status == 422
    assert said in shown
    assert NEW not in shown
    with factory.begin(read_only=True) as uow:
        assert the_account(uow).state is AccountState.INVITED
    assert Browser(app).ask("POST", f"/links/{token}", fill_in(clock, secret))[0] == 200


@pytest.mark.parametrize(
    ("purpose", "valid"),
    [(LinkPurpose.INVITE, timedelta(days=3)), (LinkPurpose.RECOVER, timedelta(hours=24))],
)
def test_a_link_expires(
    app: Flask,
    factory: UnitOfWorkFactory,
    clock: FakeClock,
    purpose: LinkPurpose,
    valid: timedelta,
) -> None:
    token, secret = a_link(factory, purpose)
    clock.advance(valid.total_seconds() - 1)
    assert Browser(app).get(f"/links/{token}")[0] == 200
    clock.advance(1)
    assert Browser(app).get(f"/links/{token}")[0] == 404
    assert Browser(app).ask("POST", f"/links/{token}", fill_in(clock, secret))[0] == 404
    with factory.begin() as uow:
        assert links.drop_old_links(uow) == 1


def test_a_new_link_replaces_the_one_before_and_a_code_for_wechat_is_no_link(
    app: Flask, factory: UnitOfWorkFactory
) -> None:
    first, _ = a_link(factory, LinkPurpose.INVITE)
    with factory.begin() as uow:
        second = links.issue_link(uow, the_account(uow).id, LinkPurpose.INVITE)
        wechat = links.issue_link(uow, the_account(uow).id, LinkPurpose.WECHAT)
    found = [Browser(app).get(f"/links/{one}")[0] for one in (first, second, wechat, "x")]
    assert found == [404, 200, 404, 404]


def test_a_recovery_ends_all_sessions_and_the_old_password(
    app: Flask, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    token, secret = a_link(factory, LinkPurpose.RECOVER)
    before = logged_in(app, clock)
    assert Browser(app).ask("POST", f"/links/{token}", fill_in(clock, secret))[0] == 200
    assert before.get()[0] == 303
    clock.advance(60)
    assert submit_login(before, code=code_of(clock)).status_code == 401
    right = submit_login(before, password=NEW, code=code_of(clock, secret))
    assert right.status_code == 303


def test_after_a_recovery_nothing_is_approved_for_a_day(
    app: Flask, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    token, secret = a_link(factory, LinkPurpose.RECOVER)
    assert Browser(app).ask("POST", f"/links/{token}", fill_in(clock, secret))[0] == 200
    seen = []
    for hours in (0, 23, 1):
        clock.advance(3600 * hours)
        with factory.begin(read_only=True) as uow:
            actor = organizer_of(uow, the_account(uow))
        seen.append(actor.has_permission(Permission.CONTEST_SEAL))
        assert actor.has_permission(Permission.QUESTION_READ)
    assert seen == [False, False, True]


def test_an_invitation_withholds_nothing(
    app: Flask, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    token, secret = a_link(factory, LinkPurpose.INVITE)
    assert Browser(app).ask("POST", f"/links/{token}", fill_in(clock, secret))[0] == 200
    with factory.begin(read_only=True) as uow:
        assert organizer_of(uow, the_account(uow)).withheld == frozenset()
