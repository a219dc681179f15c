"""The gate's phone in a browser: every result, a cut network, and what is sent afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.gate import (
    import_lectures,
    lecture_row,
    make_grant,
    network_cut,
    nobodys_ticket,
    read_code,
    redeem_grant,
    scan_ticket,
    scan_venue,
    sign_up,
)
from tests.e2e.hand import REFUSED, citizen, hand_of
from tests.e2e.outside import Demo
from tests.e2e.phone import browser
from tests.kit.effort import repeat_count

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHARES_DEMO = True
GATES = "packages/checkin/gates/index"
ARRIVE = "packages/checkin/arrive/index"
OFFLINE = (REFUSED, "net::ERR")


def instant() -> str:
    return datetime.now(UTC).isoformat()


@pytest.fixture(scope="module")
def hall(demo: Demo) -> Demo:
    """A demo with two lectures whose doors are open, and one of another day."""
    import_lectures(
        demo,
        [
            lecture_row("gate", "岩溶与地下河", 20, party_max=5),
            lecture_row("gate-small", "家里的急救", 21, seats=1, offer_minutes=60),
            lecture_row("gate-later", "看懂天气图", 3 * 24 * 60),
        ],
    )
    return demo


def test_each_result_of_a_scan_is_said_with_what_to_do(
    hall: Demo, browser: Browser, tmp_path: Path
) -> None:
    staff = citizen(hall, "检票员小农")
    _, ticket = sign_up(hall, "gate", "韦春花", name="韦春花", party_size=3)
    cancelled, gone = sign_up(hall, "gate", "陆小雨")
    assert cancelled.api("DELETE", "/activities/gate/signup").status == 204
    _, early = sign_up(hall, "gate-later", "蒙小华")
    first, _ = sign_up(hall, "gate-small", "莫大山")
    second, _ = sign_up(hall, "gate-small", "班大姐")
    # An offered seat has a ticket already, and becomes valid when the offer is accepted.
    assert first.api("DELETE", "/activities/gate-small/signup").status == 204
    waiting = second.api("GET", "/me/tickets").body["items"][0]["place"]["ticket"]["code"]
    edited = ticket[:-1] + ("A" if ticket[-1] != "A" else "B")
    with hand_of(browser, hall, staff.person, tmp_path, allowed=OFFLINE) as hand:
        hand.go(GATES)
        hand.sees("检票授权")
        hand.measure("gates-none")
        redeem_grant(hand, make_grant(hall, "gate"))
        hand.measure("scanner")
        for code, word, sentence in (
            (ticket, "请进", "共 3 人，一起进场"),
            (ticket, "已经进过场", "请到服务台核对"),
            (early, "不是这一场", "另一场活动的票"),
            (gone, "报名已取消", "看看有没有空位"),
            (edited, "不是有效的电子票", "被改过"),
            (nobodys_ticket(hall), "查不到这张票", "下拉刷新"),
        ):
            scan_ticket(hand, code)
            hand.sees(word)
            hand.sees(sentence)
            hand.measure(f"scanned-{word}")
        hand.tap("离场")
        scan_ticket(hand, ticket)
        hand.sees("已离场")
        for ref, code, word in (
            ("gate-small", waiting, "还在候补"),
            ("gate-later", early, "还没开始进场"),
        ):
            hand.go(GATES)
            redeem_grant(hand, make_grant(hall, ref))
            scan_ticket(hand, code)
            hand.sees(word)
            hand.measure(f"scanned-{word}")
        hand.go(GATES)
        hand.sees("岩溶与地下河")
        hand.measure("gates")


def test_without_network_tickets_are_scanned_from_the_roster_and_sent_once_afterwards(
    hall: Demo, browser: Browser, tmp_path: Path
) -> None:
    staff, other = citizen(hall, "检票员小覃"), citizen(hall, "检票员老廖")
    count = repeat_count(100, 10)
    tickets = [sign_up(hall, "gate", f"听众{n}", name=f"听众{n}")[1] for n in range(count)]
    second_gate = other.api("POST", "/staff/grants", {"code": make_grant(hall, "gate")})
    assert second_gate.status == 201, second_gate
    before = other.api("GET", "/staff/sessions/gate").body["counters"]["admitted"]
    with hand_of(browser, hall, staff.person, tmp_path, allowed=OFFLINE) as hand:
        hand.go(GATES)
        redeem_grant(hand, make_grant(hall, "gate"))
        hand.sees("本机名单")
        with network_cut(hall):
            for code in tickets:
                scan_ticket(hand, code)
                hand.sees("已存在本机")
            scan_ticket(hand, tickets[0])
            hand.sees("已经进过场")
            hand.sees(f"还有 {count} 张没有上报")
            hand.measure("scanner-offline")
            hand.tap("检票记录")
            hand.sees("已存在本机，还没有上报")
            hand.measure("scans-offline")
            hand.page.frame_locator("iframe").get_by_role("button", name="返回", exact=True).tap()
            # Meanwhile the same ticket comes to the other gate.
            scan = {"nonce": "other-gate", "ticket": tickets[1], "scanned_at": instant()}
            taken = other.api("POST", "/staff/checkins", {"session": "gate", "scans": [scan]})
            assert taken.body["results"][0]["result"] == "OK", taken
        hand.sees("扫过的票都已报到服务器")
        hand.sees("1 张要核对")
        hand.measure("scanner-conflict")
        hand.tap("检票记录")
        hand.sees("已经进过场")
        hand.sees("已报到服务器")
        hand.misses("还没有上报")
        hand.measure("scans-conflict")
    counters = other.api("GET", "/staff/sessions/gate").body["counters"]
    assert counters["admitted"] == before + count


def test_people_without_a_ticket_are_found_admitted_and_entered(
    hall: Demo, browser: Browser, tmp_path: Path
) -> None:
    staff = citizen(hall, "检票员阿莲")
    sign_up(hall, "gate", "覃玉兰", name="覃玉兰")
    with hand_of(browser, hall, staff.person, tmp_path, allowed=OFFLINE) as hand:
        hand.go(GATES)
        redeem_grant(hand, make_grant(hall, "gate"))
        hand.tap("找人")
        hand.here.get_by_label("手机尾号或姓名").locator("input").fill("玉兰")
        hand.tap("查找")
        hand.sees("还没有进场")
        hand.tap("办理进场")
        hand.tap("手机没电")
        hand.measure("guests")
        hand.tap("确认进场")
        hand.sees("现在在场")
        hand.tap("撤销进场")
        hand.tap("扫错了人")
        hand.tap("确认撤销")
        hand.sees("还没有进场")
        hand.measure("guests-undone")
        hand.tap("登记现场来的人")
        hand.here.get_by_role("button", name="多一个人").tap()
        hand.measure("walk-in")
        hand.tap("登记进场")
        hand.sees("已登记 2 人，请进")


def test_a_citizen_checks_in_by_the_code_of_the_venue(
    hall: Demo, browser: Browser, tmp_path: Path
) -> None:
    ann, _ = sign_up(hall, "gate", "韦小妹", party_size=2)
    stranger = citizen(hall, "路过的人")
    with hand_of(browser, hall, ann.person, tmp_path, allowed=OFFLINE) as hand:
        hand.go("packages/lectures/detail/index?id=gate")
        hand.tap("到场签到")
        hand.sees("每隔十几秒换一次")
        hand.measure("arrive")
        read_code(hand, "扫码签到", "https://example.org/")
        hand.sees("这不是会场的签到二维码")
        scan_venue(hand, hall, "gate", "再扫一次")
        hand.sees("签到成功")
        hand.sees("共 2 人")
        hand.measure("arrived")
    with hand_of(browser, hall, stranger.person, tmp_path, allowed=OFFLINE) as hand:
        hand.go(ARRIVE)
        scan_venue(hand, hall, "gate", "扫码签到")
        hand.sees("你没有报名这场活动")
        hand.measure("arrive-refused")
        with network_cut(hall):
            scan_venue(hand, hall, "gate", "再扫一次")
            hand.sees("请工作人员扫一扫")
