"""The preset rule sets of published contests, in a file of the campaign."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server.base.settings import ROOT
from server.quiz.errors import NoSuchPreset
from server.quiz.rule_check import RuleSetRefused, read_rule_set

PRESETS = ROOT / "config" / "campaign" / "2020" / "contest_rules.json"


def preset_body(preset: str, path: Path = PRESETS) -> Mapping[str, Any]:
    """The preset rules with this name.

    Raises: NoSuchPreset (409).
    """
    for body in json.loads(path.read_text(encoding="utf-8"))["presets"]:
        if body["slug"] == preset:
            return dict(body)
    raise NoSuchPreset(preset=preset)


def list_presets() -> list[tuple[str, str]]:
    """Slug and title of every preset that can be used."""
    found = []
    for body in json.loads(PRESETS.read_text(encoding="utf-8"))["presets"]:
        try:
            rules = read_rule_set(body)
        except RuleSetRefused:
            continue
        found.append((rules.slug, rules.title))
    return found
