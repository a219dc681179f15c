"""The templates of both accounts, from a data file that a server can read too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .fields import accepts_value

SCHEMA = "wechat-templates/1"
# One-time subscription of the mini-program; template message of the official account, by industry
# or by category; subscription notice of the official account.
MINI_ONCE, OLD, CATEGORY, NOTICE = "mp_once", "oa_old", "oa_category", "oa_sub"
KINDS = (MINI_ONCE, OLD, CATEGORY, NOTICE)
SHOWN = 20
# Source: "Template messages", announcement of 2023-05-04: these two fields are no longer shown.
DROPPED = ("first", "remark")
_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d]")
# Default: a few templates of the common field types.
SAMPLE = Path(__file__).with_name("templates.json")


@dataclass(frozen=True)
class Template:
    """One template of an account's list, with its keywords in order."""

    id: str
    slug: str
    title: str
    keys: tuple[str, ...]
    names: tuple[str, ...]
    listed: dict[str, tuple[str, ...]]
    kind: str = MINI_ONCE

    def show_content(self) -> str:
        """Return the template text as the console shows it."""
        pairs = zip(self.keys, self.names, strict=True)
        return "\n".join(f"{name}:{{{{{key}.DATA}}}}" for key, name in pairs) + "\n"

    def wrong_key(self, data: dict[str, object]) -> str | None:
        """The first key that is missing, unknown or of the wrong type; None when all fit."""
        unknown = [key for key in data if key not in self.keys]
        if unknown:
            return unknown[0]
        return next((key for key in self.keys if not self._fits_type(key, data.get(key))), None)

    def shown_values(self, data: dict[str, Any]) -> dict[str, str]:
        """The values as a phone shows them: without emoji; those of an old template cut short."""
        values = {key: remove_emoji(data[key]["value"]) for key in self.keys}
        if self.kind != OLD:
            return values
        return {key: cut_value(value) for key, value in values.items() if key not in DROPPED}

    def _fits_type(self, key: str, cell: object) -> bool:
        value = cell.get("value") if isinstance(cell, dict) else None
        if self.kind == OLD:
            return isinstance(value, str)
        return accepts_value(key, value, self.listed.get(key, ()))


def load_templates(path: Path) -> dict[str, Template]:
    """Load the templates of a data file by id.

    Raises: ValueError for another schema or kind, or an id without WeChat's 43 characters.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    if document.get("schema") != SCHEMA:
        raise ValueError(f"{path}: the schema is not {SCHEMA}")
    found = {}
    for row in document["templates"]:
        if len(row["id"]) != 43:
            raise ValueError(f"{path}: {row['slug']}: a template id has 43 characters")
        if row.get("kind", MINI_ONCE) not in KINDS:
            raise ValueError(f"{path}: {row['slug']}: a kind is one of {KINDS}")
        fields = row["fields"]
        found[row["id"]] = Template(
            id=row["id"],
            slug=row["slug"],
            title=row["title"],
            keys=tuple(field["key"] for field in fields),
            names=tuple(field["name"] for field in fields),
            listed={field["key"]: tuple(field.get("values", ())) for field in fields},
            kind=row.get("kind", MINI_ONCE),
        )
    return found


def select_kinds(templates: dict[str, Template], kinds: Iterable[str]) -> dict[str, Template]:
    """The templates of these kinds, by id."""
    wanted = set(kinds)
    return {key: template for key, template in templates.items() if template.kind in wanted}


def remove_emoji(text: str) -> str:
    """The text without emoji, which WeChat does not show in messages of templates."""
    return _EMOJI.sub("", text)


def cut_value(text: str) -> str:
    """The value of an old template: one line of at most 20 characters."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."
