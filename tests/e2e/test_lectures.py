"""Lectures on the phone: found, signed up for, the ticket shown without network, an offer taken."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from server.base.clock import BEIJING
from tests.e2e.gate import press_in_wechat
from tests.e2e.hand import REFUSED, citizen, hand_of
from tests.e2e.organizer import organizer_at
from tests.e2e.outside import Demo
from tests.e2e.phone import browser
from tests.kit.pictures import a_picture

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHARES_DEMO = True
LIST = "packages/lectures/list/index"
DETAIL = "packages/lectures/detail/index"
TICKETS = "packages/lectures/ticket/index"


def row(ref: str, title: str, days: int, **more: Any) -> dict[str, Any]:
    """A lecture of the file, at 15:00 some days from now."""
    today = datetime.now(BEIJING).replace(hour=15, minute=0, second=0, microsecond=0)
    start = today + timedelta(days=days)
    return {
        "ref": ref,
        "kind": "lecture",
        "title": title,
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=2)).isoformat(),
        "venue": "广西图书馆报告厅",
        "address": "南宁市民族大道61号",
        "city": "450100",
        "seats": 300,
        "signup_opens_at": (today - timedelta(days=2)).isoformat(),
        "signup_closes_at": start.isoformat(),
        **more,
    }


@pytest.fixture(scope="module")
def lectures(demo: Demo) -> Demo:
    """A demo with a large lecture, a small one, and some of other states."""
    point = {"latitude": 22.8167, "longitude": 108.3669}
    tomorrow = (datetime.now(BEIJING) + timedelta(days=1)).isoformat()
    rows = [
        row(
            "cave", "溶洞是怎样形成的", 3, **point, party_max=4, phone_needed=True,
            programme="bagui-forum-lectures", speaker="覃教授", speaker_post="广西大学教授",
            speaker_bio="研究喀斯特地貌三十年。", abstract="从一滴水说起，讲桂林山水的来历。",
            audiences=["youth", "elder"], office_phone="0771-1234567", notes="请带身份证。",
            live_link="https://live.example.org/cave",
        ),
        row("small", "家里的用电安全", 5, seats=1, offer_minutes=60),
        row("draw", "天文台开放夜", 6, draw_at=tomorrow, latitude=25.27, longitude=110.29),
        row("later", "科学家面对面", 20, signup_opens_at=tomorrow),
    ]  # fmt: skip
    file = demo.var / "activities.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    done = demo.command("import-activities", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    return demo


def test_a_citizen_finds_a_lecture_signs_up_and_shows_the_ticket_without_network(
    lectures: Demo, browser: Browser, tmp_path: Path
) -> None:
    ann = citizen(lectures, "韦大姐")
    offline = (REFUSED, "net::ERR")
    with hand_of(browser, lectures, ann.person, tmp_path, allowed=offline) as hand:
        hand.go("pages/home/index")
        hand.tap("讲座活动")
        hand.sees("溶洞是怎样形成的")
        hand.sees("抽签报名")
        hand.measure("lectures")
        hand.tap("离我近的在前")
        press_in_wechat(hand, "用户隐私保护提示", "同意")
        press_in_wechat(hand, "八桂科普 申请获取您的模糊位置", "允许")
        hand.sees("1 公里左右")
        hand.measure("lectures-by-distance")
        hand.tap("全部人群")
        hand.sees("老年人")
        hand.measure("lectures-audiences")
        hand.tap("关闭")
        hand.tap("溶洞是怎样形成的")
        hand.sees("从一滴水说起")
        hand.measure("lecture")
        hand.tap("怎么去")
        press_in_wechat(hand, "广西图书馆报告厅", "关闭")
        hand.tap("我要报名")
        hand.sees("一共来几个人")
        hand.tap("3 人")
        hand.tap("使用微信的手机号")
        press_in_wechat(hand, "八桂科普 申请使用您的手机号", "允许")
        hand.sees("用这个号码：")
        hand.measure("signup")
        hand.tap("确认报名")
        press_in_wechat(hand, "八桂科普 申请向您发送以下消息", "允许")
        hand.hears("报名成功")
        hand.sees("已经报名")
        hand.sees("共 3 人")
        hand.measure("lecture-confirmed")
        hand.tap("看电子票")
        hand.sees("票号")
        hand.measure("ticket")
        code = hand.here.locator("wx-image img")
        assert code.evaluate("(one) => one.naturalWidth") > 0
        assert hand.frame.evaluate("window.__screen") == {"brightness": 1, "kept": True}
        lectures.emu("POST", "network", {"cut": True})
        try:
            hand.go(TICKETS)
            hand.sees("没有网络也能出示")
            expect(hand.here.locator("wx-image img")).to_be_visible()
            hand.measure("ticket-offline")
        finally:
            lectures.emu("POST", "network", {"cut": False})
    place = ann.api("GET", "/me/tickets").body["items"][0]["place"]
    assert (place["status"], place["party_size"]) == ("confirmed", 3)
    left = ann.api("GET", "/me/subscriptions").body["remaining"]
    assert sorted(left.values())[-1] == 1


def test_a_poster_added_after_the_publication_is_seen_in_the_list_and_enlarged(
    lectures: Demo, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "海报.jpg"
    file.write_bytes(a_picture("JPEG", (1600, 900)))
    with organizer_at(browser, lectures) as desk:
        desk.goto(f"{lectures.server}/console/activities/draw/describe")
        desk.get_by_label("海报（可以不加）").set_input_files(file)
        desk.get_by_role("button", name="保存").click()
        expect(desk.get_by_alt_text("《天文台开放夜》的海报")).to_be_visible()
    ann = citizen(lectures, "黄小妹")
    with hand_of(browser, lectures, ann.person, tmp_path) as hand:
        hand.go(LIST)
        square = hand.here.locator("wx-image img")
        expect(square).to_have_count(1)
        expect(square).to_have_js_property("naturalWidth", 240)
        hand.measure("lectures-poster")
        hand.tap("天文台开放夜")
        wide = hand.here.get_by_alt_text("活动海报，点开看整张")
        expect(wide).to_have_js_property("naturalWidth", 1440)
        hand.measure("lecture-poster")
        wide.tap()
        expect(hand.over.locator("img")).to_have_js_property("naturalWidth", 1440)


def test_who_waits_takes_the_seat_that_is_offered(
    lectures: Demo, browser: Browser, tmp_path: Path
) -> None:
    first, second = citizen(lectures, "莫大哥"), citizen(lectures, "陆小兰")
    signed = first.api("POST", "/activities/small/signup", {})
    assert (signed.status, signed.body["status"]) == (201, "confirmed")
    with hand_of(browser, lectures, second.person, tmp_path) as hand:
        hand.go(f"{DETAIL}?id=small")
        hand.tap("排队候补")
        hand.sees("先候补")
        hand.tap("确认候补")
        press_in_wechat(hand, "八桂科普 申请向您发送以下消息", "拒绝")
        hand.sees("候补第 1 位")
        hand.measure("lecture-waitlisted")
        assert first.api("DELETE", "/activities/small/signup").status == 204
        hand.go(f"{DETAIL}?id=small")
        hand.sees("有名额了，等你确认")
        hand.sees("还剩")
        hand.measure("lecture-offered")
        hand.tap("确认要这个名额")
        hand.sees("已经报名")
        hand.tap("取消报名")
        hand.answers("取消报名")
        hand.sees("我要报名")
