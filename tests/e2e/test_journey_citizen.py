"""A citizen's way as one: a poster's code, the chat, the contest, the board of the group, and the
certificate."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.hand import Hand, hand_of
from tests.e2e.outside import Citizen, Demo
from tests.e2e.phone import browser
from tests.e2e.shell import PICTURES, Shell, code_of

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHARES_DEMO = True

ROUND, BOARD = "packages/quiz/round/index", "packages/quiz/board/index"
FROM_LINK, FROM_GROUP = 1082, 1044
# The card in the chat has its picture, five to four.
CARD_PICTURE = """() => {
  const picture = [...document.querySelectorAll("#posts .mini img")].at(-1);
  return picture?.naturalWidth === 750 && picture.naturalHeight === 600;
}"""
NANNING, QUESTIONS = "450100", 10


@pytest.fixture
def shots(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where the pictures go; a folder named by KEPU_SHOTS gets them too."""
    folder = tmp_path / "shots"
    folder.mkdir()
    yield folder
    kept = os.environ.get("KEPU_SHOTS")
    if kept:
        shutil.copytree(folder, Path(kept) / request.node.name, dirs_exist_ok=True)


@contextmanager
def phone(browser: Browser, demo: Demo, who: Citizen, shots: Path, elder: bool) -> Iterator[Shell]:
    """One person's phone in a browser context of its own, in the mode that the person reads in."""
    shots.mkdir()
    with hand_of(browser, demo, who.person, shots) as hand:
        if elder:
            hand.go("packages/mine/settings/index")
            hand.here.get_by_role("switch", name="大字模式").tap()
            hand.here.locator("[role=switch][aria-checked=true]").wait_for()
        yield Shell(hand, shots)
        assert hand.frame.locator(".look-elder").count() > 0 or not elder


@pytest.mark.parametrize("elder", [False, True], ids=["normal", "elder"])
def test_from_the_poster_to_the_board_of_the_group(
    demo: Demo, browser: Browser, shots: Path, elder: bool
) -> None:
    mode = "大字" if elder else "平常"
    scene = f"contest-{'elder' if elder else 'normal'}"
    code_of(demo, scene)
    ann, bo, cai = (Citizen.born(demo, f"{name}{mode}") for name in ("韦小妹", "莫一", "蓝叔"))
    group = f"邻居群{mode}"
    demo.emu("POST", "groups", {"name": group, "members": [ann.person, bo.person]})
    with (
        phone(browser, demo, ann, shots / "1-ann", elder) as hers,
        phone(browser, demo, bo, shots / "2-bo", elder) as his,
        phone(browser, demo, cai, shots / "3-cai", elder) as outside,
    ):
        follow_by_code(hers, scene)
        agree_and_choose_the_place(hers.hand)
        play(hers.hand)
        see_the_city(hers.hand, rank_in(ann, NANNING))
        share_into(hers, group)
        join_from_the_card(his, group)
        see_the_group(hers, group)
        cai.log_in()
        cai.agree()
        cai.take_paper(contest_of(demo))
        see_everybody(outside.hand)
        verify_certificate(browser, hers.hand, take_certificate(hers.hand, ann))


def contest_of(demo: Demo) -> str:
    return str(demo.api("GET", "/contests").body["items"][0]["id"])


def follow_by_code(shell: Shell, scene: str) -> None:
    shell.opens("scan")
    shell.looks("scan")
    shell.page.get_by_role("button", name=scene).tap()
    shell.shows("chat")
    shell.looks("account")
    shell.taps("关注公众号")
    expect(shell.said).to_contain_text("欢迎扫码关注")
    expect(shell.said).to_contain_text("每人每天有 1 次答题机会")
    shell.looks("reply")
    shell.taps("点这里去答题")
    shell.arrives(ROUND, FROM_LINK)
    shell.hand.sees("每份题限时")
    shell.hand.measure("round")


def agree_and_choose_the_place(hand: Hand) -> None:
    app = hand.page.frame_locator("iframe")
    app.get_by_role("button", name="返回首页").tap()
    hand.sees("今天还可以答 1 次")
    hand.measure("home")
    app.get_by_role("tab", name="我的").tap()
    hand.tap("看隐私规则")
    hand.sees("我同意")
    hand.measure("consent")
    hand.tap("已满 14 周岁")
    hand.tap("我同意")
    hand.tap("我的资料")
    choose_the_place(hand)
    hand.measure("profile")
    app.get_by_role("button", name="返回", exact=True).tap()
    app.get_by_role("tab", name="首页").tap()
    hand.tap("开始答题")
    hand.sees("每份题限时")
    hand.tap("开始答题")


def choose_the_place(hand: Hand) -> None:
    for row, place in (("城市", "南宁市"), ("县区", "青秀区")):
        hand.tap(row)
        sheet = hand.here.get_by_role("dialog", name=row)
        sheet.get_by_text(place, exact=True).tap()
        expect(sheet).to_be_hidden()
        hand.sees(place)


def play(hand: Hand) -> None:
    for number in range(1, QUESTIONS + 1):
        hand.sees(f"第 {number} 题")
        hand.choose()
        if number == 1:
            hand.measure("question")
        if number < QUESTIONS:
            hand.tap("下一题")
    hand.tap("交卷")
    hand.answers("交卷")
    hand.sees("看排行榜")
    hand.measure("result")


def rank_in(citizen: Citizen, city: str) -> int:
    """The citizen's place as the API tells it."""
    citizen.log_in()
    path = f"/contests/{contest_of(citizen.demo)}/leaderboard?scope=city:{city}"
    return int(citizen.api("GET", path).body["me"]["rank"])


def see_the_city(hand: Hand, rank: int) -> None:
    hand.sees(f"南宁市第 {rank} 名")
    hand.tap("看排行榜")
    hand.tap("南宁市")
    hand.sees(f"我是第 {rank} 名")
    hand.measure("city-board")
    hand.page.frame_locator("iframe").get_by_role("button", name="返回", exact=True).tap()


def share_into(shell: Shell, group: str) -> None:
    hand = shell.hand
    hand.tap("做一张成绩卡")
    hand.sees("发给朋友或群")
    hand.frame.wait_for_function(PICTURES)
    hand.measure("card")
    hand.tap("发给朋友或群")
    shell.looks("share-sheet")
    shell.taps(group)
    expect(shell.page.get_by_text("已发送")).to_be_visible()


def join_from_the_card(shell: Shell, group: str) -> None:
    hand = shell.hand
    shell.opens()
    shell.looks("talks")
    shell.goes(re.compile(group))
    expect(shell.page.locator("#posts .mini").last).to_be_visible()
    shell.page.wait_for_function(CARD_PICTURE)
    shell.looks("group")
    shell.page.locator("#posts .mini").last.tap()
    shell.arrives(ROUND, FROM_GROUP)
    hand.measure("round-from-card")
    hand.tap("开始答题")
    hand.tap("已满 14 周岁")
    hand.tap("我同意")
    play(hand)
    hand.tap("选好城市，看全市名次")
    choose_the_place(hand)
    hand.page.frame_locator("iframe").get_by_role("button", name="返回", exact=True).tap()
    hand.tap("看排行榜")
    hand.sees("共 1 人上榜")
    hand.measure("group-board")


def see_the_group(shell: Shell, group: str) -> None:
    """Who sent the card opens it in the group as well, and stands on its board from then on."""
    shell.leaves()
    shell.goes(re.compile(group))
    shell.page.locator("#posts .mini").last.tap()
    shell.arrives(ROUND, FROM_GROUP)
    shell.hand.tap("排行榜")
    shell.hand.sees("共 2 人上榜")
    shell.hand.measure("group-board")


def see_everybody(hand: Hand) -> None:
    """Outside of the group there is the public board, with those of the group and all others."""
    total = hand.demo.api("GET", f"/contests/{contest_of(hand.demo)}/leaderboard").body["total"]
    assert total >= 3
    hand.go(BOARD)
    hand.sees(f"共 {total} 人上榜")
    hand.misses("本微信群")
    hand.measure("public-board")


def take_certificate(hand: Hand, citizen: Citizen) -> str:
    """Ask for the certificate of the contest and save its picture; return its number."""
    hand.go("pages/mine/index")
    hand.tap("我的证书")
    hand.sees("参加“")
    hand.measure("certificate-offered")
    hand.here.get_by_role("textbox").fill("韦小妹")
    hand.tap("领取证书")
    hand.hears("领取后不能修改")
    hand.answers("姓名没错")
    hand.sees("证书上的二维码任何人都可以扫")
    hand.frame.wait_for_function(PICTURES)
    hand.measure("certificate")
    hand.tap("保存到相册")
    asked = hand.page.get_by_role("dialog", name="用户隐私保护提示")
    asked.get_by_role("button", name="同意", exact=True).tap()
    hand.hears("已经保存到相册")
    (made,) = citizen.api("GET", "/me/certificates").body["items"]
    assert (made["name"], made["kind"]) == ("韦小妹", "quiz_score")
    return str(made["serial"])


def verify_certificate(browser: Browser, hand: Hand, serial: str) -> None:
    """Anybody opens the address of the code, without a log-in; a wrong number is not found."""
    with browser.new_context(viewport={"width": 360, "height": 740}) as stranger:
        page = stranger.new_page()
        assert page.goto(f"{hand.demo.server}/verify/{serial}") is not None
        for words in ("证书有效", "韦*", "颁发单位", serial):
            expect(page.get_by_text(words).first).to_be_visible()
        expect(page.get_by_text("韦小妹")).to_have_count(0)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360
        page.get_by_role("textbox").fill(serial[:-1] + ("0" if serial[-1] != "0" else "1"))
        page.get_by_role("button", name="核验").click()
        expect(page.get_by_text("没有查到这个编号")).to_be_visible()
