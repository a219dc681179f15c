"""Reads a question table of an unknown author; reports every refused row with line and reason.

Stores nothing and evaluates no formulas. Recognised headings and values are in words.toml.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from server.quiz.bank.question_options import (
    LETTERS,
    chosen,
    counts_from_zero,
    half_labelled,
    is_by_letter,
    judged,
    kind_of,
    without_labels,
)
from server.quiz.bank.question_text import alike, exact, likeness, sameness
from server.quiz.enums import QuestionKind
from server.quiz.words import words

MOST_BYTES = 20 * 2**20
MOST_ROWS = 50_000
OPTIONS = tuple(f"option_{letter.lower()}" for letter in LETTERS)
NEEDED = ("stem", "answer")
# Units: characters.
MOST = {
    "ref": 40, "stem": 500, "topic": 40, "benchmark": 80, "audience": 40,
    "explanation": 1000, "source": 300,
}  # fmt: skip
_REF = re.compile(r"[A-Za-z0-9_-]{1,40}")
# Additions to a heading: "选项A（必填）", "*答案", "选项 Ａ".
_ASIDE = re.compile(r"[（(\[【][^（(\[【]*[)）\]】]|[*＊]")
_OPTION = re.compile(
    r"(?:备选|答案)?(?:选项|选择项|选择|option|choice|opt|ans|item)_?([a-h]|[1-8])"
    r"|([a-h])(?:选项|项)?"
)


class FileRefused(Exception):
    """The file cannot be read at all; `line` is where this was detected."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Reason for refusing a row. Units: `line` as in an editor; the heading is line 1."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One question of the file. Units: `answer` positions in `options`."""

    line: int
    ref: str
    has_own_ref: bool
    kind: QuestionKind
    topic: str
    benchmark_no: int | None
    benchmark: str
    difficulty: int
    audience: str | None
    stem: str
    options: tuple[str, ...]
    answer: tuple[int, ...]
    explanation: str
    source: str

    @property
    def sameness(self) -> str:
        """Key for questions with identical content."""
        return sameness(self.stem, self.options)

    @property
    def likeness(self) -> str:
        """Key for questions that may be the same."""
        return likeness(self.stem, self.options)


@dataclass(frozen=True, kw_only=True)
class Table:
    """The content of a file; `ignored` are unknown headings without relevant content.

    `warnings` do not refuse a row, but a person should check it. `from_zero` are lines whose answer
    counts options from 0.
    """

    drafts: list[Draft] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    from_zero: list[int] = field(default_factory=list)


def read_table(path: Path) -> Table:
    """Read every question of a .csv file.

    Raises: FileRefused.
    """
    if path.suffix.lower() != ".csv":
        raise FileRefused(f"{path.name}: only .csv files are read, not {path.suffix or 'this one'}")
    rows = _split_rows(_read_text(path))
    heading = next(rows, None)
    if heading is None:
        raise FileRefused(f"{path.name}: empty")
    columns, unread = _find_columns(heading[1])
    read = [(line, cells) for line, cells in _limit_rows(path, rows)]
    problems = _unread_content(heading[0], unread, read)
    table = Table(problems=problems, ignored=[title for title in unread.values() if title])
    if not problems:
        by_letter = _are_by_letter(read, columns)
        for line, cells in read:
            if len(cells) > len(heading[1]):
                table.problems.append(Problem(line=line, reason="more cells than headings"))
            else:
                _take_row(table, line, _named_cells(cells, columns), by_letter=by_letter)
        _check_numbers(table)
    return table


def _limit_rows(
    path: Path, rows: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(rows):
        if number >= MOST_ROWS:
            raise FileRefused(f"{path.name}: more than {MOST_ROWS} rows")
        yield row


def _unread_content(
    line: int, unread: Mapping[int, str], rows: Sequence[tuple[int, list[str]]]
) -> list[Problem]:
    """Warn of unread columns with content, such as an unrecognised option.

    Known descriptive headings (a chapter, a running number) are left out.
    """
    known = {_plain_heading(title) for title in words("unread")["headings"]}
    found = []
    for at, title in unread.items():
        first = next((row for row, cells in rows if at < len(cells) and cells[at]), None)
        if first is not None and _plain_heading(title) not in known:
            name = f"the column {title!r}" if title else f"column {at + 1}, which has no heading,"
            reason = f"{name} is not known and holds something (first in line {first})"
            found.append(Problem(line=line, reason=reason))
    return found


def _check_numbers(table: Table) -> None:
    """Refuse the file when one answer counts from 0: then all others would be read wrongly."""
    if table.from_zero:
        reason = f"answers count from 0 (line {table.from_zero[0]}): write letters, or 1, 2, 3"
        table.problems.insert(0, Problem(line=1, reason=reason))


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as trouble:
        raise FileRefused(f"{path.name}: {trouble.strerror}") from None
    if len(raw) > MOST_BYTES:
        raise FileRefused(f"{path.name}: larger than {MOST_BYTES} bytes")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileRefused(f"{path.name}: neither UTF-8 nor GBK")


def _split_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, [cell.strip() for cell in cells]
            line = reader.line_num + 1
    except csv.Error as trouble:
        raise FileRefused(str(trouble), line) from None


def _find_columns(heading: Sequence[str]) -> tuple[dict[str, int], dict[int, str]]:
    """The position of each known column, and the other headings by position."""
    known = {
        _plain_heading(alias): name
        for name, aliases in words("columns").items()
        for alias in aliases
    }
    columns: dict[str, int] = {}
    unread: dict[int, str] = {}
    for at, title in enumerate(heading):
        plain = _plain_heading(title)
        name = known.get(plain) or _option_column(plain)
        if name is None:
            unread[at] = title
        elif name in columns:
            raise FileRefused(f"two columns are {name}")
        else:
            columns[name] = at
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise FileRefused(f"no column for {', '.join(missing)}")
    return columns, unread


def _plain_heading(title: str) -> str:
    """Normalise a heading: width, case, spaces and additions removed."""
    normal = unicodedata.normalize("NFKC", _ASIDE.sub("", title)).casefold()
    return re.sub(r"[\s_\-:：.．、]+", "", normal)


def _option_column(plain: str) -> str | None:
    found = _OPTION.fullmatch(plain)
    if found is None:
        return None
    mark = found[1] or found[2]
    return OPTIONS[int(mark) - 1] if mark.isdigit() else f"option_{mark}"


def _are_by_letter(rows: Sequence[tuple[int, list[str]]], columns: Mapping[str, int]) -> bool:
    """Whether all questions with options are answered by letters."""
    read = [_named_cells(cells, columns) for _, cells in rows]
    answers = [row["answer"] for row in read if _options_given(row)]
    return all(map(is_by_letter, answers))


def _options_given(row: Mapping[str, str]) -> bool:
    return sum(bool(row.get(name)) for name in OPTIONS) > 2


def _named_cells(cells: Sequence[str], columns: Mapping[str, int]) -> dict[str, str]:
    return {name: cells[at] if at < len(cells) else "" for name, at in columns.items()}


def _take_row(table: Table, line: int, row: Mapping[str, str], *, by_letter: bool) -> None:
    if counts_from_zero(row["answer"], [row.get(name, "") for name in OPTIONS]):
        table.from_zero.append(line)
    try:
        draft = _read_draft(line, row, by_letter=by_letter)
    except ValueError as trouble:
        table.problems.append(Problem(line=line, reason=str(trouble)))
        return
    table.drafts.append(draft)
    table.warnings.extend(Problem(line=line, reason=reason) for reason in _find_doubts(draft))


def _find_doubts(draft: Draft) -> Iterator[str]:
    if draft.kind is QuestionKind.JUDGE:
        return
    if len({alike(option) or option for option in draft.options}) != len(draft.options):
        yield "options: two are nearly the same"
    if half_labelled(draft.options):
        yield "options: only some carry a letter, which stays as it is written"


def _read_draft(line: int, row: Mapping[str, str], *, by_letter: bool) -> Draft:
    _check_texts(row)
    options = _read_options(row)
    kind = kind_of(row.get("kind", ""), options, row["answer"])
    if kind is QuestionKind.JUDGE:
        options, answer = judged(row["answer"], options)
    else:
        answer = chosen(row["answer"], options, kind, by_letter=by_letter)
    return Draft(
        line=line,
        ref=_read_ref(row, options),
        has_own_ref=bool(row.get("ref", "")),
        stem=row["stem"],
        options=options,
        answer=answer,
        kind=kind,
        topic=row.get("topic", ""),
        benchmark_no=_read_number(row, "benchmark_no", 26),
        benchmark=row.get("benchmark", ""),
        difficulty=_read_difficulty(row),
        audience=row.get("audience") or None,
        explanation=row.get("explanation", ""),
        source=row.get("source", ""),
    )


def _check_texts(row: Mapping[str, str]) -> None:
    if not row["stem"]:
        raise ValueError("stem: empty")
    for name, text in row.items():
        if any(unicodedata.category(letter) == "Cc" and letter not in "\n\t\r" for letter in text):
            raise ValueError(f"{name}: a control character")
        if len(text) > MOST.get(name, 200):
            raise ValueError(f"{name}: longer than {MOST.get(name, 200)} characters")
    if row.get("status", "").casefold() not in ("", "draft", "live"):
        raise ValueError(f"status: {row['status']!r} is not draft or live")


def _read_ref(row: Mapping[str, str], options: Sequence[str]) -> str:
    given = row.get("ref", "")
    if not given:
        return "q_" + hashlib.sha256(sameness(row["stem"], options).encode()).hexdigest()[:16]
    if not _REF.fullmatch(given):
        raise ValueError("ref: 1 to 40 letters, digits, - and _")
    return given


def _read_options(row: Mapping[str, str]) -> tuple[str, ...]:
    cells = [row.get(name, "") for name in OPTIONS]
    while cells and not cells[-1]:
        cells.pop()
    if "" in cells:
        raise ValueError("options: an empty one between others")
    options = without_labels(cells)
    if len({exact(option) for option in options}) != len(options):
        raise ValueError("options: two are the same")
    return options


def _read_difficulty(row: Mapping[str, str]) -> int:
    given = row.get("difficulty", "").casefold()
    for level, named in words("difficulty").items():
        if given in named:
            return int(level)
    return _read_number(row, "difficulty", 3) or 2


def _read_number(row: Mapping[str, str], name: str, most: int) -> int | None:
    text = row.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise ValueError(f"{name}: a number from 1 to {most} expected")
    return int(text)
