"""The dashboard's tables as files: they say what the page says, and every export is recorded."""

from __future__ import annotations

import csv
import io
import re

import openpyxl
import pytest
from flask import Flask

from server.base.uow import UnitOfWorkFactory
from server.console import summaries
from server.console.audit import AuditEntry
from server.dashboard.console import PAGES
from server.dashboard.exporting import list_tables
from server.dashboard.service import read_dashboard
from tests.dashboard.test_dashboard import fill
from tests.kit.console import PEOPLE, Browser, console_app

NANNING, QINGXIU = "city:450100", "county:450103"


@pytest.fixture
def console(uow_factory: UnitOfWorkFactory) -> tuple[Flask, list[AuditEntry]]:
    fill(uow_factory)
    return console_app(uow_factory, PAGES)


def lines_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def tables_of(page: str) -> list[list[list[str]]]:
    """The rows of every table of a page, as it shows them."""
    found = []
    for table in re.findall(r"<table.*?</table>", page, re.S):
        body = re.sub(r"<thead>.*?</thead>|<caption.*?</caption>", "", table, flags=re.S)
        rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
        cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
        found.append([[plain_text(cell) for cell in row] for row in cells])
    return found


def plain_text(cell: str) -> str:
    """What a cell says without its link, its percent sign, and the number of places of all."""
    return re.sub(r"<.*?>", "", cell).strip().removesuffix("%").partition(" / ")[0]


def as_shown(value: object) -> str:
    if value is None:
        return ""
    return str(value.date()) if hasattr(value, "date") else str(value)


def same_cells(shown: list[list[str]], exported: list[list[str]]) -> bool:
    return [[spell_number(one) for one in row] for row in shown] == [
        [spell_number(one) for one in row] for row in exported
    ]


def spell_number(text: str) -> str:
    """Without the zeros after the decimal point, which a number of a workbook does not keep."""
    return text.rstrip("0").rstrip(".") if re.fullmatch(r"\d+\.\d+", text) else text


@pytest.mark.parametrize(
    ("who", "place", "by", "count"),
    [
        ("editor-region", "region", "day", 5),
        ("editor-region", "region", "week", 5),
        ("editor-city", NANNING, "day", 5),
        ("editor-county", QINGXIU, "day", 4),
    ],
)
def test_the_workbook_says_what_the_page_says(
    console: tuple[Flask, list[AuditEntry]], who: str, place: str, by: str, count: int
) -> None:
    app, written = console
    browser = Browser(app, who)
    shown = tables_of(browser.get(f"/figures/{place}?by={by}")[1])
    assert len(shown) == count
    address = f"/figures/{place}/export"
    assert "全部表格" in browser.get(f"{address}?by={by}")[1]
    answer = browser.open(
        "POST", f"{address}?by={by}", {"table": "all", "file_format": "xlsx", "reason": ""}
    )
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    sheets = [[list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book]
    assert book.sheetnames[-1] == "说明"
    exported = [[[as_shown(cell) for cell in row] for row in sheet[1:]] for sheet in sheets[:-1]]
    # Without a unit in its directory the page of a county has no table of places; its sum is kept.
    exported = exported if place != QINGXIU else exported[1:]
    assert all(same_cells(*pair) for pair in zip(shown, exported, strict=True))
    assert sheets[-1][1] == ["参与数据统计到", "2026-05-01 12:00:00"]
    note = written[-1]
    assert (note.act, note.facts["place"]) == ("dashboard.export_figures", place)


def test_one_table_is_saved_as_csv_and_its_sum_is_the_tile(
    console: tuple[Flask, list[AuditEntry]],
) -> None:
    app, written = console
    form = {"table": "places", "file_format": "csv", "reason": ""}
    answer = Browser(app, "auditor-city").open("POST", f"/figures/{NANNING}/export", form)
    head, *rows, total = lines_of(answer.data)
    assert head == ["地区", "参与人数", "参与人次", "两天以上"]
    assert total == ["合计", "4", "5", "1"]
    for at in (1, 2, 3):
        assert sum(int(row[at]) for row in rows) == int(total[at])
    assert rows[-1] == ["没有填写县区的", "1", "1", "0"]
    assert written[-1].facts["tables"] == "各县区参与情况"


def test_what_one_file_cannot_hold_is_refused_at_its_field(
    console: tuple[Flask, list[AuditEntry]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, written = console
    address = f"/figures/{NANNING}/export"
    browser = Browser(app, "editor-city")
    for table, sentence in (("all", "只能放一张表"), ("people", "请从列表中选择一项")):
        form = {"table": table, "file_format": "csv", "reason": ""}
        status, shown = browser.ask("POST", address, form)
        assert (status, sentence in shown) == (422, True)
    monkeypatch.setattr(summaries, "REASON_ROWS", 20)
    form = {"table": "hours", "file_format": "csv", "reason": " "}
    status, shown = browser.ask("POST", address, form)
    assert (status, "这一栏必须填写" in shown) == (422, True)
    assert written == []
    answer = browser.open("POST", address, {**form, "reason": "年度总结"})
    assert len(lines_of(answer.data)) == 25
    assert written[-1].reason == "年度总结"


def test_an_organizer_exports_the_own_place_and_those_below_it(
    console: tuple[Flask, list[AuditEntry]],
) -> None:
    app, _ = console
    form = {"table": "all", "file_format": "xlsx", "reason": ""}
    for who, place, status in (
        ("editor-city", QINGXIU, 200),
        ("editor-city", "region", 404),
        ("editor-county", NANNING, 404),
        ("system_admin-region", "region", 403),
    ):
        assert Browser(app, who).ask("POST", f"/figures/{place}/export", form)[0] == status


def test_every_table_of_a_unit_is_exported_without_places(uow_factory: UnitOfWorkFactory) -> None:
    fill(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        organizer = PEOPLE["editor-unit"]
        found = read_dashboard(uow, organizer, organizer.scope.spelled)
        names = [one.name for one in list_tables(uow.texts, found, "day")]
    assert names == ["trend", "groups", "funnel", "hours"]
