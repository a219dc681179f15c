"""The account's menu: validation by WeChat's rules, and comparison of two menus. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from server.channel import links
from server.channel.links import Program

TOP_ENTRIES, SUB_ENTRIES = 3, 5
# Source: "create custom menu". Bytes as the API counts them; hanzi as many as a phone displays.
TOP_BYTES, SUB_BYTES, KEY_BYTES = 16, 60, 128
TOP_HANZI, SUB_HANZI = 4, 7
# The one entry type of the file that opens a page; appid and the address for old phones are added
# from the settings.
PAGE = "miniprogram"
# An entry that opens the camera; the event that follows has the code's text, and a reply.
SCAN = "scancode_waitmsg"
KINDS = {"click": "key", PAGE: "pagepath", SCAN: "key"}
# The keys of such entries; a slice handles the event by what was scanned.
SCAN_KEYS = frozenset({"CHECK_IN"})

Menu = Mapping[str, Any]


def menu_faults(menu: Menu, answered: frozenset[str], pages: frozenset[str]) -> list[str]:
    """Every fault of a menu; empty when it is valid.

    `answered` are the keys that the chat answers; `pages` are those of app.json.
    """
    top = menu.get("button")
    if not isinstance(top, list) or not 1 <= len(top) <= TOP_ENTRIES:
        return [f"1 to {TOP_ENTRIES} top entries are expected"]
    found: list[str] = []
    for button in top:
        subs = button.get("sub_button") or []
        found += _name_faults(button, TOP_BYTES, TOP_HANZI)
        if len(subs) > SUB_ENTRIES:
            found.append(f"{button.get('name')}: more than {SUB_ENTRIES} entries")
        for sub in subs:
            found += _name_faults(sub, SUB_BYTES, SUB_HANZI)
            found += _leaf_faults(sub, answered, pages)
        if not subs:
            found += _leaf_faults(button, answered, pages)
    return found + _repeated_keys(menu)


def complete_menu(menu: Menu, program: Program) -> dict[str, Any]:
    """The menu with the fields that WeChat requires of entries that open a page."""

    def complete_button(button: Mapping[str, Any]) -> dict[str, Any]:
        subs = button.get("sub_button")
        if subs:
            return {**button, "sub_button": [complete_button(sub) for sub in subs]}
        if button.get("type") != PAGE:
            return dict(button)
        return {**button, "appid": program.appid, "url": program.instead}

    return {"button": [complete_button(button) for button in menu["button"]]}


def menu_lines(menu: Menu) -> list[str]:
    """The menu as text, one line per entry, in order, for comparison."""
    return [f"{'  ' * depth}{_button_line(button)}" for depth, button in _menu_entries(menu)]


def _button_line(button: Mapping[str, Any]) -> str:
    if button.get("sub_button"):
        return str(button.get("name"))
    shown = {
        name: value
        for name, value in sorted(button.items())
        if name not in ("name", "type", "sub_button")
    }
    told = " ".join(f"{name}={value}" for name, value in shown.items())
    return f"{button.get('name')} [{button.get('type')} {told}]".replace(" ]", "]")


def _menu_entries(menu: Menu) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for button in menu.get("button") or []:
        yield 0, button
        for sub in button.get("sub_button") or []:
            yield 1, sub


def _name_faults(button: Mapping[str, Any], most_bytes: int, most_hanzi: int) -> list[str]:
    name = button.get("name")
    if not isinstance(name, str) or not name:
        return ["an entry has no name"]
    if len(name.encode()) > most_bytes or len(name) > most_hanzi:
        return [f"{name}: the name is too long"]
    return []


def _leaf_faults(
    button: Mapping[str, Any], answered: frozenset[str], pages: frozenset[str]
) -> list[str]:
    name, kind = button.get("name"), button.get("type")
    if kind not in KINDS:
        return [f"{name}: an entry is answered in the chat, scans a code or opens a page"]
    extra = sorted(button.keys() - {"name", "type", KINDS[kind], "sub_button"})
    if extra:
        return [f"{name}: nothing is to be said of {', '.join(extra)}"]
    if kind == PAGE:
        wrong = links.address_fault(button.get("pagepath"), pages)
        return [] if wrong is None else [f"{name}: {wrong}"]
    return _key_faults(button, SCAN_KEYS if kind == SCAN else answered)


def _key_faults(button: Mapping[str, Any], answered: frozenset[str]) -> list[str]:
    name, key = button.get("name"), button.get("key")
    if not isinstance(key, str) or not 1 <= len(key.encode()) <= KEY_BYTES:
        return [f"{name}: the key must have 1 to {KEY_BYTES} bytes"]
    return [] if key in answered else [f"{name}: nothing answers the key {key}"]


def _repeated_keys(menu: Menu) -> list[str]:
    keys = [str(button["key"]) for _, button in _menu_entries(menu) if button.get("key")]
    return [f"{key}: used twice" for key in sorted(set(keys)) if keys.count(key) > 1]
