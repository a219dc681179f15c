"""Decodes text files and splits them into rows of cells; pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from server.console.exports import restore_text
from server.console.sheets.reasons import FileRefused

MOST_BYTES = 20 * 2**20
MOST_ROWS = 50_000
MIB = 2**20
# The heading is searched in this many rows, because titles and instructions precede it.
HEADING_WITHIN = 20
_SEPARATORS = (",", "\t", ";", "，", "；", "|")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

Row = tuple[int, list[str]]
# Counts the known columns of a row that may be the heading.
HeadingJudge = Callable[[Sequence[str]], int]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The rows of one sheet with their line numbers; empty rows are left out.

    `dates` are the cells (line, column from 0) that a workbook stores as dates.
    """

    rows: list[Row]
    name: str = ""
    dates: frozenset[tuple[int, int]] = field(default_factory=frozenset)


def decode_text(raw: bytes) -> str:
    """Decode UTF-8 and UTF-16, with or without a byte order mark, and GB18030.

    Raises: FileRefused.
    """
    if len(raw) > MOST_BYTES:
        raise FileRefused("too_large", most=MOST_BYTES // MIB)
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _decode_as(raw, (encoding,))
    return _decode_as(raw, ("utf-8", *_wide_encoding(raw), "gb18030"))


def _decode_as(raw: bytes, encodings: Sequence[str]) -> str:
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Many NULs: UTF-16 that was decoded as another encoding, or a file that is no text.
        if text.count("\0") * 20 <= len(text):
            return text
    raise FileRefused("wrong_encoding")


def _wide_encoding(raw: bytes) -> tuple[str, ...]:
    """UTF-16 without a byte order mark, by the zero bytes of Latin letters and line ends."""
    low, high = raw[1::2].count(0), raw[0::2].count(0)
    if len(raw) % 2 or max(low, high) * 50 < len(raw):
        return ()
    return ("utf-16-le",) if low > high else ("utf-16-be",)


def split_table(text: str, judge: HeadingJudge) -> Grid:
    """Split a table by the separator that gives the most likely heading.

    A first line `sep=;` names the separator, as spreadsheets write it.
    Raises: FileRefused with the line of the fault.
    """
    separator, skipped = _named_separator(text)
    if separator is None:
        separator = _find_separator(text, judge)
    return Grid(rows=limit_rows(_read_rows(text, separator, skipped)))


def _named_separator(text: str) -> tuple[str | None, int]:
    first = text[: text.find("\n") + 1 or len(text)].strip().strip('"')
    if first.lower().startswith("sep=") and len(first) <= len("sep=") + 1:
        return first[len("sep=") :] or "\t", 1
    return None, 0


def _find_separator(text: str, judge: HeadingJudge) -> str:
    # A quoted cell may be long, so that a few lines do not always hold a few rows.
    head = text[: 64 * 1024]

    def rate_separator(separator: str) -> tuple[int, int]:
        rows = [cells for _, cells in islice(_read_leniently(head, separator), HEADING_WITHIN)]
        return max(map(judge, rows), default=0), -_SEPARATORS.index(separator)

    return max(_SEPARATORS, key=rate_separator)


def _read_leniently(text: str, separator: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for cells in reader:
            yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error:
        return


def _read_rows(text: str, separator: str, skipped: int) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            if line > skipped and any(cell.strip() for cell in cells):
                yield line, [restore_text(cell.strip()) for cell in cells]
            line = reader.line_num + 1
    except csv.Error as trouble:
        raise FileRefused("broken_quotes", line=line, trouble=str(trouble)) from None


def limit_rows(rows: Iterator[Row]) -> list[Row]:
    """All rows.

    Raises: FileRefused for more than MOST_ROWS below the heading.
    """
    found = list(islice(rows, MOST_ROWS + HEADING_WITHIN + 1))
    if len(found) > MOST_ROWS + HEADING_WITHIN:
        raise FileRefused("too_many_rows", most=MOST_ROWS)
    return found
