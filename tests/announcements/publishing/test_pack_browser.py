"""A pack in Chromium: texts are copied by a button, and without scripts by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from server.announcements.publishing.console import PAGES
from server.base.uow import UnitOfWorkFactory
from tests.kit.activities import a_lecture
from tests.kit.browser import browser
from tests.kit.console_browser import NARROW, Site, a_context, inspect, open_page, served_console
from tests.kit.pack_probes import a_channel_code

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
WHO, CODE = "editor-region", "abcdefghjkmn"
COPIES = "[data-copies]"


@pytest.fixture
def site(uow_factory: UnitOfWorkFactory) -> Iterator[Site]:
    with uow_factory.begin() as uow:
        ref = a_lecture(uow, ref="act_pack", abstract="</textarea>第一段。\n第二段。").ref
        a_channel_code(uow, ref, code=CODE)
    with served_console(uow_factory, PAGES) as served:
        yield served


def open_pack(context: BrowserContext, site: Site) -> Page:
    return open_page(context, site, WHO, "/packs/activity/act_pack", NARROW)


def copy(page: Page, what: str) -> str:
    """Press the button of a text; the text that is in the clipboard then."""
    button = page.locator(f'[data-copies="{what}-{CODE}"]')
    button.click()
    expect(button).to_have_text("已复制")
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_each_text_is_copied_as_it_is_shown(browser: Browser, site: Site) -> None:
    with a_context(browser) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = open_pack(context, site)
        for what in ("link", "short", "long"):
            shown = page.locator(f"#{what}-{CODE}").input_value()
            assert copy(page, what) == shown
        assert f"/p/{CODE}" in page.locator(f"#link-{CODE}").input_value()
        assert "</textarea>第一段。\n第二段。" in page.locator(f"#long-{CODE}").input_value()
        assert inspect(page) == []


@pytest.mark.parametrize(
    "clipboard", ["undefined", "({ writeText: () => Promise.reject(new Error('refused')) })"]
)
def test_a_page_without_the_clipboard_of_browsers_copies_too(
    browser: Browser, site: Site, clipboard: str
) -> None:
    """Browsers have none for a page over plain HTTP in a hall's network, or refuse it."""
    with a_context(browser) as context:
        context.add_init_script(
            f"Object.defineProperty(navigator, 'clipboard', {{ get: () => {clipboard} }});"
            "document.addEventListener('copy', () => {"
            " window.copied = document.activeElement.value; });"
        )
        page = open_pack(context, site)
        button = page.locator(f'[data-copies="short-{CODE}"]')
        button.click()
        expect(button).to_have_text("已复制")
        shown = page.locator(f"#short-{CODE}").input_value()
        assert page.evaluate("window.copied") == shown


def test_without_scripts_texts_are_selected_by_hand(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        page = open_pack(context, site)
        expect(page.locator(f"#short-{CODE}")).to_be_visible()
        assert page.locator(COPIES).count() > 0
        assert page.locator(f"{COPIES}:visible").count() == 0
        page.locator("[name=name]").fill("网站")
        page.get_by_role("button", name="新建渠道").click()
        expect(page.get_by_role("heading", name="网站")).to_be_visible()
    finally:
        context.close()
