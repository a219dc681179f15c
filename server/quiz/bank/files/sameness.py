"""Detects identical and similar question texts; pure.

In science a sign, letter case, width or superscript matters: `x²` and `x2`, `Bb` and `bb`, `＞100℃`
and `＜100℃`, `-1` and `±1`. Only white space and invisible characters are ignored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

# White space between two Latin letters or digits is significant: `1 1/2` is not `11/2`.
_PARTING = re.compile(r"(?<=[0-9A-Za-z])\s+(?=[0-9A-Za-z])")
_PUNCTUATION = frozenset("，。、；：？！,.;:?!“”‘’\"'（）()《》〈〉【】[]「」『』…—_·")

# Size of the caches below; each text of a file is needed several times.
_REMEMBERED = 8192


@lru_cache(maxsize=_REMEMBERED)
def exact_form(text: str) -> str:
    """Remove insignificant characters; questions with equal results are identical."""
    normal = unicodedata.normalize("NFC", text)
    seen = "".join(char for char in normal if unicodedata.category(char) != "Cf").strip()
    return "".join(_PARTING.sub("\0", seen).split()).replace("\0", " ")


@lru_cache(maxsize=_REMEMBERED)
def similar_form(text: str) -> str:
    """Reduce a text for similarity: without width, case, superscripts and punctuation."""
    folded = unicodedata.normalize("NFKC", exact_form(text)).casefold()
    return "".join(char for char in folded if char not in _PUNCTUATION and not char.isspace())


def sameness_key(stem: str, options: Sequence[str], picture: str | None = None) -> str:
    """Key for questions with identical content, in any order of options.

    Two questions about two traffic signs have the same texts.
    """
    texts = [exact_form(stem), *sorted(exact_form(option) for option in options)]
    return "\n".join(texts if picture is None else [*texts, f"\f{picture}"])


def likeness_key(stem: str, options: Sequence[str], picture: str | None = None) -> str:
    """Key for questions that may be one question in two spellings."""
    texts = [similar_form(stem), *sorted(similar_form(option) for option in options)]
    return "\n".join(texts if picture is None else [*texts, f"\f{picture}"])
