"""Finds the heading of a table and the meaning of its columns; pure.

A caller says what a title means; titles and instructions above the heading are skipped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from server.console.sheets.grids import HEADING_WITHIN, Grid, HeadingJudge, Row
from server.console.sheets.reasons import FileRefused

# The value of a column that was left out by hand.
LEFT_OUT = "-"
# Additions in a heading, which are ignored: "选项A（必填）", "*答案", "选项 Ａ".
_ASIDE = re.compile(r"[（(\[【][^（(\[【]*[)）\]】]|[*＊]")

# (title, position from 0) -> the column's name; None or LEFT_OUT for a column that is not read.
ColumnMeaning = Callable[[str, int], str | None]


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The heading of one sheet.

    `columns` maps name to position, `unread` position to title; `below` are the rows under it.
    """

    line: int
    titles: Sequence[str]
    columns: Mapping[str, int]
    unread: Mapping[int, str]
    below: Sequence[Row]


@dataclass(frozen=True, kw_only=True)
class ColumnFound:
    """A column of a file: its key for assignments, its title, its meaning and a first value."""

    key: str
    title: str
    meaning: str | None
    sample: str


def column_key(title: str, at: int) -> str:
    """The name of a column in an assignment by hand: its plain title, or its number from 1."""
    return plain_heading(title) or f"#{at + 1}"


def plain_heading(title: str) -> str:
    """Normalise a heading: width, case, spaces and additions removed."""
    normal = unicodedata.normalize("NFKC", _ASIDE.sub("", title)).casefold()
    return re.sub(r"[\s_\-:：.．、]+", "", normal)


def rate_columns(cells: Sequence[str], meaning: ColumnMeaning, needed: Sequence[str]) -> int:
    """Rate a row as the heading: its number of known columns; needed ones count more."""
    found = {meaning(cell, at) for at, cell in enumerate(cells)} - {None, LEFT_OUT}
    return len(found) + 100 * sum(name in found for name in needed)


def find_best_row(grid: Grid, judge: HeadingJudge, least: int) -> int:
    """The index of the most likely heading, else of the first row with `least` cells."""
    first = [cells for _, cells in grid.rows[:HEADING_WITHIN]]
    rates = [judge(cells) for cells in first]
    if max(rates) > 1:
        return rates.index(max(rates))
    return next((at for at, cells in enumerate(first) if len(cells) >= least), 0)


def read_heading(grid: Grid, at: int, meaning: ColumnMeaning) -> Heading:
    """The heading in a row of a sheet.

    Raises: FileRefused for a doubled column.
    """
    line, titles = grid.rows[at]
    columns: dict[str, int] = {}
    unread: dict[int, str] = {}
    for position, title in enumerate(titles):
        name = meaning(title, position)
        if name is None or name == LEFT_OUT:
            unread[position] = title
        elif name in columns:
            raise FileRefused("two_columns", line=line, column=name)
        else:
            columns[name] = position
    below = grid.rows[at + 1 :]
    return Heading(line=line, titles=titles, columns=columns, unread=unread, below=below)


def check_needed(heading: Heading, needed: Sequence[str]) -> None:
    """Refuse a table without one of these columns.

    Raises: FileRefused.
    """
    missing = [name for name in needed if name not in heading.columns]
    if missing:
        raise FileRefused("no_table", line=heading.line, columns=", ".join(missing))


def name_cells(cells: Sequence[str], columns: Mapping[str, int]) -> dict[str, str]:
    """The cells of a row by the names of their columns; missing ones are empty."""
    return {name: cells[at] if at < len(cells) else "" for name, at in columns.items()}


def list_columns(grid: Grid, at: int, meaning: ColumnMeaning) -> list[ColumnFound]:
    """The columns of a sheet whose heading is in the row `at`; empty ones are left out."""
    width = max(len(cells) for _, cells in grid.rows[at : at + HEADING_WITHIN])
    titles = [*grid.rows[at][1], *[""] * (width - len(grid.rows[at][1]))]
    found = []
    for position, title in enumerate(titles):
        values = (row[position] for _, row in grid.rows[at + 1 :] if position < len(row))
        sample = next((value for value in values if value), "")
        if title or sample:
            key = column_key(title, position)
            name = meaning(title, position)
            found.append(ColumnFound(key=key, title=title, meaning=name, sample=sample[:60]))
    return found
