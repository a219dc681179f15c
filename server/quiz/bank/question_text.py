"""When two texts of a question are the same, and when they only look alike; pure functions.

In science a sign, a case, a width or a raised digit is the difference: `x²` and `x2`, `Bb` and
`bb`, `＞100℃` and `＜100℃`, `-1` and `±1`. Only white space and what cannot be seen make none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# White space between two letters or digits of the Latin kind parts them: `1 1/2` is not `11/2`.
_PARTING = re.compile(r"(?<=[0-9A-Za-z])\s+(?=[0-9A-Za-z])")
_PUNCTUATION = frozenset("，。、；：？！,.;:?!“”‘’\"'（）()《》〈〉【】[]「」『』…—_·")


def exact(text: str) -> str:
    """A text without what makes no difference; two questions are the same when this is."""
    normal = unicodedata.normalize("NFC", text)
    seen = "".join(char for char in normal if unicodedata.category(char) != "Cf").strip()
    return "".join(_PARTING.sub("\0", seen).split()).replace("\0", " ")


def alike(text: str) -> str:
    """A text as a hurried reader sees it: without width, case, raising and punctuation."""
    folded = unicodedata.normalize("NFKC", exact(text)).casefold()
    return "".join(char for char in folded if char not in _PUNCTUATION and not char.isspace())


def sameness(stem: str, options: Sequence[str]) -> str:
    """What two questions have in common that ask the same, whatever the order of their options."""
    return "\n".join([exact(stem), *sorted(exact(option) for option in options)])


def likeness(stem: str, options: Sequence[str]) -> str:
    """What two questions have in common that may be one question written twice."""
    return "\n".join([alike(stem), *sorted(alike(option) for option in options)])
