"""Validity of names, and their masked form for the public; pure."""

from __future__ import annotations

import unicodedata

from server.base.characters import split_characters

MOST_CHARACTERS = 20
# A visible character can have many code points: a family emoji, or any number of stacked accents.
# So the code points are limited too, far above the needs of real names.
MOST_CODE_POINTS = 100

_JOINER = "\u200d"
_PICTURE_SELECTOR = "\ufe0f"
_LEFT_OUT = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Unicode letters that display nothing.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def clean_name(text: str) -> str:
    """Normalise a name: no control or format characters, single spaces.

    A joiner between two parts of one emoji is kept.
    """
    normal = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if char in "\t\n\r\u2028\u2029" else char for char in normal)
    kept = "".join(c for i, c in enumerate(spaced) if _is_kept(spaced, i))
    return " ".join(kept.split())


def has_allowed_length(name: str) -> bool:
    """Whether a normalised name has 1 to 20 visible characters as a reader counts them."""
    if not 1 <= len(name) <= MOST_CODE_POINTS or not any(map(_is_visible, name)):
        return False
    return sum(1 for _ in split_characters(name)) <= MOST_CHARACTERS


def mask_name(name: str) -> str:
    """The public form of a name: the first character and a star."""
    # Splits only the beginning, or nothing, because a board masks a hundred names. An ideograph or
    # a letter of ASCII after any character but a joiner always begins a new character.
    second = name[1:2]
    if second and ("\u4e00" <= second <= "\u9fff" or second.isascii()) and name[0] != _JOINER:
        return f"{name[0]}*"
    shown = split_characters(name)
    first = next(shown)
    return "*" if next(shown, None) is None else f"{first}*"


def _is_kept(text: str, at: int) -> bool:
    if text[at] == _JOINER:
        before = text[:at].rstrip(_PICTURE_SELECTOR)
        return bool(before) and _is_picture(before[-1]) and _is_picture(text[at + 1 : at + 2])
    return unicodedata.category(text[at]) not in _LEFT_OUT


def _is_picture(char: str) -> bool:
    return bool(char) and (
        unicodedata.category(char) == "So" or "\U0001f000" <= char <= "\U0001faff"
    )


def _is_visible(char: str) -> bool:
    return unicodedata.category(char)[0] not in "ZMC" and char not in _BLANK
