"""The question bank in a browser: importing by keyboard and by mouse, on both widths."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from server.base.uow import UnitOfWorkFactory
from server.quiz.bank import lifecycle
from server.quiz.bank.import_console import PAGES
from server.quiz.models import Question
from tests.kit.browser import browser
from tests.kit.console import PEOPLE
from tests.kit.console_browser import (
    NARROW,
    WIDE,
    Site,
    a_context,
    check_pages,
    open_page,
    served_console,
)
from tests.kit.jobs import run_jobs
from tests.quiz.test_question_lifecycle import EDITOR, written

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
TEXT = """1. 离太阳最近的行星是？
A. 水星
B. 金星
答案：A

2. 水会流。（√）
3. 坏题
A. 甲
答案：A
"""


@pytest.fixture
def site(uow_factory: UnitOfWorkFactory) -> Iterator[Site]:
    with served_console(uow_factory, PAGES) as made:
        yield made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with a_context(browser) as made:
        yield made


def test_every_page_of_the_bank_fits_the_window_and_can_be_read(
    context: BrowserContext, site: Site, uow_factory: UnitOfWorkFactory
) -> None:
    ref = written(uow_factory)
    with uow_factory.begin(EDITOR) as uow:
        lifecycle.send_question(uow, EDITOR, ref)
        lifecycle.return_question(uow, PEOPLE["approver-city"], ref, "请注明出处")
        row = lifecycle.read_latest(uow, EDITOR, ref)
        facts = {name: getattr(row, name) for name in Question.__table__.columns.keys()}  # noqa: SIM118 - columns, not a dict
        uow.session.add(Question(**{**facts, "id": None, "version": 2, "stem": "改了的题干？"}))
    paths = ("", "/new", "/import", f"/{ref}", f"/{ref}/edit", f"/{ref}/retire", f"/{ref}/versions")
    addresses = [f"/questions{path}" for path in paths]
    faults = check_pages(context, site, "editor-county", *addresses)
    assert faults == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_pasted_questions_are_imported_and_sent_by_keyboard(
    context: BrowserContext, site: Site, uow_factory: UnitOfWorkFactory, width: tuple[int, int]
) -> None:
    page = open_page(context, site, "editor-county", "/questions/import", width)
    page.get_by_label("或者粘贴文字").fill(TEXT)
    page.get_by_role("button", name="上传并检查").press("Enter")
    expect(page.get_by_text("正在检查文件")).to_be_visible()
    run_jobs(uow_factory)
    # The page asks by itself whether the check is done.
    expect(page.get_by_text("有 1 处问题；其余 2 道题可以导入")).to_be_visible()
    expect(page.get_by_text("选项不足两个。")).to_be_visible()
    page.get_by_role("button", name="只导入没有问题的题目").press("Enter")
    expect(page.get_by_text("正在导入，")).to_be_visible()
    run_jobs(uow_factory)
    expect(page.get_by_text("已导入：新增 2 道")).to_be_visible()
    page.get_by_role("button", name="全部送审").click()
    expect(page.get_by_text("待审核 2 道")).to_be_visible()


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(
    context: BrowserContext, site: Site
) -> None:
    page = open_page(context, site, "editor-county", "/questions/import", WIDE)
    form = page.locator("main form", has=page.locator("input[type=file]"))
    field = form.locator("input[type=file]")
    large = {"name": "题.csv", "mimeType": "text/csv", "buffer": b"x" * (5 * 1024 * 1024 + 1)}
    field.set_input_files([large])  # type: ignore[list-item]
    form.locator("button:not([type=button])").first.click()
    told = page.get_by_role("alert")
    expect(told).to_have_text("文件超过 5 MB，请缩小，或者分成几个文件。")
    field.set_input_files([{**large, "buffer": "题干,答案\n".encode()}])  # type: ignore[list-item]
    form.locator("button:not([type=button])").first.click()
    expect(page.locator("main")).not_to_contain_text("超过 5 MB，请缩小")
