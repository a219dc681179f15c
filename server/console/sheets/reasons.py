"""Reasons for refusing a file or a row of it: a code with facts.

Pages show Chinese sentences of the slice that reads the file. The English ones below are for
commands and logs; a slice with more codes extends `Reason` and `FileRefused`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

ENGLISH: Mapping[str, str] = {
    "empty": "{name}: empty",
    "too_large": "larger than {most} MiB",
    "unpacks_too_large": "unpacks to more than {most} MiB",
    "packed_too_tightly": "packed more than {most} times: this is no ordinary workbook",
    "too_many_rows": "more than {most} rows",
    "too_wide": "a sheet of {rows} rows and {columns} columns: delete the cells outside the table",
    "workbook_broken": "the workbook is damaged or has a password",
    "wrong_encoding": "neither UTF-8, UTF-16 nor GB18030",
    "old_office": "an old .xls or .doc, or a file with a password: save it as .xlsx",
    "word_document": "a Word document: copy its content into a workbook or a text file",
    "pdf_document": "a PDF document: copy its content into a workbook or a text file",
    "web_page": "a web page: save it as .xlsx or copy its content into a text file",
    "xml_document": "an XML document: save it as .xlsx",
    "json_document": "JSON: save it as .xlsx or .csv",
    "other_archive": "an archive that is no workbook",
    "picture_file": "a picture: only tables and text are read",
    "no_table": "no column for {columns}",
    "two_columns": "two columns are {column}",
    "broken_quotes": "{trouble}",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A code of `english` with the facts of its sentence."""

    english: ClassVar[Mapping[str, str]] = ENGLISH

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.english[self.code].format(**self.facts)


class FileRefused(Exception):
    """The file cannot be read at all; `line` is where this was detected."""

    reason_class: ClassVar[type[Reason]] = Reason

    def __init__(self, code: str, /, line: int = 1, **facts: object) -> None:
        self.why = self.reason_class(code=code, facts=facts)
        self.line = line
        super().__init__(str(self.why))


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Reason for refusing a row, or a warning about it.

    `line` counts from 1, as in an editor or a workbook; `sheet` is empty unless several sheets of a
    workbook are read.
    """

    line: int
    why: Reason
    sheet: str = ""

    @property
    def reason(self) -> str:
        """The English sentence."""
        return str(self.why)

    def __str__(self) -> str:
        place = f"{self.sheet}, line {self.line}" if self.sheet else f"line {self.line}"
        return f"{place}: {self.reason}"


def sort_by_line(*found: Sequence[Problem]) -> tuple[Problem, ...]:
    """All problems in the order of the file."""
    return tuple(sorted((one for some in found for one in some), key=lambda one: one.line))
