"""Questions of a sign-up as lines of text: `年级：一年级/二年级*`, one question a line.

The text before the colon is the question, the options follow it; a question without options is
answered in the person's own words. An asterisk at the end makes the answer necessary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MOST_QUESTIONS = 5
_MOST_LABEL, _MOST_OPTION, _MOST_OPTIONS = 40, 40, 20
_NEEDED = ("*", "＊", "✱")


def read_lines(text: str) -> tuple[Mapping[str, Any], ...]:
    """The questions of a text without faults, with the keys `q1`, `q2`, …"""
    return tuple(
        {"key": f"q{number}", **_read_line(line)} for number, line in enumerate(_lines_of(text), 1)
    )


def find_fault(text: str) -> str | None:
    """The fault of the text, as the end of a text key; None when it can be read."""
    lines = _lines_of(text)
    if len(lines) > MOST_QUESTIONS:
        return "too_many"
    read = [_read_line(line) for line in lines]
    if any(_has_long_part(one) for one in read):
        return "too_long"
    if any(not one["label"] or len(one["options"]) == 1 for one in read):
        return "unreadable"
    labels = [one["label"] for one in read]
    return "twice" if len(set(labels)) != len(labels) else None


def spell_lines(stored: Iterable[Mapping[str, Any]]) -> str:
    """The lines of stored questions, for a form."""
    return "\n".join(_spell_line(one) for one in stored)


def _lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _read_line(line: str) -> dict[str, Any]:
    needed = line.endswith(_NEEDED)
    plain = line[:-1].strip() if needed else line
    label, _, rest = plain.replace("：", ":").partition(":")
    options = [one.strip() for one in rest.replace("／", "/").split("/") if one.strip()]
    return {"label": label.strip(), "options": list(dict.fromkeys(options)), "needed": needed}


def _has_long_part(one: Mapping[str, Any]) -> bool:
    long_option = any(len(option) > _MOST_OPTION for option in one["options"])
    return len(one["label"]) > _MOST_LABEL or long_option or len(one["options"]) > _MOST_OPTIONS


def _spell_line(one: Mapping[str, Any]) -> str:
    options = "/".join(map(str, one.get("options") or ()))
    told = f"{one['label']}：{options}" if options else str(one["label"])
    return f"{told}*" if one.get("needed") else told
