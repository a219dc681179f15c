"""Wording: every key that is said exists, every key that exists is said, in percent a language."""

from __future__ import annotations

import ast

from server import slices
from server.base.texts import FIRST_LANGUAGE, load_texts
from tests.house.source import trees

# Keys put together at run time: the part before the dot is enough to say that somebody uses them.
COMPOSED = ("quiz.rules.", "quiz.chat.", "channel.menu.")


def said_keys() -> set[str]:
    return {
        node.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_no_sentence_is_unused_and_none_is_missing() -> None:
    texts = load_texts(slices.TEXTS)
    have = set(texts.sentences[FIRST_LANGUAGE])
    constants = said_keys()
    error_codes = {key.rsplit(".", 1)[1] for key in have if ".error." in key}
    unused = {
        key
        for key in have
        if ".error." not in key
        and key not in constants
        and key.split(".", 1)[1] not in constants
        and not key.startswith(COMPOSED)
    }
    assert unused == set()
    assert error_codes <= constants


def test_each_language_tells_how_complete_it_is() -> None:
    texts = load_texts(slices.TEXTS)
    total = len(texts.sentences[FIRST_LANGUAGE])
    for language in texts.sentences:
        gaps = texts.gaps(language)
        print(
            f"{language}: {100 * (total - len(gaps)) // total} % of {total} sentences; gaps: {gaps}"
        )
        assert set(texts.sentences[language]) <= set(texts.sentences[FIRST_LANGUAGE])
