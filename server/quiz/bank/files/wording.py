"""Texts of reasons and column names for organizers."""

from __future__ import annotations

from server.base.texts import FIRST_LANGUAGE, Texts
from server.console.sheets.reasons import Reason

# Facts that name columns by their English names, several of them separated by commas.
_COLUMN_FACTS = ("column", "columns")


def say_reason(texts: Texts, why: Reason) -> str:
    """The sentence of a reason."""
    facts = {
        name: say_columns(texts, value)
        if name in _COLUMN_FACTS and isinstance(value, str)
        else value
        for name, value in why.facts.items()
    }
    return texts.fill_text(f"quiz.question_file.{why.code}", language=FIRST_LANGUAGE, **facts)


def say_columns(texts: Texts, names: str) -> str:
    """Names of columns as organizers know them."""
    return "、".join(texts.fill_text(f"quiz.question_column.{name}") for name in names.split(", "))
