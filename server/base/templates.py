"""The mini-program's message templates, from the data file that the emulated WeChat also reads.

Grants and the values of fields are handled by the slices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from server.base.settings import ROOT

SCHEMA = "wechat-templates/1"
_FILE = ROOT / "config" / "wechat-templates.json"


@dataclass(frozen=True, kw_only=True)
class TemplateField:
    """A field of a template: WeChat's key, which sets its type, and its name."""

    key: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template; `slug` is our name for it, `id` is WeChat's."""

    slug: str
    id: str
    title: str
    kind: str
    fields: tuple[TemplateField, ...]


@dataclass(frozen=True, kw_only=True)
class _Document:
    schema: str
    templates: tuple[Template, ...]


@cache
def message_templates() -> tuple[Template, ...]:
    """All templates of the mini-program, read once."""
    return read_templates(_FILE)


_READ = msgspec.json.Decoder(_Document)


def read_templates(path: Path) -> tuple[Template, ...]:
    """Read the templates of a data file.

    Raises: ValueError for an invalid file, or a duplicate slug or id.
    """
    try:
        document = _READ.decode(path.read_bytes())
    except msgspec.MsgspecError as trouble:
        raise ValueError(f"{path.name}: {trouble}") from None
    if document.schema != SCHEMA:
        raise ValueError(f"{path.name}: the schema is not {SCHEMA}")
    for names in ([t.slug for t in document.templates], [t.id for t in document.templates]):
        if len(set(names)) != len(names):
            raise ValueError(f"{path.name}: a slug or an id comes twice")
    return document.templates
