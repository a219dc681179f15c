"""The official account's menu: which menus WeChat accepts, and the two forms it returns them in."""

from __future__ import annotations

import re
from typing import Any

from ..world import World
from .common import ONLY_OFFICIAL, ApiError, Call, Endpoint, ok_answer

TOP, SUB = 3, 5
TOP_NAME_BYTES, SUB_NAME_BYTES, KEY_BYTES, URL_BYTES = 16, 60, 128, 1024
KEYED = {
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
}
BY_MEDIA = {"media_id", "article_id", "article_view_limited"}
APPID = re.compile(r"wx[0-9a-f]{16}")
FACT = "menu"


def create_menu(world: World, call: Call) -> dict[str, Any]:
    """Replace the menu."""
    buttons = call.body.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= TOP:
        raise ApiError(40016)
    menu = [_check_top_button(world, button) for button in buttons]
    world.store.store_fact(FACT, {"button": menu})
    return ok_answer()


def current_menu(world: World) -> dict[str, Any] | None:
    """The stored menu, or None."""
    menu: dict[str, Any] | None = world.store.read_fact(FACT)
    return menu


def get_menu(world: World, _call: Call) -> dict[str, Any]:
    """Return the menu in the form it was created in."""
    menu = current_menu(world)
    if menu is None:
        raise ApiError(46003)
    return {"menu": menu}


def delete_menu(world: World, _call: Call) -> dict[str, Any]:
    """Delete the menu."""
    world.store.store_fact(FACT, None)
    return ok_answer()


def get_selfmenu(world: World, _call: Call) -> dict[str, Any]:
    """Return the menu in the form with nested lists."""
    menu = current_menu(world)
    if menu is None:
        return {"is_menu_open": 0, "selfmenu_info": {"button": []}}
    buttons = []
    for button in menu["button"]:
        shown = {name: value for name, value in button.items() if name != "sub_button"}
        if button["sub_button"]:
            leaves = [
                {name: value for name, value in leaf.items() if name != "sub_button"}
                for leaf in button["sub_button"]
            ]
            shown["sub_button"] = {"list": leaves}
        buttons.append(shown)
    return {"is_menu_open": 1, "selfmenu_info": {"button": buttons}}


def _check_top_button(world: World, button: object) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise ApiError(40016)
    subs = button.get("sub_button") or []
    if not subs:
        return _check_leaf_button(world, button, TOP_NAME_BYTES, 40018)
    _check_name(button, TOP_NAME_BYTES, 40018)
    if not isinstance(subs, list) or len(subs) > SUB:
        raise ApiError(40023)
    leaves = [_check_leaf_button(world, sub, SUB_NAME_BYTES, 40025) for sub in subs]
    return {"name": button["name"], "sub_button": leaves}


def _check_leaf_button(
    world: World, button: object, name_bytes: int, name_error: int
) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise ApiError(40023)
    _check_name(button, name_bytes, name_error)
    kind = str(button.get("type"))
    if kind in KEYED:
        _check_size(button, "key", KEY_BYTES, 40019)
    elif kind == "view":
        _check_url(button)
    elif kind == "miniprogram":
        _check_miniprogram(world, button)
    elif kind in BY_MEDIA:
        raise ApiError(40007)
    else:
        raise ApiError(40017)
    return {**button, "sub_button": []}


def _check_name(button: dict[str, Any], largest: int, error: int) -> None:
    _check_size(button, "name", largest, error)


def _check_size(button: dict[str, Any], name: str, largest: int, error: int) -> None:
    value = button.get(name)
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= largest:
        raise ApiError(error)


def _check_url(button: dict[str, Any]) -> None:
    _check_size(button, "url", URL_BYTES, 40020)
    if not button["url"].startswith(("http://", "https://")):
        raise ApiError(40055)


def _check_miniprogram(world: World, button: dict[str, Any]) -> None:
    _check_url(button)
    appid = button.get("appid")
    if not isinstance(appid, str) or not APPID.fullmatch(appid):
        raise ApiError(40166)
    if appid != world.mini.appid:
        raise ApiError(45064)
    if not world.can_open(button.get("pagepath")):
        raise ApiError(40165)


ENDPOINTS = [
    Endpoint(
        path="/cgi-bin/menu/create",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=create_menu,
        escapes="refused",
    ),
    Endpoint(path="/cgi-bin/menu/get", method="GET", accounts=ONLY_OFFICIAL, answer=get_menu),
    Endpoint(path="/cgi-bin/menu/delete", method="GET", accounts=ONLY_OFFICIAL, answer=delete_menu),
    Endpoint(
        path="/cgi-bin/get_current_selfmenu_info",
        method="GET",
        accounts=ONLY_OFFICIAL,
        answer=get_selfmenu,
    ),
]
