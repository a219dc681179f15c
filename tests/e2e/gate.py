"""A lecture with its gate as tests in a browser need it: people with tickets, grants, a camera."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from playwright.sync_api import expect

from server.base.clock import BEIJING
from server.base.demo_secrets import KEYS_FILE
from server.base.signing import Keys
from server.signups.tickets import spell_ticket
from tests.e2e.hand import Hand, citizen
from tests.e2e.outside import Citizen, Demo


def lecture_row(ref: str, title: str, minutes: int, **more: Any) -> dict[str, Any]:
    """A lecture of the import file that starts some minutes from now and lasts two hours."""
    start = datetime.now(BEIJING).replace(microsecond=0) + timedelta(minutes=minutes)
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
        "signup_opens_at": (start - timedelta(days=9)).isoformat(),
        "signup_closes_at": (start + timedelta(hours=1)).isoformat(),
        **more,
    }


def import_lectures(demo: Demo, rows: Sequence[dict[str, Any]]) -> None:
    """Publish lectures by the operator's command."""
    file = demo.var / f"{rows[0]['ref']}.json"
    file.write_text(json.dumps(list(rows)), encoding="utf-8")
    done = demo.command("import-activities", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def sign_up(demo: Demo, ref: str, nickname: str, **wish: Any) -> tuple[Citizen, str]:
    """A new citizen with a place in a lecture, and the code of the ticket; empty without a seat."""
    made = citizen(demo, nickname)
    signed = made.api("POST", f"/activities/{ref}/signup", wish)
    assert signed.status == 201, signed
    ticket = signed.body["ticket"]
    return made, ticket["code"] if ticket else ""


def make_grant(demo: Demo, ref: str) -> str:
    """The code of a new scanner grant, by the operator's command."""
    made = demo.command("grant-scanner", ref)
    assert made.returncode == 0, made.stdout + made.stderr
    return str(json.loads(made.stdout)["code"])


def venue_code(demo: Demo, ref: str) -> str:
    """The present rotating code of a lecture, by the operator's command."""
    made = demo.command("venue-code", ref)
    assert made.returncode == 0, made.stdout + made.stderr
    return str(json.loads(made.stdout)["code"])


def nobodys_ticket(demo: Demo) -> str:
    """A well signed ticket of a sign-up that does not exist."""
    keys = json.loads((demo.var / KEYS_FILE).read_text(encoding="utf-8"))
    return spell_ticket(Keys(keys["master_key"]), 2**39)


def read_code(hand: Hand, button: str, text: str) -> None:
    """Tap a button that opens WeChat's scanner, and hold a code before the camera."""
    hand.tap(button)
    sheet = hand.page.get_by_role("dialog", name="扫一扫")
    sheet.get_by_label("二维码内容").fill(text)
    sheet.get_by_role("button", name="确定", exact=True).tap()


def press_in_wechat(hand: Hand, sheet: str, button: str) -> None:
    """Answer a sheet of WeChat's own over the mini-program."""
    dialog = hand.page.get_by_role("dialog", name=sheet)
    dialog.get_by_role("button", name=button, exact=True).tap()
    expect(dialog).to_be_hidden()


def redeem_grant(hand: Hand, code: str) -> None:
    """Redeem a grant on the page of grants, which opens the scanner."""
    first = hand.here.get_by_text("扫授权码", exact=True)
    read_code(hand, "扫授权码" if first.count() > 0 else "再扫一个授权码", code)
    hand.sees("对准参加者手机上的电子票")
    hand.settled()


def scan_venue(hand: Hand, demo: Demo, ref: str, button: str) -> None:
    """Hold the venue's present code before the camera; a busy machine may be too late for it."""
    for _ in range(6):
        read_code(hand, button, venue_code(demo, ref))
        expect(hand.here.get_by_text("正在签到")).to_have_count(0)
        expect(hand.here.get_by_role("alert")).to_be_visible()
        if hand.here.get_by_text("签到码已经更新").count() == 0:
            return
        button = "再扫一次"


def scan_ticket(hand: Hand, code: str) -> None:
    """Scan a ticket on the scanner's page, and wait until its own verdict is shown."""
    before = hand.here.locator(".result").element_handle()
    fresh = hand.here.get_by_text("扫电子票", exact=True)
    read_code(hand, "扫电子票" if fresh.count() > 0 else "扫下一张票", code)
    # The verdict of the ticket before leaves first; it may have the same words.
    before.wait_for_element_state("hidden")
    expect(hand.here.locator(".result-none")).to_have_count(0)


@contextmanager
def network_cut(demo: Demo) -> Iterator[None]:
    """No phone has network meanwhile."""
    demo.emu("POST", "network", {"cut": True})
    try:
        yield
    finally:
        demo.emu("POST", "network", {"cut": False})
