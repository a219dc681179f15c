"""Names of requested units; pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

from server.base import characters
from server.base.errors import Invalid

SHORTEST, LONGEST = 2, 100
_OFFERED = 15
_ALIKE = 0.5


def clean_name(text: str) -> str:
    """A name without invisible characters.

    Raises: Invalid (422) unless 2 to 100 characters remain.
    """
    clean = characters.clean_name(text)
    if not SHORTEST <= len(clean) <= LONGEST:
        raise Invalid((("body", "name"), "2 to 100 characters, not all of them invisible"))
    return clean


def name_key(name: str) -> str:
    """The name without width, case, spaces and punctuation; equal keys mean the same unit."""
    flat = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in flat if letter.isalnum())[:LONGEST] or name[:LONGEST]


def most_alike(name: str, offered: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The (ref, name) pairs with a name similar to `name`, the most similar first."""
    wanted = name_key(name)
    matcher = SequenceMatcher(b=wanted, autojunk=False)
    found = []
    for ref, other in offered:
        key = name_key(other)
        matcher.set_seq1(key)
        alike = 1.0 if key in wanted or wanted in key else _likeness_of(matcher)
        if alike >= _ALIKE:
            found.append((-alike, other, ref))
    return [(ref, other) for _, other, ref in sorted(found)[:_OFFERED]]


def _likeness_of(matcher: SequenceMatcher[str]) -> float:
    # The upper bound is cheap and excludes nearly all of a city's units.
    return matcher.ratio() if matcher.quick_ratio() >= _ALIKE else 0.0
