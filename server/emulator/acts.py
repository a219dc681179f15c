"""Actions of people on their phones, and the events that WeChat pushes because of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from . import grants, groups, inbox, letters, people, push, sheets
from .apps import MINI, App
from .letters import Letter
from .people import NotNowError, Person
from .texts import TEXTS
from .world import World

WINDOW_OF = {
    "click": "click",
    "scancode_waitmsg": "click",
    "scancode_push": "click",
    "scan": "scan",
}
AUTHORIZATIONS = {
    "modified": "user_info_modified",
    "revoke": "user_authorization_revoke",
    "cancellation": "user_authorization_cancellation",
}
NUMBERS = re.compile(r"\d{1,3}(,\d{1,3})*")
# The answers of wx.requestSubscribeMessage are an open list; any that begins with "accept" counts
# as accepted.
ANSWER = re.compile(r"[A-Za-z][0-9A-Za-z_]{0,63}")
# Where the sheet of the official account opens: PopupScene. Source: "Event pushes of
# subscription notices".
PLACES = {"web": 1, "article": 2}
NOT_TOLD = ("ban", "filter")


def show_person(person: Person) -> dict[str, Any]:
    """Describe a person for the control endpoint and the phone page."""
    return {
        "person": person.person,
        "name": person.name,
        "openid_oa": person.openid_oa,
        "openid_mp": person.openid_mp,
        "unionid": person.unionid,
        "subscribed": person.subscribed,
    }


def put_person(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Create a person, or change the one named by `person`."""
    with world.store.open_transaction():
        if "person" in body:
            wishes = {name: value for name, value in body.items() if name != "person"}
            people.change_person(world, str(body["person"]), wishes)
            return show_person(people.find_person(world, str(body["person"])))
        return show_person(people.create_person(world, str(body.get("name") or TEXTS["seed_name"])))


def seed_followers(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Create followers; the same seed gives the same people. Pushes no event."""
    count, start = int(body.get("followers", 0)), str(body.get("seed", 0))
    with world.store.open_transaction():
        added = people.seed_people(world, count, start)
    total = world.store.select_number("SELECT count(*) FROM people WHERE subscribed = 1")
    return {"added": added, "followers": total}


def follow_account(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Follow the official account; `scene` is set when a code was scanned."""
    person = _find_person(world, body)
    scene = str(body.get("scene") or "")
    return _follow_account(world, person, scene, _ticket_of(world, scene))


def unfollow_account(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Stop following."""
    person = _find_person(world, body)
    with world.store.open_transaction():
        people.unfollow_account(world, person)
    return _push_letter(world, letters.build_event(world, person, "unsubscribe", ""))


def scan_code(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Scan a code: official-account codes cause a follow or SCAN event, mini-program codes open
    a page.
    """
    person = _find_person(world, body)
    ticket = str(body.get("ticket"))
    row = world.store.first_row("SELECT * FROM scenes WHERE ticket = ?", ticket)
    if row is None:
        raise LookupError(f"no code has the ticket {ticket!r}")
    if row["expires"] is not None and row["expires"] <= world.now():
        raise NotNowError("the code has expired")
    if row["kind"] == "WXA_CODE":
        people.touch_app(world, person.person)
        return {"attempts": [], "open": {"page": row["page"], "scene": row["scene"]}}
    if not person.subscribed:
        return _follow_account(world, person, row["scene"], ticket)
    return _push_event(world, person, ("SCAN", row["scene"], ticket))


def send_message(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Send a message to the official account, or cause an event there."""
    person = _find_person(world, body)
    if "event" not in body:
        kind, content = str(body.get("kind", "text")), str(body.get("content", ""))
        letter = letters.build_message(world, person, kind, content)
        with world.store.open_transaction():
            inbox.open_window(world, person.openid_oa, "message")
            inbox.put_line(
                world,
                person.openid_oa,
                kind,
                content,
                via="person",
                direction=inbox.FROM_PERSON,
            )
        return _push_letter(world, letter)
    name = str(body["event"])
    if name.lower() in ("subscribe", "unsubscribe"):
        act = follow_account if name.lower() == "subscribe" else unfollow_account
        return act(world, {"person": person.person})
    key = None if body.get("event_key") is None else str(body["event_key"])
    if "scan_result" in body:
        return _push_scan(world, person, name, key, str(body["scan_result"]))
    ticket = _ticket_of(world, key or "") if name.lower() == "scan" else None
    return _push_event(world, person, (name, key, ticket))


def login_code(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Return what wx.login returns."""
    person = _find_person(world, body)
    with world.store.open_transaction():
        code, _session_key = people.login_code(world, person)
    return {"code": code}


def check_session(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Return what wx.checkSession returns: whether the person has logged in here."""
    sql = "SELECT session_key IS NOT NULL AS valid FROM people WHERE person = ?"
    row = world.store.first_row(sql, _find_person(world, body).person)
    return {"valid": bool(row and row["valid"])}


def phone_code(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Return what the phone-number button returns."""
    person = _find_person(world, body)
    with world.store.open_transaction():
        return {"code": people.phone_code(world, person)}


def group_entry(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Return the results of wx.login and wx.getGroupEnterInfo under one session_key."""
    person = _find_person(world, body)
    group = str(body.get("group") or "")
    if not group:
        raise ValueError("a group has a name")
    with world.store.open_transaction():
        code, session_key = people.login_code(world, person)
    return {"code": code, **groups.sealed_entry(world, person, group, session_key)}


def answer_sheet(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Record a tap on the subscription sheet (`template_id` or `results`) or `turn_off` in
    settings.

    Answers with `keep` are given again without a sheet next time. The sheet of the official
    account's notices opens in an article or (`place` is `web`) in a web page.
    """
    person = _find_person(world, body)
    results = dict(body.get("results") or {str(body.get("template_id")): body.get("result")})
    app, scene = _sheet_of(world, results, str(body.get("place") or "article"))
    openid = person.openid_in(app)
    if list(results.values()) == ["turn_off"]:
        return _turn_off(world, app, person, next(iter(results)))
    if not all(isinstance(said, str) and ANSWER.fullmatch(said) for said in results.values()):
        raise ValueError("an answer is a word such as accept, acceptWithAudio, reject")
    with world.store.open_transaction():
        for template, answer in results.items():
            if answer.startswith(grants.YES):
                grants.add_grant(world, openid, template)
        sheets.settle_choices(world, person, results, keep=bool(body.get("keep")))
    answers = [(t, a) for t, a in results.items() if a not in NOT_TOLD]
    popup = letters.popup_event(world, app, openid, answers, scene)
    pushed = _push_letter(world, popup) if answers else {}
    return {
        "attempts": [],
        **pushed,
        "results": results,
        "grants": {t: grants.count_grants(world, openid, t) for t in results},
    }


def _sheet_of(world: World, results: Iterable[str], place: str) -> tuple[App, int]:
    """The app whose sheet has these templates, and WeChat's number of the place it opens in.

    Raises: LookupError for an unknown template; ValueError for another place.
    """
    asked = set(results)
    if asked and asked <= world.official_notices.keys():
        if place not in PLACES:
            raise ValueError(f"the account's sheet opens in one of {sorted(PLACES)}")
        return world.official, PLACES[place]
    for template in asked - world.templates.keys():
        raise LookupError(f"there is no template {template!r}")
    return world.mini, 0


def change_authorization(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Push an authorization event: `modified`, `revoke` or `cancellation`.

    `revoked` has WeChat's numbers, comma-separated ("6,8"); `app` is the account whose callback
    receives the event (default: the mini-program); `plugin` is the appid of the plugin that had
    the permission. After a cancellation the person is deleted and both apps receive the event.
    Raises: LookupError; ValueError for another event, or a revoke without numbers.
    """
    person = _find_person(world, body)
    event, revoked = str(body.get("event")), str(body.get("revoked") or "")
    if event not in AUTHORIZATIONS:
        raise ValueError(f"an authorization's event is one of {sorted(AUTHORIZATIONS)}")
    if (event == "revoke") != bool(NUMBERS.fullmatch(revoked)):
        raise ValueError("a revoke, and no other event, has WeChat's numbers: revoked='6,8'")
    closes = event == "cancellation"
    accounts = tuple(world.apps) if closes else (str(body.get("app") or MINI),)
    if not set(accounts) <= set(world.apps):
        raise LookupError(f"there is no app {accounts[0]!r}")
    told = [
        letters.authorization_event(
            world,
            world.apps[account],
            person,
            AUTHORIZATIONS[event],
            revoked,
            str(body.get("plugin") or ""),
        )
        for account in accounts
    ]
    if closes:
        with world.store.open_transaction():
            people.close_account(world, person)
    return {
        "attempts": [attempt for letter in told for attempt in push.deliver_letter(world, letter)]
    }


def url_check(world: World, account: str) -> dict[str, Any]:
    """GET the callback with an echostr; `ok` when it is returned unchanged."""
    if account not in world.apps:
        raise LookupError(f"there is no app {account!r}")
    echo = world.random_word(19)
    outcome = push.url_check(world, account, echo)
    right = outcome.status == 200 and outcome.body == echo.encode()
    return {"ok": right, "status": outcome.status, "ms": outcome.ms}


def _turn_off(world: World, app: App, person: Person, template: str) -> dict[str, Any]:
    openid = person.openid_in(app)
    with world.store.open_transaction():
        grants.drop_grants(world, openid, template)
        sheets.turn_off(world, person, template)
    return {
        **_push_letter(world, letters.change_event(world, app, openid, template)),
        "grants": {template: 0},
    }


def _follow_account(world: World, person: Person, scene: str, ticket: str | None) -> dict[str, Any]:
    with world.store.open_transaction():
        people.follow_account(world, person.person, scene)
        inbox.open_window(world, person.openid_oa, "follow")
    key = f"qrscene_{scene}" if scene else ""
    return _push_letter(world, letters.build_event(world, person, "subscribe", key, ticket))


def _push_event(
    world: World, person: Person, event: tuple[str, str | None, str | None]
) -> dict[str, Any]:
    name, key, ticket = event
    window = WINDOW_OF.get(name.lower())
    if window is not None:
        with world.store.open_transaction():
            inbox.open_window(world, person.openid_oa, window)
    return _push_letter(world, letters.build_event(world, person, name, key, ticket))


def _push_scan(
    world: World, person: Person, name: str, key: str | None, scanned: str
) -> dict[str, Any]:
    """Push the event of a menu entry that scans; `scanned` is the text of the code."""
    with world.store.open_transaction():
        inbox.open_window(world, person.openid_oa, WINDOW_OF[name.lower()])
    letter = letters.build_event(world, person, name, key, scanned=scanned)
    return _push_letter(world, letter)


def _push_letter(world: World, letter: Letter) -> dict[str, Any]:
    return {"attempts": push.deliver_letter(world, letter)}


def _find_person(world: World, body: dict[str, Any]) -> Person:
    return people.find_person(world, str(body.get("person")))


def _ticket_of(world: World, scene: str) -> str | None:
    if not scene:
        return None
    sql = "SELECT ticket FROM scenes WHERE scene = ? AND kind != 'WXA_CODE' ORDER BY id DESC"
    row = world.store.first_row(sql, scene)
    return f"gQ{world.random_word(90)}==" if row is None else str(row["ticket"])
