"""The script that checks the contents of an announcement while they are typed, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from server.announcements.compose.forms import input_name
from server.announcements.enums import Channel
from server.announcements.slice import SLICE
from server.base.uow import UnitOfWorkFactory
from tests.kit.announcements import TEMPLATE, an_announcement
from tests.kit.browser import browser
from tests.kit.console_browser import NARROW, a_context, inspect, open_page, served_console

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
REF = "ann-typing"
LADDER = [Channel.TEMPLATE.value, Channel.CUSTOMER_MESSAGE.value]
THING = input_name(Channel.TEMPLATE, TEMPLATE.template, "thing1")
TIME = input_name(Channel.TEMPLATE, TEMPLATE.template, "time3")
CHAT = "customer_message__text"


@pytest.fixture
def page(browser: Browser, uow_factory: UnitOfWorkFactory) -> Iterator[Page]:
    with uow_factory.begin() as uow:
        an_announcement(uow, ref=REF, ladder=LADDER)
    with served_console(uow_factory, *SLICE.pages) as site, a_context(browser) as context:
        path = f"/announcements/{REF}/contents"
        made = open_page(context, site, "editor-region", path, NARROW)
        made.locator("#template__template").select_option(TEMPLATE.template)
        yield made


@pytest.mark.parametrize(
    ("name", "typed", "told", "wrong"),
    [
        (THING, "科普讲座", "4/20", ""),
        (THING, "科" * 20, "20/20", ""),
        (THING, "科" * 21, "21/20", "太长"),
        # A placeholder counts as the room that it needs, not as it is written.
        (THING, "{昵称}" + "科" * 16, "20/20", ""),
        (THING, "{昵称}" + "科" * 17, "21/20", "太长"),
        (THING, "讲座🎉", "4/20", "表情"),
        # Chromium takes line breaks out of a one-line input, except this separator.
        (THING, "讲座\u2028开讲", "5/20", "换行"),
        (TIME, "下周", "2/", "格式"),
        # A chat message may have both; an emoji is two characters for WeChat.
        (CHAT, "讲座\n🎉", "5/", ""),
    ],
)
def test_a_fault_is_told_beside_the_input_while_it_is_typed(
    page: Page, name: str, typed: str, told: str, wrong: str
) -> None:
    count = page.locator(f'[data-count="{name}"]')
    # A fault before, so that the absence of one is what the script wrote.
    page.locator(f"#{name}").fill("长" * 3000)
    expect(count).to_contain_text("3000/")
    page.locator(f"#{name}").fill(typed)
    expect(count).to_contain_text(told)
    shown = count.inner_text()
    assert wrong in shown
    assert ("　" in shown) is bool(wrong)
    assert page.locator(f"#{name}").get_attribute("aria-invalid") == str(bool(wrong)).lower()
    assert inspect(page) == []


def test_an_input_that_is_emptied_again_counts_nothing(page: Page) -> None:
    count = page.locator(f'[data-count="{THING}"]')
    page.locator(f"#{THING}").fill("讲座🎉")
    expect(count).to_contain_text("表情")
    page.locator(f"#{THING}").fill("")
    expect(count).to_have_text("0/20")
