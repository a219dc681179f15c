"""What a name may look like and how much of it strangers see; pure functions on text."""

from __future__ import annotations

import unicodedata
from hashlib import sha256

from server.base.characters import characters

MOST_CHARACTERS = 20
# A family emoji is one character of many code points; a pile of accents is not a name.
MOST_CODE_POINTS = 100

_JOINER = "\u200d"
_PICTURE_SELECTOR = "\ufe0f"
_LEFT_OUT = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Letters of Unicode that show nothing.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def clean_name(text: str) -> str:
    """A name in normal form, without control and format characters and with single blanks.

    A joiner stays where it holds two pictures of one emoji together.
    """
    normal = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if char in "\t\n\r\u2028\u2029" else char for char in normal)
    kept = "".join(c for i, c in enumerate(spaced) if _stays(spaced, i))
    return " ".join(kept.split())


def fits(name: str) -> bool:
    """Whether a clean name has 1 to 20 characters as a reader counts them, and shows something."""
    if not 1 <= len(name) <= MOST_CODE_POINTS or not any(map(_visible, name)):
        return False
    return sum(1 for _ in characters(name)) <= MOST_CHARACTERS


def masked(name: str) -> str:
    """A name as strangers see it: the first character and a star."""
    # Only as far as needed: a board shows a hundred of them.
    shown = characters(name)
    first = next(shown)
    return "*" if next(shown, None) is None else f"{first}*"


def number_of(ref: str) -> str:
    """Four digits that stay with one citizen and tell nothing of the public id they come from."""
    return f"{int.from_bytes(sha256(ref.encode()).digest()[:4]) % 10_000:04d}"


def _stays(text: str, at: int) -> bool:
    if text[at] == _JOINER:
        before = text[:at].rstrip(_PICTURE_SELECTOR)
        return bool(before) and _picture(before[-1]) and _picture(text[at + 1 : at + 2])
    return unicodedata.category(text[at]) not in _LEFT_OUT


def _picture(char: str) -> bool:
    return bool(char) and (
        unicodedata.category(char) == "So" or "\U0001f000" <= char <= "\U0001faff"
    )


def _visible(char: str) -> bool:
    return unicodedata.category(char)[0] not in "ZMC" and char not in _BLANK
