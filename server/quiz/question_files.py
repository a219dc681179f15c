"""Reading a table of questions that others wrote: every refused row with its line and reason.

Nothing is stored here and no formula is run; the words of headings and values are in words.toml.
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

from server.quiz.kinds import Kind
from server.quiz.words import words

MOST_BYTES = 20 * 2**20
MOST_ROWS = 50_000
OPTIONS = ("option_a", "option_b", "option_c", "option_d", "option_e", "option_f")
NEEDED = ("stem", "answer")
# Units: characters.
MOST = {
    "ref": 40, "stem": 500, "topic": 40, "benchmark": 80, "audience": 40,
    "explanation": 1000, "source": 300,
}  # fmt: skip
_REF = re.compile(r"[A-Za-z0-9_-]{1,40}")
_PREFIX = re.compile(r"^(?:[(（][A-Fa-f][)）]|[A-Fa-f][.．、:：)）])\s*")
_LETTERS = re.compile(r"[A-F]+")
_BETWEEN = re.compile(r"[\s,，、;；/|]+")


class FileRefused(Exception):
    """The file as a whole cannot be read; `line` is where that was seen."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a row is refused.  Units: `line` as an editor counts, the heading is line 1."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One question as the file has it.  Units: `answer` positions in `options`."""

    line: int
    ref: str
    kind: Kind
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
        """What two questions have in common when they ask the same in the same words."""
        return sameness(self.stem, self.options)


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a file holds; `ignored` are headings that mean nothing here."""

    drafts: list[Draft] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def sameness(stem: str, options: Sequence[str]) -> str:
    """A stem and its options without spaces, width and order."""
    return "\n".join([_bare(stem), *sorted(_bare(option) for option in options)])


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def read_table(path: Path) -> Table:
    """Every question of a .csv file.

    Raises: FileRefused.
    """
    if path.suffix.lower() != ".csv":
        raise FileRefused(f"{path.name}: only .csv files are read, not {path.suffix or 'this one'}")
    rows = _rows(_text(path))
    heading = next(rows, None)
    if heading is None:
        raise FileRefused(f"{path.name}: empty")
    columns, ignored = _columns(heading[1])
    table = Table(ignored=ignored)
    for line, cells in rows:
        if len(table.drafts) + len(table.problems) >= MOST_ROWS:
            raise FileRefused(f"{path.name}: more than {MOST_ROWS} rows")
        _take(table, line, cells, columns)
    return table


def _text(path: Path) -> str:
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


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, [cell.strip() for cell in cells]
            line = reader.line_num + 1
    except csv.Error as trouble:
        raise FileRefused(str(trouble), line) from None


def _columns(heading: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    known = {
        alias.casefold(): name for name, aliases in words("columns").items() for alias in aliases
    }
    columns: dict[str, int] = {}
    ignored = []
    for at, title in enumerate(heading):
        name = known.get(title.casefold())
        if name is None:
            ignored.append(title)
        elif name in columns:
            raise FileRefused(f"two columns are {name}")
        else:
            columns[name] = at
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise FileRefused(f"no column for {', '.join(missing)}")
    return columns, ignored


def _take(table: Table, line: int, cells: Sequence[str], columns: Mapping[str, int]) -> None:
    row = {name: cells[at] if at < len(cells) else "" for name, at in columns.items()}
    try:
        if len(cells) > len(columns) + len(table.ignored):
            raise ValueError("more cells than headings")
        table.drafts.append(_draft(line, row))
    except ValueError as trouble:
        table.problems.append(Problem(line=line, reason=str(trouble)))


def _draft(line: int, row: Mapping[str, str]) -> Draft:
    _check_texts(row)
    options = _options(row)
    kind = _kind(row, options)
    if kind is Kind.JUDGE:
        options, answer = _judged(row["answer"], options)
    else:
        answer = _chosen(row["answer"], options, kind)
    made = {
        "stem": row["stem"],
        "options": options,
        "answer": answer,
        "kind": kind,
        "topic": row.get("topic", ""),
        "benchmark_no": _number(row, "benchmark_no", 26),
        "benchmark": row.get("benchmark", ""),
        "difficulty": _number(row, "difficulty", 3) or 2,
        "audience": row.get("audience") or None,
        "explanation": row.get("explanation", ""),
        "source": row.get("source", ""),
    }
    return Draft(line=line, ref=_ref(row, options), **made)  # type: ignore[arg-type]  # by name


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


def _ref(row: Mapping[str, str], options: Sequence[str]) -> str:
    given = row.get("ref", "")
    if not given:
        return "q_" + hashlib.sha256(sameness(row["stem"], options).encode()).hexdigest()[:16]
    if not _REF.fullmatch(given):
        raise ValueError("ref: 1 to 40 letters, digits, - and _")
    return given


def _options(row: Mapping[str, str]) -> tuple[str, ...]:
    cells = [row.get(name, "") for name in OPTIONS]
    while cells and not cells[-1]:
        cells.pop()
    options = tuple(_PREFIX.sub("", cell).strip() for cell in cells)
    if "" in options:
        raise ValueError("options: an empty one between others")
    if len({_bare(option) or option for option in options}) != len(options):
        raise ValueError("options: two are the same")
    return options


def _kind(row: Mapping[str, str], options: Sequence[str]) -> Kind:
    given = row.get("kind", "")
    for kind, aliases in words("kinds").items():
        if given.casefold() in aliases:
            return Kind(kind)
    if given:
        raise ValueError(f"kind: {given!r} is none of single, multiple, judge")
    if not options:
        return Kind.JUDGE
    return Kind.MULTIPLE if len(_letters(row["answer"])) > 1 else Kind.SINGLE


def _letters(answer: str) -> str:
    bare = _BETWEEN.sub("", unicodedata.normalize("NFKC", answer)).upper()
    return "ABCDEF"[int(bare) - 1] if bare in ("1", "2", "3", "4", "5", "6") else bare


def _chosen(given: str, options: Sequence[str], kind: Kind) -> tuple[int, ...]:
    if len(options) < 2:
        raise ValueError("options: fewer than two")
    letters = _letters(given)
    if not _LETTERS.fullmatch(letters):
        raise ValueError(f"answer: {given!r} is not made of option letters")
    chosen = sorted({"ABCDEF".index(letter) for letter in letters})
    if len(chosen) != len(letters):
        raise ValueError("answer: a letter twice")
    if chosen[-1] >= len(options):
        raise ValueError("answer: names an option that is not there")
    if kind is Kind.SINGLE and len(chosen) != 1:
        raise ValueError("answer: a single choice has one right option")
    if kind is Kind.MULTIPLE and len(chosen) < 2:
        raise ValueError("answer: a multiple choice has two or more right options")
    return tuple(chosen)


def _judged(given: str, options: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Right is always the first of the two; a letter means the option that it names here."""
    table = words("judge")
    shown = tuple(table["options"])
    meant = given.upper()
    if options:
        if len(options) != 2 or {_verdict(option) for option in options} != {True, False}:
            raise ValueError("options: a judgement has right and wrong")
        if meant in ("A", "B", "1", "2"):
            meant = options["AB12".index(meant) % 2].upper()
    verdict = _verdict(meant)
    if verdict is None:
        raise ValueError(f"answer: {given!r} is neither right nor wrong")
    return shown, (0,) if verdict else (1,)


def _verdict(word: str) -> bool | None:
    table = words("judge")
    if word.upper() in table["right"]:
        return True
    return False if word.upper() in table["wrong"] else None


def _number(row: Mapping[str, str], name: str, most: int) -> int | None:
    text = row.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise ValueError(f"{name}: a number from 1 to {most} expected")
    return int(text)
