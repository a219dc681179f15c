"""Comments use the terms of the field, so that a newcomer understands them and can grep them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
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
    r"complaint": "error, fault",
    r"reasons? of": "reason for",
    r"he|his|him": "the citizen, the organizer",
    r"newcomers?": "a new sign-up, a new citizen",
    r"for good": "permanently",
    r"the own": "the organizer's, the caller's, its",
}
FAULT = re.compile("|".join(rf"(?P<_{n}>\b(?:{word})\b)" for n, word in enumerate(INSTEAD)), re.I)

# A text that begins like this has no subject: its reader finds that only in the code below.
_WITHOUT_NOUN = r"Its|By|Of|Not|Also|From when|Until when|Why|What|Who|Whose|When and where"
_QUESTION = r"Which|How|When|Where|Whether|In which|On which"
BEGINNINGS = {
    "comment": re.compile(rf"({_WITHOUT_NOUN})\b"),
    "function": re.compile(rf"({_WITHOUT_NOUN}|Which|When|Where)\b"),
    "class": re.compile(rf"({_WITHOUT_NOUN}|{_QUESTION})\b"),
    "module": re.compile(rf"({_WITHOUT_NOUN}|{_QUESTION})\b"),
}
# Functions of these names do something, so their docstring begins with a verb.
ACTIONS = re.compile(r"_?(build|lock|make|render|show|write)_")
NO_VERB = re.compile(r"(The|A|An|All|One|Every|Each|How|What|Which)\b")


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


def beginnings_of(source: str) -> Iterator[tuple[int, str, str, str]]:
    """Line, kind, name and first line of each docstring, and of each block of comment lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text is not None:
                kind = {"Module": "module", "ClassDef": "class"}.get(type(node).__name__)
                name = getattr(node, "name", "")
                yield node.body[0].lineno, kind or "function", name, text.splitlines()[0]
    lines = source.splitlines()
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("# ") and not lines[number - 2].lstrip().startswith("#"):
            yield number, "comment", "", line.lstrip()[2:]


def begins_badly(kind: str, name: str, text: str) -> str | None:
    """The first word of a text without a subject, or of an action's docstring without a verb."""
    hit = BEGINNINGS[kind].match(text)
    if hit is None and kind == "function" and ACTIONS.match(name):
        hit = NO_VERB.match(text)
    return hit and hit.group()


def comments_of_script(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each comment of a script; addresses are no comments."""
    for hit in re.finditer(r"/\*.*?\*/|(?<![:'\"`])//[^\n]*", source, re.S):
        yield source.count("\n", 0, hit.start()) + 1, hit.group()


def sentences_of_page(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each line of a Markdown page outside of code blocks."""
    in_code = False
    for number, line in enumerate(source.splitlines(), 1):
        in_code ^= line.startswith("```")
        if not in_code:
            yield number, line


def faults(
    name: str, source: str, read_texts: Callable[[str], Iterator[tuple[int, str]]] = texts_of
) -> list[str]:
    """One line for each such word in a source, with what to write instead."""
    found = []
    for line, text in read_texts(source):
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


def test_comments_of_scripts_and_pages_of_docs_use_terms_of_the_field() -> None:
    scripts = [
        path
        for folder in ("miniprogram", "server")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".ts", ".js", ".mjs") and "static" not in path.parts
    ]
    pages = sorted((ROOT / "docs").rglob("*.md"))
    found = [
        fault
        for paths, read_texts in ((scripts, comments_of_script), (pages, sentences_of_page))
        for path in paths
        for fault in faults(
            str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"), read_texts
        )
    ]
    assert len(scripts) > 100
    assert found == []


def test_comments_of_the_server_begin_with_a_subject_or_a_verb() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} begins with {word!r}: name the subject or the action"
        for path in sources()
        for line, kind, name, text in beginnings_of(path.read_text(encoding="utf-8"))
        if (word := begins_badly(kind, name, text))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("# Of a new question.\nx = 1\n", "Of"),
        ('"""Which reply matches a text."""\n', "Which"),
        ('class Form:\n    """Why an account is closed."""\n', "Why"),
        ('def find_end():\n    """When it ends."""\n', "When"),
        ('def show_profile():\n    """The profile of the caller."""\n', "The"),
        ('def find_profile():\n    """The profile of the caller."""\n', None),
        ('def is_open():\n    """Whether it is open."""\n', None),
        ("x = 1\n# A comment about an instant\n# Of which this is the second line.\n", None),
    ],
)
def test_a_text_without_a_subject_is_found_by_its_first_word(source: str, word: str | None) -> None:
    words = [begins_badly(kind, name, text) for _, kind, name, text in beginnings_of(source)]
    assert words == [word]


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


def test_comments_of_scripts_and_sentences_of_pages_are_read_without_their_code() -> None:
    script = "const door = 1 // one door\n/**\n * The bell. */\nconst at = 'https://door'\n"
    page = "The door.\n```\na bell\n```\nA `door`.\n"
    assert len(faults("x.ts", script, comments_of_script)) == 2
    assert faults("x.md", page, sentences_of_page) == [
        "x.md:1 says 'door': write handler, middleware, endpoint, interface"
    ]


def test_code_in_backticks_and_strings_are_not_looked_at() -> None:
    assert faults("x.py", '"""Uses `bell`."""\nx = "the door"\n') == []
