"""Reads questions as people type them: Aiken, and numbered questions of a document; pure.

A question is a stem, lines of options with letters, and a line with the answer; the answer may
also stand in brackets in the stem. Source: docs.moodle.org, "Aiken format".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from server.quiz.bank.files.gift import TextQuestion
from server.quiz.bank.files.headings import OPTIONS
from server.quiz.bank.files.options import LETTERS
from server.quiz.bank.files.reasons import RowRefused
from server.quiz.words import word_table

_NUMBER = re.compile(
    r"^\s*(?:第\s*\d+\s*题\s*[:：.、]?|[（(]\s*\d+\s*[)）]|\d+\s*[.．、:：)）])\s*(?!\d)"
)
_SECTION = re.compile(
    r"^\s*(?:[一二三四五六七八九十]+\s*[、.．]|第[一二三四五六七八九十]+部分)\s*(.*)$"
)
_KIND = re.compile(r"^\s*[\[【（(]\s*([^\]】）)]{2,6})\s*[\]】）)]\s*")
# `A 水` without a mark is an option only before a Chinese character: `A dog` may be a stem.
_OPTION = re.compile(
    r"^\s*(?:[（(【\[]\s*([A-Ha-h])\s*[)）】\]]"
    r"|([A-Ha-h])(?:\s*[.．、:：)）]|[ \t]+(?=[\u4e00-\u9fff])))\s*"
)
_NEXT_OPTION = re.compile(r"(?:\s+|(?<=[;；。]))(?=[（(]?\s*[B-H]\s*[.．、:：)）])")
_ANSWER = re.compile(
    r"^\s*[【\[]?\s*(?:正确答案|标准答案|参考答案|答案|answer)\s*"
    r"(?:[】\]]\s*[:：]?|[:：]|是|为|\s(?=\s*(?:[A-H\s,，、]+|对|错|正确|错误|√|×)\s*$))\s*(.*)$",
    re.IGNORECASE,
)
_EXPLANATION = re.compile(
    r"^\s*[【\[]?\s*(?:答案解析|试题解析|题目解析|解析|解释|说明|explanation|feedback)\s*(?:[】\]]\s*[:：]?|[:：])\s*(.*)$",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(
    r"[（(]\s*([A-H](?:[\s,，、]*[A-H])*|√|✓|✔|×|✗|✘|对|错|正确|错误)\s*[)）]"
)
_EXPLANATION_BESIDE = re.compile(r"\s*[【\[]?(?:答案)?解析\s*[】\]:：]+\s*")
_GAP = "（　　）"


@dataclass
class _Open:
    """The question being read; `last` is the cell to which a further line belongs."""

    line: int
    kind: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    last: str = "stem"
    refused: RowRefused | None = None

    def add_words(self, name: str, text: str) -> None:
        before = self.cells.get(name, "")
        self.cells[name] = f"{before}\n{text}".strip() if before else text
        self.last = name

    @property
    def is_complete(self) -> bool:
        return "answer" in self.cells

    @property
    def may_end(self) -> bool:
        return self.is_complete or _IN_BRACKETS.search(self.cells.get("stem", "")) is not None

    def take_marked(self, line: str) -> bool:
        """Take a line that is recognisable by itself: an answer, an explanation, options."""
        answer, explanation = _ANSWER.match(line), _EXPLANATION.match(line)
        if explanation:
            self.add_words("explanation", explanation[1].strip())
        elif answer and not self.is_complete:
            self._take_answer(answer[1].strip())
        elif _OPTION.match(line) and not self.is_complete:
            self._take_options(line)
        else:
            return False
        return True

    def _take_answer(self, text: str) -> None:
        parts = _EXPLANATION_BESIDE.split(text, maxsplit=1)
        self.add_words("answer", parts[0].rstrip("。.;； "))
        if len(parts) > 1:
            self.add_words("explanation", parts[1])

    def _take_options(self, line: str) -> None:
        for piece in _NEXT_OPTION.split(line.strip()):
            mark = _OPTION.match(piece)
            if mark is None:
                self.add_words(self.last, piece)
                continue
            letter = (mark[1] or mark[2]).upper()
            wanted = LETTERS[sum(name in self.cells for name in OPTIONS) % len(LETTERS)]
            if letter != wanted and self.refused is None:
                self.refused = RowRefused("options_unordered", letter=letter, wanted=wanted)
            self.add_words(OPTIONS[LETTERS.index(letter)], piece[mark.end() :].strip())

    def finish_reading(self) -> TextQuestion:
        cells = {**self.cells}
        if self.kind:
            cells["kind"] = self.kind
        if not self.is_complete:
            cells |= _answer_in_brackets(cells["stem"])
        return TextQuestion(line=self.line, cells=cells, refused=self.refused)


class _TextReader:
    """Takes lines; `found` are the completed questions."""

    def __init__(self) -> None:
        self.found: list[TextQuestion] = []
        self._open: _Open | None = None
        self._kind = ""
        self._after_blank = True

    def take_line(self, number: int, line: str) -> None:
        if not line.strip():
            self._after_blank = True
            return
        marked = self._open is not None and self._open.take_marked(line)
        if not (marked or self._take_section(line)):
            self._take_words(number, line)
        self._after_blank = False

    def _take_section(self, line: str) -> bool:
        """Take a heading such as `二、判断题（每题2分）`, which sets the kind of question."""
        found = _SECTION.match(line)
        if found is None or (self._open is not None and not self._open.may_end):
            return False
        kind = _kind_named(re.split(r"[（(:：，,。]", found[1], maxsplit=1)[0].strip())
        if kind is None:
            return False
        self.close_question()
        self._kind = kind
        return True

    def _take_words(self, number: int, line: str) -> None:
        numbered = _NUMBER.match(line)
        if self._open is not None and not numbered and not self._begins_question(self._open):
            self._open.add_words(self._open.last, line.strip())
            return
        self.close_question()
        line = line[numbered.end() :] if numbered else line
        named = _KIND.match(line)
        kind = _kind_named(named[1]) if named else None
        if named and kind is not None:
            line = line[named.end() :]
        self._open = _Open(line=number, kind=kind or self._kind)
        self._open.add_words("stem", line.strip())

    def _begins_question(self, question: _Open) -> bool:
        """Whether a line without a number begins a question rather than continuing one."""
        if question.is_complete:
            return self._after_blank or question.last == "answer"
        return self._after_blank and OPTIONS[1] in question.cells

    def close_question(self) -> None:
        """Finish the open question."""
        if self._open is not None:
            self.found.append(self._open.finish_reading())
            self._open = None


def read_plain(text: str) -> Iterator[TextQuestion]:
    """Every question of a text."""
    reader = _TextReader()
    for number, line in enumerate(text.splitlines(), start=1):
        reader.take_line(number, unicodedata.normalize("NFC", line).replace("\u3000", " "))
    reader.close_question()
    yield from reader.found


def looks_like_plain(text: str) -> bool:
    """Whether a text has answers on lines of their own, or in brackets."""
    lines = text.splitlines()
    return any(_ANSWER.match(line) or _IN_BRACKETS.search(line) for line in lines)


def _kind_named(word: str) -> str | None:
    for kind, aliases in word_table("kinds").items():
        if word.casefold() in aliases:
            return str(kind)
    return None


def _answer_in_brackets(stem: str) -> dict[str, str]:
    found = list(_IN_BRACKETS.finditer(stem))
    if len(found) != 1:
        return {"answer": ""}
    shown = f"{stem[: found[0].start()]}{_GAP}{stem[found[0].end() :]}"
    return {"answer": found[0][1], "stem": shown}
