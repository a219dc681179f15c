"""The control endpoint `/_emu/...`, through which tests, scripts and the phone page act."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from flask import Blueprint, request

from . import (
    acts,
    groups,
    hostile,
    inbox,
    mass_jobs,
    people,
    population,
    posts,
    receipts,
    sheets,
)
from .apps import MINI, OFFICIAL
from .clock import format_beijing
from .faults import bare_path
from .wechat_api import menu as api_menu
from .wechat_api import token as api_token
from .world import World

# Settings of the console that are on or off, by their name in the world.
_SWITCHES = ("open_platform", "mass_protection")
_CLOCK = ("offset_s", "freeze", "advance")
_A_PAGE = 10_000
# Ten years. Beyond that, tokens and seasons mean nothing, and dates overflow.
_FURTHEST_S = 10 * 366 * 86_400

Body: TypeAlias = dict[str, Any]
Shown: TypeAlias = "dict[str, Any] | tuple[dict[str, Any], int]"


def build_routes(world: World) -> Blueprint:
    """Create the control routes for one world."""
    blueprint = Blueprint("control", __name__, url_prefix="/_emu")
    for path, act in POSTS.items():
        blueprint.add_url_rule(path, f"post{path}", _post_view(world, act), methods=["POST"])
    for path, read in READS.items():
        blueprint.add_url_rule(path, f"get{path}", _read_view(world, read), methods=["GET"])
    blueprint.add_url_rule("/faults", "lift", _read_view(world, lift_faults), methods=["DELETE"])
    _by_name(world, blueprint)
    blueprint.register_error_handler(LookupError, lambda error: (_describe_error(error), 404))
    blueprint.register_error_handler(ValueError, lambda error: (_describe_error(error), 400))
    blueprint.register_error_handler(
        people.NotNowError, lambda error: (_describe_error(error), 409)
    )
    blueprint.register_error_handler(people.RefusedError, _describe_refusal)
    return blueprint


def _by_name(world: World, blueprint: Blueprint) -> None:
    @blueprint.get("/inbox/<openid>")
    def inbox_of(openid: str) -> Shown:
        return {"items": inbox.list_received(world, openid)}

    @blueprint.get("/chat/<person>")
    def chat_of(person: str) -> Shown:
        return {"items": inbox.list_chat(world, people.find_person(world, person).openid_oa)}


def _post_view(world: World, act: Callable[[World, Body], Shown]) -> Callable[[], Shown]:
    def answer_post() -> Shown:
        body = json.loads(request.get_data() or b"{}")
        if not isinstance(body, dict):
            raise ValueError("the body is a JSON object")
        return act(world, body)

    return answer_post


def _read_view(world: World, read: Callable[[World], Shown]) -> Callable[[], Shown]:
    return lambda: read(world)


def _describe_error(error: Exception) -> dict[str, str]:
    return {"error": str(error.args[0] if error.args else error)}


def _describe_refusal(error: people.RefusedError) -> dict[str, Any]:
    """A refusal in WeChat's format: the call itself was served."""
    return {"errcode": error.errcode, "errmsg": str(error.args[0])}


def note_unknown(world: World, method: str, path: str) -> None:
    """Record a request to an unknown address, so that a mistyped address cannot pass a test."""
    world.store.insert_row(
        "calls",
        at=world.now(),
        path=path,
        method=method,
        status=404,
        failing=1,
        request="{}",
    )


def reset_world(world: World, _body: Body) -> Shown:
    """Reset to an empty world."""
    world.reset_world()
    return {"ok": True}


def order_fault(world: World, body: Body) -> Shown:
    """Inject a fault."""
    return world.faults.order_fault(body)


def list_faults(world: World) -> Shown:
    """List the active faults."""
    return {"items": world.faults.list_orders()}


def lift_faults(world: World) -> Shown:
    """Remove one fault by `?id=`, or all."""
    number = request.args.get("id")
    world.faults.lift_orders(None if number is None else int(number))
    return list_faults(world)


def spoil_tokens(world: World, body: Body) -> Shown:
    """Expire every token, or fetch a new one as another host of the operator would."""
    if body.get("expire"):
        world.store.run_sql("UPDATE tokens SET expires = ?", world.now())
    if body.get("revoke"):
        world.store.run_sql("UPDATE tokens SET dead = 1")
    if body.get("supersede"):
        with world.store.open_transaction():
            api_token.issue_normal(world, world.apps[str(body["supersede"])])
    return {"live": world.store.select_number("SELECT count(*) FROM tokens WHERE dead = 0")}


def ban_template(world: World, body: Body) -> Shown:
    """Withdraw a template, or restore it."""
    template = str(body.get("template_id"))
    if template not in world.all_templates:
        raise LookupError(f"there is no template {template!r}")
    change = world.banned.add if body.get("banned", True) else world.banned.discard
    change(template)
    return {"banned": sorted(world.banned)}


def move_clock(world: World, body: Body) -> Shown:
    """Set, freeze or advance the emulated time.

    Raises: ValueError for an unknown instruction, or a date outside the calendar.
    """
    offset, step = body.get("offset_s", 0), body.get("advance", 0)
    numbers = all(type(seconds) in (int, float) for seconds in (offset, step))
    if not (body.keys() <= set(_CLOCK) and numbers and isinstance(body.get("freeze", True), bool)):
        raise ValueError(f"the clock knows {_CLOCK}: seconds, true or false, seconds")
    ahead = (offset if "offset_s" in body else world.clock.seconds_ahead()) + step
    if not abs(ahead) <= _FURTHEST_S:
        raise ValueError(f"the clock goes {_FURTHEST_S} seconds either way, no further")
    if "offset_s" in body:
        world.clock.set_offset(float(offset))
    if "freeze" in body:
        world.clock.freeze_time(body["freeze"])
    world.clock.advance_time(step)
    mass_jobs.expire_waiting(world)
    return show_clock(world)


def show_clock(world: World) -> Shown:
    """Show the emulated time."""
    return world.clock.show_state()


def cut_network(world: World, body: Body) -> Shown:
    """Disconnect the mini-program from the network in every phone, or reconnect it."""
    if type(body.get("cut")) is not bool:
        raise ValueError("cut is true or false")
    world.cut_off = body["cut"]
    return {"cut": world.cut_off}


def set_quota(world: World, body: Body) -> Shown:
    """Set a path's limits; `limit` is the daily one.

    Raises: ValueError without a path, or with an invalid limit.
    """
    path = bare_path(str(body.get("path", "")))
    wished = [body.get(name) for name in ("limit", "minute")]
    if not body.get("path") or not all(n is None or (type(n) is int and n >= 0) for n in wished):
        raise ValueError("a quota needs a path; limit and minute are whole numbers from 0 on")
    world.quota.set_limits(path, day=body.get("limit"), minute=body.get("minute"))
    return {
        "path": path,
        "limit": world.quota.daily_limit(path),
        "minute": world.quota.minute_limit(path),
        "used": {app.appid: world.quota.used_today(app.appid, path) for app in _list_apps(world)},
    }


def change_apps(world: World, body: Body) -> Shown:
    """Change console settings of one app, or of both when they are given at the top level.

    Raises: ValueError for an unknown setting; then nothing is changed.
    """
    changed, allowed = dict(world.apps), dict(world.ip_whitelist)
    _refuse_unknown(body, {OFFICIAL, MINI, *_SWITCHES, "ip_whitelist", "refused_words"})
    for account in (OFFICIAL, MINI):
        wish = body.get(account, {})
        _refuse_unknown(wish, {"mode", "format", "callback", "ip_whitelist"})
        push = {name: value for name, value in wish.items() if name != "ip_whitelist"}
        changed[account] = changed[account].with_push(**push)
        addresses = wish.get("ip_whitelist", body.get("ip_whitelist"))
        if addresses is not None:
            allowed[account] = _word_set(addresses, "ip_whitelist")
    words = _word_set(body.get("refused_words", sorted(world.refused_words)), "refused_words")
    if not all(type(body.get(name, True)) is bool for name in _SWITCHES):
        raise ValueError(f"{_SWITCHES} are true or false")
    world.apps, world.ip_whitelist, world.refused_words = changed, allowed, words
    for name in _SWITCHES:
        setattr(world, name, body.get(name, getattr(world, name)))
    return show_apps(world)


def _refuse_unknown(wish: object, known: set[str]) -> None:
    if not isinstance(wish, dict) or not wish.keys() <= known:
        raise ValueError(f"the settings here are {sorted(known)}")


def _word_set(listed: object, name: str) -> set[str]:
    if not isinstance(listed, list) or not all(isinstance(one, str) and one for one in listed):
        raise ValueError(f"{name} is a list of texts")
    return set(listed)


def show_apps(world: World) -> Shown:
    """Show the settings of both apps, without secrets."""
    shown = {
        app.account: {
            "appid": app.appid,
            "original_id": app.original_id,
            "mode": app.mode,
            "format": app.format,
            "callback": app.callback,
            "ip_whitelist": sorted(world.ip_whitelist.get(app.account, ())),
        }
        for app in _list_apps(world)
    }
    words = sorted(world.refused_words)
    switches = {name: getattr(world, name) for name in _SWITCHES}
    return {**shown, **switches, "refused_words": words}


def _list_apps(world: World) -> list[Any]:
    return list(world.apps.values())


def url_check(world: World, body: Body) -> Shown:
    """The "save configuration" button: check that the callback returns the echostr."""
    account = str(body.get("app", OFFICIAL))
    return acts.url_check(world, account)


def show_health(world: World) -> Shown:
    """Report the address that receives callbacks and the number of calls to unknown addresses."""
    failing = world.store.select_number("SELECT count(*) FROM calls WHERE failing = 1")
    return {"status": "ok", "server": world.settings.server, "failing_calls": failing}


def show_menu(world: World) -> Shown:
    """Show the official account's menu as a phone displays it."""
    return api_menu.current_menu(world) or {"button": []}


def list_groups(world: World) -> Shown:
    """List every group with its members."""
    return {"items": groups.list_groups(world)}


def list_people(world: World) -> Shown:
    """List all people."""
    return {"items": [acts.show_person(person) for person in people.list_people(world)]}


def list_codes(world: World) -> Shown:
    """List every issued code that has a scene."""
    rows = world.store.all_rows("SELECT * FROM scenes ORDER BY id")
    return {
        "items": [
            {
                "kind": row["kind"],
                "scene": row["scene"],
                "ticket": row["ticket"],
                "page": row["page"],
                "url": row["url"],
                "issued_at": format_beijing(row["issued"]),
                "expires_at": None if row["expires"] is None else format_beijing(row["expires"]),
            }
            for row in rows
        ]
    }


def list_callbacks(world: World) -> Shown:
    """List the pushes and their results, oldest first."""
    rows = world.store.all_rows("SELECT * FROM callbacks ORDER BY id")
    return {"items": [{**dict(row), "at": format_beijing(row["at"])} for row in rows]}


def list_calls(world: World) -> Shown:
    """List the API calls of the server, oldest first; `?path=` selects one API."""
    path = request.args.get("path")
    rows = (
        world.store.all_rows("SELECT * FROM calls WHERE path = ? ORDER BY id", bare_path(path))
        if path
        else world.store.all_rows("SELECT * FROM calls ORDER BY id")
    )
    return {
        "items": [
            {
                **dict(row),
                "at": format_beijing(row["at"]),
                "failing": bool(row["failing"]),
                "request": json.loads(row["request"]),
            }
            for row in rows
        ]
    }


def list_deliveries(world: World) -> Shown:
    """List the messages of all people after `?after=`, up to 10,000 a page."""
    return inbox.list_deliveries(world, request.args.get("after", 0, type=int), _A_PAGE)


def read_article(world: World) -> Shown:
    """Return the article `index` (from 0) of the mass message `msg_id`, as a phone opens it."""
    asked = request.args
    article = mass_jobs.read_article(
        world, asked.get("msg_id", type=int), asked.get("index", 0, type=int)
    )
    if article is None:
        raise LookupError("there is no such article")
    return article


POSTS: dict[str, Callable[[World, Body], Shown]] = {
    "/reset": reset_world,
    "/seed": acts.seed_followers,
    "/people": acts.put_person,
    "/population": population.settle_people,
    "/follow": acts.follow_account,
    "/unfollow": acts.unfollow_account,
    "/message": acts.send_message,
    "/scan": acts.scan_code,
    "/login_code": acts.login_code,
    "/check_session": acts.check_session,
    "/phone_code": acts.phone_code,
    "/group_entry": acts.group_entry,
    "/consent": acts.answer_sheet,
    "/authorization": acts.change_authorization,
    "/sheet": sheets.ask_sheet,
    "/nickname": sheets.review_nickname,
    "/settings": sheets.show_settings,
    "/privacy": sheets.show_privacy,
    "/groups": groups.put_group,
    "/share": posts.share_card,
    "/say": posts.say_text,
    "/network": cut_network,
    "/open": posts.open_card,
    "/group_enter_info": posts.group_enter_info,
    "/callback": hostile.play_hostile,
    "/url_check": url_check,
    "/faults": order_fault,
    "/tokens": spoil_tokens,
    "/templates": ban_template,
    "/receipts": receipts.order_receipts,
    "/mass": mass_jobs.answer_job,
    "/clock": move_clock,
    "/quota": set_quota,
    "/apps": change_apps,
}
READS: dict[str, Callable[[World], Shown]] = {
    "/people": list_people,
    "/groups": list_groups,
    "/codes": list_codes,
    "/callbacks": list_callbacks,
    "/calls": list_calls,
    "/faults": list_faults,
    "/receipts": receipts.show_receipts,
    "/mass": mass_jobs.list_jobs,
    "/article": read_article,
    "/deliveries": list_deliveries,
    "/menu": show_menu,
    "/clock": show_clock,
    "/apps": show_apps,
    "/health": show_health,
}
