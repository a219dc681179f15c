"""Handling of one API call: faults, token, quota, body, endpoint, call log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from . import media_check, receipts
from .faults import Fault
from .wechat_api import draft as api_draft
from .wechat_api import mass as api_mass
from .wechat_api import material as api_material
from .wechat_api import media as api_media
from .wechat_api import menu as api_menu
from .wechat_api import message as api_message
from .wechat_api import subscribe as api_subscribe
from .wechat_api import template as api_template
from .wechat_api import token as api_token
from .wechat_api import user as api_user
from .wechat_api import wxa as api_wxa
from .wechat_api.common import BOTH, JSON, Answer, ApiError, Call, Endpoint, ok_answer, read_body
from .world import World

SECRETS = {"secret", "appsecret", "access_token"}


@dataclass
class Result:
    """The response to send; `broken` names how it is damaged, if it is."""

    answer: Answer | None
    status: int = 200
    broken: str | None = None
    unknown: bool = False
    mime: str = JSON

    @property
    def errcode(self) -> int | None:
        """The errcode that the caller receives."""
        if self.status != 200 or not isinstance(self.answer, dict):
            return None
        return int(self.answer.get("errcode", 0))


def quota_get(world: World, call: Call) -> dict[str, Any]:
    """Return an API's counters of today."""
    path = call.body.get("cgi_path")
    endpoint = ENDPOINTS.get(path) if isinstance(path, str) else None
    if endpoint is None or endpoint.path.startswith("/sns/"):
        raise ApiError(76021)
    if endpoint.accounts and call.app.account not in endpoint.accounts:
        raise ApiError(76022)
    daily = world.quota.daily_limit(endpoint.path)
    used = world.quota.used_today(call.app.appid, endpoint.path)
    minute = world.quota.minute_limit(endpoint.path)
    rate = {"rate_limit": {"call_count": minute, "refresh_second": 60}} if minute else {}
    quota = {"daily_limit": daily, "used": used, "remain": max(0, daily - used)}
    return ok_answer(quota=quota, **rate)


QUOTA_GET = Endpoint(
    path="/cgi-bin/openapi/quota/get", method="POST", accounts=BOTH, answer=quota_get
)
ENDPOINTS = {
    endpoint.path: endpoint
    for endpoint in (
        *api_token.ENDPOINTS,
        *api_user.ENDPOINTS,
        *api_menu.ENDPOINTS,
        *api_message.ENDPOINTS,
        *api_mass.ENDPOINTS,
        *api_material.ENDPOINTS,
        *api_draft.ENDPOINTS,
        *api_media.ENDPOINTS,
        *api_subscribe.ENDPOINTS,
        *api_template.ENDPOINTS,
        *api_wxa.ENDPOINTS,
        *media_check.ENDPOINTS,
        QUOTA_GET,
    )
}


def dispatch_call(world: World, call: Call) -> Result:
    """Handle one call, apply the faults injected into it, and log it."""
    endpoint = ENDPOINTS.get(call.path)
    if call.chunked:
        # WeChat's gateway requires a Content-Length before it reads a body.
        result = Result(None, status=412, broken="html")
    elif endpoint is None:
        told = {"errcode": 404, "errmsg": f"no such API rid: {world.new_request_id()}"}
        result = Result(told, status=404, unknown=True)
    else:
        result = _answer_call(world, endpoint, call)
        result.mime = endpoint.mime
    _log_call(world, call, result)
    return result


def _answer_call(world: World, endpoint: Endpoint, call: Call) -> Result:
    delay, fault = world.faults.match_call(call.path, _openid_of(call))
    with _reserve_person(world, endpoint, call) as alone:
        if delay:
            world.pause(delay)
        if not alone:
            return Result(_refusal_answer(world, ApiError(43108)))
        if fault is not None and fault.mode == "hold":
            world.faults.await_lift(fault)
        early = _apply_fault(world, fault)
        if early is not None:
            return early
        answer = _run_endpoint(world, endpoint, call)
    if fault is not None and fault.mode in ("truncate", "accept_then_drop"):
        broken = "reset" if fault.mode == "accept_then_drop" else "truncate"
        return Result(answer, broken=broken)
    return Result(answer)


def _apply_fault(world: World, fault: Fault | None) -> Result | None:
    """The result of a fault that replaces the endpoint; the call then has no effect."""
    if fault is None:
        return None
    if fault.errcode is not None:
        return Result(_refusal_answer(world, ApiError(fault.errcode)))
    if fault.http is not None:
        return Result(None, status=fault.http, broken="html")
    if fault.mode in ("reset", "html"):
        return Result(None, broken=fault.mode)
    return None


def _run_endpoint(world: World, endpoint: Endpoint, call: Call) -> Answer:
    """Admit the call and run the endpoint, each in its own transaction."""
    try:
        # Quota stays counted even if the call is refused afterwards.
        with world.store.open_transaction():
            _admit_call(world, endpoint, call)
        with world.store.open_transaction():
            answer = endpoint.answer(world, call)
    except ApiError as error:
        return _refusal_answer(world, error)
    for receipt in call.receipts:
        receipts.plan_receipt(world, receipt)
    return answer


def _admit_call(world: World, endpoint: Endpoint, call: Call) -> None:
    if call.method != endpoint.method:
        raise ApiError(43001 if endpoint.method == "GET" else 43002)
    if endpoint.accounts:
        call.caller = api_token.caller_of(world, call, endpoint.accounts)
        errcode = world.quota.use_call(call.caller.appid, call.path)
        if errcode:
            raise ApiError(errcode)
    if endpoint.method == "POST" and endpoint.takes == "json":
        call.body = read_body(call, endpoint.escapes)


def _refusal_answer(world: World, error: ApiError) -> dict[str, Any]:
    told = {"errcode": error.errcode, "errmsg": error.errmsg_for(world.new_request_id())}
    return {**told, **error.more}


@contextmanager
def _reserve_person(world: World, endpoint: Endpoint, call: Call) -> Iterator[bool]:
    """Yield whether no other call for the person is running; reserve the person until it ends."""
    person = _text_field(call, endpoint.one_at_a_time_by) if endpoint.one_at_a_time_by else None
    if person is None:
        yield True
        return
    place = (endpoint.path, person)
    with world.in_flight_lock:
        free = place not in world.in_flight
        world.in_flight.add(place)
    try:
        yield free
    finally:
        if free:
            with world.in_flight_lock:
                world.in_flight.discard(place)


def _openid_of(call: Call) -> str | None:
    return _text_field(call, "touser") or _text_field(call, "openid") or call.query.get("openid")


def _text_field(call: Call, name: str) -> str | None:
    value = call.loose.get(name)
    return value if isinstance(value, str) else None


def _appid_of(world: World, call: Call) -> str | None:
    """The caller's appid, also for a call refused before authentication."""
    if call.caller is not None:
        return call.caller.appid
    app = world.app_of(str({**call.query, **call.loose}.get("appid")))
    token = call.query.get("access_token")
    row = world.store.first_row("SELECT appid FROM tokens WHERE value = ?", token)
    owner = None if row is None else str(row["appid"])
    return owner if app is None else app.appid


def _log_call(world: World, call: Call, result: Result) -> None:
    shown = {**call.query, **call.loose}
    request = {key: value for key, value in shown.items() if key not in SECRETS}
    status = 0 if result.broken == "reset" else result.status
    world.store.insert_row(
        "calls",
        at=world.now(),
        path=call.path,
        method=call.method,
        appid=_appid_of(world, call),
        status=status,
        errcode=result.errcode,
        failing=int(result.unknown),
        request=json.dumps(request, ensure_ascii=False),
    )
    world.log_line(
        "call", path=call.path, method=call.method, status=status, errcode=result.errcode
    )
