"""The account's menu by WeChat's rules: what is wrong with one, and how two differ. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

TOP_ENTRIES, SUB_ENTRIES = 3, 5
# Source: "create custom menu": bytes as the API counts them, hanzi as the phone has room for them.
TOP_BYTES, SUB_BYTES, KEY_BYTES = 16, 60, 128
TOP_HANZI, SUB_HANZI = 4, 7

Menu = Mapping[str, Any]


def faults(menu: Menu, answered: frozenset[str]) -> list[str]:
    """What WeChat or a citizen would complain about; empty when the menu is good."""
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
            found += _click_faults(sub, answered)
        if not subs:
            found += _click_faults(button, answered)
    return found + _repeated(menu)


def lines(menu: Menu) -> list[str]:
    """A menu as text, one entry a line, in order."""
    return [f"{'  ' * depth}{_shown(button)}" for depth, button in _entries(menu)]


def _shown(button: Mapping[str, Any]) -> str:
    if button.get("sub_button"):
        return str(button.get("name"))
    shown = {
        name: value
        for name, value in sorted(button.items())
        if name not in ("name", "type", "sub_button")
    }
    told = " ".join(f"{name}={value}" for name, value in shown.items())
    return f"{button.get('name')} [{button.get('type')} {told}]".replace(" ]", "]")


def _entries(menu: Menu) -> Iterator[tuple[int, Mapping[str, Any]]]:
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


def _click_faults(button: Mapping[str, Any], answered: frozenset[str]) -> list[str]:
    name, key = button.get("name"), button.get("key")
    if button.get("type") != "click":
        return [f"{name}: only entries that are answered in the chat are known"]
    if not isinstance(key, str) or not 1 <= len(key.encode()) <= KEY_BYTES:
        return [f"{name}: the key must have 1 to {KEY_BYTES} bytes"]
    return [] if key in answered else [f"{name}: nothing answers the key {key}"]


def _repeated(menu: Menu) -> list[str]:
    keys = [str(button["key"]) for _, button in _entries(menu) if button.get("key")]
    return [f"{key}: used twice" for key in sorted(set(keys)) if keys.count(key) > 1]
