"""Rows of a table of activities: headings, times, kinds, places, numbers; pure.

The columns are the fields of `ActivityRow`, which the JSON file of the command has too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from server.activities.drafts import ActivityDraft
from server.activities.kinds import ActivityKind
from server.base.access import Scope
from server.base.characters import clean_name, find_web_code
from server.base.clock import BEIJING
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
from server.organizers.service import Places

NEEDED = ("title", "venue", "starts_at", "ends_at", "seats", "signup_opens_at", "signup_closes_at")
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "ref": ("编号", "ref"),
    "title": ("活动名称", "标题", "名称", "讲座题目", "题目", "title"),
    "kind": ("类别", "活动类别", "类型", "kind"),
    "programme": ("项目", "所属方案项目", "programme"),
    "audiences": ("适合人群", "对象", "听众", "audiences"),
    "city": ("设区市", "市", "所在市", "城市", "city"),
    "county": ("县", "县市区", "县区", "所在县区", "county"),
    "venue": ("活动地点", "地点", "场地", "venue"),
    "address": ("详细地址", "地址", "address"),
    "latitude": ("纬度", "latitude"),
    "longitude": ("经度", "longitude"),
    "starts_at": ("开始时间", "活动开始", "开始", "starts_at"),
    "ends_at": ("结束时间", "活动结束", "结束", "ends_at"),
    "seats": ("名额", "座位数", "人数", "seats"),
    "room_limit": ("现场最多容纳人数", "容纳人数", "room_limit"),
    "signup_opens_at": ("报名开始", "报名开始时间", "signup_opens_at"),
    "signup_closes_at": ("报名截止", "报名截止时间", "报名结束", "signup_closes_at"),
    "party_max": ("每次报名最多几人", "party_max"),
    "waitlist": ("候补人数上限", "候补上限", "waitlist"),
    "offer_minutes": ("候补确认时间", "offer_minutes"),
    "draw_at": ("抽签时间", "draw_at"),
    "phone_needed": ("必须填写手机号码", "phone_needed"),
    "checkout_needed": ("离场签退", "checkout_needed"),
    "speaker": ("主讲人", "主讲", "speaker"),
    "speaker_post": ("主讲人的单位和职务", "单位和职务", "speaker_post"),
    "speaker_bio": ("主讲人简介", "speaker_bio"),
    "abstract": ("内容介绍", "简介", "abstract"),
    "live_link": ("直播链接", "live_link"),
    "office_phone": ("联系电话", "office_phone"),
    "notes": ("备注", "notes"),
}
_MEANINGS = {plain_heading(title): name for name, some in HEADINGS.items() for title in some}
_KINDS = {
    "讲座": ActivityKind.LECTURE, "开放日": ActivityKind.OPEN_DAY,
    "校园活动": ActivityKind.CAMPUS_DAY, "科普大篷车": ActivityKind.CARAVAN_STOP,
    "志愿服务": ActivityKind.VOLUNTEER_SHIFT, "其他活动": ActivityKind.OTHER,
    "其他": ActivityKind.OTHER, **{one.value: one for one in ActivityKind},
}  # fmt: skip
_GROUPS = {
    "青少年": "youth", "农民": "farmer", "产业工人": "worker", "领导干部和公务员": "official",
    "老年人": "elder", "所有人": "",
}  # fmt: skip
_GROUPS.update({slug: slug for slug in _GROUPS.values() if slug})
_YES = ("是", "要", "需要", "true", "1", "y", "yes", "√")
_NO = ("", "否", "不", "不需要", "false", "0", "n", "no")
_BETWEEN = re.compile(r"[、，,;；/ ]+")
_MOMENT = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})[ T]*(\d{1,2}):(\d{1,2})(?::\d{1,2})?")
_SHAPES = str.maketrans({"年": "-", "月": "-", "日": " ", "/": "-", ".": "-", "：": ":"})
_YEARS = range(2020, 2100)
_DEGREE = 1_000_000
# Ten digits, or the way in which a workbook spells a larger number.
_HUGE = re.compile(r"[0-9]{10,}|[0-9.]+[eE]\+?[0-9]+", re.ASCII)
_TEXTS = (
    "title", "venue", "address", "speaker", "speaker_post", "speaker_bio", "abstract",
    "office_phone", "notes",
)  # fmt: skip
_NAMES = ("title", "venue", "speaker")
_INSTANTS = ("starts_at", "ends_at", "signup_opens_at", "signup_closes_at", "draw_at")
_WHOLE = {"seats": None, "room_limit": None, "party_max": 1, "offer_minutes": 0}


class ActivityReason(sheets.Reason):
    """The reason why a row of activities is refused, or a warning about it."""

    english: ClassVar[Mapping[str, str]] = {
        **sheets.ENGLISH,
        "no_rows": "no activity below the heading",
        "row_form": "{column}: {trouble}",
        "row_unknown": "{given}: unknown",
        "row_broken": "{trouble}",
        "cell_missing": "{column}: empty",
        "wrong_time": "{column}: {given!r} is no date with a time",
        "wrong_number": "{column}: {given!r} is no whole number",
        "number_large": "{column}: {given!r} is too large",
        "web_code": "{column}: {given!r} has {mark} of a web page",
        "wrong_point": "{column}: {given!r} is no degree",
        "wrong_yes": "{column}: {given!r} is neither yes nor no",
        "wrong_kind": "kind: {given!r} is not known",
        "wrong_group": "audiences: {given!r} is not known",
        "wrong_city": "city: {given!r} is not known",
        "wrong_county": "county: {given!r} is not known",
        "county_unclear": "county: {given!r} exists in several cities",
        "county_elsewhere": "county: {given!r} belongs to {home}",
        "wrong_ref": "ref: {given!r}",
        "ref_known": "ref: {given} exists already",
        "ref_twice": "ref: {given} stands twice in the file",
        "row_twice": "the same title and start as in line {other}",
        "content": "{fault}",
    }  # fmt: skip


class ActivitiesRefused(FileRefused):
    """The file cannot be read as activities; a caller catches `FileRefused`."""

    reason_class = ActivityReason


class CellRefused(Exception):
    """A cell that cannot be read; `why` is the reason for refusing its row."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.why = ActivityReason(code=code, facts=facts)


@dataclass(frozen=True, kw_only=True)
class ReadActivity:
    """One row in its right form, with the content that is not checked yet."""

    line: int
    sheet: str
    ref: str | None
    draft: ActivityDraft


@dataclass(frozen=True, kw_only=True)
class ActivityTable:
    """The content of a file; `refused` are problems of a whole sheet: no row may be taken."""

    rows: list[ReadActivity] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    columns: list[ColumnFound] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class SheetReader:
    """Input for reading a table: all places, the place of rows without one, columns by hand."""

    places: Places
    own: Scope
    by_hand: Mapping[str, str]

    def mean_column(self, title: str, at: int) -> str | None:
        """The column that a title names; LEFT_OUT or None for one that is not read."""
        return self.by_hand.get(column_key(title, at)) or _MEANINGS.get(plain_heading(title))

    def rate_row(self, cells: Sequence[str]) -> int:
        """How likely a row is the heading."""
        return rate_columns(cells, self.mean_column, NEEDED)


def read_table(raw: bytes, reader: SheetReader) -> ActivityTable:
    """Read every activity of a workbook or a text table.

    Raises: FileRefused.
    """
    if kind_of_file(raw) is FileKind.WORKBOOK:
        grids = read_workbook(raw)
    else:
        grids = [split_table(decode_text(raw), reader.rate_row)]
    if not grids or not grids[0].rows:
        raise ActivitiesRefused("empty", name="")
    heads = ((grid, (cells for _, cells in grid.rows[:HEADING_WITHIN])) for grid in grids)
    useful = [grid for grid, rows in heads if any(reader.rate_row(row) >= 100 for row in rows)]
    table = ActivityTable(ignored=[one.name for one in grids if one not in useful and useful])
    for grid in useful or grids[:1]:
        _read_sheet(table, grid, reader, grid.name if len(useful) > 1 else "")
    return table


def _read_sheet(table: ActivityTable, grid: Grid, reader: SheetReader, sheet: str) -> None:
    at = find_best_row(grid, reader.rate_row, 1)
    known = {column.key for column in table.columns}
    found = list_columns(grid, at, reader.mean_column)
    table.columns.extend(column for column in found if column.key not in known)
    try:
        heading = read_heading(grid, at, reader.mean_column)
        check_needed(heading, NEEDED)
    except FileRefused as refusal:
        table.refused.append(Problem(line=refusal.line, sheet=sheet, why=refusal.why))
        return
    table.ignored.extend(
        title
        for position, title in heading.unread.items()
        if title and reader.mean_column(title, position) != LEFT_OUT
    )
    for line, cells in heading.below:
        row = name_cells(cells, heading.columns)
        if not any(row.values()):
            continue
        try:
            draft = _read_cells(row, reader)
        except CellRefused as refusal:
            table.problems.append(Problem(line=line, sheet=sheet, why=refusal.why))
            continue
        ref = row.get("ref") or None
        table.rows.append(ReadActivity(line=line, sheet=sheet, ref=ref, draft=draft))


def _read_cells(row: Mapping[str, str], reader: SheetReader) -> ActivityDraft:
    """The content of a row.

    Raises: CellRefused for the first cell that cannot be read.
    """
    for name in ("title", "venue"):
        if not row.get(name, "").strip():
            raise CellRefused("cell_missing", column=name)
    place = reader.places.find_place(row.get("city", ""), row.get("county", ""), reader.own)
    if not isinstance(place, Scope):
        code, facts = place
        raise CellRefused(code, **facts)
    values: dict[str, Any] = {name: row.get(name, "").strip() for name in _TEXTS}
    values |= {name: _read_name(name, values[name]) for name in _NAMES}
    values |= {name: _read_cell(row, name, _read_moment) for name in _INSTANTS}
    values |= {name: _read_whole(row, name, least) for name, least in _WHOLE.items()}
    return ActivityDraft(
        **values,
        kind=_read_kind(row.get("kind", "")),
        programme=row.get("programme") or None,
        audiences=_read_groups(row.get("audiences", "")),
        city=place.city,
        county=place.county,
        latitude=_read_cell(row, "latitude", _read_degree),
        longitude=_read_cell(row, "longitude", _read_degree),
        live_link=row.get("live_link") or None,
        waitlist_most=_read_whole(row, "waitlist", None),
        phone_needed=_read_yes(row, "phone_needed"),
        checkout_needed=_read_yes(row, "checkout_needed"),
    )


def _read_name(name: str, given: str) -> str:
    mark = find_web_code(given)
    if mark is not None:
        raise CellRefused("web_code", column=name, given=given[:40], mark=mark)
    return clean_name(given)


def _read_cell(row: Mapping[str, str], name: str, read: Callable[[str, str], Any]) -> Any:
    """The value of a cell, None for an empty one; an empty one that is needed is refused."""
    given = row.get(name, "").strip()
    if given:
        return read(name, given)
    if name in NEEDED:
        raise CellRefused("cell_missing", column=name)
    return None


def _read_whole(row: Mapping[str, str], name: str, otherwise: int | None) -> int | None:
    given: int | None = _read_cell(row, name, _read_number)
    return otherwise if given is None else given


def _read_number(name: str, given: str) -> int:
    if _HUGE.fullmatch(given):
        raise CellRefused("number_large", column=name, given=given[:12])
    if not (given.isascii() and given.isdecimal()):
        raise CellRefused("wrong_number", column=name, given=given[:40])
    return int(given)


def _read_degree(name: str, given: str) -> int:
    try:
        degrees = float(given)
    except ValueError:
        raise CellRefused("wrong_point", column=name, given=given[:40]) from None
    if not -180 <= degrees <= 180:
        raise CellRefused("wrong_point", column=name, given=given[:40])
    return round(degrees * _DEGREE)


def _read_moment(name: str, given: str) -> datetime:
    """An instant; without an offset it is Beijing time."""
    found = _MOMENT.fullmatch(given.translate(_SHAPES).strip())
    try:
        if found is not None:
            year, month, day, hour, minute = map(int, found.groups())
            exact = datetime(year, month, day, hour, minute, tzinfo=BEIJING)
        else:
            exact = datetime.fromisoformat(given)
    except ValueError:
        raise CellRefused("wrong_time", column=name, given=given[:40]) from None
    if exact.tzinfo is None or exact.year not in _YEARS:
        raise CellRefused("wrong_time", column=name, given=given[:40])
    return exact.astimezone(UTC)


def _read_yes(row: Mapping[str, str], name: str) -> bool:
    given = row.get(name, "").strip().casefold()
    if given not in (*_YES, *_NO):
        raise CellRefused("wrong_yes", column=name, given=given[:40])
    return given in _YES


def _read_kind(given: str) -> ActivityKind:
    kind = _KINDS.get(given.strip() or ActivityKind.LECTURE.value)
    if kind is None:
        raise CellRefused("wrong_kind", given=given[:40])
    return kind


def _read_groups(given: str) -> tuple[str, ...]:
    words = [one for one in _BETWEEN.split(given.strip()) if one]
    unknown = [one for one in words if one not in _GROUPS]
    if unknown:
        raise CellRefused("wrong_group", given=unknown[0][:40])
    return tuple(slug for slug in map(_GROUPS.get, words) if slug)
