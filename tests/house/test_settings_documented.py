"""Every setting stands in config/default.toml with its default, and nothing else does."""

from __future__ import annotations

import tomllib
from dataclasses import Field, fields, is_dataclass
from typing import Any, get_type_hints

from server.base.settings import Settings
from tests.house.source import ROOT


def keys(kind: type, prefix: str = "") -> dict[str, Any]:
    hints = get_type_hints(kind)
    found: dict[str, Any] = {}
    for item in fields(kind):
        if is_dataclass(hints[item.name]):
            found |= keys(hints[item.name], f"{prefix}{item.name}.")
        else:
            found[prefix + item.name] = item.default
    return found


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def test_each_setting_is_documented_with_its_default() -> None:
    documented = flat(tomllib.loads((ROOT / "config" / "default.toml").read_text(encoding="utf-8")))
    declared = {name: str(value) for name, value in keys(Settings).items()}
    assert {name: str(value) for name, value in documented.items()} == declared, (
        "write the setting with its default and a comment into config/default.toml"
    )


def test_each_setting_has_a_comment_or_a_name_that_says_it() -> None:
    text = (ROOT / "config" / "default.toml").read_text(encoding="utf-8")
    bare = [line for line in text.splitlines() if " = " in line and "#" not in line]
    assert len(bare) < 20


def numbers(kind: type, prefix: str = "") -> dict[str, Field[Any]]:
    hints = get_type_hints(kind)
    found: dict[str, Field[Any]] = {}
    for item in fields(kind):
        if is_dataclass(hints[item.name]):
            found |= numbers(hints[item.name], f"{prefix}{item.name}.")
        elif hints[item.name] in (int, float):
            found[prefix + item.name] = item
    return found


def test_each_number_has_bounds_and_its_default_is_within() -> None:
    found = numbers(Settings)
    assert [name for name, item in found.items() if "bounds" not in item.metadata] == [], (
        "declare the least and the greatest value in base/settings.py"
    )
    for name, item in found.items():
        least, most = item.metadata["bounds"]
        assert least <= item.default <= most, name
        assert name.startswith(("limits.", "trusted")) <= (least >= 0), name
