"""The log-in: two factors, lock-out, known browsers, cookies, sessions and their end."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from server.base.access import Role
from server.base.signing import token_hash
from server.base.uow import UnitOfWorkFactory
from server.console.form_session import SESSION_COOKIE
from server.organizers import codes, log_in, passwords, sessions
from server.organizers.log_in import TypedLogin
from server.organizers.log_in_pages import BROWSER_COOKIE
from server.organizers.models import AccountState, KnownBrowser, LoginTries, OrganizerSession
from server.organizers.passwords import PasswordHashes
from tests.conftest import application_of
from tests.kit.clock import FakeClock
from tests.kit.console import Browser
from tests.kit.organizers import (
    PASSWORD,
    PRODUCT_HASH,
    SECRET,
    an_account,
    code_of,
    cookie_of,
    logged_in,
    submit_login,
)

WRONG = "用户名、密码或验证码不正确"
BARRED = "请等15分钟后再登录"


@pytest.fixture
def factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


@pytest.fixture(autouse=True)
def wei(factory: UnitOfWorkFactory) -> None:
    with factory.begin() as uow:
        an_account(uow)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """A comparison instead of the slow hash; the list has what was compared, None for nobody."""
    compared: list[str | None] = []

    def matches(self: PasswordHashes, stored: str | None, password: str) -> bool:
        compared.append(stored)
        return stored is not None and password == PASSWORD

    monkeypatch.setattr(PasswordHashes, "matches_password", matches)
    return compared


def test_name_password_and_code_open_the_page_that_was_wanted(app: Flask, clock: FakeClock) -> None:
    browser = Browser(app)
    status, shown = browser.get("/account")
    assert status in (303, 404)
    page = browser.client.get("/console/login?next=/console/x").text
    assert 'name="next" type="hidden" value="/console/x"' in page
    answer = submit_login(browser, " WEI ", code=code_of(clock), wanted="/console/x")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/x")
    status, shown = browser.get()
    assert status == 200
    assert "韦wei" in shown
    assert "南宁市" in shown


@pytest.mark.parametrize(
    "given",
    [
        {"username": "nobody"},
        {"password": "nine-lives-of-a-dog"},
        {"code": "000000"},
        {"code": ""},
        {"code": "abcde-fghjk"},
    ],
)
def test_whatever_is_wrong_the_answer_is_the_same(
    app: Flask, clock: FakeClock, given: dict[str, str]
) -> None:
    browser = Browser(app)
    answer = submit_login(browser, **{"code": code_of(clock), **given})
    assert answer.status_code == 401
    assert WRONG in answer.text
    assert cookie_of(browser, SESSION_COOKIE) is None
    assert cookie_of(browser, BROWSER_COOKIE) is None
    assert PASSWORD not in answer.text


def test_an_unknown_name_costs_the_same_hash_as_a_known_one(
    factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: each log-in verifies exactly one hash with the same parameters."""
    verified: list[str] = []
    real = passwords.PasswordHasher.verify

    def verify(self: object, stored: str, password: str) -> bool:
        verified.append(stored)
        return bool(real(self, stored, password))  # type: ignore[arg-type]

    monkeypatch.setattr(passwords.PasswordHasher, "verify", verify)
    with factory.begin() as uow:
        an_account(uow, "gone", state=AccountState.CLOSED).password_hash = PRODUCT_HASH
        an_account(uow, "known").password_hash = PRODUCT_HASH
    for name in ("known", "nobody", "gone"):
        given = TypedLogin(username=name, password="wrong", code="", network="-")
        with pytest.raises(log_in.BadLogin):
            log_in.log_in(factory, given)
    assert len(verified) == 3
    parameters = {stored.rsplit("$", 2)[0] for stored in verified}
    assert parameters == {"$argon2id$v=19$m=65536,t=2,p=1"}


def test_a_closed_or_invited_account_does_not_open(
    app: Flask, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with factory.begin() as uow:
        an_account(uow, "closed", state=AccountState.CLOSED)
        an_account(uow, "invited", state=AccountState.INVITED)
    for name in ("closed", "invited"):
        assert submit_login(Browser(app), name, code=code_of(clock)).status_code == 401


def test_an_account_without_a_second_factor_opens_in_the_demo_alone(
    app: Flask, factory: UnitOfWorkFactory
) -> None:
    with factory.begin() as uow:
        an_account(uow, "bare", secret=None)
    assert submit_login(Browser(app), "bare").status_code == 401
    assert log_in.WITHOUT_CODE == ("demo",)


def test_ten_wrong_passwords_bar_the_account_from_that_address(
    app: Flask, quick: list[str | None], clock: FakeClock
) -> None:
    browser = Browser(app)
    for _ in range(10):
        assert submit_login(browser, password="wrong").status_code == 401
    barred = submit_login(browser, code=code_of(clock))
    assert barred.status_code == 429
    assert BARRED in barred.text
    assert len(quick) == 10
    # Another address and another account are free.
    other = Browser(app)
    other.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert submit_login(other, code=code_of(clock)).status_code == 303
    assert submit_login(browser, "somebody").status_code == 401
    clock.advance(15 * 60)
    assert submit_login(browser, code=code_of(clock)).status_code == 303


def test_a_right_log_in_forgets_the_tries_before_it(
    app: Flask, quick: list[str | None], clock: FakeClock, factory: UnitOfWorkFactory
) -> None:
    for _ in range(3):
        browser = Browser(app)
        for _ in range(9):
            submit_login(browser, password="wrong")
        assert submit_login(browser, code=code_of(clock)).status_code == 303
        clock.advance(30)
    with factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(LoginTries)).all() == []


def test_a_browser_that_logged_in_before_is_never_barred_by_others(
    app: Flask, quick: list[str | None], clock: FakeClock
) -> None:
    known = logged_in(app, clock)
    known.open("POST", "/logout", {})
    for _ in range(11):
        last = submit_login(Browser(app), password="wrong")
    assert last.status_code == 429
    assert submit_login(known, code=code_of(clock)).status_code == 303
    # Its own tries count, and the mark is of this account alone.
    known.open("POST", "/logout", {})
    for _ in range(11):
        last = submit_login(known, password="wrong")
    assert last.status_code == 429


def test_a_mark_that_we_did_not_give_is_no_known_browser(
    app: Flask, quick: list[str | None], clock: FakeClock, factory: UnitOfWorkFactory
) -> None:
    forger = Browser(app)
    for number in range(10):
        forger.client.set_cookie(BROWSER_COOKIE, f"forged-{number}", path="/console")
        submit_login(forger, password="wrong")
    forger.client.set_cookie(BROWSER_COOKIE, "forged-new", path="/console")
    assert submit_login(forger, code=code_of(clock)).status_code == 429
    clock.advance(15 * 60)
    assert submit_login(forger, code=code_of(clock)).status_code == 303
    assert cookie_of(forger, BROWSER_COOKIE) not in (None, "forged-new")


def test_the_mark_of_one_account_opens_no_other(
    app: Flask, quick: list[str | None], clock: FakeClock, factory: UnitOfWorkFactory
) -> None:
    with factory.begin() as uow:
        an_account(uow, "lan")
    known = logged_in(app, clock)
    for _ in range(10):
        submit_login(Browser(app), "lan", password="wrong")
    assert submit_login(known, "lan", code=code_of(clock)).status_code == 429


def test_codes_guessed_with_a_stolen_password_count_over_all_addresses(
    app: Flask, quick: list[str | None], clock: FakeClock
) -> None:
    statuses = []
    for number in range(12):
        thief = Browser(app)
        thief.client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        statuses.append(submit_login(thief, code="000000").status_code)
    assert statuses == [401] * 10 + [429] * 2


def test_a_code_is_taken_once_and_one_step_early_or_late(
    app: Flask, quick: list[str | None], clock: FakeClock
) -> None:
    taken = [
        submit_login(Browser(app), code=code_of(clock, steps=steps)).status_code
        for steps in (-2, 2, -1, -1, 0, 0, 1, 1, 0)
    ]
    assert taken == [401, 401, 303, 401, 303, 401, 303, 401, 401]


def test_a_recovery_code_is_taken_once(
    app: Flask, quick: list[str | None], factory: UnitOfWorkFactory
) -> None:
    with factory.begin() as uow:
        account = uow.session.scalars(select(log_in.OrganizerAccount)).one()
        first, second, *rest = codes.renew_recovery_codes(uow, account.id, account.ref)
        assert len({first, second, *rest}) == 10
    assert submit_login(Browser(app), code=first).status_code == 303
    assert submit_login(Browser(app), code=first).status_code == 401
    assert submit_login(Browser(app), code=f" {second.upper()} ").status_code == 303
    with factory.begin() as uow:
        codes.renew_recovery_codes(uow, account.id, account.ref)
    assert submit_login(Browser(app), code=rest[0]).status_code == 401


def test_the_session_is_a_new_one_and_the_form_token_of_before_is_dead(
    app: Flask, clock: FakeClock
) -> None:
    browser = Browser(app)
    browser.client.set_cookie(SESSION_COOKIE, "fixed-by-an-attacker", path="/console")
    before = browser.token()
    assert submit_login(browser, code=code_of(clock)).status_code == 303
    token = cookie_of(browser, SESSION_COOKIE)
    assert token not in (None, "fixed-by-an-attacker")
    attacker = Browser(app, "fixed-by-an-attacker")
    assert attacker.get()[0] == 303
    stale = browser.client.post("/console/logout", data={"csrf_token": before})
    assert stale.status_code == 400
    assert browser.get()[0] == 200


def test_the_cookies_are_for_the_console_and_for_no_script(app: Flask, clock: FakeClock) -> None:
    answer = submit_login(Browser(app), code=code_of(clock))
    cookies = {c.partition("=")[0]: c for c in answer.headers.getlist("Set-Cookie")}
    for name in (SESSION_COOKIE, BROWSER_COOKIE):
        for wanted in ("HttpOnly", "Path=/console", "SameSite=Lax", "Secure"):
            assert wanted in cookies[name], (name, wanted)
    assert "Max-Age" not in cookies[SESSION_COOKIE]
    assert "Max-Age=34560000" in cookies[BROWSER_COOKIE]


def test_tokens_are_stored_as_hashes(
    app: Flask, clock: FakeClock, factory: UnitOfWorkFactory
) -> None:
    browser = logged_in(app, clock)
    token, mark = cookie_of(browser, SESSION_COOKIE), cookie_of(browser, BROWSER_COOKIE)
    assert token is not None
    assert mark is not None
    assert len(token) >= 43
    with factory.begin(read_only=True) as uow:
        session = uow.session.scalars(select(OrganizerSession)).one()
        known = uow.session.scalars(select(KnownBrowser)).one()
    assert (session.token_hash, known.browser_hash) == (token_hash(token), token_hash(mark))
    assert SECRET not in repr(session.__dict__)


def test_a_session_ends_after_half_an_hour_without_use_and_after_half_a_day(
    app: Flask, clock: FakeClock
) -> None:
    browser = logged_in(app, clock)
    for _ in range(3):
        clock.advance(29 * 60)
        assert browser.get()[0] == 200
    clock.advance(31 * 60)
    assert browser.get()[0] == 303
    busy = logged_in(app, clock)
    for _ in range(35):
        clock.advance(20 * 60)
        assert busy.get()[0] == 200
    clock.advance(20 * 60)
    assert busy.get()[0] == 303


def test_logging_out_ends_the_session_here_and_in_the_database(
    app: Flask, clock: FakeClock, factory: UnitOfWorkFactory
) -> None:
    browser = logged_in(app, clock)
    token = cookie_of(browser, SESSION_COOKIE)
    assert token is not None
    answer = browser.open("POST", "/logout", {})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/login")
    assert cookie_of(browser, SESSION_COOKIE) is None
    assert Browser(app, token).get()[0] == 303
    assert "已经退出登录" in browser.client.get("/console/login").text


def test_an_ended_session_is_refused_at_the_next_request(
    app: Flask, clock: FakeClock, factory: UnitOfWorkFactory
) -> None:
    browser = logged_in(app, clock)
    assert browser.get()[0] == 200
    with factory.begin() as uow:
        account = uow.session.scalars(select(log_in.OrganizerAccount)).one()
        assert sessions.end_sessions(uow, account.id) == 1
    assert browser.get()[0] == 303


def test_the_eleventh_session_ends_the_oldest(
    app: Flask, quick: list[str | None], clock: FakeClock
) -> None:
    browsers = [logged_in(app, clock) for _ in range(11)]
    assert [one.get()[0] for one in browsers] == [303] + [200] * 10


def test_a_forged_host_sends_nobody_elsewhere(app: Flask, clock: FakeClock) -> None:
    browser = Browser(app)
    given = {"username": "wei", "password": PASSWORD, "totp": code_of(clock),
             "csrf_token": browser.token()}  # fmt: skip
    answer = browser.client.post(
        "/console/login", data=given, headers={"Host": "evil.example", "Origin": "http://evil"}
    )
    assert "evil" not in answer.headers.get("Location", "")
    assert "evil" not in str(answer.headers.getlist("Set-Cookie"))


def test_no_page_of_the_log_in_can_be_framed_or_cached(app: Flask) -> None:
    answer = Browser(app).client.get("/console/login")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_log_in_needs_the_token_of_its_form(app: Flask, clock: FakeClock) -> None:
    browser = Browser(app)
    given = {"username": "wei", "password": PASSWORD, "totp": code_of(clock)}
    assert browser.client.post("/console/login", data=given).status_code == 400
    assert browser.client.post("/console/login", json=given).status_code == 400


def test_no_log_line_holds_what_was_typed(
    app: Flask, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        browser = logged_in(app, clock)
        submit_login(Browser(app), password="a-wrong-password", code="123456")
    lines = "\n".join(str(record.__dict__) for record in caplog.records)
    token = cookie_of(browser, SESSION_COOKIE) or ""
    for secret in (PASSWORD, "a-wrong-password", "123456", SECRET, token):
        assert secret not in lines


def test_the_system_clock_decides_and_not_the_campaigns(
    factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    dependencies = factory.dependencies
    assert dependencies.system_clock is clock
    with factory.begin(read_only=True) as uow:
        assert uow.system_now == clock.now()
    assert timedelta(0) == clock.now() - uow.now


def test_roles_of_the_account_are_those_of_the_session(
    app: Flask, clock: FakeClock, factory: UnitOfWorkFactory
) -> None:
    with factory.begin() as uow:
        an_account(uow, "audit", role=Role.AUDITOR, place="region")
    status, shown = logged_in(app, clock, "audit").get()
    assert status == 200
    assert "审计员" in shown


def test_the_login_says_that_a_session_expired_or_was_ended_elsewhere(
    app: Flask, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    browser = Browser(app)
    assert "登录已" not in browser.get("/login")[1]
    browser = logged_in(app, clock)
    assert "登录已" not in browser.get("/login")[1]
    clock.advance(31 * 60)
    assert "登录已过期" in browser.get("/login")[1]
    with factory.begin() as uow:
        assert sessions.drop_dead_sessions(uow) == 0
    browser = logged_in(app, clock)
    with factory.begin() as uow:
        account = uow.session.scalars(select(log_in.OrganizerAccount)).one()
        assert sessions.end_sessions(uow, account.id) > 0
    assert "登录已在别处结束" in browser.get("/login")[1]
    clock.advance(8 * 86_400)
    with factory.begin() as uow:
        assert sessions.drop_dead_sessions(uow) == 0
