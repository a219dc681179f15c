"""The log-in: counts the try, checks the password with no transaction open, starts a session."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import delete, select

from server.audit.service import Subject, record_change
from server.base.access import System
from server.base.ids import new_token
from server.base.ownership import scope_of
from server.base.rate_limits import CONSOLE_LOGIN, counting_failures
from server.base.signing import token_hash
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.organizers import codes, rules, sessions
from server.organizers.errors import BadLogin, LoginBarred
from server.organizers.models import AccountState, KnownBrowser, LoginTries, OrganizerAccount
from server.organizers.passwords import HASHES, PasswordHashes

# Environments where an account without a second factor may log in.
WITHOUT_CODE = ("demo",)
_GUARD = System(name="log-in")


@dataclass(frozen=True, kw_only=True)
class TypedLogin:
    """The entered data and its origin; `known_browser` is the value of that cookie."""

    username: str = field(repr=False)
    password: str = field(repr=False)
    code: str = field(repr=False)
    network: str
    known_browser: str = field(default="", repr=False)
    browser: str = ""


@dataclass(frozen=True, kw_only=True)
class LoggedIn:
    """The values of the two cookies: the session, and the mark of a known browser."""

    session: str = field(repr=False)
    known_browser: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    key: str
    organizer_id: int | None
    password_hash: str | None
    known: bool


def log_in(
    uow_factory: UnitOfWorkFactory, given: TypedLogin, hashes: PasswordHashes = HASHES
) -> LoggedIn:
    """Check name, password and code, and start a new session.

    A try is counted before it is checked; a successful one resets the count. An unknown name, a
    closed account and a wrong code take the same steps and end in the same error.
    Raises: BadLogin (401), LoginBarred (429), PasswordsBusy (503).
    """
    with counting_failures(uow_factory.dependencies, CONSOLE_LOGIN, given.network, BadLogin):
        with uow_factory.begin() as uow:
            attempt = _begin_attempt(uow, given)
        right = hashes.matches_password(attempt.password_hash, given.password)
        with uow_factory.begin() as uow:
            made = _finish_attempt(uow, attempt, given, right=right)
        if made is None:
            raise BadLogin
        return made


def count_try(uow: UnitOfWork, key: str) -> bool:
    """Count one try under a key, before it is checked; return whether it bars the next ones.

    Locks: the row of the key.
    Raises: LoginBarred (429) with the time to wait.
    """
    empty = {"key_hash": key, "tries": 0, "last_at": uow.system_now}
    added = insert_for(uow.session, LoginTries).values(empty)
    uow.session.execute(added.on_conflict_do_nothing(index_elements=["key_hash"]))
    row = uow.session.get_one(LoginTries, key, with_for_update=True, populate_existing=True)
    state = rules.TriesState(tries=row.tries, last_at=row.last_at, barred_until=row.barred_until)
    left = state.time_barred(uow.system_now)
    if left > timedelta(0):
        minutes = math.ceil(left / timedelta(minutes=1))
        raise LoginBarred(math.ceil(left.total_seconds()), minutes=minutes)
    counted = state.count_try(uow.system_now)
    row.tries, row.barred_until = counted.tries, counted.barred_until
    row.last_at = uow.system_now
    return counted.barred_until is not None


def forget_tries(uow: UnitOfWork, *keys: str) -> None:
    """Delete the tries under these keys, after a successful log-in."""
    uow.session.execute(delete(LoginTries).where(LoginTries.key_hash.in_(keys)))


def tries_key(uow: UnitOfWork, *parts: str) -> str:
    """The key under which tries are counted: a keyed hash, so that no name is stored."""
    return uow.keys.blind_hash("|".join(parts), "organizers.tries")


def forget_browsers(uow: UnitOfWork, organizer_id: int) -> None:
    """Forget all browsers of an account."""
    uow.session.execute(delete(KnownBrowser).where(KnownBrowser.organizer_id == organizer_id))


def drop_old_tries(uow: UnitOfWork) -> int:
    """Delete tries and browsers that no longer matter; return how many."""
    now = uow.system_now
    tries = delete(LoginTries).where(LoginTries.last_at < now - timedelta(days=1))
    browsers = delete(KnownBrowser).where(KnownBrowser.used_at < now - rules.KEEP_BROWSER)
    gone = uow.session.execute(tries.returning(LoginTries.key_hash)).all()
    return len(gone) + len(uow.session.execute(browsers.returning(KnownBrowser.id)).all())


def _begin_attempt(uow: UnitOfWork, given: TypedLogin) -> _Attempt:
    """Find the account and count the try.

    Raises: LoginBarred.
    """
    username = given.username.strip().lower()
    account = uow.session.scalar(
        select(OrganizerAccount).where(
            OrganizerAccount.username == username,
            OrganizerAccount.state == AccountState.ACTIVE,
        )
    )
    known = account is not None and _knows_browser(uow, account.id, given.known_browser)
    # The browser is a secret that only the account's owner has; an address is shared by many.
    where = f"browser:{given.known_browser}" if known else f"network:{given.network}"
    key = tries_key(uow, username, where)
    if count_try(uow, key) and account is not None:
        subject = Subject("organizer", account.ref, scope_of(account))
        record_change(uow, _GUARD, "organizers.bar_login", subject)
    return _Attempt(
        key=key,
        organizer_id=None if account is None else account.id,
        password_hash=None if account is None else account.password_hash,
        known=known,
    )


def _finish_attempt(
    uow: UnitOfWork, attempt: _Attempt, given: TypedLogin, *, right: bool
) -> LoggedIn | None:
    if not right or attempt.organizer_id is None:
        return None
    account = uow.session.get_one(
        OrganizerAccount, attempt.organizer_id, with_for_update=True, populate_existing=True
    )
    if account.state is not AccountState.ACTIVE or account.password_hash != attempt.password_hash:
        return None
    # An attacker with the password could guess codes from many addresses, so all count together.
    code_key = tries_key(uow, account.ref, "code")
    if not attempt.known:
        count_try(uow, code_key)
    if not _code_accepted(uow, account, given.code):
        return None
    forget_tries(uow, attempt.key, code_key)
    organizer = replace(sessions.organizer_of(uow, account), network=given.network)
    record_change(uow, organizer, "organizers.log_in", Subject("organizer", account.ref))
    return LoggedIn(
        session=sessions.start_session(uow, account.id, given.network, given.browser),
        known_browser=_remember_browser(uow, account.id, given.known_browser),
    )


def _code_accepted(uow: UnitOfWork, account: OrganizerAccount, code: str) -> bool:
    if account.totp_secret is None:
        return uow.settings.environment in WITHOUT_CODE
    return codes.accept_code(uow, account, code)


def _knows_browser(uow: UnitOfWork, organizer_id: int, browser: str) -> bool:
    wanted = select(KnownBrowser.id).where(
        KnownBrowser.organizer_id == organizer_id,
        KnownBrowser.browser_hash == token_hash(browser),
    )
    return bool(browser) and uow.session.scalar(wanted) is not None


def _remember_browser(uow: UnitOfWork, organizer_id: int, browser: str) -> str:
    """Store that this browser has logged in; a browser can be known to several accounts."""
    value = browser if _is_ours(uow, browser) else new_token()
    added = insert_for(uow.session, KnownBrowser).values(
        organizer_id=organizer_id, browser_hash=token_hash(value), used_at=uow.system_now
    )
    uow.session.execute(
        added.on_conflict_do_update(
            index_elements=["organizer_id", "browser_hash"], set_={"used_at": uow.system_now}
        )
    )
    return value


def _is_ours(uow: UnitOfWork, browser: str) -> bool:
    """Whether we created this value; a client must not choose it."""
    wanted = select(KnownBrowser.id).where(KnownBrowser.browser_hash == token_hash(browser))
    return bool(browser) and uow.session.scalar(wanted.limit(1)) is not None
