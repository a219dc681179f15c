"""Access tokens: the old endpoint, the stable one, token checks, and the quota APIs."""

from __future__ import annotations

import math
import re
import sqlite3
from typing import Any

from ..apps import App
from ..world import World
from .common import BOTH, NO_TOKEN, ApiError, Call, Endpoint, ok_answer

TOKEN_SECONDS = 7200
OVERLAP_SECONDS = 300
FORCED_A_DAY, FORCED_GAP_SECONDS = 20, 30
FORM = re.compile(r"\d+_[A-Za-z0-9_-]{100,}")
SELECT = "SELECT * FROM tokens WHERE appid = ? AND kind = ? AND dead = 0"
LATEST = f"{SELECT} AND superseded_at IS NULL ORDER BY issued DESC LIMIT 1"


def caller_of(world: World, call: Call, accounts: frozenset[str]) -> App:
    """The app whose valid token a call carries.

    Raises: ApiError 41001 without one, 40014 malformed, 42001 expired, 40001 unknown, not the
    latest, or the other app's.
    """
    value = call.query.get("access_token", "")
    if not value:
        raise ApiError(41001)
    if not FORM.fullmatch(value):
        raise ApiError(40014)
    row = world.store.first_row("SELECT * FROM tokens WHERE value = ?", value)
    app = None if row is None else world.app_of(row["appid"])
    if row is None or app is None or row["dead"]:
        raise ApiError(40001)
    _check_times(row, world.now())
    if app.account not in accounts:
        raise ApiError(40001)
    return app


def _check_times(row: sqlite3.Row, now: float) -> None:
    superseded = row["superseded_at"]
    if superseded is not None and now >= superseded + OVERLAP_SECONDS:
        raise ApiError(40001)
    if now >= row["expires"]:
        raise ApiError(42001)


def get_token(world: World, call: Call) -> dict[str, Any]:
    """Issue a new token each time; the previous one stays valid for five minutes."""
    app = _check_credentials(world, call, dict(call.query))
    return _token_answer(world, issue_normal(world, app))


def issue_normal(world: World, app: App) -> str:
    """Issue a token of the old endpoint, as another host of the operator would."""
    world.store.run_sql(
        "UPDATE tokens SET superseded_at = ? "
        "WHERE appid = ? AND kind = 'normal' AND superseded_at IS NULL",
        world.now(),
        app.appid,
    )
    return _issue_token(world, app, "normal")


def get_stable_token(world: World, call: Call) -> dict[str, Any]:
    """Return the current token; a new one in its last five minutes or when forced."""
    app = _check_credentials(world, call, call.body)
    row = world.store.first_row(LATEST, app.appid, "stable")
    if row is not None and row["expires"] <= world.now():
        row = None
    if call.body.get("force_refresh") is True and _may_force(world, app):
        world.store.run_sql(
            "UPDATE tokens SET dead = 1 WHERE appid = ? AND kind = 'stable'", app.appid
        )
        return _token_answer(world, _issue_token(world, app, "stable"))
    if row is None:
        return _token_answer(world, _issue_token(world, app, "stable"))
    if row["expires"] - world.now() <= OVERLAP_SECONDS:
        _hand_over(world, row)
        return _token_answer(world, _issue_token(world, app, "stable"))
    return _token_answer(world, row["value"])


def _hand_over(world: World, row: sqlite3.Row) -> None:
    """Keep the previous token valid for five minutes beside the new one."""
    now = world.now()
    world.store.run_sql(
        "UPDATE tokens SET superseded_at = ?, expires = ? WHERE value = ?",
        now,
        now + OVERLAP_SECONDS,
        row["value"],
    )


def _may_force(world: World, app: App) -> bool:
    name = f"forced:{app.appid}"
    forced = world.store.read_fact(name)
    if forced is not None and world.now() - forced < FORCED_GAP_SECONDS:
        return False
    if world.quota.used_today(app.appid, "force_refresh") >= FORCED_A_DAY:
        raise ApiError(45009, "force_refresh")
    world.quota.use_call(app.appid, "force_refresh")
    world.store.store_fact(name, world.now())
    return True


def _issue_token(world: World, app: App, kind: str) -> str:
    value = f"{world.chance.randrange(10, 99)}_{world.random_word(150)}"
    world.store.insert_row(
        "tokens",
        value=value,
        appid=app.appid,
        kind=kind,
        issued=world.now(),
        expires=world.now() + TOKEN_SECONDS,
    )
    return value


def _token_answer(world: World, value: str) -> dict[str, Any]:
    row = world.store.first_row("SELECT expires FROM tokens WHERE value = ?", value)
    left = 0 if row is None else math.ceil(row["expires"] - world.now())
    return {"access_token": value, "expires_in": left}


def _check_credentials(world: World, call: Call, given: dict[str, Any]) -> App:
    if given.get("grant_type") != "client_credential":
        raise ApiError(40002)
    app = app_by_secret(world, given)
    call.caller = app
    allowed = world.ip_whitelist.get(app.account)
    if allowed and call.ip not in allowed:
        raise ApiError(40164, call.ip)
    errcode = world.quota.use_call(app.appid, call.path)
    if errcode:
        raise ApiError(errcode)
    return app


def app_by_secret(world: World, given: dict[str, Any], secret: str = "secret") -> App:  # noqa: S107 - the name of WeChat's field
    """The app with this appid and secret; `secret` is the field's name.

    Raises: ApiError 41002, 41004, 40013, 40125.
    """
    if not given.get("appid"):
        raise ApiError(41002)
    if not given.get(secret):
        raise ApiError(41004)
    app = world.app_of(str(given["appid"]))
    if app is None:
        raise ApiError(40013)
    if given[secret] != app.secret:
        raise ApiError(40125)
    return app


def clear_quota(world: World, call: Call) -> dict[str, Any]:
    """Reset today's counters, at most ten times a month."""
    if call.text_field("appid", missing=41002) != call.app.appid:
        raise ApiError(40013)
    return _clear_quota(world, call.app)


def clear_quota_by_secret(world: World, call: Call) -> dict[str, Any]:
    """Reset today's counters without a token, for when the token quota itself is used up."""
    call.caller = app_by_secret(world, call.body, "appsecret")
    return _clear_quota(world, call.caller)


def _clear_quota(world: World, app: App) -> dict[str, Any]:
    errcode = world.quota.clear_counters(app.appid)
    if errcode:
        raise ApiError(errcode)
    return ok_answer()


def callback_ips(_world: World, _call: Call) -> dict[str, Any]:
    """Return the addresses that pushes come from."""
    return {"ip_list": ["127.0.0.1"]}


ENDPOINTS = [
    Endpoint(path="/cgi-bin/token", method="GET", accounts=NO_TOKEN, answer=get_token),
    Endpoint(
        path="/cgi-bin/stable_token", method="POST", accounts=NO_TOKEN, answer=get_stable_token
    ),
    Endpoint(path="/cgi-bin/clear_quota", method="POST", accounts=BOTH, answer=clear_quota),
    Endpoint(
        path="/cgi-bin/clear_quota/v2",
        method="POST",
        accounts=NO_TOKEN,
        answer=clear_quota_by_secret,
    ),
    Endpoint(path="/cgi-bin/getcallbackip", method="GET", accounts=BOTH, answer=callback_ips),
    Endpoint(path="/cgi-bin/get_api_domain_ip", method="GET", accounts=BOTH, answer=callback_ips),
]
