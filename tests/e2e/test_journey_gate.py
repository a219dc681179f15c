"""The gate as one way: grant by QR, tickets without network, a conflict, the revocation."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.gate import (
    import_lectures,
    lecture_row,
    network_cut,
    redeem_grant,
    scan_ticket,
    sign_up,
)
from tests.e2e.hand import REFUSED, citizen, hand_of
from tests.e2e.organizer import make_grant_by_hand, organizer_at
from tests.e2e.outside import Demo
from tests.e2e.phone import browser

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHARES_DEMO = True
REF = "journey-gate"
TICKETS = 20
OFFLINE = (REFUSED, "net::ERR")


def test_from_the_grant_to_its_revocation(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    import_lectures(demo, [lecture_row(REF, "星空下的壮乡", 25)])
    people = [sign_up(demo, REF, f"听众{n}") for n in range(TICKETS)]
    tickets = [code for _, code in people]
    staff, other = citizen(demo, "东门检票员"), citizen(demo, "西门检票员")
    with (
        organizer_at(browser, demo) as desk,
        hand_of(browser, demo, staff.person, tmp_path, allowed=OFFLINE) as hand,
    ):
        west = make_grant_by_hand(desk, demo, REF, "西门")
        assert other.api("POST", "/staff/grants", {"code": west}).status == 201
        east = make_grant_by_hand(desk, demo, REF, "东门")
        hand.go("pages/mine/index")
        hand.tap("现场检票（工作人员用）")
        redeem_grant(hand, east)
        hand.sees("星空下的壮乡")
        hand.sees("检票口：东门")
        taken = other.api("POST", "/staff/grants", {"code": east})
        assert (taken.status, taken.body["code"]) == (409, "grant_taken")
        hand.sees(f"本机名单 {TICKETS} 张票")
        for code in tickets[:10]:
            scan_ticket(hand, code)
            hand.sees("已报到服务器")
            hand.sees("请进")
        with network_cut(demo):
            for code in tickets[10:]:
                scan_ticket(hand, code)
                hand.sees("已存在本机，有网络就自动上报")
            hand.sees("还有 10 张没有上报")
            # The last ticket comes to the other gate as well, which has network.
            now = datetime.now(UTC).isoformat()
            scan = {"nonce": "west-1", "ticket": tickets[-1], "scanned_at": now}
            taken = other.api("POST", "/staff/checkins", {"session": REF, "scans": [scan]})
            assert taken.body["results"][0]["result"] == "OK", taken
        hand.sees("扫过的票都已报到服务器")
        hand.sees("1 张要核对")
        hand.sees("登记在“西门”")
        desk.goto(f"{demo.server}/console/activities/{REF}/checkin")
        expect(desk.locator(".tile", has_text="已到").locator(".value").first).to_have_text("20")
        conflicts = desk.get_by_role("region", name="需要核对的扫码")
        expect(conflicts.locator("tbody tr")).to_have_count(1)
        desk.goto(f"{demo.server}/console/activities/{REF}/grants")
        desk.get_by_role("row").filter(has_text="东门").get_by_role(
            "button", name="收回"
        ).first.click()
        desk.get_by_role("dialog").get_by_role("button", name="收回").click()
        expect(desk.get_by_role("status")).to_contain_text("授权已经收回")
        scan_ticket(hand, tickets[0])
        hand.sees("授权已经结束")
        hand.sees("扫过的票都已报到服务器，没有遗漏")
        hand.measure("scanner-ended")
    scan = {"nonce": "east-late", "ticket": tickets[0], "scanned_at": datetime.now(UTC).isoformat()}
    refused = staff.api("POST", "/staff/checkins", {"session": REF, "scans": [scan]})
    assert (refused.status, refused.body["code"]) == (403, "grant_ended")
    # Each ticket was taken once, whatever was sent again.
    counters = other.api("GET", f"/staff/sessions/{REF}").body["counters"]
    assert (counters["admitted"], counters["inside"]) == (TICKETS, TICKETS)
