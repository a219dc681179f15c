"""Followers and codes with scenes: user/info, user/get, qrcode/create and its picture."""

from __future__ import annotations

from typing import Any

from .. import people, pictures
from ..people import Person
from ..world import World
from .common import ONLY_OFFICIAL, ApiError, Call, Endpoint, Picture

PAGE = 10_000
BATCH = 100
LONGEST_SECONDS, DEFAULT_SECONDS = 2_592_000, 60
PERMANENT = 100_000
KINDS = {
    "QR_SCENE": ("scene_id", 2**32 - 1),
    "QR_LIMIT_SCENE": ("scene_id", PERMANENT),
    "QR_STR_SCENE": ("scene_str", 64),
    "QR_LIMIT_STR_SCENE": ("scene_str", 64),
}


def user_info(world: World, call: Call) -> dict[str, Any]:
    """Return what the official account may know about one person."""
    return _user_info(world, call.query.get("openid"))


def user_info_batch(world: World, call: Call) -> dict[str, Any]:
    """Return what the official account may know about up to a hundred people."""
    asked = call.body.get("user_list")
    if not isinstance(asked, list) or not 1 <= len(asked) <= BATCH:
        raise ApiError(40032)
    openids = [item.get("openid") if isinstance(item, dict) else None for item in asked]
    return {"user_info_list": [_user_info(world, openid) for openid in openids]}


def _user_info(world: World, openid: object) -> dict[str, Any]:
    person = people.find_by_openid(world, world.official, openid)
    if person is None:
        raise ApiError(40003)
    unionid = people.unionid_of(world, person)
    if not person.subscribed:
        return {"subscribe": 0, "openid": person.openid_oa, **unionid}
    number = person.qr_scene.isdigit()
    return {
        "subscribe": 1,
        "openid": person.openid_oa,
        "nickname": "",
        "sex": 0,
        "language": "zh_CN",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": person.subscribe_time,
        **unionid,
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": person.subscribe_scene,
        "qr_scene": int(person.qr_scene) if number else 0,
        "qr_scene_str": "" if number else person.qr_scene,
    }


def user_get(world: World, call: Call) -> dict[str, Any]:
    """Return the openids of followers, ten thousand per page."""
    after = 0
    asked = call.query.get("next_openid")
    if asked:
        after = world.store.select_number("SELECT id FROM people WHERE openid_oa = ?", asked)
        if not after:
            raise ApiError(40003)
    total = world.store.select_number("SELECT count(*) FROM people WHERE subscribed = 1")
    rows = world.store.all_rows(
        "SELECT openid_oa FROM people WHERE subscribed = 1 AND id > ? ORDER BY id LIMIT ?",
        after,
        PAGE,
    )
    if not rows:
        return {"total": total, "count": 0, "next_openid": ""}
    openids = [row["openid_oa"] for row in rows]
    return {
        "total": total,
        "count": len(openids),
        "data": {"openid": openids},
        "next_openid": openids[-1],
    }


def qrcode_create(world: World, call: Call) -> dict[str, Any]:
    """Create a code that carries a scene."""
    kind = call.body.get("action_name")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ApiError(40052)
    scene = _read_scene(call, kind)
    lasts = None if "LIMIT" in kind else _expire_seconds(call)
    if lasts is None:
        sql = "SELECT count(*) FROM scenes WHERE kind LIKE 'QR_LIMIT%'"
        if world.store.select_number(sql) >= PERMANENT:
            raise ApiError(40053, "too many permanent codes")
    ticket = f"gQ{world.random_word(48)}+/{world.random_word(40)}=="
    url = f"http://weixin.qq.com/q/02{world.random_word(22)}"
    world.store.insert_row(
        "scenes",
        kind=kind,
        scene=scene,
        ticket=ticket,
        page="",
        url=url,
        issued=world.now(),
        expires=None if lasts is None else world.now() + lasts,
    )
    limit = {} if lasts is None else {"expire_seconds": lasts}
    return {"ticket": ticket, **limit, "url": url}


def _read_scene(call: Call, kind: str) -> str:
    name, largest = KINDS[kind]
    info = call.body.get("action_info")
    scene = info.get("scene") if isinstance(info, dict) else None
    value = scene.get(name) if isinstance(scene, dict) else None
    if name == "scene_id" and type(value) is int and 1 <= value <= largest:
        return str(value)
    if name == "scene_str" and isinstance(value, str) and 1 <= len(value) <= largest:
        return value
    raise ApiError(40053)


def _expire_seconds(call: Call) -> int:
    seconds = call.body.get("expire_seconds", DEFAULT_SECONDS)
    if type(seconds) is not int or not 1 <= seconds <= LONGEST_SECONDS:
        raise ApiError(40053, "expire_seconds")
    return seconds


def qrcode_picture(world: World, ticket: str) -> Picture | None:
    """The picture of a ticket from mp.weixin.qq.com; None after it has expired."""
    row = world.store.first_row(
        "SELECT url FROM scenes WHERE ticket = ? AND (expires IS NULL OR expires > ?)",
        ticket,
        world.now(),
    )
    return None if row is None else Picture(pictures.draw_jpeg(row["url"]), "image/jpg")


def find_holder(world: World, openid: object) -> Person:
    """The person with this openid in the official account.

    Raises: ApiError 40003.
    """
    person = people.find_by_openid(world, world.official, openid)
    if person is None:
        raise ApiError(40003)
    return person


ENDPOINTS = [
    Endpoint(path="/cgi-bin/user/info", method="GET", accounts=ONLY_OFFICIAL, answer=user_info),
    Endpoint(
        path="/cgi-bin/user/info/batchget",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=user_info_batch,
    ),
    Endpoint(path="/cgi-bin/user/get", method="GET", accounts=ONLY_OFFICIAL, answer=user_get),
    Endpoint(
        path="/cgi-bin/qrcode/create",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=qrcode_create,
    ),
]
