"""The input of a citizen at a sign-up: checked against the activity's questions, and cleaned."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.base.characters import clean_name
from server.base.errors import Invalid

MOST_TEXT = 100
MOST_NAME = 30
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")
_GAPS = re.compile(r"[\s-]+")


@dataclass(frozen=True, kw_only=True)
class SignUpQuestion:
    """A question of an activity: a text, or a choice among options."""

    key: str
    label: str
    options: tuple[str, ...] = ()
    needed: bool = False


def read_questions(stored: Sequence[Mapping[str, Any]]) -> tuple[SignUpQuestion, ...]:
    """The questions of an activity as stored."""
    return tuple(
        SignUpQuestion(
            key=str(one["key"]),
            label=str(one["label"]),
            options=tuple(map(str, one.get("options") or ())),
            needed=bool(one.get("needed")),
        )
        for one in stored
    )


def check_answers(
    questions: Sequence[SignUpQuestion], answers: Mapping[str, str]
) -> dict[str, str]:
    """The answers without surrounding blanks, and without empty ones.

    Raises: Invalid (422) with every fault.
    """
    plain = {key: text.strip() for key, text in answers.items()}
    faults = list(_answer_faults(questions, plain))
    if faults:
        raise Invalid(*faults)
    return {key: text for key, text in plain.items() if text}


def _answer_faults(
    questions: Sequence[SignUpQuestion], answers: Mapping[str, str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    known = {one.key: one for one in questions}
    for key in answers:
        if key not in known:
            yield ("body", "answers", key), "unknown question"
    for one in questions:
        text = answers.get(one.key, "")
        if one.needed and not text:
            yield ("body", "answers", one.key), "needs an answer"
        elif text and one.options and text not in one.options:
            yield ("body", "answers", one.key), "not one of the options"
        elif len(text) > MOST_TEXT:
            yield ("body", "answers", one.key), "too long"


def free_texts(questions: Sequence[SignUpQuestion], answers: Mapping[str, str]) -> list[str]:
    """The answers in the citizen's own words, which WeChat's content check reads."""
    open_ended = {one.key for one in questions if not one.options}
    return [text for key, text in answers.items() if key in open_ended and text]


def read_phone(typed: str) -> str:
    """A mobile number of China with the country code.

    Raises: Invalid (422).
    """
    found = phone_or_none(typed)
    if found is None:
        raise Invalid((("body", "phone"), "not a mobile number"))
    return found


def is_wrong_phone(typed: str | None) -> bool:
    """Whether something was typed that is no mobile number; blanks count as nothing."""
    return bool(typed and typed.strip()) and phone_or_none(typed or "") is None


def phone_or_none(typed: str) -> str | None:
    """A mobile number of China with the country code; None for any other text."""
    found = _MOBILE.fullmatch(_GAPS.sub("", typed))
    return None if found is None else f"+86{found.group(1)}"


def read_name(typed: str) -> str | None:
    """A name without invisible characters; None for an empty one.

    Raises: Invalid (422).
    """
    name = clean_name(typed)
    if len(name) > MOST_NAME:
        raise Invalid((("body", "name"), "too long"))
    return name or None
