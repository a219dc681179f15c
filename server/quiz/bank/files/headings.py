"""Finds the heading of a table and the meaning of its columns; pure.

Recognised headings are in words.toml. A caller may assign columns by hand, by the title in the
file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from server.quiz.bank.files.grids import HEADING_WITHIN, Grid, Row
from server.quiz.bank.files.options import LETTERS
from server.quiz.bank.files.reasons import FileRefused, Problem, Reason
from server.quiz.words import word_table

OPTIONS = tuple(f"option_{letter.lower()}" for letter in LETTERS)
NEEDED = ("stem", "answer")
# Stem, answer and two options; fewer cells are a title.
_LEAST_COLUMNS = 3
# Value of a hand-made assignment: leave this column out.
LEFT_OUT = "-"
# Additions to a heading: "选项A（必填）", "*答案", "选项 Ａ".
_ASIDE = re.compile(r"[（(\[【][^（(\[【]*[)）\]】]|[*＊]")
_OPTION = re.compile(
    r"(?:备选|答案)?(?:选项|选择项|选择|备选项|option|choice|opt|answer|ans|item)_?([a-h]|[1-8]|[一二三四五六七八])"
    r"|([a-h])(?:选项|项|option)?"
)
_CHINESE = "一二三四五六七八"


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The heading of one sheet.

    Units: `columns` name -> position; `unread` position -> title; `below` are the rows under it.
    """

    line: int
    titles: Sequence[str]
    columns: Mapping[str, int]
    unread: Mapping[int, str]
    below: Sequence[Row]


def column_key(title: str, at: int) -> str:
    """The name of a column in an assignment by hand: its plain title, or its number from 1."""
    return plain_heading(title) or f"#{at + 1}"


def plain_heading(title: str) -> str:
    """Normalise a heading: width, case, spaces and additions removed."""
    normal = unicodedata.normalize("NFKC", _ASIDE.sub("", title)).casefold()
    return re.sub(r"[\s_\-:：.．、]+", "", normal)


@cache
def _known_headings() -> Mapping[str, str]:
    return {
        plain_heading(alias): name
        for name, aliases in word_table("columns").items()
        for alias in aliases
    }


@cache
def _described_headings() -> frozenset[str]:
    return frozenset(plain_heading(title) for title in word_table("unread")["headings"])


def column_meaning(title: str, at: int, by_hand: Mapping[str, str]) -> str | None:
    """The column that a title names; LEFT_OUT or None for one that is not read."""
    plain = plain_heading(title)
    assigned = by_hand.get(column_key(title, at))
    return assigned or _known_headings().get(plain) or _option_column(plain)


def _option_column(plain: str) -> str | None:
    found = _OPTION.fullmatch(plain)
    if found is None:
        return None
    mark = found[1] or found[2]
    if mark in _CHINESE:
        return OPTIONS[_CHINESE.index(mark)]
    return OPTIONS[int(mark) - 1] if mark.isdigit() else f"option_{mark}"


def rate_heading(cells: Sequence[str], by_hand: Mapping[str, str] | None = None) -> int:
    """How well a row is known as a heading: the number of columns, more with the needed ones."""
    found = {column_meaning(cell, at, by_hand or {}) for at, cell in enumerate(cells)}
    found -= {None, LEFT_OUT}
    return len(found) + 100 * sum(name in found for name in NEEDED)


def with_blank_heading(grid: Grid) -> Grid:
    """A table whose first row is a question already: its columns are known by their numbers."""
    width = max((len(cells) for _, cells in grid.rows), default=0)
    return replace(grid, rows=[(0, [""] * width), *grid.rows])


def heading_at(grid: Grid, by_hand: Mapping[str, str]) -> int:
    """The index of the row that is known best, else of the first row that is wide enough."""
    first = [cells for _, cells in grid.rows[:HEADING_WITHIN]]
    rates = [rate_heading(cells, by_hand) for cells in first]
    if max(rates) > 1:
        return rates.index(max(rates))
    return next((at for at, cells in enumerate(first) if len(cells) >= _LEAST_COLUMNS), 0)


def find_heading(grid: Grid, by_hand: Mapping[str, str]) -> Heading:
    """The heading among the first rows; titles and instructions above it are skipped.

    Raises: FileRefused for a missing or doubled column.
    """
    at = heading_at(grid, by_hand)
    line, titles = grid.rows[at]
    below = grid.rows[at + 1 :]
    columns: dict[str, int] = {}
    unread: dict[int, str] = {}
    for position, title in enumerate(titles):
        name = column_meaning(title, position, by_hand)
        if name is None or name == LEFT_OUT:
            unread[position] = title
        elif name in columns:
            raise FileRefused("two_columns", line=line, column=name)
        else:
            columns[name] = position
    if "options" in columns and OPTIONS[0] in columns:
        # Both a column of all options and one of each: what the former holds is not known.
        position = columns.pop("options")
        unread[position] = titles[position]
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise FileRefused("no_table", line=line, columns=", ".join(missing))
    return Heading(line=line, titles=titles, columns=columns, unread=unread, below=below)


def find_unread_content(
    heading: Heading, by_hand: Mapping[str, str], sheet: str
) -> Iterator[Problem]:
    """Name unread columns with content, such as an unrecognised option.

    Left out are known descriptive headings (a chapter), columns that were left out by hand, and
    numbers that only count the rows.
    """
    for at, title in heading.unread.items():
        cells = [(line, row[at]) for line, row in heading.below if at < len(row) and row[at]]
        known = plain_heading(title) in _described_headings() or column_key(title, at) in by_hand
        if not cells or known or (not title and counts_rows([cell for _, cell in cells])):
            continue
        code = "unknown_column" if title else "column_without_heading"
        facts = {"title": title, "column": at + 1, "first": cells[0][0]}
        yield Problem(line=heading.line, sheet=sheet, why=Reason(code=code, facts=facts))


def counts_rows(cells: Sequence[str]) -> bool:
    """Whether numbers only count rows: from 0 or 1, one after the other, with few gaps."""
    if not cells or not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    rising = all(one < two for one, two in pairwise(numbers))
    return rising and numbers[0] in (0, 1) and numbers[-1] <= len(numbers) + numbers[0] + 9
