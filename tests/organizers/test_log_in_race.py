"""Wrong passwords at the same instant: never more than ten are checked."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from server.base.signing import token_hash
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.organizers import log_in, rules
from server.organizers.errors import BadLogin, LoginBarred
from server.organizers.log_in import TypedLogin
from server.organizers.models import KnownBrowser, LoginTries
from server.organizers.passwords import PasswordHashes
from tests.kit.clock import FakeClock
from tests.kit.organizers import PASSWORD, an_account, code_of

pytestmark = pytest.mark.race
TOGETHER = 16
BROWSER = "a-browser-that-logged-in-before"


class Counting(PasswordHashes):
    """Counts the passwords that are checked; `before` runs ahead of each check."""

    def __init__(self, before: Callable[[], object] = lambda: None) -> None:
        super().__init__(PasswordHasher(), at_once=TOGETHER, wait_seconds=30)
        self.checked: list[str] = []
        self._before = before

    def matches_password(self, stored: str | None, password: str) -> bool:
        self._before()
        self.checked.append(password)
        return password == PASSWORD


def typed(password: str = "wrong", **given: str) -> TypedLogin:
    return TypedLogin(username="wei", password=password, network="192.0.2.1",
                      **{"code": "", **given})  # fmt: skip


def guess_together(uow_factory: UnitOfWorkFactory, hashes: PasswordHashes) -> list[str]:
    """The code of each refusal of sixteen wrong passwords sent at once."""
    start = Barrier(TOGETHER)

    def guess(_: int) -> str:
        start.wait(30)
        try:
            log_in.log_in(uow_factory, typed(), hashes)
        except (BadLogin, LoginBarred) as refusal:
            return refusal.code
        return "in"

    with ThreadPoolExecutor(TOGETHER) as pool:
        return sorted(pool.map(guess, range(TOGETHER)))


def test_of_many_wrong_passwords_at_once_ten_are_checked(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        account = an_account(uow)
        uow.session.add(
            KnownBrowser(organizer_id=account.id, browser_hash=token_hash(BROWSER),
                         used_at=uow.system_now)
        )  # fmt: skip
    hashes = Counting()
    refused = guess_together(uow_factory, hashes)
    assert refused == ["bad_login"] * 10 + ["login_barred"] * 6
    assert len(hashes.checked) == 10
    # The right password is no eleventh try from there, and the known browser is not barred.
    with pytest.raises(LoginBarred):
        log_in.log_in(uow_factory, typed(PASSWORD, code=code_of(clock)), hashes)
    given = typed(PASSWORD, code=code_of(clock), known_browser=BROWSER)
    assert log_in.log_in(uow_factory, given, hashes).session


def test_control_counting_after_the_check_lets_more_than_ten_through(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with uow_factory.begin() as uow:
        an_account(uow)

    def check_only(uow: UnitOfWork, key: str) -> bool:
        row = uow.session.scalar(select(LoginTries).where(LoginTries.key_hash == key))
        if row is not None and row.barred_until is not None:
            raise LoginBarred(60, minutes=1)
        return False

    monkeypatch.setattr(log_in, "count_try", check_only)
    # Everybody has passed the check before anybody's try is counted.
    passed = Barrier(TOGETHER)
    hashes = Counting(lambda: passed.wait(30))
    assert guess_together(uow_factory, hashes) == ["bad_login"] * TOGETHER
    assert len(hashes.checked) == TOGETHER > rules.MOST_TRIES
