"""A citizen walks through all that belongs to answering; each page is measured in both looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.e2e.hand import REFUSED, Hand, answer, citizen, hand_of, right_options
from tests.e2e.outside import Demo
from tests.e2e.phone import browser

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
KEYS = right_options()


def test_a_result_leads_to_the_boards_to_practice_and_to_a_card(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    contest = str(demo.api("GET", "/contests/daily-quiz").body["id"])
    wei, other = citizen(demo, "韦小妹"), citizen(demo, "黄桂林", city="450300")
    other.take_paper(contest)
    unit = wei.api("GET", "/units?region=450100").body["items"][0]
    mine = {"county": "450102", "unit": unit["id"], "audience": "elder"}
    assert wei.api("PUT", "/me", mine).status == 200
    paper, _ = wei.take_paper(contest)
    with hand_of(browser, demo, wei.person, tmp_path) as hand:
        hand.go(f"packages/quiz/result/index?id={paper['id']}")
        hand.sees("练一练错题")
        hand.tap("这道题有问题")
        sheet = hand.here.get_by_role("dialog")
        expect(sheet).to_be_visible()
        hand.measure("report")
        sheet.locator("textarea").fill("有两个选项说的是同一件事")
        sheet.get_by_role("button", name="提交").tap()
        hand.hears("收到，谢谢你的指正")
        expect(sheet).to_be_hidden()
        hand.tap("做一张成绩卡")
        hand.titled("我的成绩卡")
        poster = hand.here.locator("img").first
        expect(poster).to_be_visible()
        poster.evaluate("(picture) => picture.decode()")
        hand.sees("分享不会带来分数")
        hand.measure("card")
        hand.tap("发给朋友或群")
        hand.page.get_by_role("dialog", name="发送给").get_by_role("button", name="取消").tap()
        hand.tap("打开图片")
        expect(hand.over.locator("img")).to_be_visible()
        hand.over.locator("img").tap()
        boards(hand, contest, unit["name"])


def boards(hand: Hand, contest: str, unit: str) -> None:
    hand.go(f"packages/quiz/board/index?id={contest}")
    hand.sees("年广西公民科学素质网络竞赛")
    hand.sees("桂林市")
    hand.measure("board-region")
    hand.tap("南宁市")
    hand.misses("桂林市")
    hand.sees("南宁市")
    for word in ("今天", "本周", "兴宁区", unit, "老年人"):
        hand.tap(word)
        chip = hand.here.get_by_role("button", name=word, exact=True)
        expect(chip).to_have_attribute("aria-pressed", "true")
        hand.sees("我是第 1 名")
    hand.measure("board-own")
    hand.stays_pinned(".own")
    # 广西, a city, a county, a unit and an audience: more than a phone is wide.
    hand.stands_in_one_row("范围")


def test_practice_explains_and_the_book_is_emptied_by_two_right_answers(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    lan = citizen(demo, "蓝阿婆")
    with hand_of(browser, demo, lan.person, tmp_path) as hand:
        hand.go("packages/quiz/mistakes/index")
        hand.sees("错题本是空的")
        hand.measure("book-empty")
        hand.tap("去练习")
        hand.sees("第 1 题 / 共 5 题")
        hand.tap("看答案")
        hand.hears("请先选一个答案")
        hand.measure("practice")
        for number in range(1, 6):
            hand.sees(f"第 {number} 题 / 共 5 题")
            answer(hand, KEYS, right=number > 1)
            hand.tap("看答案")
            hand.sees("✗ 没答对" if number == 1 else "✓ 答对了")
            hand.sees("解析")
            if number == 1:
                hand.measure("practice-explained")
            hand.tap("下一题")
        hand.sees("练完了：答对 4 / 5 题")
        hand.measure("practice-end")
        hand.tap("看错题本")
        hand.sees("正确答案：")
        hand.measure("book")
        for told in ("再答对一次就移出去", "错题本是空的"):
            hand.tap("练一练错题")
            hand.sees("第 1 题 / 共 1 题")
            answer(hand, KEYS)
            hand.tap("看答案")
            hand.sees("✓ 答对了")
            hand.tap("下一题")
            hand.tap("看错题本")
            hand.sees(told)


def test_without_a_network_or_a_server_a_page_says_so_and_comes_back(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    mo = citizen(demo, "莫一")

    def cut(route: Route) -> None:
        route.abort("internetdisconnected")

    def broken(route: Route) -> None:
        route.fulfill(status=500, body="")

    with hand_of(browser, demo, mo.person, tmp_path, allowed=(REFUSED,)) as hand:
        for name, fault, told in (
            ("offline", cut, "网络不通，请检查网络后再试"),
            ("error", broken, "出了点问题，请稍后再试"),
        ):
            hand.page.route("**/phone/net/**", fault)
            hand.go("pages/home/index")
            hand.sees(told)
            hand.measure(name)
            hand.page.unroute("**/phone/net/**", fault)
            hand.tap("再试一次")
            hand.sees("今天还可以答 1 次")
        hand.go("packages/quiz/round/index?id=daily-quiz")
        hand.tap("开始答题")
        hand.sees("第 1 题 / 共 10 题")
        hand.page.route("**/phone/net/**", cut)
        answer(hand, KEYS)
        hand.sees("答案先存在手机里")
        hand.measure("kept-here")
        hand.stays_pinned(".foot")
        hand.page.unroute("**/phone/net/**", cut)
        hand.sees("已保存")
        hand.go("pages/home/index")
        hand.sees("有一份题还没有交，计时不停")
        hand.measure("home-open-paper")
        hand.tap("接着答题")
        hand.sees("第 2 题 / 共 10 题")
        # The whole network hangs: that is said long before a request is given up.
        hand.page.route("**/phone/net/**", lambda _route: None)
        answer(hand, KEYS)
        hand.sees("网络很慢，正在保存")
        hand.measure("hanging")
        hand.page.unroute_all(behavior="ignoreErrors")
