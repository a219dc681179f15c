"""A full lecture as one citizen's way: waitlist, offer, reminder, calendar, check-in, feedback."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from server.base.clock import BEIJING
from tests.e2e.gate import import_lectures, lecture_row, press_in_wechat, read_code, sign_up
from tests.e2e.hand import REFUSED, Hand, citizen, hand_of
from tests.e2e.organizer import organizer_at, see_code
from tests.e2e.outside import Demo, eventually
from tests.e2e.phone import browser

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
REF = "journey-lecture"
DETAIL = f"packages/lectures/detail/index?id={REF}"
HOUR_S = 3600


@pytest.fixture
def lecture(demo: Demo) -> Demo:
    """A morning outside quiet hours, and a lecture of three seats the day after at 11:00."""
    now = datetime.now(BEIJING)
    morning = now.replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=1)
    demo.emu("POST", "clock", {"offset_s": int((morning - now).total_seconds())})
    minutes = int((morning - now).total_seconds()) // 60 + 25 * 60
    row = lecture_row(REF, "月球上的土壤", minutes, seats=3, party_max=3, offer_minutes=60)
    import_lectures(demo, [row])
    return demo


def advance(demo: Demo, seconds: int) -> None:
    """Move the clock of server and phones ahead."""
    assert demo.emu("POST", "clock", {"advance": seconds}).status == 200


def await_letter(demo: Demo, read: Callable[[], list[str]], words: str) -> None:
    """Wait until the worker has written a letter with these words."""
    eventually(lambda: any(words in one for one in read()), f"a letter that says {words}", 90)


def fetch_text(address: str) -> str:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return str(answer.read().decode("utf-8"))


def test_from_the_waitlist_to_the_feedback(lecture: Demo, browser: Browser, tmp_path: Path) -> None:
    first, _ = sign_up(lecture, REF, "莫大哥", party_size=3)
    ann = citizen(lecture, "韦小妹")

    def letters() -> list[str]:
        items = ann.api("GET", "/me/inbox").body["items"]
        return [f"{one['title']} {one['body']}" for one in items]

    with hand_of(browser, lecture, ann.person, tmp_path, allowed=(REFUSED,)) as hand:
        wait_with_a_child(hand)
        assert first.api("DELETE", f"/activities/{REF}/signup").status == 204
        await_letter(lecture, letters, "月球上的土壤")
        accept_the_offer(hand)
        add_to_the_calendar(hand, lecture)
        advance(lecture, HOUR_S + 300)
        await_letter(lecture, letters, "活动提醒")
        advance(lecture, 23 * HOUR_S + 600)
        with organizer_at(browser, lecture) as desk:
            wall = open_wall(desk, lecture)
            check_in_at_the_wall(hand, wall)
            expect(wall.locator("[data-admitted]")).to_have_text("2")
        advance(lecture, HOUR_S)
        give_feedback(hand)
    stamps = ann.api("GET", "/me/export").body["held"]["participation"]
    assert [one["kind"] for one in stamps] == ["attended"]


def wait_with_a_child(hand: Hand) -> None:
    hand.go(DETAIL)
    hand.tap("排队候补")
    hand.tap("2 人")
    hand.sees("先候补")
    hand.tap("确认候补")
    press_in_wechat(hand, "八桂科普 申请向您发送以下消息", "允许")
    hand.hears("已经排上候补")
    hand.sees("候补第 1 位")
    hand.measure("waitlisted")


def accept_the_offer(hand: Hand) -> None:
    hand.go(DETAIL)
    hand.sees("有名额了，等你确认")
    hand.tap("确认要这个名额")
    hand.sees("已经报名")
    hand.sees("共 2 人")
    hand.tap("看电子票")
    hand.sees("票号")
    hand.measure("ticket")


def add_to_the_calendar(hand: Hand, demo: Demo) -> None:
    """Copy the address of the own feed; a calendar program finds the lecture in it."""
    hand.tap("复制日历地址")
    press_in_wechat(hand, "用户隐私保护提示", "同意")
    hand.hears("地址已复制")
    address = hand.frame.evaluate("wx.getClipboardData({}).then((got) => got.data)")
    feed = fetch_text(address.replace("https://kepu.example.org", demo.server))
    assert "BEGIN:VCALENDAR" in feed
    assert "月球上的土壤" in feed


def open_wall(desk: Page, demo: Demo) -> Page:
    """Make the projector page's address in the console, and open it in the hall."""
    desk.goto(f"{demo.server}/console/activities/{REF}/screen")
    desk.get_by_role("button", name="生成地址").click()
    with desk.context.expect_page() as opened:
        desk.get_by_role("link", name="打开投影页").click()
    return opened.value


def check_in_at_the_wall(hand: Hand, wall: Page) -> None:
    hand.go("packages/lectures/ticket/index")
    hand.tap("到场签到")
    read_code(hand, "扫码签到", see_code(wall.get_by_alt_text("签到二维码")))
    hand.sees("签到成功")
    hand.sees("共 2 人")
    hand.measure("arrived")


def give_feedback(hand: Hand) -> None:
    hand.go(DETAIL)
    hand.sees("已经签到")
    hand.measure("lecture-begun")
    hand.tap("说说感受")
    hand.tap("很好")
    hand.here.locator("wx-textarea textarea").fill("想再听一讲")
    hand.measure("feedback")
    hand.tap("提交")
    hand.sees("你的评价：很好")
    hand.measure("feedback-given")
