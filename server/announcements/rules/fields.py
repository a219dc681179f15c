"""Limits of WeChat's field types: one check for the editor, the approval and the tests. Pure.

A rule is data (a number and a regular expression of the common subset of Python and JavaScript), so
that the script of the editor checks the same while the organizer types. Emoji are refused: WeChat
drops them from template messages, and the preview would differ from what people see.
Source: wechat-platform, subscription messages, field types; also template messages by category.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

HANZI = r"\u3400-\u4dbf\u4e00-\u9fff"
_MONTH, _DAY = r"(?:1[0-2]|0?[1-9])", r"(?:3[01]|[12][0-9]|0?[1-9])"
_DATE = rf"[0-9]{{4}}(?:年{_MONTH}月{_DAY}日|-{_MONTH}-{_DAY}|/{_MONTH}/{_DAY}|\.{_MONTH}\.{_DAY})"
_CLOCK = r"(?:2[0-3]|[01]?[0-9]):[0-5][0-9](?::[0-5][0-9])?"
_TIME = rf"(?:{_DATE} ?)?{_CLOCK}"
_DATED = rf"{_DATE}(?: ?{_CLOCK})?"
# Characters that are shown as pictures: those of Unicode's emoji planes, those of the basic plane
# with emoji presentation, and the marks that turn another character into a picture.
_PICTURES = (
    r"\u200d\ufe0f\u20e3\u231a\u231b\u23e9-\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f"
    r"\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa"
    r"\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf"
    r"\u2b1b\u2b1c\u2b50\u2b55"
)
# For the script of the editor, with the flag `u`.
EMOJI_IN_SCRIPT = rf"[{_PICTURES}\u{{1f000}}-\u{{1fbff}}\u{{e0020}}-\u{{e007f}}]"
_EMOJI = re.compile(rf"[{_PICTURES}\U0001f000-\U0001fbff\U000e0020-\U000e007f]")


class FieldFaultKind(StrEnum):
    """The fault of a value; the end of a text key."""

    EMPTY = "empty"
    LINE_BREAK = "line_break"
    CONTROL = "control"
    EMOJI = "emoji"
    TOO_LONG = "too_long"
    FORMAT = "format"
    NO_SUCH_DAY = "no_such_day"
    NOT_LISTED = "not_listed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """A fault of a value; `most` is the limit that it exceeds, in WeChat's characters."""

    kind: FieldFaultKind
    most: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """The rule of a field type: a length, and the pattern of the whole value.

    Units: UTF-16 code units, as WeChat's clients count: an emoji or a rare character is two.
    """

    most: int
    pattern: str = r".*"


RULES: Mapping[str, FieldRule] = {
    "thing": FieldRule(most=20),
    "short_thing": FieldRule(most=10),
    "number": FieldRule(most=32, pattern=r"[-+]?[0-9]+(?:\.[0-9]+)?"),
    "letter": FieldRule(most=32, pattern=r"[A-Za-z]+"),
    "symbol": FieldRule(most=5, pattern=r"[!-/:-@\[-`{-~¥·–—‘’“”…、。《》【】！，：；？（）￥]+"),
    "character_string": FieldRule(most=32, pattern=r"[ -~]+"),
    "time": FieldRule(most=64, pattern=rf"{_TIME}(?: ?~ ?(?:{_TIME}|{_DATED}))?"),
    "date": FieldRule(most=64, pattern=rf"{_DATED}(?: ?~ ?(?:{_TIME}|{_DATED}))?"),
    "amount": FieldRule(most=16, pattern=r"[¥￥$€£]?[0-9]{1,10}(?:\.[0-9]{1,2})?元?"),
    "phone_number": FieldRule(most=17, pattern=r"[-+0-9() ]+"),
    "car_number": FieldRule(most=8, pattern=rf"[{HANZI}]?[A-Za-z0-9]{{1,7}}[{HANZI}]?"),
    "name": FieldRule(most=20, pattern=rf"[A-Za-z ]{{1,20}}|[{HANZI}A-Za-z ]{{1,10}}"),
    "phrase": FieldRule(most=5, pattern=rf"[{HANZI}]+"),
}
# Types whose value may contain a placeholder: any text within a length.
FREE_TYPES = ("thing", "short_thing")
_WHOLE = {name: re.compile(rule.pattern, re.ASCII | re.DOTALL) for name, rule in RULES.items()}
_DAY_IN_VALUE = re.compile(r"([0-9]{4})[年./-]([0-9]{1,2})[月./-]([0-9]{1,2})")
_DATED_TYPES = ("time", "date")


def type_of_key(key: str) -> str:
    """The type that a field's key names: `thing` of `thing1`."""
    return key.rstrip("0123456789")


def count_characters(text: str) -> int:
    """The length of a text as WeChat counts it. Units: UTF-16 code units."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def has_emoji(text: str) -> bool:
    """Whether a text has a character that is shown as a picture."""
    return _EMOJI.search(text) is not None


def clean_line(text: str) -> str:
    """A text as one line that WeChat takes: no emoji, no control characters, single spaces."""
    kept = _EMOJI.sub("", text)
    return " ".join("".join(" " if _is_control(char) else char for char in kept).split())


def check_field(key: str, text: str, listed: Sequence[str] = ()) -> FieldFault | None:
    """The fault of a value for a field, given by its key or its type; None when WeChat takes it.

    `listed` has the values that the template allows for a field of the type `enum` or `const`.
    """
    kind = type_of_key(key)
    if not text.strip():
        return FieldFault(kind=FieldFaultKind.EMPTY)
    if any(char in "\r\n\u2028\u2029" for char in text):
        return FieldFault(kind=FieldFaultKind.LINE_BREAK)
    if any(_is_control(char) for char in text):
        return FieldFault(kind=FieldFaultKind.CONTROL)
    if has_emoji(text):
        return FieldFault(kind=FieldFaultKind.EMOJI)
    rule = RULES.get(kind)
    if rule is None:
        return None if text in listed else FieldFault(kind=FieldFaultKind.NOT_LISTED)
    if count_characters(text) > rule.most:
        return FieldFault(kind=FieldFaultKind.TOO_LONG, most=rule.most)
    return _check_format(kind, text, rule)


def _check_format(kind: str, text: str, rule: FieldRule) -> FieldFault | None:
    if _WHOLE[kind].fullmatch(text) is None:
        return FieldFault(kind=FieldFaultKind.FORMAT, most=rule.most)
    if kind in _DATED_TYPES and not all(_is_day(*found) for found in _DAY_IN_VALUE.findall(text)):
        return FieldFault(kind=FieldFaultKind.NO_SUCH_DAY)
    return None


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
