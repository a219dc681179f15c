"""Reads every question of a file of an unknown author; reports refused rows with line and reason.

Stores nothing and evaluates no formulas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from server.console.sheets.grids import (
    HEADING_WITHIN,
    MIB,
    MOST_BYTES,
    Grid,
    Row,
    decode_text,
    split_table,
)
from server.console.sheets.headings import ColumnFound, Heading, list_columns, name_cells
from server.console.sheets.kinds import FileKind, kind_of_file
from server.console.sheets.reasons import FileRefused, Problem
from server.console.sheets.workbooks import has_pictures, read_workbook
from server.quiz.bank.files.gift import TextQuestion, looks_like_gift, read_gift
from server.quiz.bank.files.headings import (
    NEEDED,
    OPTIONS,
    column_meaning,
    counts_rows,
    find_heading,
    find_unread_content,
    heading_at,
    rate_heading,
    with_blank_heading,
)
from server.quiz.bank.files.options import counts_from_zero, is_by_letter
from server.quiz.bank.files.plain import looks_like_plain, read_plain
from server.quiz.bank.files.reasons import QuestionReason, QuestionsRefused, RowRefused
from server.quiz.bank.files.rows import Draft, RowStyle, find_doubts, read_draft
from server.quiz.words import word_table

# Stem, answer and two options.
_LEAST_COLUMNS = 3


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """An organizer's settings for reading a file.

    `columns` assigns columns by their key (`column_key`); `from_zero`: answers count from 0;
    `no_heading`: the first row is a question.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    from_zero: bool = False
    no_heading: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """The content of a file; `ignored` are unread headings without relevant content.

    `warnings` do not refuse a row, but a person should check it. `columns` are those of the first
    sheet, then those of further sheets with titles that did not occur before.
    """

    drafts: list[Draft] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    columns: list[ColumnFound] = field(default_factory=list)
    # Problems that concern the whole file: no row may be taken.
    refused: list[Problem] = field(default_factory=list)

    @property
    def every_problem(self) -> list[Problem]:
        """Problems of the file, then of its rows."""
        return [*self.refused, *self.problems]


def read_table(path: Path, said: ReadingOptions | None = None) -> Table:
    """Read every question of a file.

    Raises: FileRefused.
    """
    return read_questions(path.name, read_bytes(path), said)


def read_bytes(path: Path) -> bytes:
    """The content of a file, up to one byte more than is allowed.

    Raises: FileRefused.
    """
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as trouble:
        raise QuestionsRefused("unreadable", name=path.name, trouble=trouble.strerror) from None


def read_questions(name: str, raw: bytes, said: ReadingOptions | None = None) -> Table:
    """Read every question of a file's content; the format follows from the content.

    Raises: FileRefused.
    """
    said = said or ReadingOptions()
    if len(raw) > MOST_BYTES:
        raise FileRefused("too_large", most=MOST_BYTES // MIB)
    if not raw.strip():
        raise FileRefused("empty", name=name)
    if kind_of_file(raw) is FileKind.WORKBOOK:
        made = _read_grids(read_workbook(raw), said)
        if has_pictures(raw):
            made.warnings.append(Problem(line=1, why=QuestionReason(code="pictures_in_cells")))
        return made
    return read_text(decode_text(raw), said, is_table=name.lower().endswith((".csv", ".tsv")))


def read_text(text: str, said: ReadingOptions, *, is_table: bool = False) -> Table:
    """Read a table, GIFT, Aiken or typed questions.

    Raises: FileRefused.
    """

    def judge_cells(cells: Sequence[str]) -> int:
        return rate_heading(cells, said.columns)

    gift = not is_table and looks_like_gift(text)
    if not gift and (is_table or said.no_heading or _has_heading(text, said)):
        return _read_grids([split_table(text, judge_cells)], said)
    if gift:
        return _read_questions_of_text(read_gift(text), said)
    if looks_like_plain(text):
        return _read_questions_of_text(read_plain(text), said)
    grid = split_table(text, judge_cells)
    if max(len(cells) for _, cells in grid.rows) < _LEAST_COLUMNS:
        raise QuestionsRefused("no_questions")
    return _read_grids([grid], said)


def _has_heading(text: str, said: ReadingOptions) -> bool:
    grid = split_table(
        "\n".join(text.splitlines()[:HEADING_WITHIN]).replace('"', ""),
        lambda cells: rate_heading(cells, said.columns),
    )
    return any(rate_heading(cells, said.columns) >= 100 * len(NEEDED) for _, cells in grid.rows)


def _read_questions_of_text(found: Iterable[TextQuestion], said: ReadingOptions) -> Table:
    made = Table()
    questions = list(found)
    answers = [one.cells.get("answer", "") for one in questions if OPTIONS[0] in one.cells]
    style = RowStyle(by_letter=all(map(is_by_letter, answers)), from_zero=said.from_zero)
    for one in questions:
        if one.refused is not None:
            made.problems.append(Problem(line=one.line, why=one.refused.why))
        else:
            _take_row(made, one.line, {"stem": "", "answer": "", **one.cells}, style)
    if not questions:
        raise QuestionsRefused("no_questions")
    return made


def _read_grids(grids: Sequence[Grid], said: ReadingOptions) -> Table:
    """Read every sheet with a heading; when none has one, report the fault of the first."""
    made = Table()
    if said.no_heading:
        grids = [with_blank_heading(grid) for grid in grids]
    useful = [grid for grid in grids if _is_table(grid, said)]
    made.ignored.extend(grid.name for grid in grids if grid not in useful and useful)
    if not grids:
        raise FileRefused("empty", name="")
    several = len(useful) > 1
    for grid in useful or grids[:1]:
        _list_columns(made, grid, said)
        sheet = grid.name if several else ""
        try:
            heading = find_heading(grid, said.columns)
        except FileRefused as refusal:
            made.refused.append(Problem(line=refusal.line, why=refusal.why, sheet=sheet))
        else:
            _read_sheet(made, grid, heading, said, sheet)
    return made


def _is_table(grid: Grid, said: ReadingOptions) -> bool:
    heads = (cells for _, cells in grid.rows[:HEADING_WITHIN])
    return any(rate_heading(cells, said.columns) >= 100 * len(NEEDED) for cells in heads)


def _list_columns(made: Table, grid: Grid, said: ReadingOptions) -> None:
    known = {column.key for column in made.columns}
    at = heading_at(grid, said.columns)
    found = list_columns(grid, at, lambda title, at: column_meaning(title, at, said.columns))
    made.columns.extend(column for column in found if column.key not in known)


def _read_sheet(
    made: Table, grid: Grid, heading: Heading, said: ReadingOptions, sheet: str
) -> None:
    made.ignored.extend(title for title in heading.unread.values() if title)
    unread = list(find_unread_content(heading, said.columns, sheet))
    if unread:
        made.refused.extend(unread)
        return
    style = _find_style(heading, said, sheet)
    default = _kind_of_sheet(grid.name) if "kind" not in heading.columns else ""
    rows = [(line, cells, name_cells(cells, heading.columns)) for line, cells in heading.below]
    if not said.from_zero:
        _refuse_zero(made, rows, sheet)
    if style.own_ids is False and "ref" in heading.columns:
        made.warnings.append(
            Problem(line=heading.line, sheet=sheet, why=QuestionReason(code="number_as_id"))
        )
    for line, cells, named in rows:
        if len(cells) > len(heading.titles):
            made.problems.append(
                Problem(line=line, sheet=sheet, why=QuestionReason(code="more_cells"))
            )
            continue
        kind = named.get("kind") or default
        _take_row(made, line, {**named, "kind": kind}, style)
        _warn_of_dates(made, grid, heading, line, sheet)


def _find_style(heading: Heading, said: ReadingOptions, sheet: str) -> RowStyle:
    rows = [name_cells(cells, heading.columns) for _, cells in heading.below]
    answers = [row["answer"] for row in rows if row.get("options") or _options_given(row) > 2]
    return RowStyle(
        by_letter=all(map(is_by_letter, answers)),
        from_zero=said.from_zero,
        own_ids=not counts_rows([row.get("ref", "") for row in rows]),
        sheet=sheet,
    )


def _kind_of_sheet(name: str) -> str:
    """The kind of question that a sheet's name states, such as `判断题`."""
    named = {alias: kind for kind, aliases in word_table("kinds").items() for alias in aliases}
    return named.get(name.strip().casefold(), "")


def _options_given(row: Mapping[str, str]) -> int:
    return sum(bool(row.get(name)) for name in OPTIONS)


def _refuse_zero(
    made: Table, rows: Sequence[tuple[int, list[str], Mapping[str, str]]], sheet: str
) -> None:
    """Refuse the file when one answer counts from 0: then all others would be read wrongly."""
    for line, _, row in rows:
        cells = [row.get(name, "") for name in OPTIONS]
        if any(cells) and counts_from_zero(row["answer"], cells):
            why = QuestionReason(code="from_zero", facts={"first": line})
            made.refused.append(Problem(line=1, sheet=sheet, why=why))
            return


def _take_row(made: Table, line: int, row: Mapping[str, str], style: RowStyle) -> None:
    try:
        draft = read_draft(line, row, style)
    except RowRefused as refusal:
        made.problems.append(Problem(line=line, sheet=style.sheet, why=refusal.why))
        return
    made.drafts.append(draft)
    made.warnings.extend(
        Problem(line=line, sheet=style.sheet, why=why) for why in find_doubts(draft)
    )


def _warn_of_dates(made: Table, grid: Grid, heading: Heading, line: int, sheet: str) -> None:
    content = ("stem", "answer", *OPTIONS)
    dated = [n for n, at in heading.columns.items() if n in content and (line, at) in grid.dates]
    if dated:
        why = QuestionReason(code="date_cell", facts={"column": ", ".join(dated)})
        made.warnings.append(Problem(line=line, sheet=sheet, why=why))


__all__ = [
    "ColumnFound",
    "Draft",
    "ReadingOptions",
    "Row",
    "Table",
    "read_bytes",
    "read_questions",
    "read_table",
]
