"""Reads Moodle's GIFT format; pure. Source: docs.moodle.org, "GIFT format".

Choices and true/false questions are read. Other kinds have no key that a contest can mark, so they
are refused one by one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from server.quiz.bank.files.headings import OPTIONS
from server.quiz.bank.files.reasons import RowRefused

_CATEGORY = re.compile(r"^\s*\$CATEGORY:\s*(.*)$")
_TITLE = re.compile(r"^\s*::(.*?)(?<!\\)::", re.DOTALL)
_FORMAT = re.compile(r"^\s*\[(html|moodle|plain|markdown)\]")
_WEIGHT = re.compile(r"^\s*%(-?\d+(?:\.\d+)?)%")
_TRUE_OR_FALSE = re.compile(r"^\s*(T|TRUE|F|FALSE)\s*$", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([~=#{}:\\])")
_TAG = re.compile(r"<\s*(/?)\s*([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_BREAKS = ("br", "p", "div", "li")
_HARMLESS = frozenset({*_BREAKS, "b", "i", "em", "strong", "span", "u", "ul", "ol", "font"})
_MISSING_WORD = "（　　）"
_MOST_TOPIC = 40


@dataclass(frozen=True, kw_only=True)
class TextQuestion:
    """One question of a text as cells of a table, or the reason for refusing it."""

    line: int
    cells: dict[str, str]
    refused: RowRefused | None = None


def looks_like_gift(text: str) -> bool:
    """Whether a text has answers in braces."""
    return re.search(r"(?<!\\)\{\s*(?:[=~#]|T\b|F\b|TRUE\b|FALSE\b|\})", text) is not None


def read_gift(text: str) -> Iterator[TextQuestion]:
    """Every question of a text; blank lines separate them."""
    topic = ""
    for line, block in _split_blocks(text):
        category = _CATEGORY.match(block)
        if category is not None:
            topic = _topic_of(category[1])
            continue
        cells: dict[str, str] = {}
        refused = None
        try:
            cells = _read_block(block)
        except RowRefused as reason:
            refused = reason
        yield TextQuestion(line=line, cells={**cells, "topic": topic}, refused=refused)


def _topic_of(path: str) -> str:
    last = path.strip().rpartition("/")[2].strip()
    return "" if last.startswith("$") else last[:_MOST_TOPIC]


def _split_blocks(text: str) -> Iterator[tuple[int, str]]:
    """Blocks between blank lines, without comments; a category is a block of its own."""
    block: list[str] = []
    first = 1
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if line.lstrip().startswith("//"):
            continue
        if _CATEGORY.match(line):
            yield number, line
        elif line.strip():
            first = first if block else number
            block.append(line)
        elif block:
            yield first, "\n".join(block)
            block = []


def _read_block(block: str) -> dict[str, str]:
    body = _TITLE.sub("", block, count=1)
    found = _FORMAT.match(body)
    body = body[found.end() :] if found else body
    parts = re.split(r"(?<!\\)\{", body, maxsplit=1)
    if len(parts) < 2:
        raise RowRefused("gift_no_answer")
    answers, closed, rest = _cut_at(parts[1], "}")
    if not closed:
        raise RowRefused("gift_unclosed")
    as_html = found is not None and found[1] == "html"
    stem = _plain_text(parts[0], as_html=as_html)
    after = _plain_text(rest, as_html=as_html)
    return {"stem": f"{stem}{_MISSING_WORD}{after}" if after else stem, **_read_answers(answers)}


def _cut_at(text: str, mark: str) -> tuple[str, bool, str]:
    parts = re.split(rf"(?<!\\){re.escape(mark)}", text, maxsplit=1)
    return (parts[0], True, parts[1]) if len(parts) == 2 else (text, False, "")


def _read_answers(text: str) -> dict[str, str]:
    answers, _, general = text.partition("####")
    explanation = {"explanation": _plain_text(general)} if general.strip() else {}
    bare, _, feedback = _cut_at(answers, "#")
    verdict = _TRUE_OR_FALSE.match(bare)
    if verdict is not None:
        right = verdict[1].upper().startswith("T")
        # The first remark is for a wrong answer, so it explains the right one.
        remark = _plain_text(_cut_at(feedback, "#")[0])
        shown = {"explanation": remark} if remark and not explanation else explanation
        return {"kind": "judge", "answer": "TRUE" if right else "FALSE", **shown}
    _refuse_other_kinds(answers)
    return {**_read_choices(answers), **explanation}


def _refuse_other_kinds(answers: str) -> None:
    if not answers.strip():
        raise RowRefused("gift_essay")
    if answers.lstrip().startswith("#"):
        raise RowRefused("gift_number")
    if re.search(r"=[^=~]*(?<!\\)->", answers):
        raise RowRefused("gift_matching")
    if not re.search(r"(?<!\\)~", answers):
        raise RowRefused("gift_short_answer")


def _read_choices(answers: str) -> dict[str, str]:
    marks = re.split(r"(?<!\\)([=~])", answers)[1:]
    rights: list[int] = []
    part_right: list[int] = []
    cells: dict[str, str] = {}
    for at, (mark, given) in enumerate(zip(marks[::2], marks[1::2], strict=True)):
        if at >= len(OPTIONS):
            raise RowRefused("too_many_options", most=len(OPTIONS))
        weight = _WEIGHT.match(given)
        words = given[weight.end() :] if weight else given
        cells[OPTIONS[at]] = _plain_text(_cut_at(words, "#")[0])
        if mark == "=" or (weight and float(weight[1]) >= 100):
            rights.append(at)
        elif weight and float(weight[1]) > 0:
            part_right.append(at)
    if rights and part_right:
        raise RowRefused("gift_part_marks")
    kind = "multiple" if part_right or len(rights) > 1 else "single"
    answer = "".join("ABCDEFGH"[at] for at in rights or part_right)
    return {**cells, "kind": kind, "answer": answer}


def _plain_text(text: str, *, as_html: bool = False) -> str:
    found = _FORMAT.match(text)
    if found:
        text = text[found.end() :]
    if as_html or (found and found[1] == "html"):
        text = _without_tags(text)
    text = _ESCAPED.sub(r"\1", text.replace("\\n", "\n"))
    lines = [" ".join(line.split()) for line in text.strip().splitlines()]
    return "\n".join(line for line in lines if line)


def _without_tags(text: str) -> str:
    """The text of simple HTML.

    Raises: RowRefused for a tag that carries content: a picture, a superscript, a table.
    """
    for _, tag in _TAG.findall(text):
        if tag.lower() not in _HARMLESS:
            raise RowRefused("markup", tag=tag.lower())
    broken = _TAG.sub(lambda tag: "\n" if tag[2].lower() in _BREAKS else "", text)
    return html.unescape(broken).replace("\xa0", " ")
