"""The main job on the phone: consent, paper, result, boards, in the real pages, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.hand import Hand, hand_of
from tests.e2e.outside import Citizen, Demo
from tests.e2e.phone import browser

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(Path(tmp_path_factory.mktemp("pages")) / "var")
    made.start()
    yield made
    assert made.stop() == 0


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
        hand.sees("每份题限时")
        hand.tap("开始答题")
        answer_everything(hand)
        hand.tap("看排行榜")
        hand.sees("共 ")
        hand.measure("board")
        assert hand.frame.locator(".look-elder").count() > 0 or not elder
    ann.log_in()
    contest = demo.api("GET", "/contests").body["items"][0]["id"]
    assert ann.api("GET", f"/contests/{contest}/leaderboard").body["me"]["rank"] >= 1


def answer_everything(hand: Hand) -> None:
    hand.sees("下一题")
    hand.measure("answer")
    for number in range(1, 11):
        hand.sees(f"第 {number} 题")
        hand.choose()
        if number < 10:
            hand.tap("下一题")
    hand.tap("交卷")
    hand.answers("交卷")
    hand.sees("看排行榜")
    hand.measure("result")
