"""Finds the heading of a table and the meaning of its columns; pure.

Recognised headings are in words.toml. A caller may assign columns by hand, by the title in the
file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise

from server.console.sheets.grids import Grid
from server.console.sheets.headings import (
    ColumnMeaning,
    Heading,
    check_needed,
    column_key,
    find_best_row,
    plain_heading,
    rate_columns,
    read_heading,
)
from server.console.sheets.reasons import Problem
from server.quiz.bank.files.options import LETTERS
from server.quiz.bank.files.reasons import QuestionReason
from server.quiz.words import word_table

OPTIONS = tuple(f"option_{letter.lower()}" for letter in LETTERS)
NEEDED = ("stem", "answer")
# Stem, answer and two options; fewer cells are a title.
_LEAST_COLUMNS = 3
_OPTION = re.compile(
    r"(?:备选|答案)?(?:选项|选择项|选择|备选项|option|choice|opt|answer|ans|item)_?([a-h]|[1-8]|[一二三四五六七八])"
    r"|([a-h])(?:选项|项|option)?"
)
_CHINESE = "一二三四五六七八"


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
    """Rate a row as the heading: its number of known columns; needed ones count more."""
    return rate_columns(cells, _reader_of(by_hand or {}), NEEDED)


def _reader_of(by_hand: Mapping[str, str]) -> ColumnMeaning:
    return lambda title, at: column_meaning(title, at, by_hand)


def with_blank_heading(grid: Grid) -> Grid:
    """A table whose first row is a question already: its columns are named by their numbers."""
    width = max((len(cells) for _, cells in grid.rows), default=0)
    return replace(grid, rows=[(0, [""] * width), *grid.rows])


def heading_at(grid: Grid, by_hand: Mapping[str, str]) -> int:
    """The index of the most likely heading, else of the first row that is wide enough."""
    return find_best_row(grid, lambda cells: rate_heading(cells, by_hand), _LEAST_COLUMNS)


def find_heading(grid: Grid, by_hand: Mapping[str, str]) -> Heading:
    """The heading among the first rows; titles and instructions above it are skipped.

    Raises: FileRefused for a missing or doubled column.
    """
    heading = read_heading(grid, heading_at(grid, by_hand), _reader_of(by_hand))
    if "options" in heading.columns and OPTIONS[0] in heading.columns:
        # Beside columns for single options, the meaning of a column `options` is unclear: not read.
        columns = dict(heading.columns)
        position = columns.pop("options")
        unread = {**heading.unread, position: heading.titles[position]}
        heading = replace(heading, columns=columns, unread=unread)
    check_needed(heading, NEEDED)
    return heading


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
        yield Problem(line=heading.line, sheet=sheet, why=QuestionReason(code=code, facts=facts))


def counts_rows(cells: Sequence[str]) -> bool:
    """Whether numbers only count rows: from 0 or 1, one after the other, with few gaps."""
    if not cells or not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    rising = all(one < two for one, two in pairwise(numbers))
    return rising and numbers[0] in (0, 1) and numbers[-1] <= len(numbers) + numbers[0] + 9
