"""Rows of a file of units: headings, kinds, places, repetitions, warnings; pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from server.base.access import Scope
from server.base.characters import clean_name, find_web_code
from server.console.sheets import reasons as sheets
from server.console.sheets.grids import HEADING_WITHIN, Grid, decode_text, split_table
from server.console.sheets.headings import (
    LEFT_OUT,
    ColumnFound,
    check_needed,
    column_key,
    find_best_row,
    list_columns,
    name_cells,
    plain_heading,
    rate_columns,
    read_heading,
)
from server.console.sheets.kinds import FileKind, kind_of_file
from server.console.sheets.reasons import FileRefused, Problem
from server.console.sheets.workbooks import read_workbook
from server.organizers.unit_places import Places
from server.units import service as units

MOST_UNITS = 10_000
MOST_NAME = 100
NEEDED = ("name",)
# Headings as registers write them, without additions in brackets.
_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "name": (
        "单位名称", "学校名称", "名称", "单位", "机构名称", "企业名称", "社区名称", "学校", "name",
    ),
    "kind": ("类别", "单位类型", "单位类别", "类型", "单位性质", "性质", "kind", "type"),
    "city": ("设区市", "所属市", "所属设区市", "市", "城市", "地市", "所在市", "市代码", "city"),
    "county": (
        "县", "县区", "区县", "县市区", "所属县区", "所属县", "所属区县", "所属县市区", "所在县区",
        "所在区县", "所在县", "县区代码", "区划代码", "行政区划代码", "county",
    ),
    "full_name": ("全称", "单位全称", "学校全称", "full_name"),
    "state": ("状态", "state"),
}  # fmt: skip
_CLOSED = ("已停用", "停用", "已撤销", "撤销")
_FORMULA = re.compile(r"[=+@]|-[^-—]|#(REF|N/A|NAME|VALUE|DIV/0|NULL|NUM)", re.ASCII)
_MEANINGS = {plain_heading(title): name for name, some in _HEADINGS.items() for title in some}


class UnitReason(sheets.Reason):
    """The reason why a row of units is refused, or a warning about it."""

    english: ClassVar[Mapping[str, str]] = {
        **sheets.ENGLISH,
        "no_units": "no unit below the heading",
        "name_missing": "name: empty",
        "too_long": "{column}: longer than {most} characters",
        "web_code": "name: {given!r} has {mark} of a web page",
        "formula": "name: {given!r} is a formula or its error",
        "kind_missing": "kind: empty",
        "wrong_kind": "kind: {given!r} is none of those known",
        "wrong_city": "city: {given!r} is not known",
        "wrong_county": "county: {given!r} is not known",
        "county_unclear": "county: {given!r} exists in several cities",
        "county_elsewhere": "county: {given!r} belongs to {home}",
        "outside": "{place} is outside the administrator's place",
        "same_unit": "the same unit as in line {other}",
        "closed_unit": "{name} is closed and not in the directory",
        # Warnings, which refuse nothing.
        "near_twin": "{name} is nearly the same as line {other}",
        "near_known": "{name} is nearly the same as {known} of the directory",
        "other_kind": "{name} is in the directory with another kind, which stays",
    }


class UnitsRefused(FileRefused):
    """The file cannot be read as units; a caller catches `FileRefused`."""

    reason_class = UnitReason


@dataclass(frozen=True, kw_only=True)
class UnitDraft:
    """A row of the file. `fault` refuses it unless the directory has the unit already."""

    line: int
    sheet: str
    name: str
    kind: str
    place: Scope
    full_name: str | None
    closed: bool
    fault: UnitReason | None


@dataclass(frozen=True, kw_only=True)
class UnitTable:
    """The content of a file; `ignored` are headings and sheets that are not read.

    `refused` are problems of a whole sheet: no row may be taken.
    """

    drafts: list[UnitDraft] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    columns: list[ColumnFound] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class KnownUnit:
    """A unit of the directory."""

    name: str
    kind: str
    city: str | None
    county: str | None
    open: bool


@dataclass(frozen=True, kw_only=True)
class UnitComparison:
    """The changes that a file would make; `known` is the number of units already there."""

    added: list[UnitDraft] = field(default_factory=list)
    known: int = 0
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def alike_key(name: str) -> str:
    """The name without width, case, spaces and punctuation."""
    flat = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in flat if letter.isalnum())


@dataclass(frozen=True, kw_only=True)
class _UnitReader:
    """Input for reading a file: all places, the place of rows without one, columns by hand."""

    places: Places
    own: Scope
    by_hand: Mapping[str, str]

    def mean_column(self, title: str, at: int) -> str | None:
        """The column that a title names; LEFT_OUT or None for one that is not read."""
        return self.by_hand.get(column_key(title, at)) or _MEANINGS.get(plain_heading(title))

    def rate_row(self, cells: Sequence[str]) -> int:
        """How likely a row is the heading, by its recognised cells.

        `学校` as the only recognised cell is more likely the kind of a unit in a row of data.
        """
        rate = rate_columns(cells, self.mean_column, NEEDED)
        alone = rate == 101 and len(cells) > 1
        return 1 if alone and any(units.kind_of_word(cell) for cell in cells) else rate


def read_units(
    raw: bytes, places: Places, own: Scope, by_hand: Mapping[str, str] | None = None
) -> UnitTable:
    """Read every unit of a file; a row without a place belongs to `own`.

    `by_hand` assigns columns by their key (`column_key`).
    Raises: FileRefused.
    """
    if not raw.strip():
        raise UnitsRefused("empty", name="")
    reader = _UnitReader(places=places, own=own, by_hand=by_hand or {})
    if kind_of_file(raw) is FileKind.WORKBOOK:
        grids = read_workbook(raw)
    else:
        grids = [split_table(decode_text(raw), reader.rate_row)]
    if not grids or not grids[0].rows:
        raise UnitsRefused("empty", name="")
    table = _read_sheets(grids, reader)
    if not table.drafts and not table.problems and not table.refused:
        raise UnitsRefused("no_units")
    if len(table.drafts) + len(table.problems) > MOST_UNITS:
        raise UnitsRefused("too_many_rows", most=MOST_UNITS)
    return table


def _read_sheets(grids: Sequence[Grid], reader: _UnitReader) -> UnitTable:
    """Read every sheet with a heading; when none has one, report the fault of the first."""
    heads = ((grid, (cells for _, cells in grid.rows[:HEADING_WITHIN])) for grid in grids)
    useful = [grid for grid, rows in heads if any(reader.rate_row(row) >= 100 for row in rows)]
    table = UnitTable(ignored=[one.name for one in grids if one not in useful and useful])
    for grid in useful or grids[:1]:
        sheet = grid.name if len(useful) > 1 else ""
        at = find_best_row(grid, reader.rate_row, 1)
        known = {column.key for column in table.columns}
        found = list_columns(grid, at, reader.mean_column)
        table.columns.extend(column for column in found if column.key not in known)
        try:
            _read_sheet(table, grid, at, reader, sheet)
        except FileRefused as refusal:
            table.refused.append(_make_problem(refusal.line, sheet, refusal.why))
    return table


def _read_sheet(table: UnitTable, grid: Grid, at: int, reader: _UnitReader, sheet: str) -> None:
    heading = read_heading(grid, at, reader.mean_column)
    check_needed(heading, NEEDED)
    table.ignored.extend(
        title
        for position, title in heading.unread.items()
        if title and reader.mean_column(title, position) != LEFT_OUT
    )
    for line, cells in heading.below:
        row = {name: clean_name(cell) for name, cell in name_cells(cells, heading.columns).items()}
        if not any(row.values()):
            continue
        place = reader.places.find_place(row.get("city", ""), row.get("county", ""), reader.own)
        if not row["name"]:
            table.problems.append(_make_problem(line, sheet, UnitReason(code="name_missing")))
        elif isinstance(place, Scope):
            table.drafts.append(_read_row(line, sheet, row, place))
        else:
            code, facts = place
            table.problems.append(_make_problem(line, sheet, UnitReason(code=code, facts=facts)))


def _make_problem(line: int, sheet: str, why: sheets.Reason) -> Problem:
    return Problem(line=line, sheet=sheet, why=why)


def _read_row(line: int, sheet: str, row: Mapping[str, str], place: Scope) -> UnitDraft:
    kind = units.kind_of_word(row.get("kind", "")) or ""
    return UnitDraft(
        line=line,
        sheet=sheet,
        name=row["name"],
        kind=kind,
        place=place,
        full_name=row.get("full_name") or None,
        closed=row.get("state", "") in _CLOSED,
        fault=next(_find_faults(row, kind), None),
    )


def _find_faults(row: Mapping[str, str], kind: str) -> Iterator[UnitReason]:
    for column in ("name", "full_name"):
        text = row.get(column, "")
        if len(text) > MOST_NAME:
            yield UnitReason(code="too_long", facts={"column": column, "most": MOST_NAME})
        mark = find_web_code(text)
        if mark is not None:
            yield UnitReason(code="web_code", facts={"given": text[:40], "mark": mark})
        if _FORMULA.match(text):
            yield UnitReason(code="formula", facts={"given": text[:40]})
    given = row.get("kind", "")
    if not given:
        yield UnitReason(code="kind_missing")
    elif not kind:
        yield UnitReason(code="wrong_kind", facts={"given": given[:40]})


def compare_units(
    drafts: Iterable[UnitDraft], known: Collection[KnownUnit], places: Places, own: Scope
) -> UnitComparison:
    """Compare a file's units with each other and with the directory.

    Only the same name in the same place makes two units one; a similar name is a warning. A closed
    unit of the directory leaves its name free for a new one.
    """
    is_open, closed = _index_known(known, True), _index_known(known, False)
    near = {(*key[:2], alike_key(key[2])): one.name for key, one in is_open.items()}
    made = UnitComparison()
    count = 0
    seen: dict[tuple[object, ...], UnitDraft] = {}
    for draft in drafts:
        key = (draft.place.city, draft.place.county, draft.name)
        there = is_open.get(key) or (closed.get(key) if draft.closed else None)
        if there is not None:
            count += 1
            if draft.kind and there.open and draft.kind != there.kind:
                made.warnings.append(_make_warning(draft, "other_kind"))
            continue
        why = _refuse_new(draft, seen.get(key), places, own)
        if why is not None:
            made.problems.append(_make_problem(draft.line, draft.sheet, why))
            continue
        alike = ("near", *key[:2], alike_key(draft.name))
        if alike[1:] in near:
            made.warnings.append(_make_warning(draft, "near_known", known=near[alike[1:]]))
        elif alike in seen:
            made.warnings.append(_make_warning(draft, "near_twin", other=_place_of(seen[alike])))
        seen[key] = seen[alike] = draft
        made.added.append(draft)
    return UnitComparison(
        added=made.added, known=count, problems=made.problems, warnings=made.warnings
    )


def _index_known(
    known: Iterable[KnownUnit], is_open: bool
) -> dict[tuple[str | None, str | None, str], KnownUnit]:
    return {
        (one.city, one.county, clean_name(one.name)): one for one in known if one.open is is_open
    }


def _refuse_new(
    draft: UnitDraft, twin: UnitDraft | None, places: Places, own: Scope
) -> UnitReason | None:
    if not own.covers_scope(draft.place):
        return UnitReason(code="outside", facts={"place": places.name_scope(draft.place)})
    if twin is not None:
        return UnitReason(code="same_unit", facts={"other": _place_of(twin)})
    if draft.closed:
        return UnitReason(code="closed_unit", facts={"name": draft.name[:40]})
    return draft.fault


def _make_warning(draft: UnitDraft, code: str, **facts: object) -> Problem:
    why = UnitReason(code=code, facts={"name": draft.name[:40], **facts})
    return _make_problem(draft.line, draft.sheet, why)


def _place_of(draft: UnitDraft) -> str:
    return f"{draft.sheet} {draft.line}" if draft.sheet else str(draft.line)
