"""Exports: the same rows as the list, texts that stay texts, a reason where one is needed."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from urllib.parse import quote

import openpyxl
import pytest
from flask import Flask

from server.base.uow import UnitOfWorkFactory
from server.console.audit import AuditEntry
from server.console.exports import (
    FORMULA_STARTS,
    ExportFormat,
    Value,
    neutralise_text,
    restore_text,
    write_export,
)
from tests.kit.console import LIUZHOU, NANNING, Browser, console_app
from tests.kit.console_lists import PAGES, TABLE, declared_table, make_rules
from tests.kit.hostile import HOSTILE

EDITOR = "editor-city"
HEADS = [("文字", "text"), ("=1+1", "long"), ("数", "number"), ("时间", "date")]
LATE = datetime(2026, 5, 1, 16, 30, tzinfo=UTC)


def sheet_of(content: bytes) -> list[list[object]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    (sheet,) = book.worksheets
    for row in sheet.iter_rows():
        for cell in row:
            assert cell.data_type != "f", f"a formula: {cell.value}"
            assert cell.hyperlink is None
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def lines_of(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_every_hostile_text_stays_a_text_in_both_formats() -> None:
    rows: list[list[Value]] = [[text, f"x{text}", 1, LATE] for text in HOSTILE]
    content, count = write_export(ExportFormat.XLSX, "a/b:[c]", HEADS, iter(rows))
    assert count == len(HOSTILE) >= 200
    read = [row[0] for row in sheet_of(content)[1:]]
    plain = [text for text in HOSTILE if not any(ord(one) < 32 for one in text)]
    assert [text for text in plain if text not in read and text.strip()] == []
    content, _ = write_export(ExportFormat.CSV, "x", HEADS, iter(rows))
    cells = [row[0] for row in lines_of(content)[1:]]
    assert [one for one in cells if one.startswith(FORMULA_STARTS)] == []
    assert [restore_text(one) for one in cells] == HOSTILE


@pytest.mark.parametrize("first", FORMULA_STARTS)
def test_a_text_like_a_formula_is_neutral_and_comes_back_unchanged(first: str) -> None:
    text = f"{first}SUM(A1)"
    assert neutralise_text(text) == f"'{text}"
    assert restore_text(neutralise_text(text)) == text
    assert restore_text("'quoted'") == "'quoted'"
    content, _ = write_export(ExportFormat.XLSX, "x", [("a", "text")], [[text]])
    if first not in "\t\r":
        assert sheet_of(content)[1] == [text]
    cell = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]["A2"]
    assert cell.quotePrefix
    assert cell.number_format == "@"


def test_numbers_and_dates_keep_their_type_and_long_digits_their_digits() -> None:
    values: list[Value] = ["0012", None, 12.5, LATE]
    long: list[Value] = ["450102199001011234", "", 450102199001011234, date(2026, 5, 1)]
    content, _ = write_export(ExportFormat.XLSX, "x", HEADS, [values, long])
    assert sheet_of(content) == [
        ["文字", "=1+1", "数", "时间"],
        ["0012", None, 12.5, datetime(2026, 5, 2, 0, 30)],  # noqa: DTZ001 - a sheet has no zone
        ["450102199001011234", None, "450102199001011234", datetime(2026, 5, 1)],  # noqa: DTZ001 - as above
    ]
    content, _ = write_export(ExportFormat.CSV, "x", HEADS, [values, long])
    assert lines_of(content) == [
        ["文字", "'=1+1", "数", "时间"],
        ["0012", "", "12.5", "2026-05-02 00:30:00"],
        ["450102199001011234", "", "450102199001011234", "2026-05-01"],
    ]


@pytest.fixture
def console(uow_factory: UnitOfWorkFactory) -> tuple[Flask, list[AuditEntry]]:
    with uow_factory.begin() as uow:
        make_rules(uow, NANNING, [f"=text {number}" for number in range(12)])
        make_rules(uow, LIUZHOU, ["of another city"])
    return console_app(uow_factory, PAGES)


def test_a_list_whose_rows_have_no_files_is_not_exported_with_files(
    console: tuple[Flask, list[AuditEntry]],
) -> None:
    browser = Browser(console[0], EDITOR)
    assert "打成一个压缩包" not in browser.get("/listed/export")[1]
    assert browser.ask("POST", "/listed/export", {"file_format": "zip"})[0] == 422


@pytest.mark.parametrize("kind", [ExportFormat.XLSX, ExportFormat.CSV])
def test_an_export_has_the_rows_of_the_filtered_list_and_is_recorded(
    console: tuple[Flask, list[AuditEntry]], kind: ExportFormat
) -> None:
    app, written = console
    browser = Browser(app, EDITOR)
    status, shown = browser.get("/listed/export?state=on&sort=-slug")
    assert status == 200
    assert "按当前条件，共 6 条" in shown
    assert "导出用途" not in shown
    form = {"file_format": kind.value, "every_column": "all"}
    answer = browser.open("POST", "/listed/export?state=on&sort=-slug", form)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == kind.media
    named = answer.headers["Content-Disposition"]
    assert named.startswith(f"attachment; filename*=UTF-8''{quote('公众号的自动回复_')}")
    assert named.endswith(f".{kind.value}")
    rows = sheet_of(answer.data) if kind is ExportFormat.XLSX else lines_of(answer.data)
    assert rows[0] == ["姓名", "角色", "管理范围", "我的身份", "我可以做的事"]
    assert [row[0] for row in rows[1:]] == [f"r{number:05d}" for number in range(11, 0, -2)]
    assert rows[1][4] == "city:450100"
    (entry,) = written
    assert (entry.act, entry.reason) == ("console.export_list", "")
    assert entry.facts == {
        "list": "sample.rules", "rows": 6, "format": kind.value, "filter": "sort=-slug&state=on"
    }  # fmt: skip


def test_an_export_has_the_chosen_columns(console: tuple[Flask, list[AuditEntry]]) -> None:
    browser = Browser(console[0], EDITOR)
    browser.open("POST", "/listed/view", {"act": "columns", "columns": "owner"})
    answer = browser.open("POST", "/listed/export", {"file_format": "csv", "every_column": ""})
    assert lines_of(answer.data)[:2] == [["我可以做的事"], ["city:450100"]]


def test_an_export_of_persons_asks_for_its_reason_and_keeps_it(
    console: tuple[Flask, list[AuditEntry]],
) -> None:
    app, written = console
    browser = Browser(app, EDITOR)
    shown = browser.get("/people/export")[1]
    assert "个人信息" in shown
    status, shown = browser.ask("POST", "/people/export", {"file_format": "csv", "reason": "  "})
    assert status == 422
    assert "这一栏必须填写" in shown
    assert written == []
    form = {"file_format": "csv", "reason": "报送名单"}
    assert browser.open("POST", "/people/export?words=text&state=on", form).status_code == 200
    assert written[0].reason == "报送名单"
    # What was searched for may be a person's name.
    assert written[0].facts["filter"] == "words=%2A&state=on"


def test_a_reason_is_asked_for_persons_and_many_rows_but_not_for_the_question_bank() -> None:
    persons, free = declared_table(persons=True), declared_table(free=True)
    asked = [
        [table.asks_reason(rows) for rows in (1, 1000, 1001)] for table in (TABLE, persons, free)
    ]
    assert asked == [[False, False, True], [True, True, True], [False, False, False]]


def test_a_list_without_rows_offers_no_export(uow_factory: UnitOfWorkFactory) -> None:
    app, _ = console_app(uow_factory, PAGES)
    shown = Browser(app, EDITOR).get("/listed/export")[1]
    assert "没有内容可以导出" in shown
    assert 'type="radio"' not in shown
