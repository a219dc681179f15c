"""The mini-program's subscription templates, from a data file that a server can read too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .fields import accepts_value

SCHEMA = "wechat-templates/1"
# Default: a few templates of the common field types.
SAMPLE = Path(__file__).with_name("templates.json")


@dataclass(frozen=True)
class Template:
    """One template of the mini-program's list, with its keywords in order."""

    id: str
    slug: str
    title: str
    keys: tuple[str, ...]
    names: tuple[str, ...]
    listed: dict[str, tuple[str, ...]]

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

    def _fits_type(self, key: str, cell: object) -> bool:
        value = cell.get("value") if isinstance(cell, dict) else None
        return accepts_value(key, value, self.listed.get(key, ()))


def load_templates(path: Path) -> dict[str, Template]:
    """Load the templates of a data file by id.

    Raises: ValueError for another schema or an id that does not have WeChat's 43 characters.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    if document.get("schema") != SCHEMA:
        raise ValueError(f"{path}: the schema is not {SCHEMA}")
    found = {}
    for row in document["templates"]:
        if len(row["id"]) != 43:
            raise ValueError(f"{path}: {row['slug']}: a template id has 43 characters")
        fields = row["fields"]
        found[row["id"]] = Template(
            id=row["id"],
            slug=row["slug"],
            title=row["title"],
            keys=tuple(field["key"] for field in fields),
            names=tuple(field["name"] for field in fields),
            listed={field["key"]: tuple(field.get("values", ())) for field in fields},
        )
    return found
