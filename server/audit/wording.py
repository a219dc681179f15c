"""The trail in words: fields, values and authors have texts, declared by the slice of the act.

A field is named by `<slice>.recorded.<field>`, a code by `<slice>.recorded_value.<field>.<code>`;
without one there, by the same keys of `audit`. Codes of earlier versions
without a text are shown as stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.base.clock import say_instant
from server.base.errors import Invalid, NotFound
from server.base.texts import TextMissing
from server.base.uow import UnitOfWork
from server.console.list_pages import find_title
from server.units import service as units

_NONE = "—"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+\d\d:\d\d|Z)")
_REF = re.compile(r"[a-z]+[_-][0-9a-z]{10,}")
_PLACES = frozenset({"scope", "place", "owner"})
# Functions that word a value, by slice and field; see `declare_names`.
_NAMES: dict[tuple[str, str], Callable[[UnitOfWork, str], str | None]] = {}


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    """One changed field, before and after, as texts."""

    name: str
    before: str
    after: str


def declare_names(
    slice_name: str, field: str, find_name: Callable[[UnitOfWork, str], str | None]
) -> None:
    """Declare how a recorded field of a slice's acts is put in words, where it holds a key.

    `find_name` returns None for a key that it does not know, which is shown as it is.
    """
    _NAMES[slice_name, field] = find_name


def describe_changes(
    uow: UnitOfWork, act: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[FieldChange]:
    """The changed fields of an entry in words."""
    words = _Words(uow, act.partition(".")[0])
    found: list[FieldChange] = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if isinstance(old, Mapping) or isinstance(new, Mapping):
            found += words.describe_parts(name, old or {}, new or {})
        else:
            found.append(
                FieldChange(
                    name=words.name_field(name),
                    before=words.say_value(name, old),
                    after=words.say_value(name, new),
                )
            )
    return found


def name_author(uow: UnitOfWork, role: str, name: str) -> tuple[str, str]:
    """The author of an entry and the role in words; commands and the system have texts."""
    told_role = say_or(uow, f"console.role.{role}", uow.texts.fill_text("audit.page.system"))
    if role != "system":
        return name, told_role
    return say_or(uow, f"audit.author.{name.replace('-', '_')}", name), told_role


def name_place(uow: UnitOfWork, owner: str) -> str:
    """A scope in words; as it is spelled when its place is unknown."""
    try:
        return units.resolve_scope(uow, owner)[1]
    except (NotFound, Invalid):
        return owner


def say_or(uow: UnitOfWork, key: str, otherwise: str) -> str:
    """The text of a key, or another one where it is missing."""
    try:
        return uow.texts.fill_text(key)
    except TextMissing:
        return otherwise


@dataclass(frozen=True)
class _Words:
    """The words of one slice."""

    uow: UnitOfWork
    slice_name: str

    def name_field(self, name: str) -> str:
        own = f"{self.slice_name}.recorded.{name}"
        return say_or(self.uow, own, say_or(self.uow, f"audit.recorded.{name}", name))

    def has_words(self, name: str) -> bool:
        return self.name_field(name) != name

    def say_value(self, name: str, value: Any) -> str:
        if value is None or value == "" or value == []:
            return _NONE
        if isinstance(value, bool):
            return self.uow.texts.fill_text("audit.page.yes" if value else "audit.page.no")
        if isinstance(value, list):
            return "、".join(self.say_value(name, one) for one in value)
        if isinstance(value, Mapping):
            return self.say_value(name, value.get("title") or list(map(str, value.values())))
        return self._say_text(name, value) if isinstance(value, str) else str(value)

    def _say_text(self, name: str, value: str) -> str:
        if _INSTANT.fullmatch(value):
            return say_instant(datetime.fromisoformat(value))
        if name in _PLACES:
            return name_place(self.uow, value)
        find_name = _NAMES.get((self.slice_name, name))
        named = None if find_name is None else find_name(self.uow, value)
        if named is not None:
            return named
        title = find_title(value) if name == "list" else None
        if title is not None:
            return self.uow.texts.fill_text(title)
        code = f"recorded_value.{name}.{value}"
        own = f"{self.slice_name}.{code}"
        return say_or(self.uow, own, say_or(self.uow, f"audit.{code}", value))

    def describe_parts(
        self, name: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Iterator[FieldChange]:
        """The parts of a field that differ; those without words are counted."""
        old, new = dict(_flatten_fields("", before)), dict(_flatten_fields("", after))
        unnamed, title = 0, self.name_field(name)
        for path in dict.fromkeys((*old, *new)):
            part = path.rpartition(".")[2]
            if old.get(path) == new.get(path):
                continue
            if not self.has_words(part) and not _REF.fullmatch(part):
                unnamed += 1
                continue
            yield FieldChange(
                name=f"{title} · {self.name_field(part)}",
                before=self.say_value(part, old.get(path)),
                after=self.say_value(part, new.get(path)),
            )
        if unnamed:
            told = self.uow.texts.fill_text("audit.page.other_parts", count=unnamed)
            yield FieldChange(name=title, before=_NONE, after=told)


def _flatten_fields(path: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, one in value.items():
        here = f"{path}.{name}" if path else str(name)
        if isinstance(one, Mapping):
            yield from _flatten_fields(here, one)
        else:
            yield here, one
