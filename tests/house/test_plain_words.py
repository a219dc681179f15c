"""Comments use the terms of the field, so that a newcomer understands them and can grep them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT

# What older comments said, and the word to use. Text in backticks is code and is not looked at.
INSTEAD = {
    r"(?:the|our|this) house(?:'s)?|of the house": "the application, the server",
    r"doors?": "handler, middleware, endpoint, interface",
    r"bells?|doorbells?|rung": "wake-up, queue entry",
    r"strangers?": "the uploader, an attacker, the public, another citizen",
    r"whoever": "name the caller, client, citizen or process",
    r"nobody's": "anonymous, unused",
    r"lets? go of|let go": "close, delete, release, drop",
    r"(?:is|are|was|were|be) told": "receives, is passed, is reported",
    r"(?:in|at) hand|in other hands": "locked by others, held by, cached",
    r"on the wire": "in requests and responses, sent",
    r"doings": "actions, functions",
    r"anew": "again, new",
    r"at nought": "at zero",
    r"in vain": "timed out, failed",
    r"(?:goes|go|going|went|gone) on(?: with)?": "continues, resumes, is repeated",
    r"(?:those|these|that) of (?:these|those|this|that)": "name the things that are meant",
}
FAULT = re.compile("|".join(rf"(?P<_{n}>\b(?:{word})\b)" for n, word in enumerate(INSTEAD)), re.I)


def texts_of(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each docstring and comment of a Python source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=False)
            if text is not None:
                yield node.body[0].lineno, text
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def faults(name: str, source: str) -> list[str]:
    """One line for each such word in a source, with what to write instead."""
    found = []
    for line, text in texts_of(source):
        for hit in FAULT.finditer(re.sub(r"`[^`]*`", "", text)):
            word = list(INSTEAD.values())[int(str(hit.lastgroup)[1:])]
            found.append(f"{name}:{line} says {hit.group()!r}: write {word}")
    return found


def sources() -> list[Path]:
    return [*ROOT.glob("*.py"), *sorted((ROOT / "server").rglob("*.py"))]


def test_comments_of_the_server_use_terms_of_the_field() -> None:
    found = [
        fault
        for path in sources()
        for fault in faults(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('"""The door of\nthe callbacks."""\n', "door"),
        ("def f():\n    '''Ring the bell.'''\n", "bell"),
        ("x = 1  # whoever asks\n", "whoever"),
        ("# a file is let go of\n", "let go of"),
        ("# the worker goes on with the rest\n", "goes on with"),
        ("# the boards of both, and those of these\n", "those of these"),
    ],
)
def test_a_word_that_is_no_term_is_named_with_what_to_write(source: str, word: str) -> None:
    (fault,) = faults("x.py", source)
    assert f"says {word!r}: write " in fault


def test_code_in_backticks_and_strings_are_not_looked_at() -> None:
    assert faults("x.py", '"""Uses `bell`."""\nx = "the door"\n') == []
