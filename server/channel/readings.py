"""Normalised forms of a text for rule matching: case, width, decoration, traditional characters.

A text has several forms, from the original to only its letters and digits, because people decorate
a keyword (#答题#, 答题😀, 答 题), write it in traditional characters, or both. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

from opencc import OpenCC

_SPACES = re.compile(r"\s+")
# WeChat sends its own emoji as text: [微笑], /:rose, /::).
_ONE = r"(?:\[[^\[\]\s]{1,8}\]|/:[!-.:-~]{1,9})"
_EMOTICONS = re.compile(rf"\A(?:{_ONE}\s?)+|(?:\s?{_ONE})+\Z")
_INVISIBLE = ("Cc", "Cf")


def visible_text(text: str) -> str:
    """Half-width lower-case letters, single spaces, no invisible characters."""
    narrow = unicodedata.normalize("NFKC", text).casefold()
    seen = "".join(c for c in narrow if unicodedata.category(c) not in _INVISIBLE or c in "\t\n")
    return _SPACES.sub(" ", seen).strip()


def normalise_text(text: str) -> str:
    """The visible text without surrounding punctuation.

    A text of punctuation alone is reduced to its first character: `？？` asks for help.
    """
    return without_marks(visible_text(text))


@lru_cache(maxsize=16_384)
def as_rule_word(word: str) -> str:
    """A rule's word in the normalised form used for matching.

    Cached, because all rules are loaded again after each change, and a county has dozens of words.
    """
    return simplify_text(normalise_text(word))


def readings_of(seen: str) -> Iterator[str]:
    """The distinct forms of a visible text, the closest first."""
    plain = without_marks(seen)
    undressed = without_marks(_EMOTICONS.sub("", seen))
    told: set[str] = set()
    for reading in (
        plain,
        simplify_text(plain),
        simplify_text(undressed),
        simplify_text(_only_letters(seen)),
    ):
        if reading and reading not in told:
            told.add(reading)
            yield reading


def without_marks(seen: str) -> str:
    """A visible text from its first letter or digit to its last, else its first character."""
    begin, end = 0, len(seen)
    while begin < end and not seen[begin].isalnum():
        begin += 1
    while end > begin and not seen[end - 1].isalnum():
        end -= 1
    return seen[begin:end] or seen[:1]


def simplify_text(text: str) -> str:
    """The text in simplified characters."""
    return text if text.isascii() else _load_converter().convert(text)


@cache
def _load_converter() -> OpenCC:
    return OpenCC("t2s")


def _only_letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())
