"""Reads a JSON document field by field and collects every problem.

Independent of the campaign. Fields that were never read are reported as unknown.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

# Only years of this century are accepted: dates are moved by weeks and must not leave the calendar.
_DAY = re.compile(r"20\d{2}-\d{2}-\d{2}", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


class DocumentProblem(NamedTuple):
    """One problem of a file: its path and the reason."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class UnreadableDocument(Exception):
    """The file is not JSON; the message says why."""


def read_json(path: Path) -> object:
    """Parse a file.

    Raises: UnreadableDocument.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as trouble:
        raise UnreadableDocument(f"the file cannot be opened: {trouble.strerror}") from None
    except (ValueError, RecursionError) as trouble:
        raise UnreadableDocument(f"not readable as JSON: {trouble}") from None


def _calendar_day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


class Node:
    """One object of the document; records which fields were read."""

    def __init__(
        self, value: Mapping[str, Any], path: str, problems: list[DocumentProblem]
    ) -> None:
        self._value = value
        self._path = path
        self._asked: set[str] = set()
        self.problems = problems

    def path_of(self, key: str) -> str:
        """The path of a field."""
        return f"{self._path}.{key}" if self._path else key

    def complain_about(self, key: str, reason: str) -> None:
        """Record a problem of a field."""
        self.problems.append(DocumentProblem(self.path_of(key), reason))

    def has_field(self, key: str) -> bool:
        """Whether a field is present and not null."""
        return self._value.get(key) is not None

    def ignore_fields(self, *keys: str) -> None:
        """Mark fields as known without reading them."""
        self._asked.update(keys)

    def complain_of_unknown(self) -> None:
        """Report the fields that were never read."""
        for key in self._value:
            if key not in self._asked:
                self.complain_about(key, "unknown field")

    def read_text(self, key: str, *, longest: int = 100) -> str | None:
        """A required text; None after a reported problem."""
        found = self._required_value(key)
        return None if found is None else self._checked_text(found, key, longest)

    def optional_text(self, key: str, *, longest: int = 100) -> str | None:
        """An optional text; None when missing or null."""
        found = self._asked_for(key)
        return None if found is None else self._checked_text(found, key, longest)

    def read_slug(self, key: str, *, longest: int = 60) -> str | None:
        """A name of lower-case letters, digits and single dashes."""
        found = self.read_text(key, longest=longest)
        if found is not None and not _SLUG.fullmatch(found):
            self.complain_about(key, "small letters, digits and single dashes are expected")
            return None
        return found

    def read_choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        """One of a closed list."""
        found = self.read_text(key)
        if found is not None and found not in choices:
            self.complain_about(key, f"one of {', '.join(choices)} is expected, not {found!r}")
            return None
        return found

    def read_integer(self, key: str, *, least: int, most: int) -> int | None:
        """An integer within bounds."""
        found = self._required_value(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            self.complain_about(key, f"a whole number from {least} to {most} is expected")
            return None
        return found

    def read_percent(self, key: str) -> float | None:
        """A number from 0 to 100."""
        found = self._required_value(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float) or math.isnan(found):
            self.complain_about(key, "a number is expected")
            return None
        if not 0 <= found <= 100:
            self.complain_about(key, "a number from 0 to 100 is expected")
            return None
        return float(found)

    def read_flag(self, key: str) -> bool:
        """A boolean; false when missing."""
        found = self._asked_for(key)
        if found is None or isinstance(found, bool):
            return bool(found)
        self.complain_about(key, "true or false is expected")
        return False

    def read_day(self, key: str) -> date | None:
        """A calendar day written as 2020-04-21."""
        found = self.read_text(key)
        if found is None:
            return None
        day = _calendar_day(found)
        if day is None:
            self.complain_about(key, "a day such as 2020-04-21 is expected")
        return day

    def read_texts(self, key: str, *, longest: int = 200) -> list[str]:
        """A list of texts; empty when missing."""
        found = [
            self._checked_text(item, f"{key}[{n}]", longest)
            for n, item in enumerate(self._read_list(key))
        ]
        return [item for item in found if item is not None]

    def read_node(self, key: str) -> Node:
        """A required object; when it is missing, an empty one that reports nothing further."""
        found = self._required_value(key)
        if isinstance(found, dict):
            return Node(found, self.path_of(key), self.problems)
        if found is not None:
            self.complain_about(key, "an object is expected")
        return Node({}, self.path_of(key), [])

    def read_nodes(self, key: str) -> list[Node]:
        """A required list of objects."""
        if self._required_value(key) is None:
            return []
        made = []
        for n, item in enumerate(self._read_list(key)):
            if isinstance(item, dict):
                made.append(Node(item, self.path_of(f"{key}[{n}]"), self.problems))
            else:
                self.complain_about(f"{key}[{n}]", "an object is expected")
        return made

    def _asked_for(self, key: str) -> Any:
        self._asked.add(key)
        return self._value.get(key)

    def _required_value(self, key: str) -> Any:
        found = self._asked_for(key)
        if found is None:
            self.complain_about(key, "missing")
        return found

    def _read_list(self, key: str) -> list[Any]:
        found = self._asked_for(key)
        if found is None or isinstance(found, list):
            return found or []
        self.complain_about(key, "a list is expected")
        return []

    def _checked_text(self, found: object, key: str, longest: int) -> str | None:
        if not isinstance(found, str):
            self.complain_about(key, "a text is expected")
        elif not found.strip():
            self.complain_about(key, "the text is empty")
        elif len(found) > longest:
            self.complain_about(key, f"longer than {longest} characters")
        elif any(unicodedata.category(letter) in ("Cc", "Cs") for letter in found):
            self.complain_about(key, "holds characters that are no text")
        else:
            return found
        return None
