"""Lists in a browser: filters keep the focus, pages turn by keyboard, a file is saved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from server.base.uow import UnitOfWorkFactory
from tests.kit.browser import browser
from tests.kit.console import NANNING
from tests.kit.console_browser import (
    NARROW,
    Site,
    a_context,
    check_pages,
    inspect,
    open_page,
    part_replaced,
    served_console,
)
from tests.kit.console_lists import PAGES, make_rules
from tests.kit.hostile import HOSTILE

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
EDITOR = "editor-city"


@pytest.fixture
def site(uow_factory: UnitOfWorkFactory) -> Iterator[Site]:
    with uow_factory.begin() as uow:
        make_rules(
            uow,
            NANNING,
            [f"text {number} 科学素质是公民素质的重要组成部分" for number in range(12)],
        )
    with served_console(uow_factory, PAGES) as made:
        yield made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with a_context(browser) as made:
        yield made


def test_the_pages_of_a_list_fit_and_can_be_read(context: BrowserContext, site: Site) -> None:
    paths = ("/listed", "/listed?words=nothing", "/people/export", "/listed/view")
    assert check_pages(context, site, EDITOR, *paths) == []
    page = open_page(context, site, EDITOR, "/listed", NARROW)
    page.locator("summary").first.click()
    assert inspect(page) == []


def test_a_search_narrows_the_list_while_the_field_keeps_its_focus(
    context: BrowserContext, site: Site
) -> None:
    page = open_page(context, site, EDITOR, "/listed?sort=-slug")
    page.keyboard.press("/")
    page.keyboard.type("text 1")
    expect(page.get_by_text("共 3 条")).to_be_visible()
    assert page.evaluate("document.activeElement.name") == "words"
    assert "sort=-slug" in page.url
    assert "words=text" in page.url
    assert page.locator("tbody tr td:nth-child(2)").all_inner_texts() == [
        "r00011", "r00010", "r00001"
    ]  # fmt: skip
    page.go_back()
    expect(page.get_by_text("共 12 条")).to_be_visible()
    assert page.locator("h1").count() == 1


def test_pages_and_sorting_go_by_keyboard(context: BrowserContext, site: Site) -> None:
    page = open_page(context, site, EDITOR, "/listed")
    with part_replaced(page):
        page.locator("#older").press("Enter")
    expect(page.locator("tbody tr td:nth-child(2)").first).to_have_text("r00005")
    assert page.evaluate("document.activeElement.id") == "older"
    with part_replaced(page):
        page.locator("#sort-priority").press("Enter")
    sorted_by = page.locator("th[aria-sort=ascending]", has=page.locator("#sort-priority"))
    expect(sorted_by).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "sort-priority"
    page.locator("[data-select-all]").check()
    assert page.locator("input[name=picked]:checked").count() == 5


def test_an_export_is_saved_as_a_file(context: BrowserContext, site: Site) -> None:
    page = open_page(context, site, EDITOR, "/people?state=on")
    page.get_by_role("link", name="导出").click()
    page.get_by_role("button", name="导出").click()
    expect(page.locator("[name=reason]")).to_be_focused()
    page.keyboard.type("报送名单")
    with page.expect_download() as saved:
        page.get_by_role("button", name="导出").click()
    assert saved.value.suggested_filename.endswith(".xlsx")
    assert page.evaluate("violations") == []


def test_a_saved_filter_is_found_again(context: BrowserContext, site: Site) -> None:
    page = open_page(context, site, EDITOR, "/listed?state=on")
    page.get_by_text("常用条件", exact=True).click()
    page.get_by_label("给当前条件起个名字").fill("在用的")
    page.get_by_role("button", name="保存条件").click()
    expect(page.get_by_text("已经保存条件。")).to_be_visible()
    page.goto(site.address("/listed"))
    page.get_by_text("常用条件", exact=True).click()
    page.get_by_role("link", name="在用的").click()
    expect(page.get_by_text("共 6 条")).to_be_visible()


def test_hostile_texts_open_no_dialog_and_break_no_policy(
    context: BrowserContext, uow_factory: UnitOfWorkFactory
) -> None:
    stored = [text[:600] for text in HOSTILE]
    with uow_factory.begin() as uow:
        make_rules(uow, NANNING, stored)
    dialogs: list[str] = []
    with served_console(uow_factory, PAGES) as site:
        page = open_page(context, site, EDITOR, "/long")
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.reload()
        shown = page.locator("td.long").all_inner_texts()
        assert len(shown) == len(stored)
        assert page.locator("td.long *").count() == 0
        assert page.evaluate("violations") == []
        page.goto(site.address("/long?words=%3Cscript%3Ealert(1)%3C/script%3E"))
        page.get_by_role("searchbox").press("End")
        assert page.evaluate("violations") == []
    assert dialogs == []
