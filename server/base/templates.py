"""WeChat's message templates, from the data file that the emulated WeChat also reads.

Grants and the values of fields are handled by the slices.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path

import msgspec

from server.base.clock import BEIJING
from server.base.settings import ROOT

SCHEMA = "wechat-templates/1"
# Kinds of templates. A one-time subscription of the mini-program, a template message of the
# official account by category, and a subscription notice of the official account.
MINI_ONCE, OFFICIAL_TEMPLATE, OFFICIAL_NOTICE = "mp_once", "oa_category", "oa_sub"
_FILE = ROOT / "config" / "wechat-templates.json"
# Source: subscription messages, field types `thing` and `name`.
_THING = 20
_NAME = re.compile(r"[\u4e00-\u9fff]{1,10}|[A-Za-z][A-Za-z ]{0,19}")


@dataclass(frozen=True, kw_only=True)
class TemplateField:
    """A field of a template: WeChat's key, which sets its type, and its name."""

    key: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template; `slug` is our name for it, `id` is WeChat's, `kind` says how it is sent."""

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
def all_templates() -> tuple[Template, ...]:
    """The templates of both accounts, read once."""
    return read_templates(_FILE)


@cache
def templates_of_kind(kind: str) -> tuple[Template, ...]:
    """The templates of one kind: MINI_ONCE, OFFICIAL_TEMPLATE or OFFICIAL_NOTICE."""
    return tuple(one for one in all_templates() if one.kind == kind)


def message_templates() -> tuple[Template, ...]:
    """The templates of the mini-program."""
    return templates_of_kind(MINI_ONCE)


def template_id_of(slug: str) -> str:
    """WeChat's id of a template.

    Raises: StopIteration for a slug that the data file does not have.
    """
    return next(one.id for one in all_templates() if one.slug == slug)


def shorten_thing(words: str) -> str:
    """Words as the value of a `thing` field: one line of at most 20 characters."""
    line = " ".join(words.split())
    return line if len(line) <= _THING else line[: _THING - 1] + "…"


def is_template_name(words: str) -> bool:
    """Whether a `name` field accepts these words: up to 10 Chinese characters, or 20 letters."""
    return _NAME.fullmatch(words) is not None


def spell_template_time(at: datetime) -> str:
    """An instant in Beijing time as the value of a `time` field, which does not accept 24:00."""
    local = at.astimezone(BEIJING)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def spell_template_end(at: datetime) -> str:
    """The end of a span as the value of a `time` field: midnight is 23:59 of the day before."""
    midnight = at.astimezone(BEIJING).time() == time(0)
    return spell_template_time(at - timedelta(minutes=1) if midnight else at)


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
