"""The main job on the phone: consent, paper, result, boards, in the real pages, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.e2e.elder import ELDER, ORDINARY, Floor, flaws
from tests.e2e.outside import Citizen, Demo
from tests.e2e.phone import PHONE, Watch, browser

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
# A popup of the third party's listens for an event named like an attribute; it does no harm.
HARMLESS = ('"class" is not a valid event binding',)
REST = (
    "packages/quiz/practice/index", "packages/quiz/mistakes/index", "pages/programme/index",
    "pages/mine/index", "packages/mine/profile/index", "packages/mine/subscriptions/index",
    "packages/mine/inbox/index", "packages/mine/data/index", "packages/mine/settings/index",
    "packages/mine/privacy/index", "packages/quiz/rules/index?id=daily-quiz",
)  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(Path(tmp_path_factory.mktemp("pages")) / "var")
    made.start()
    yield made
    assert made.stop() == 0


class Hand:
    """A finger on one person's phone; every page it comes to is measured and photographed."""

    def __init__(self, page: Page, demo: Demo, person: str, floor: Floor, shots: Path) -> None:
        self.page, self.demo, self.person, self.floor = page, demo, person, floor
        self._shots = shots
        self._count = 0

    @property
    def frame(self) -> Frame:
        [found] = [f for f in self.page.frames if f.url.endswith("/phone/app/")]
        return found

    def go(self, path: str) -> None:
        self.page.goto("about:blank")
        address = f"{self.demo.emulator}/phone/?person={self.person}&path={path}"
        self.page.goto(address)
        here = self.page.frame_locator("iframe").locator("wx-page:visible").last
        expect(here).to_be_visible()
        expect(here.get_by_text("正在加载")).to_have_count(0)

    def sees(self, text: str) -> None:
        here = self.page.frame_locator("iframe").locator("wx-page:visible").last
        expect(here.get_by_text(text).first).to_be_visible(timeout=10000)

    def tap(self, text: str) -> None:
        here = self.page.frame_locator("iframe").locator("wx-page:visible").last
        here.get_by_text(text, exact=True).first.tap()

    def measure(self, name: str) -> None:
        self._count += 1
        self.page.screenshot(path=self._shots / f"{self._count:02d}-{name}.png")
        assert flaws(self.frame, self.floor) == [], name

    def choose_first(self) -> None:
        here = self.page.frame_locator("iframe").locator("wx-page:visible").last
        here.get_by_role("radio").or_(here.get_by_role("checkbox")).first.tap()

    def missing(self) -> object:
        return self.frame.evaluate("[[...window.__missing], [...window.__errors]]")


def switch_to_elder(hand: Hand) -> None:
    hand.go("packages/mine/settings/index")
    hand.page.frame_locator("iframe").locator("[role=switch]:visible").first.tap()
    hand.page.frame_locator("iframe").locator("[role=switch][aria-checked=true]").first.wait_for()


@pytest.mark.parametrize("elder", [False, True], ids=["normal", "elder"])
def test_a_citizen_takes_the_contest_on_the_phone(
    demo: Demo, browser: Browser, tmp_path: Path, elder: bool
) -> None:
    ann = Citizen.born(demo, "韦小妹")
    demo.emu("POST", "follow", {"person": ann.person, "scene": "contest"})
    watch = Watch(allowed=HARMLESS)
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, locale="zh-CN")
    context.route("**/*", watch.gate)
    page = context.new_page()
    watch.page(page)
    hand = Hand(page, demo, ann.person, ELDER if elder else ORDINARY, tmp_path)
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
    for path in REST:
        hand.go(path)
        hand.measure(path.split("?")[0].replace("/", "-"))
    assert hand.missing() == [[], []]
    assert watch.wrong == []
    context.close()
    ann.log_in()
    contest = demo.api("GET", "/contests").body["items"][0]["id"]
    assert ann.api("GET", f"/contests/{contest}/leaderboard").body["me"]["rank"] >= 1


def answer_everything(hand: Hand) -> None:
    hand.sees("下一题")
    hand.measure("answer")
    for number in range(1, 11):
        hand.sees(f"{number}")
        hand.choose_first()
        if number < 10:
            hand.tap("下一题")
    hand.tap("交卷")
    hand.page.frame_locator("iframe").locator("#wx-overlay").get_by_text("交卷").last.tap()
    hand.sees("看排行榜")
    hand.measure("result")
