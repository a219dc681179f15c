"""The own account: password, second factor, recovery codes, sessions, WeChat."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from server.base.uow import UnitOfWorkFactory
from server.organizers import own_account
from server.organizers.errors import LinkDead, WeChatTaken
from server.organizers.models import OrganizerAccount, OrganizerWeChat
from server.organizers.sessions import organizer_of
from server.wechat.gateway import MadeSceneCode
from tests.conftest import application_of
from tests.kit.clock import FakeClock
from tests.kit.console import Browser
from tests.kit.gateway import RecordingGateway
from tests.kit.organizers import PASSWORD, an_account, code_of, logged_in, submit_login

NEW = "seven-swans-a-swimming"


@pytest.fixture
def factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


@pytest.fixture
def browser(app: Flask, factory: UnitOfWorkFactory, clock: FakeClock) -> Browser:
    with factory.begin() as uow:
        an_account(uow)
    return logged_in(app, clock)


def test_a_new_password_ends_the_other_sessions_and_needs_the_old_one(
    app: Flask, browser: Browser, clock: FakeClock
) -> None:
    other = logged_in(app, clock)
    form = {"current": "wrong", "password": NEW, "again": NEW}
    status, shown = browser.ask("POST", "/account/password", form)
    assert status == 422
    assert "现在的密码不正确" in shown
    form["current"] = PASSWORD
    assert browser.ask("POST", "/account/password", {**form, "again": "x"})[0] == 422
    assert (
        browser.ask("POST", "/account/password", {**form, "password": "x", "again": "x"})[0] == 422
    )
    assert browser.ask("POST", "/account/password", form)[0] == 303
    assert browser.get()[0] == 200
    assert other.get()[0] == 303
    clock.advance(30)
    assert submit_login(other, code=code_of(clock)).status_code == 401
    assert submit_login(other, password=NEW, code=code_of(clock)).status_code == 303


def test_the_own_password_cannot_be_guessed_with_an_open_session(browser: Browser) -> None:
    form = {"current": "wrong"}
    answers = [browser.ask("POST", "/account/recovery-codes", form)[0] for _ in range(11)]
    assert answers == [422] * 10 + [429]


def test_a_new_second_factor_needs_its_first_code_and_shows_new_recovery_codes(
    app: Flask, browser: Browser, clock: FakeClock
) -> None:
    page = browser.get("/account/second-factor")[1]
    (secret,) = re.findall(r"<code>([A-Z2-7]{32})</code>", page)
    assert secret in browser.get("/account/second-factor")[1]
    form = {"current": PASSWORD, "totp": "000000"}
    assert browser.ask("POST", "/account/second-factor", form)[0] == 422
    form["totp"] = code_of(clock, secret)
    status, shown = browser.ask("POST", "/account/second-factor", form)
    assert status == 200
    assert len(re.findall(r"<code>[a-z0-9]{5}-[a-z0-9]{5}</code>", shown)) == 10
    clock.advance(30)
    assert submit_login(Browser(app), code=code_of(clock)).status_code == 401
    assert submit_login(Browser(app), code=code_of(clock, secret)).status_code == 303
    assert secret not in browser.get("/account/second-factor")[1]


def test_one_of_the_own_sessions_is_ended_and_no_other_ones(
    app: Flask, browser: Browser, clock: FakeClock, factory: UnitOfWorkFactory
) -> None:
    other = logged_in(app, clock)
    page = browser.get("/account")[1]
    (ref,) = re.findall(r"/account/sessions/(ses_\w+)/end", page)
    assert "本次登录" in page
    with factory.begin() as uow:
        an_account(uow, "lan")
    stranger = logged_in(app, clock, "lan")
    assert stranger.ask("POST", f"/account/sessions/{ref}/end", {})[0] == 404
    assert browser.ask("POST", f"/account/sessions/{ref}/end", {})[0] == 303
    assert other.get()[0] == 303
    assert browser.get()[0] == 200


def scanned_scene(browser: Browser, gateway: RecordingGateway) -> str:
    scenes: list[str] = []

    def make_code(scene: str, **_given: object) -> MadeSceneCode:
        scenes.append(scene)
        return MadeSceneCode(ticket="t", url="http://weixin.qq.com/q/x", picture_url="")

    gateway.answers["scene_code"] = make_code
    status, shown = browser.ask("POST", "/account/wechat", {})
    assert status == 200
    assert "data:image/svg+xml" in shown
    return scenes[-1]


def test_a_scan_binds_the_own_wechat_once(
    browser: Browser, gateway: RecordingGateway, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    scene = scanned_scene(browser, gateway)
    assert scene.startswith(own_account.WECHAT_SCENE)
    assert len(scene) <= 64
    with factory.begin() as uow:
        assert own_account.bind_wechat(uow, "o-wei", scene) == "韦wei"
    with factory.begin() as uow, pytest.raises(LinkDead):
        own_account.bind_wechat(uow, "o-thief", scene)
    with factory.begin(read_only=True) as uow:
        row = uow.session.scalars(select(OrganizerWeChat)).one()
        assert "o-wei" not in row.openid
        assert own_account.openid_of(uow, row.organizer_id) == "o-wei"
    assert "已经绑定" in browser.get("/account")[1]
    late = scanned_scene(browser, gateway)
    clock.advance(601)
    with factory.begin() as uow, pytest.raises(LinkDead):
        own_account.bind_wechat(uow, "o-wei", late)
    assert browser.ask("POST", "/account/wechat/unbind", {})[0] == 303
    with factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(OrganizerWeChat)).all() == []


def test_one_wechat_belongs_to_one_account(
    app: Flask,
    browser: Browser,
    gateway: RecordingGateway,
    factory: UnitOfWorkFactory,
    clock: FakeClock,
) -> None:
    first = scanned_scene(browser, gateway)
    with factory.begin() as uow:
        own_account.bind_wechat(uow, "o-wei", first)
    with factory.begin() as uow:
        lan = organizer_of(uow, an_account(uow, "lan"))
    scene = own_account.start_binding(factory, lan)
    with factory.begin() as uow, pytest.raises(WeChatTaken):
        own_account.bind_wechat(uow, "o-wei", scene)
    with factory.begin(read_only=True) as uow:
        assert len(uow.session.scalars(select(OrganizerAccount)).all()) == 2
