"""Placeholders for the recipient in a text: the nickname, the city, the unit. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from server.announcements.rules.fields import clean_line, count_characters


class Placeholder(StrEnum):
    """A part of a text that differs per recipient; the value is what organizers write."""

    NAME = "昵称"
    CITY = "城市"
    UNIT = "单位"


# The room that a limited field must leave for each placeholder, in WeChat's characters.
LEAST_ROOM = 4
_ANY = re.compile(r"\{([^{}\n]*)\}")
_CUT = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A recipient as texts address people; None for what the citizen has not given."""

    name: str | None = field(default=None, repr=False)
    city: str | None = None
    unit: str | None = None


def unknown_placeholders(text: str) -> list[str]:
    """Words in braces that are no placeholder, in order."""
    return [word for word in _ANY.findall(text) if word not in list(Placeholder)]


def has_placeholders(text: str) -> bool:
    """Whether a text differs per recipient."""
    return any(word in list(Placeholder) for word in _ANY.findall(text))


def fixed_length(text: str) -> int:
    """The length of a text with the least room for each placeholder, in WeChat's characters."""
    count = sum(1 for word in _ANY.findall(text) if word in list(Placeholder))
    return count_characters(_replace(text, dict.fromkeys(Placeholder, ""))) + LEAST_ROOM * count


def values_of(person: Person, fallbacks: Mapping[Placeholder, str]) -> dict[Placeholder, str]:
    """The words for each placeholder: one line, without emoji; a fallback for what is missing."""
    given = {
        Placeholder.NAME: person.name,
        Placeholder.CITY: person.city,
        Placeholder.UNIT: person.unit,
    }
    return {one: clean_line(words or "") or fallbacks[one] for one, words in given.items()}


def fill_text(text: str, values: Mapping[Placeholder, str], most: int | None = None) -> str:
    """A text with its placeholders filled.

    With `most`, the words are shortened where the text would be longer: every placeholder gets the
    same room. Units: WeChat's characters.
    """
    filled = _replace(text, values)
    if most is None or count_characters(filled) <= most:
        return filled
    used = [word for word in _ANY.findall(text) if word in list(Placeholder)]
    if not used:
        return filled
    fixed = count_characters(_replace(text, dict.fromkeys(Placeholder, "")))
    room = max(0, most - fixed) // len(used)
    return _replace(text, {one: _shorten(words, room) for one, words in values.items()})


def _replace(text: str, values: Mapping[Placeholder, str]) -> str:
    def put_words(found: re.Match[str]) -> str:
        word = found[1]
        return values[Placeholder(word)] if word in list(Placeholder) else found[0]

    return _ANY.sub(put_words, text)


def _shorten(words: str, most: int) -> str:
    if count_characters(words) <= most:
        return words
    kept = ""
    for char in words:
        if count_characters(kept + char) > most - 1:
            break
        kept += char
    return kept.rstrip() + _CUT if most > 0 else ""
