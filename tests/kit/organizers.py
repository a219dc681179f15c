"""Organizers' accounts for tests, and browsers that log in to the whole server."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
from flask import Flask
from werkzeug.test import TestResponse

from server.base.access import Role
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork
from server.organizers import codes
from server.organizers.models import AccountState, OrganizerAccount
from server.units import service as units
from tests.kit.clock import FakeClock
from tests.kit.console import Browser

PASSWORD = "nine-lives-of-a-cat"
# Its hash with the least work that argon2 does: the product's, below, costs a tenth of a second,
# which every log-in of a test would spend.
PASSWORD_HASH = (
    "$argon2id$v=19$m=8,t=1,p=1$EbEIXbzNuvLaISukIiucyg$4KQ1CyX+NSNNe54gtgFvjv9FBNwwibXvwLPo0K2n+FA"
)
PRODUCT_HASH = (
    "$argon2id$v=19$m=65536,t=2,p=1$"
    "pHXk27XZl9qEqNJAvpSUHQ$dWGcCKV9OxB2Fz1LHU+AmHdBTde11+MvS4oHjwKDG20"
)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def an_account(
    uow: UnitOfWork,
    username: str = "wei",
    *,
    role: Role = Role.EDITOR,
    place: str = "city:450100",
    secret: str | None = SECRET,
    state: AccountState = AccountState.ACTIVE,
) -> OrganizerAccount:
    """An account with PASSWORD and, unless told otherwise, SECRET."""
    scope, _ = units.resolve_scope(uow, place)
    ref = uow.new_ref("org")
    account = OrganizerAccount(
        ref=ref,
        username=username,
        name=f"韦{username}",
        role=role,
        state=state,
        password_hash=PASSWORD_HASH,
        totp_secret=None if secret is None else codes.seal_secret(uow.keys, secret, ref),
        created_at=uow.system_now,
        **owned_by(scope),
    )
    uow.session.add(account)
    uow.session.flush()
    return account


def code_of(clock: FakeClock, secret: str = SECRET, steps: int = 0) -> str:
    """The code of the authenticator app now, or some steps from now."""
    return str(pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=30 * steps)))


def submit_login(
    browser: Browser,
    username: str = "wei",
    password: str = PASSWORD,
    code: str = "",
    wanted: str = "",
) -> TestResponse:
    """Fill in the form of the log-in."""
    form = {"username": username, "password": password, "totp": code, "next": wanted}
    return browser.open("POST", "/login", form)


def logged_in(app: Flask, clock: FakeClock, username: str = "wei") -> Browser:
    """A browser after a log-in; the clock moves on, so that the next code is another one."""
    browser = Browser(app)
    answer = submit_login(browser, username, code=code_of(clock))
    assert answer.status_code == 303, answer.text
    clock.advance(30)
    return browser


def cookie_of(browser: Browser, name: str) -> str | None:
    """The value of a cookie that the browser would send to the console."""
    found = browser.client.get_cookie(name, path="/console")
    return None if found is None else found.value


def hidden_token(page: str) -> str:
    """The CSRF token of the page's first form."""
    (token, *_) = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    return token
