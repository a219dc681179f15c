"""All texts for people: `<slice>/texts.toml`, one per key, with {placeholders}.

A missing key or placeholder is an error, never an empty text. Other languages are
`texts.<code>.toml` in the same folder; missing texts fall back to Chinese and are listed by
`missing_keys`.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIRST_LANGUAGE = "zh"


class TextMissing(Exception):
    """No text under this key, or a placeholder without value."""


class FilledKey(str):
    """The key of a text together with the facts of its placeholders."""

    __slots__ = ("facts",)
    facts: Mapping[str, object]

    @classmethod
    def with_facts(cls, key: str, **facts: object) -> FilledKey:
        """A key with its facts."""
        made = cls(key)
        made.facts = facts
        return made


@dataclass(frozen=True)
class Texts:
    """The catalogue of all slices; keys are `slice.section.name`."""

    sentences: Mapping[str, Mapping[str, str]]

    def fill_text(self, key: str, /, language: str = FIRST_LANGUAGE, **facts: object) -> str:
        """The text under a key with its placeholders filled.

        Raises: TextMissing.
        """
        words = self.sentences.get(language, {}).get(key) or self.sentences[FIRST_LANGUAGE].get(key)
        if words is None:
            raise TextMissing(key)
        if isinstance(key, FilledKey):
            facts = {**key.facts, **facts}
        return _fill_placeholders(words, facts, key)

    def error_text(
        self, code: str, facts: Mapping[str, object] | None = None, language: str = FIRST_LANGUAGE
    ) -> str:
        """The text of an error code, from whichever slice has it.

        Raises: TextMissing.
        """
        ending = f".error.{code}"
        for key in self.sentences[FIRST_LANGUAGE]:
            if key.endswith(ending):
                words = self.sentences.get(language, {}).get(key)
                words = words or self.sentences[FIRST_LANGUAGE][key]
                return _fill_placeholders(words, facts or {}, key)
        raise TextMissing(code)

    def missing_keys(self, language: str) -> list[str]:
        """Keys missing in a language."""
        have = self.sentences.get(language, {})
        return sorted(key for key in self.sentences[FIRST_LANGUAGE] if key not in have)


def _fill_placeholders(words: str, facts: Mapping[str, object], key: str) -> str:
    try:
        return words.format(**facts)
    except (KeyError, IndexError):
        raise TextMissing(f"{key}: a place is not filled") from None


def load_texts(slices: Iterable[Path]) -> Texts:
    """Load the catalogues in these folders; the folder's name is the first part of its keys."""
    sentences: dict[str, dict[str, str]] = {FIRST_LANGUAGE: {}}
    for folder in slices:
        for path in sorted(folder.glob("texts*.toml")):
            parts = path.name.split(".")
            language = parts[1] if len(parts) == 3 else FIRST_LANGUAGE
            tree = tomllib.loads(path.read_text(encoding="utf-8"))
            sentences.setdefault(language, {}).update(_flatten_tree(folder.name, tree))
    return Texts(sentences)


def _flatten_tree(prefix: str, tree: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= _flatten_tree(f"{prefix}.{key}", value)
        else:
            list(string.Formatter().parse(value))  # fails at start-up on an unbalanced brace
            found[f"{prefix}.{key}"] = value
    return found
