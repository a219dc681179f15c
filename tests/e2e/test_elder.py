"""The measurements themselves: each finds the flaw it is made for, and passes what is good."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.elder import ELDER, ORDINARY, flaws
from tests.e2e.phone import PHONE, Watch, browser

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

STYLE = """
<style>
  body { margin: 0 }
  wx-page { font: 20px/1.5 sans-serif; color: #17231c; background: #f3f6f4 }
  wx-page, wx-view, wx-scroll-view { display: block }
  wx-button, wx-switch, [role=button] { display: inline-block; min-width: 64px; min-height: 64px }
</style>
"""
GOOD = """
<wx-view>八桂科普</wx-view><wx-button tabindex="0">开始</wx-button>
<div style="width: 6em">三行字三行字三行字</div>
"""
LABEL = """
<wx-label style="display: block; height: 64px">
  同意<wx-radio tabindex="0" style="width: 9px"></wx-radio>
</wx-label>
"""
SCROLLED = """
<wx-scroll-view style="overflow-x: auto"><div style="width: 900px">很宽</div></wx-scroll-view>
"""
GRADIENT = "background: linear-gradient(#07492f, #0b6b45); color: #fff"


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """One page for all bodies: a new one costs Chromium a process."""
    watch = Watch()
    context = browser.new_context(viewport=PHONE, reduced_motion="reduce")  # type: ignore[arg-type]
    made = context.new_page()
    watch.page(made)
    yield made
    context.close()
    assert watch.wrong == []


def measured(page: Page, body: str) -> list[str]:
    page.set_content(f"{STYLE}<wx-page>{body}</wx-page>")
    return flaws(page, ELDER)


@pytest.mark.parametrize(
    "body",
    [
        GOOD,
        '看得见<wx-view style="display: none; font-size: 9px">不见</wx-view>',
        LABEL,
        SCROLLED,
        '<wx-image aria-hidden="true" style="display: block; width: 9px; height: 9px"></wx-image>',
        '<wx-button tabindex="0"><img alt="" style="width: 9px; height: 9px">开始</wx-button>',
        f'<wx-view style="{GRADIENT}">清楚</wx-view>',
    ],
)
def test_what_is_good_is_left_alone(page: Page, body: str) -> None:
    assert measured(page, body) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            '<wx-button tabindex="0" style="height: 40px; min-height: 0">开始</wx-button>',
            'target: wx-button "开始" is 64x40, not 60',
        ),
        (
            '<wx-view role="button" tabindex="0" style="min-width: 0; width: 50px">去</wx-view>',
            'target: wx-view "去" is 50x64, not 60',
        ),
        (
            '<wx-view class="small" style="font-size: 17px">小字</wx-view>',
            'text: wx-view.small "小字" is 17 px, not 18',
        ),
        (
            '<input placeholder="姓名" style="font-size: 16px; width: 90px; height: 64px">',
            'text: input "姓名" is 16 px, not 18',
        ),
        (
            '<wx-view style="color: #999999">浅</wx-view>',
            'contrast: wx-view "浅" is 2.62:1, not 4.5:1',
        ),
        (
            '<div style="opacity: 0.5"><div style="color: #000; background: #fff">淡</div></div>',
            'contrast: div "淡" is 3.98:1, not 4.5:1',
        ),
        (
            '<div style="background: rgba(0, 0, 0, 0.2); color: #777">灰</div>',
            'contrast: div "灰" is 2.57:1, not 4.5:1',
        ),
        (
            '<div style="background: linear-gradient(#07492f, #ffffff); color: #fff">坡</div>',
            'contrast: div "坡" is 1.00:1, not 4.5:1',
        ),
        (
            '<wx-view style="width: 4em; line-height: 1.1">挤在一起的字</wx-view>',
            'leading: wx-view "挤在一起的字" is 1.10, not 1.3',
        ),
        (
            '<div style="width: 99px; overflow: hidden; white-space: nowrap">一行很长的字</div>',
            'overflow: div "一行很长的字" is cut at 99 of 120 px width',
        ),
        (
            '<div style="height: 20px; overflow: hidden; width: 3em">两行两行字</div>',
            'overflow: div "两行两行字" is cut at 20 of 60 px height',
        ),
        (
            '<div style="width: 500px; text-align: right">出去</div>',
            'overflow: div "出去" sticks out of the screen',
        ),
        ('<wx-switch tabindex="0"></wx-switch>', 'name: wx-switch "" has no name'),
        (
            '<wx-image style="display: block; width: 9px; height: 9px"></wx-image>',
            'name: wx-image "" is a picture without words',
        ),
        (
            '<wx-view role="button">去</wx-view>',
            'reach: wx-view "去" is out of reach of the keyboard',
        ),
    ],
)
def test_each_measure_finds_its_flaw(page: Page, body: str, found: str) -> None:
    assert measured(page, GOOD + body) == [found]


def test_the_ordinary_page_has_lower_floors(page: Page) -> None:
    page.set_content(f'{STYLE}<wx-page><wx-view style="font-size: 14px">小字</wx-view></wx-page>')
    assert flaws(page, ORDINARY) == []
    assert len(flaws(page, ELDER)) == 1


def test_a_page_that_is_not_there_is_a_flaw(page: Page) -> None:
    page.set_content("<p>别的</p>")
    assert flaws(page) == [
        "nothing of wx-page, [data-page] is visible: nothing was measured",
    ]
