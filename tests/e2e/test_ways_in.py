"""Every way into the real mini-program: the menu, links, notices, cards, a code, the timeline."""

from __future__ import annotations

import json
import math
import re
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect
from urllib3 import encode_multipart_formdata

from tests.e2e.hand import hand_of
from tests.e2e.outside import Citizen, Demo, ask
from tests.e2e.phone import browser
from tests.e2e.shell import Shell
from tests.kit.pictures import a_picture

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHARES_DEMO = True

HOME, ROUND, BOARD = "pages/home/index", "packages/quiz/round/index", "packages/quiz/board/index"
PRACTICE, MISTAKES = "packages/quiz/practice/index", "packages/quiz/mistakes/index"
RULES, INBOX = "packages/quiz/rules/index", "packages/mine/inbox/index"
COMPUTER = {"width": 1280, "height": 800}
PROGRAMMES, MINE = "pages/programme/index", "pages/mine/index"
LECTURES, TICKETS = "packages/lectures/list/index", "packages/lectures/ticket/index"
FROM_NOTICE, FROM_MENU, FROM_CARD, FROM_LINK = 1014, 1035, 1074, 1082
BEIJING = ZoneInfo("Asia/Shanghai")
FROM_TIMELINE, FROM_SINGLE_PAGE = 1154, 1155
CONTEST = "年广西公民科学素质网络竞赛"
ENTRIES = {
    ("答题竞赛", "每日答题"): (ROUND, CONTEST),
    ("答题竞赛", "排行榜"): (BOARD, "总榜"),
    ("答题竞赛", "练一练"): (PRACTICE, "不限时"),
    ("科普活动", "讲座报名"): (LECTURES, "离我近的在前"),
    ("科普活动", "我的报名"): (TICKETS, "还没有报名的活动"),
    ("科普活动", "全部活动"): (PROGRAMMES, "主题活动"),
    ("服务", "我的"): (MINE, "我的资料"),
    ("服务", "收件箱"): (INBOX, "还没有消息"),
}
ANSWERED = {
    ("答题竞赛", "我的战绩"): "还没有你的成绩",
    ("答题竞赛", "竞赛规则"): "看全部规则",
    ("服务", "联系我们"): "0771-0000001（工作日 9:00—17:00）",
}
LINKS = {
    "答题": [("点这里去答题", ROUND)],
    "排行榜": [("点这里去答题", ROUND)],
    "我的成绩": [("点这里去答题", ROUND)],
    "规则": [("看全部规则", RULES)],
    "活动": [("看科普活动", PROGRAMMES)],
    "练习": [("去练一练", PRACTICE), ("看错题本", MISTAKES)],
    "小程序": [("打开八桂科普", HOME)],
    "帮助": [("打开小程序", HOME)],
}


@pytest.fixture
def ann(demo: Demo) -> Citizen:
    return Citizen.born(demo, "韦小妹")


@pytest.fixture
def shell(demo: Demo, browser: Browser, ann: Citizen, tmp_path: Path) -> Iterator[Shell]:
    with hand_of(browser, demo, ann.person, tmp_path) as hand:
        yield Shell(hand, tmp_path)


class Account:
    """What an operator's own program may ask of WeChat, with the demo's secrets."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        file = demo.var / "demo-wechat.json"
        self.apps: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))

    def post(self, app: str, path: str, body: Any) -> dict[str, Any]:
        asked = {"grant_type": "client_credential", **self.secrets(app)}
        api = f"{self._demo.emulator}/api"
        token = ask("POST", f"{api}/cgi-bin/stable_token", asked).body["access_token"]
        # Raw UTF-8: WeChat shows escaped Chinese as it stands.
        plain = json.dumps(body, ensure_ascii=False).encode()
        request = urllib.request.Request(f"{api}{path}?access_token={token}", data=plain)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.load(answer))

    def cover(self, app: str) -> str:
        """A small JPEG as the cover of a card. Source: "Add temporary media", kind thumb."""
        asked = {"grant_type": "client_credential", **self.secrets(app)}
        api = f"{self._demo.emulator}/api"
        token = ask("POST", f"{api}/cgi-bin/stable_token", asked).body["access_token"]
        form, kind = encode_multipart_formdata(
            {"media": ("c.jpg", a_picture("JPEG"), "image/jpeg")}
        )
        address = f"{api}/cgi-bin/media/upload?access_token={token}&type=thumb"
        request = urllib.request.Request(address, data=form, headers={"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(json.load(answer)["thumb_media_id"])

    def secrets(self, app: str) -> dict[str, str]:
        return {name: str(self.apps[app][name]) for name in ("appid", "secret")}


def test_each_entry_of_the_menu_opens_its_page_or_is_answered(
    shell: Shell, demo: Demo, ann: Citizen
) -> None:
    ann.log_in()
    ann.agree()
    shell.opens("chat")
    shell.taps("关注公众号")
    expect(shell.said).to_contain_text("欢迎关注")
    shell.looks("welcome")
    before = pushed(demo)
    for (top, entry), (path, words) in ENTRIES.items():
        shell.menu(top, entry)
        shell.arrives(path, FROM_MENU)
        shell.hand.sees(words)
        shell.leaves()
        shell.goes("八桂科普")
        shell.shows("chat")
    for (top, entry), words in ANSWERED.items():
        shell.menu(top, entry)
        expect(shell.said).to_contain_text(words)
    shell.looks("answers")
    seen = pushed(demo) - before
    assert (seen["view_miniprogram"], seen["CLICK"]) == (len(ENTRIES), len(ANSWERED))


def pushed(demo: Demo) -> Counter[str]:
    """How often WeChat told the server of each kind of event."""
    return Counter(one["what"] for one in demo.emu("GET", "callbacks").body["items"])


def test_each_link_of_a_reply_opens_its_page(shell: Shell) -> None:
    shell.opens("chat")
    shell.taps("关注公众号")
    shell.taps("去答题")
    shell.arrives(ROUND, FROM_LINK)
    for written, links in LINKS.items():
        for words, path in links:
            shell.opens("chat")
            shell.writes(written)
            shell.taps(words)
            shell.arrives(path, FROM_LINK)
            expect(shell.hand.here.get_by_text("出了点问题")).to_have_count(0)


def test_a_service_notice_opens_its_page(shell: Shell, demo: Demo, ann: Citizen) -> None:
    account = Account(demo)
    template = json.loads(Path("config/wechat-templates.json").read_text(encoding="utf-8"))
    wanted = next(one for one in template["templates"] if one["slug"] == "quiz-daily")
    demo.emu(
        "POST", "consent", {"person": ann.person, "template_id": wanted["id"], "result": "accept"}
    )
    values = {"thing": "每日答题", "number": "3", "time": "2020年6月13日 23:59"}
    data = {
        field["key"]: {"value": values[re.sub(r"\d", "", field["key"])]}
        for field in wanted["fields"]
    }
    sent = {"touser": ann.openid_mp, "template_id": wanted["id"], "data": data}
    path = "/cgi-bin/message/subscribe/send"
    gone = account.post("mini_program", path, {**sent, "page": "pages/gone/index"})
    assert gone["errcode"] == 41030
    accepted = account.post("mini_program", path, {**sent, "page": f"{ROUND}?from=notice"})
    assert accepted["errcode"] == 0, accepted
    shell.opens("notices")
    shell.looks("notice")
    shell.taps("进入小程序查看")
    shell.arrives(ROUND, FROM_NOTICE)
    shell.hand.sees(CONTEST)


def test_the_daily_reminder_comes_as_a_message_and_both_it_and_the_inbox_lead_to_the_paper(
    shell: Shell, demo: Demo, ann: Citizen
) -> None:
    ann.log_in()
    ann.agree()
    campaign = demo.api("GET", "/campaign").body
    offered = campaign["subscribe_templates"]
    template = next(one for one in offered if one["slug"] == "quiz-daily")
    allowed = {"person": ann.person, "template_id": template["id"], "result": "accept"}
    demo.emu("POST", "consent", allowed)
    ann.api("POST", "/me/subscriptions", {"results": {template["id"]: "accept"}})
    evening = datetime.combine(date.fromisoformat(campaign["today"]), time(19, 30), BEIJING)
    wait = evening + timedelta(days=1) - datetime.now(BEIJING)
    demo.emu("POST", "clock", {"offset_s": int(wait.total_seconds())})
    try:
        shell.opens("notices")
        expect(shell.page.get_by_text("今天的题还没有答").first).to_be_visible(timeout=90_000)
        shell.looks("reminder")
        shell.taps("进入小程序查看")
        shell.arrives(ROUND, FROM_NOTICE)
        shell.hand.sees(CONTEST)
        shell.hand.go(INBOX)
        shell.hand.sees("每日答题提醒")
        shell.hand.measure("inbox-reminder")
        shell.hand.tap("每日答题提醒")
        shell.hand.tap("去看看")
        shell.hand.sees("开始答题")
        left = ann.api("GET", "/me/subscriptions").body["remaining"]
        assert left[template["id"]] == 0
    finally:
        demo.emu("POST", "clock", {"offset_s": 0})


def test_an_open_paper_is_handed_in_by_the_desks_five_minutes_without_a_touch(
    shell: Shell, demo: Demo, ann: Citizen
) -> None:
    ann.log_in()
    ann.agree()
    contest = next(
        one for one in demo.api("GET", "/contests").body["items"] if CONTEST in one["title"]
    )
    paper = ann.api("POST", f"/contests/{contest['id']}/attempts").body
    shell.page.set_viewport_size(COMPUTER)  # type: ignore[arg-type]
    shell.hand.go(f"packages/quiz/answer/index?id={paper['id']}")
    shell.hand.sees("第 1 题 / 共")
    try:
        for _ in range(math.ceil(paper["remaining_ms"] / 300_000)):
            # The desk says the same each time, so its words are no sign that the clock has moved.
            with shell.page.expect_response("**/_emu/clock"):
                shell.page.get_by_role("button", name="过五分钟").click()
            expect(shell.page.locator("#desk-said")).to_have_text("过了五分钟。")
        expect(shell.hand.here).to_contain_text("答对")
        assert ann.api("GET", f"/attempts/{paper['id']}").body["state"] != "open"
    finally:
        demo.emu("POST", "clock", {"offset_s": 0})


def test_a_card_of_the_account_opens_its_page(shell: Shell, demo: Demo, ann: Citizen) -> None:
    account = Account(demo)
    demo.emu("POST", "follow", {"person": ann.person})
    cover = account.cover("official_account")
    card = {"title": "看排行榜", "thumb_media_id": cover, "pagepath": BOARD}
    body = {"touser": ann.openid_oa, "msgtype": "miniprogrampage"}
    path = "/cgi-bin/message/custom/send"
    mine = {**card, "appid": account.apps["mini_program"]["appid"]}
    gone = {**body, "miniprogrampage": {**mine, "pagepath": "pages/gone/index"}}
    assert account.post("official_account", path, gone)["errcode"] == 40165
    sent = account.post("official_account", path, {**body, "miniprogrampage": mine})
    assert sent["errcode"] == 0, sent
    shell.opens("chat")
    shell.looks("card")
    shell.page.locator("#lines .mini").last.tap()
    shell.arrives(BOARD, FROM_CARD)
    shell.hand.sees("总榜")


def test_a_board_on_the_timeline_is_read_by_anyone_in_single_page_mode(
    shell: Shell, demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    shell.hand.go(BOARD)
    shell.hand.sees("总榜")
    shell.taps("小程序菜单")
    shell.taps("分享到朋友圈")
    expect(shell.page.get_by_text("已发到朋友圈")).to_be_visible()
    reader = Citizen.born(demo, "莫一")
    shots = tmp_path / "reader"
    shots.mkdir()
    with hand_of(browser, demo, reader.person, shots) as hand:
        other = Shell(hand, shots)
        other.opens("moments")
        other.looks("moments")
        other.page.locator("#moments .mini").last.tap()
        other.arrives(BOARD, FROM_TIMELINE)
        hand.sees("总榜")
        hand.measure("single-page")
        app = hand.page.frame_locator("iframe")
        expect(app.get_by_role("button", name="返回首页")).to_be_hidden()
        expect(app.get_by_role("tablist")).to_be_hidden()
        hand.tap("选好城市，看自己城市的榜")
        hand.hears("请前往小程序使用完整服务")
        hand.titled("排行榜")
        other.looks("single-page")
        other.taps("前往小程序")
        other.arrives(BOARD, FROM_SINGLE_PAGE)
        expect(app.get_by_role("button", name="返回首页")).to_be_visible()
        expect(other.page.get_by_role("button", name="前往小程序")).to_be_hidden()
        hand.tap("选好城市，看自己城市的榜")
        hand.titled("我的资料")
