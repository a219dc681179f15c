"""Printed lists: every row is on a page that says which of how many it is, in Chinese."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.base.pdf.sheets import MISSING, SheetColumn, SheetHead, draw_sheet, mark_missing
from tests.kit.pdf_text import read_pages

HEAD = SheetHead(
    title="签到表：溶洞是怎样形成的",
    lines=("时间",),
    foot="第{page}页，共{pages}页",
    made_at=datetime(2026, 5, 2, tzinfo=UTC),
)
COLUMNS = [SheetColumn(title="姓名", share=2), SheetColumn(title="签名", share=1)]


def report_nothing(_done: int, _all: int) -> None:
    """Nobody watches the progress."""


def test_each_page_has_the_headings_and_its_number() -> None:
    rows = [(f"韦明{number}", "") for number in range(300)]
    pages = read_pages(draw_sheet(HEAD, COLUMNS, rows, report_nothing))
    assert len(pages) > 5
    for number, page in enumerate(pages, 1):
        assert HEAD.title in page
        assert "姓名" in page
        assert f"第{number}页，共{len(pages)}页" in page
    names = [text for page in pages for text in page if text.startswith("韦明")]
    assert names == [name for name, _ in rows]


def test_a_table_without_rows_is_a_page_with_headings() -> None:
    (page,) = read_pages(draw_sheet(HEAD, COLUMNS, [], report_nothing))
    assert "姓名" in page
    assert "第1页，共1页" in page


def test_a_long_name_takes_several_lines_and_loses_nothing_before_its_end() -> None:
    name = "阿卜杜热西提·买买提艾力·图尔荪江·阿不都热合曼江"
    (page,) = read_pages(draw_sheet(HEAD, COLUMNS, [(name * 2, "")], report_nothing))
    assert name * 2 in "".join(page)
    (page,) = read_pages(draw_sheet(HEAD, COLUMNS, [("长" * 400, "")], report_nothing))
    assert [text for text in page if text.endswith("…")] != []


def test_progress_is_reported_while_a_long_table_is_drawn() -> None:
    told: list[tuple[int, int]] = []
    rows = [("韦明", "")] * 450
    draw_sheet(HEAD, COLUMNS, rows, lambda done, whole: told.append((done, whole)))
    assert told == [(200, 450), (400, 450)]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("韦明", "韦明"),
        ("㼆𠅤堃", "㼆𠅤堃"),
        ("李\U0003fffd", f"李{MISSING}"),
        ("王👨‍👩‍👧", f"王{MISSING}"),
        ("黄\u200b强", "黄\u200b强"),
    ],
)
def test_a_character_that_cannot_be_printed_leaves_a_mark(typed: str, shown: str) -> None:
    assert mark_missing(typed) == shown
