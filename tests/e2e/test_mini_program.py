"""The main job on the phone: consent, paper, result, boards, in the real pages, in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.audit import SHOWS_FOCUS
from tests.e2e.hand import AT_REST, Hand, citizen, hand_of
from tests.e2e.outside import Citizen, Demo
from tests.e2e.phone import browser

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHARES_DEMO = True
TABS = ("首页", "活动", "我的")
# How far the last thing of a page stays above its tab bar when all is scrolled up, CSS px.
ROOM = """() => {
  const page = [...document.querySelectorAll("wx-page")].find((one) => one.checkVisibility());
  page.scrollTop = page.scrollHeight;
  const bar = page.querySelector("[role=tablist]");
  const rest = [...page.querySelectorAll("wx-text, [role=button], wx-button, wx-image")];
  const drawn = rest.filter((one) => !bar.contains(one) && one.checkVisibility());
  const lowest = Math.max(...drawn.map((one) => one.getBoundingClientRect().bottom));
  return bar.getBoundingClientRect().top - lowest;
}"""


def switch_to_elder(hand: Hand) -> None:
    hand.go("packages/mine/settings/index")
    hand.here.get_by_role("switch", name="大字模式").tap()
    hand.here.locator("[role=switch][aria-checked=true]").wait_for()


@pytest.mark.parametrize("elder", [False, True], ids=["normal", "elder"])
def test_a_citizen_takes_the_contest_on_the_phone(
    demo: Demo, browser: Browser, tmp_path: Path, elder: bool
) -> None:
    ann = Citizen.born(demo, "韦小妹")
    demo.emu("POST", "follow", {"person": ann.person, "scene": "contest"})
    with hand_of(browser, demo, ann.person, tmp_path) as hand:
        if elder:
            switch_to_elder(hand)
        hand.go("pages/home/index")
        hand.sees("今天还可以答 1 次")
        hand.measure("home")
        hand.tap("开始答题")
        hand.sees("每份题限时")
        hand.tap("开始答题")
        hand.sees("我同意")
        hand.measure("consent")
        hand.tap("已满 14 周岁")
        hand.tap("我同意")
        answer_everything(hand)
        hand.tap("看排行榜")
        hand.sees("我是第 ")
        hand.measure("board")
        hand.page.frame_locator("iframe").get_by_role("button", name="返回", exact=True).tap()
        hand.tap("我的答题记录")
        hand.sees("每一份题")
        hand.measure("records")
        assert hand.frame.locator(".look-elder").count() > 0 or not elder
    ann.log_in()
    contest = demo.api("GET", "/contests").body["items"][0]["id"]
    assert ann.api("GET", f"/contests/{contest}/leaderboard").body["me"]["rank"] >= 1


def answer_everything(hand: Hand) -> None:
    hand.sees("下一题")
    hand.measure("answer")
    hand.tap("答题卡")
    hand.sees("点题号")
    hand.measure("sheet")
    hand.tap("关闭")
    hand.misses("点题号")
    for number in range(1, 11):
        hand.sees(f"第 {number} 题")
        hand.choose()
        if number < 10:
            hand.tap("下一题")
    hand.tap("交卷")
    hand.answers("交卷")
    hand.sees("看排行榜")
    hand.measure("result")


def tab(hand: Hand, name: str) -> Locator:
    return hand.here.get_by_role("tab", name=name)


@pytest.mark.parametrize("elder", [False, True], ids=["normal", "elder"])
def test_the_tab_bar_is_read_and_hit_by_everybody(
    demo: Demo, browser: Browser, tmp_path: Path, elder: bool
) -> None:
    bo = Citizen.born(demo, "莫一")
    with hand_of(browser, demo, bo.person, tmp_path) as hand:
        if elder:
            switch_to_elder(hand)
        hand.go("pages/home/index")
        for name in (*TABS[1:], TABS[0]):
            tab(hand, name).tap()
            expect(tab(hand, name)).to_have_attribute("aria-selected", "true")
            expect(hand.here.locator("[role=tab][aria-selected=true]")).to_have_count(1)
            hand.measure(f"tab-{TABS.index(name)}")
            assert hand.frame.evaluate(ROOM) >= 0
            box = tab(hand, name).bounding_box()
            size = tab(hand, name).evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)")
            assert box is not None
            assert min(box["width"], box["height"]) >= (60 if elder else 44)
            assert size >= (18 if elder else 12)


def test_the_tab_bar_changes_with_the_switch(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    lu = Citizen.born(demo, "陆小兰")
    with hand_of(browser, demo, lu.person, tmp_path) as hand:
        hand.go("pages/mine/index")
        small = tab(hand, "我的").bounding_box()
        hand.tap("字体大小")
        hand.here.get_by_role("switch", name="大字模式").tap()
        hand.here.locator("[role=switch][aria-checked=true]").wait_for()
        hand.page.frame_locator("iframe").get_by_role("button", name="返回", exact=True).tap()
        expect(hand.here.locator("[role=tablist]")).to_have_class(re.compile("look-elder"))
        large = tab(hand, "我的").bounding_box()
        assert small is not None
        assert large is not None
        assert large["height"] > small["height"]
        # The other pages have bars of their own.
        tab(hand, "活动").tap()
        expect(hand.here.locator("[role=tablist]")).to_have_class(re.compile("look-elder"))


# The words of what has the focus, as far as it can be seen.
FOCUSED = """() => {
  const node = document.activeElement;
  // A browser also stops at what scrolls, and begins at the whole page.
  if (!node?.matches("[tabindex], button, input") || !node.checkVisibility()) return "";
  return `${node.getAttribute("aria-label") ?? ""} ${node.textContent.replace(/\\s+/g, " ")}`;
}"""
MOST_TABS = 60


def press(hand: Hand, words: str, key: str = "Enter") -> None:
    """Come to a control with the Tab key, see the focus there, and press it."""
    for _ in range(MOST_TABS):
        hand.page.keyboard.press("Tab")
        if words in hand.frame.evaluate(FOCUSED):
            # An outline may glide in like any other change of a look.
            hand.frame.evaluate(AT_REST)
            assert hand.frame.evaluate(SHOWS_FOCUS), f"the focus on {words} cannot be seen"
            hand.page.keyboard.press(key)
            return
    raise AssertionError(f"Tab never reached {words}")


def test_a_question_is_answered_from_the_keyboard(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    he = citizen(demo, "何三妹")
    with hand_of(browser, demo, he.person, tmp_path) as hand:
        hand.go("pages/home/index")
        hand.sees("今天还可以答 1 次")
        press(hand, "开始答题")
        hand.sees("每份题限时")
        press(hand, "开始答题")
        hand.sees("第 1 题")
        options = hand.here.get_by_role("radio").or_(hand.here.get_by_role("checkbox"))
        first = options.first
        expect(first).to_be_visible()
        press(hand, str(first.get_attribute("aria-label")), " ")
        expect(first).to_have_attribute("aria-checked", "true")
        press(hand, "下一题")
        hand.sees("第 2 题")
        # Back keeps the paper: it goes on where it was left.
        press(hand, "上一题")
        expect(options.first).to_have_attribute("aria-checked", "true")
