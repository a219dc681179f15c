"""The mini-program's own APIs: login, phone number, content check, codes."""

from __future__ import annotations

import re
from typing import Any

from .. import people, pictures
from ..people import Person
from ..world import World
from .common import (
    NO_TOKEN,
    ONLY_MINI,
    TEXT,
    ApiError,
    Call,
    Endpoint,
    Picture,
    ok_answer,
)
from .token import app_by_secret

SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]+")
LONGEST_SCENE = 32
SEEN_SECONDS = 2 * 3600
LONGEST_TEXT = 2500
CHECKED = ("content", "title", "nickname", "signature")
NARROWEST, WIDEST, USUAL_WIDTH = 280, 1280, 430


def code_to_session(world: World, call: Call) -> dict[str, Any]:
    """Exchange a wx.login code, once; needs no access token."""
    app = app_by_secret(world, dict(call.query))
    call.caller = app
    if app.account != world.mini.account:
        raise ApiError(40013)
    if call.query.get("grant_type") != "authorization_code":
        raise ApiError(40002)
    if not call.query.get("js_code"):
        raise ApiError(41008)
    row = people.use_code(world, call.query["js_code"], "login")
    if isinstance(row, int):
        raise ApiError(row)
    person = people.find_person(world, row["person"])
    if person.risky:
        raise ApiError(40226)
    people.touch_app(world, person.person)
    shown = {"session_key": row["session_key"], "openid": person.openid_mp}
    return {**shown, **people.unionid_of(world, person)}


def phone_number(world: World, call: Call) -> dict[str, Any]:
    """Exchange a code of the phone-number button, once, and only for its own person."""
    code = call.text_field("code", missing=41008)
    sql = "SELECT person FROM codes WHERE code = ? AND kind = 'phone'"
    row = world.store.first_row(sql, code)
    person = None if row is None else people.find_person(world, row["person"])
    if person is None or call.body.get("openid") not in (None, person.openid_mp):
        raise ApiError(40029)
    used = people.use_code(world, code, "phone")
    if isinstance(used, int):
        raise ApiError(used)
    watermark = {"timestamp": int(world.now()), "appid": world.mini.appid}
    return ok_answer(
        phone_info={
            "phoneNumber": person.phone,
            "purePhoneNumber": person.phone,
            "countryCode": "86",
            "watermark": watermark,
        }
    )


def check_text(world: World, call: Call) -> dict[str, Any]:
    """Check a text of a person who used the mini-program within two hours."""
    if call.body.get("version") != 2:
        # Version 1 was switched off in 2021.
        raise ApiError(40097, "version")
    if call.body.get("scene") not in (1, 2, 3, 4):
        raise ApiError(40129)
    check_openid(world, call.body.get("openid"))
    content = call.text_field("content", missing=44002)
    if len(content) > LONGEST_TEXT:
        raise ApiError(45002)
    words = " ".join(str(call.body.get(name, "")) for name in CHECKED)
    suggest, label = world.judge_text(words)
    detail = {"strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label}
    return ok_answer(
        detail=[{**detail, "prob": 90}],
        trace_id=world.new_request_id(),
        result={"suggest": suggest, "label": label},
    )


def check_openid(world: World, openid: object) -> Person:
    """The author of a checked text or picture; must have used the mini-program within two hours.

    Raises: ApiError 40003, 43104, 61010.
    """
    person = people.find_by_openid(world, world.mini, openid)
    if person is None:
        other = people.find_by_openid(world, world.official, openid)
        raise ApiError(40003 if other is None else 43104)
    if person.last_access is None or world.now() - person.last_access > SEEN_SECONDS:
        raise ApiError(61010)
    return person


def unlimited_code(world: World, call: Call) -> Picture:
    """Create a mini-program code with a scene."""
    scene = call.body.get("scene")
    if not isinstance(scene, str) or not 1 <= len(scene) <= LONGEST_SCENE:
        raise ApiError(40169)
    if not SCENE.fullmatch(scene):
        raise ApiError(40129)
    page = _read_page(world, call.body)
    width = call.body.get("width", USUAL_WIDTH)
    if type(width) is not int or not NARROWEST <= width <= WIDEST:
        raise ApiError(40097, "width")
    if call.body.get("env_version", "release") not in ("release", "trial", "develop"):
        raise ApiError(40097, "env_version")
    ticket = world.random_word(16)
    url = f"https://wxaurl.cn/{ticket}"
    world.store.insert_row(
        "scenes",
        kind="WXA_CODE",
        scene=scene,
        ticket=ticket,
        page=page,
        url=url,
        issued=world.now(),
    )
    if call.body.get("is_hyaline") is True:
        # JPEG has no transparency.
        return Picture(pictures.transparent_png(url, width), "image/png")
    return Picture(pictures.draw_jpeg(url, width))


def _read_page(world: World, body: dict[str, Any]) -> str:
    page = body.get("page", "")
    if not isinstance(page, str) or page.startswith("/") or "?" in page:
        raise ApiError(41030)
    released = world.released_pages()
    if page and body.get("check_path", True) and page not in (released or set()):
        raise ApiError(41030)
    return page


ENDPOINTS = [
    Endpoint(
        path="/sns/jscode2session",
        method="GET",
        accounts=NO_TOKEN,
        answer=code_to_session,
        mime=TEXT,
    ),
    Endpoint(
        path="/wxa/business/getuserphonenumber",
        method="POST",
        accounts=ONLY_MINI,
        answer=phone_number,
    ),
    Endpoint(path="/wxa/msg_sec_check", method="POST", accounts=ONLY_MINI, answer=check_text),
    Endpoint(
        path="/wxa/getwxacodeunlimit", method="POST", accounts=ONLY_MINI, answer=unlimited_code
    ),
]
