"""Field types of subscription messages, and the values that WeChat refuses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

HANZI = r"\u3400-\u4dbf\u4e00-\u9fff"
_YEAR, _MONTH, _DAY_MARK, _YUAN = "\u5e74", "\u6708", "\u65e5", "\u5143"
_MM, _DD = r"(?:1[0-2]|0?[1-9])", r"(?:3[01]|[12]\d|0?[1-9])"
_DAY = rf"\d{{4}}(?:{_YEAR}{_MM}{_MONTH}{_DD}{_DAY_MARK}|[-/.]{_MM}[-/.]{_DD})"
_CLOCK = r"(?:2[0-3]|[01]?\d):[0-5]\d(?::[0-5]\d)?"
# A time must contain a clock time and may contain a date; a date may contain a clock time. The
# second half of a range may omit whichever part it repeats.
_TIME = rf"(?:{_DAY}\s*)?{_CLOCK}"
_DATE = rf"{_DAY}(?:\s*{_CLOCK})?"
_LATER = rf"(?:{_TIME}|{_DATE})"


def _match_whole(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


def _is_symbols(text: str) -> bool:
    return len(text) <= 5 and all(unicodedata.category(mark)[0] in "PSZ" for mark in text)


def _is_name(text: str) -> bool:
    pure = re.fullmatch(rf"[^{HANZI}0-9]{{1,20}}", text)
    mixed = re.fullmatch(rf"[{HANZI}A-Za-z ]{{1,10}}", text)
    return bool(pure or mixed)


RULES: Mapping[str, Callable[[str], bool]] = {
    "thing": _match_whole(r".{1,20}"),
    "short_thing": _match_whole(r".{1,10}"),
    "number": _match_whole(r"(?=.{1,32}$)[-+]?\d+(?:\.\d+)?"),
    "letter": _match_whole(r"[A-Za-z]{1,32}"),
    "symbol": _is_symbols,
    "character_string": _match_whole(r"[\x20-\x7e]{1,32}"),
    "time": _match_whole(rf"{_TIME}(?:\s*~\s*{_LATER})?"),
    "date": _match_whole(rf"{_DATE}(?:\s*~\s*{_LATER})?"),
    "amount": _match_whole(rf"[\u00a5\uffe5$\u20ac\u00a3]?\d{{1,10}}(?:\.\d+)?{_YUAN}?"),
    "phone_number": _match_whole(r"[-+0-9() ]{1,17}"),
    "car_number": _match_whole(rf"(?=.{{1,8}}$)[{HANZI}]?[A-Za-z0-9]{{1,7}}[{HANZI}]?"),
    "name": _is_name,
    "phrase": _match_whole(rf"[{HANZI}]{{1,5}}"),
}


def accepts_value(key: str, value: object, listed: tuple[str, ...] = ()) -> bool:
    """Whether a value fits the type in its key (`thing1`, `time2`, …)."""
    if not isinstance(value, str) or not value.strip():
        return False
    if any(unicodedata.category(mark) in ("Cc", "Zl", "Zp") for mark in value):
        return False
    kind = key.rstrip("0123456789")
    if kind == "enum":
        return value in listed
    rule = RULES.get(kind)
    return rule is not None and rule(value)
