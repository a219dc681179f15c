"""What moves by itself or comes later, in a real browser: reels, regions, animations, packages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.phone.test_chromium import box, browser, go, here, page, wechat

__all__ = ["browser", "page", "wechat"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGE = "/packages/s/index"


def swipe(page: Page, ahead: bool) -> None:
    reel = box(page, "#reel")
    left, right, middle = reel["x"] + 30, reel["x"] + 270, reel["y"] + 50
    begin, end = (right, left) if ahead else (left, right)
    page.mouse.move(begin, middle)
    page.mouse.down()
    page.mouse.move(end, middle, steps=4)
    page.mouse.up()


def test_a_circular_reel_shows_its_first_leaf_after_its_last(page: Page) -> None:
    go(page, PAGE)
    reel = box(page, "#reel")
    for ahead, leaf, turns in ((True, "一", "0"), (False, "三", "02"), (False, "二", "021")):
        swipe(page, ahead)
        expect(here(page).locator("#said")).to_have_text(re.compile(rf"^\s*{turns} "))
        shown = box(page, f'wx-swiper-item:text-is("{leaf}")')
        assert (shown["x"], shown["y"]) == (pytest.approx(reel["x"]), pytest.approx(reel["y"]))


def test_a_picker_of_regions_loads_them_by_itself(page: Page) -> None:
    go(page, PAGE)
    here(page).locator("#where").tap()
    page.get_by_role("option", name="北海市").tap()
    page.get_by_role("button", name="确定").tap()
    expect(here(page).locator("#where")).to_have_text("广西壮族自治区,北海市 450000,450500")


def test_a_textarea_grows_with_its_lines(page: Page) -> None:
    go(page, PAGE)
    field = here(page).locator("#note textarea")
    before = box(page, "#note")["height"]
    field.fill("一\n二\n三\n四")
    grown = box(page, "#note")["height"]
    assert grown > before * 2
    said = here(page).locator("#said")
    expect(said).to_contain_text(f" {grown:.0f} ")


def test_an_animation_moves_its_element_and_ends(page: Page) -> None:
    go(page, PAGE)
    before = box(page, ".moved")["x"]
    page.evaluate("getCurrentPages().at(-1).move()")
    expect(here(page).locator("#said")).to_have_text(re.compile(r" 1\s*$"))
    assert box(page, ".moved")["x"] == pytest.approx(before + 60)


def test_a_page_of_a_package_waits_for_a_network(page: Page) -> None:
    page.context.set_offline(True)
    ask = "(url) => new Promise((said) => wx.navigateTo({ url, complete: said }))"
    refusal = page.evaluate(ask, PAGE)
    assert str(refusal["errMsg"]).startswith("navigateTo:fail loadSubpackage: fail")
    page.context.set_offline(False)
    go(page, PAGE)
    expect(here(page).locator("#reel")).to_be_visible()
