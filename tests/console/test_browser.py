"""The console in a browser: on a narrow and a wide screen, by keyboard, under its own policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from sqlalchemy import select

from server.base.uow import UnitOfWorkFactory
from server.channel.models import KeywordRule, RuleState
from server.console.form_session import SESSION_COOKIE
from tests.kit.browser import browser
from tests.kit.console import NANNING
from tests.kit.console_browser import (
    NARROW,
    Site,
    a_context,
    check_pages,
    inspect,
    open_page,
    served_console,
)
from tests.kit.console_rules import PAGES, make_rule

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def site(uow_factory: UnitOfWorkFactory) -> Iterator[Site]:
    with uow_factory.begin() as uow:
        make_rule(uow, NANNING, RuleState.ON)
    with served_console(uow_factory, PAGES) as made:
        yield made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with a_context(browser) as made:
        yield made


@pytest.mark.parametrize(
    ("who", "path"),
    [(None, ""), ("editor-county", ""), ("auditor-region", ""), ("editor-city", "/nothing"),
     ("editor-city", "/rules"), ("editor-city", "/rules/rule-city-450100-on/edit")],
)  # fmt: skip
def test_every_page_fits_the_window_and_can_be_read_and_hit(
    context: BrowserContext, site: Site, who: str | None, path: str
) -> None:
    assert check_pages(context, site, who, path) == []


def test_what_breaks_the_rules_of_the_page_is_seen(context: BrowserContext, site: Site) -> None:
    page = open_page(context, site, "editor-county", "", NARROW)
    page.get_by_role("button", name="菜单").click()
    page.evaluate("""() => {
      document.querySelector("h1").setAttribute("style", "width: 500px");
      document.querySelector(".remark").innerHTML = '<i style="color: red">x</i>';
    }""")
    page.wait_for_function("violations.length > 0")
    page.locator("main").evaluate("(main) => { main.style.width = '700px'; }")
    page.locator("nav a").first.evaluate("""(a) => {
      a.style.minHeight = '0'; a.style.padding = '0'; a.style.color = '#ccc';
      a.style.fontSize = '10px';
    }""")
    found = {fault.split(":")[0] for fault in inspect(page)}
    assert found == {
        "sticks out", "small", "tiny", "the page scrolls sideways", "content policy", "axe"
    }  # fmt: skip


def test_the_first_page_tells_name_role_place_and_powers(
    context: BrowserContext, site: Site
) -> None:
    page = open_page(context, site, "editor-county", "")
    assert page.locator("dt").all_inner_texts() == ["姓名", "角色", "管理范围"]
    texts = page.locator("dd").all_inner_texts()
    assert [text.split("\n")[0] for text in texts] == ["韦editorcounty", "编辑员", "南宁市青秀区"]
    assert "修改公众号的自动回复" in page.locator(".powers").all_inner_texts()[1]


def test_everything_is_reached_by_keyboard(context: BrowserContext, site: Site) -> None:
    page = open_page(context, site, "editor-city", "/rules/rule-city-450100-on/edit")
    page.keyboard.press("Tab")
    box = page.locator(".skip").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    for name in ("八桂科普 管理后台", "首页", "任务进度", "公众号的自动回复"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == name
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("由键盘写的")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/rules")
    with site.uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(KeywordRule.text)) == "由键盘写的"


def test_the_skip_link_leads_to_the_text(context: BrowserContext, site: Site) -> None:
    page = open_page(context, site, "editor-city", "")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_phone_opens_the_menu_by_its_button(context: BrowserContext, site: Site) -> None:
    page = open_page(context, site, "editor-city", "/rules", NARROW)
    menu = page.locator("#menu")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="菜单").press("Enter")
    expect(menu).to_be_visible()
    assert page.locator("nav a[aria-current]").inner_text() == "公众号的自动回复"
    assert inspect(page) == []


def test_a_visitor_is_told_of_the_invitation_and_finds_no_link(
    context: BrowserContext, site: Site
) -> None:
    page = open_page(context, site, None, "")
    assert "邀请" in page.locator("main").inner_text()
    assert page.locator("main a").count() == 0


EDIT = "/rules/rule-city-450100-on/edit"


@pytest.mark.parametrize(("after", "kept"), [("editor-city", True), ("editor-region", False)])
def test_the_form_is_filled_again_after_the_log_in(
    context: BrowserContext, site: Site, after: str, kept: bool
) -> None:
    page = open_page(context, site, "editor-city", EDIT)
    page.locator("[name=text]").fill("写了很久的回复")
    context.clear_cookies()
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_role("heading", name="请先登录")).to_be_visible()
    cookie = {"name": SESSION_COOKIE, "value": after, "url": site.address("")}
    context.add_cookies([cookie])  # type: ignore[list-item]  # a plain dict is taken
    page.goto(site.address(EDIT))
    text = page.locator("[name=text]")
    if kept:
        expect(text).to_have_value("写了很久的回复")
        expect(page.get_by_role("status")).to_contain_text("登录过期前填写的内容已经放回")
    else:
        expect(text).not_to_have_value("写了很久的回复")
    page.goto(site.address(EDIT))
    expect(page.locator("[name=text]")).not_to_have_value("写了很久的回复")
    assert page.evaluate("sessionStorage.getItem('kepu.forms')") is None
