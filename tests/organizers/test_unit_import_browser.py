"""The import of units in Chromium: a file is uploaded, its bad row read, the good ones added."""

from __future__ import annotations

import csv
import io

import pytest
from playwright.sync_api import Browser

from server.base.uow import UnitOfWorkFactory
from server.organizers import import_pages, unit_pages
from tests.kit.browser import browser
from tests.kit.console_browser import WIDE, a_context, inspect, open_page, served_console
from tests.kit.hostile import HOSTILE
from tests.kit.jobs import run_jobs
from tests.organizers.test_unit_files import BAD, GOOD, HEAD, kept, names

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
WHO = "system_admin-city"


def test_units_of_a_file_are_added_by_keyboard(
    browser: Browser, uow_factory: UnitOfWorkFactory
) -> None:
    with (
        served_console(uow_factory, unit_pages.PAGES, import_pages.PAGES) as site,
        a_context(browser) as context,
    ):
        page = open_page(context, site, WHO, "/units", WIDE)
        page.get_by_role("link", name="导入单位").press("Enter")
        text = (HEAD + GOOD + BAD).encode()
        given = {"name": "单位.csv", "mimeType": "text/csv", "buffer": text}
        page.get_by_label("单位表格").set_input_files(given)  # type: ignore[arg-type]
        page.get_by_role("button", name="上传并检查").press("Enter")
        page.get_by_text("正在检查文件").wait_for()
        assert run_jobs(uow_factory) == 1
        page.get_by_text("“柳州市柳北区”不在您的管理范围之内。").wait_for()
        assert names(uow_factory) == []
        page.get_by_role("button", name="只导入没有问题的行").press("Enter")
        page.get_by_text("正在导入").first.wait_for()
        assert run_jobs(uow_factory) == 1
        page.get_by_text("已导入：新增 2 个单位").wait_for()
        assert names(uow_factory) == ["乙厂", "甲校"]
        assert inspect(page) == []


def test_hostile_texts_of_a_file_do_nothing_on_its_page(
    browser: Browser, uow_factory: UnitOfWorkFactory
) -> None:
    sheet = io.StringIO()
    rows = [[text[:90], text[:90], "", text[:90], text[:90]] for text in HOSTILE]
    csv.writer(sheet).writerows([["名称", "类别", HOSTILE[0], "县", "全称"], *rows])
    ref = kept(uow_factory, sheet.getvalue())
    with (
        served_console(uow_factory, unit_pages.PAGES, import_pages.PAGES) as site,
        a_context(browser) as context,
    ):
        page = open_page(context, site, WHO, f"/units/imports/{ref}", WIDE)
        assert page.get_by_text("没有叫").count() > 100
        assert inspect(page) == []
