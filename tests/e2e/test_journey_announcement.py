"""A city's organizers: an activity, its people, an announcement, and a worker killed while sending.

The last steps of the journey, the report and the nomination, are not part of announcements.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from server.base.clock import BEIJING
from tests.e2e.gate import sign_up
from tests.e2e.hand import REFUSED, hand_of
from tests.e2e.organizer import organizer_at
from tests.e2e.outside import Citizen, Demo, descendants, eventually
from tests.e2e.phone import browser

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
CITY = "city:450100"
TITLE, NEWS = "大明山的昆虫", "昆虫讲座改在二楼报告厅"
PEOPLE = 24
# Their messages are still on the way when the worker is killed.
SLOW = 12
SEND = "/cgi-bin/message/template/send"


@pytest.fixture
def morning(demo: Demo) -> Iterator[datetime]:
    """Ten o'clock of the day after, outside the hours in which nothing is sent."""
    now = datetime.now(BEIJING)
    morning = now.replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=1)
    demo.emu("POST", "clock", {"offset_s": int((morning - now).total_seconds())})
    yield morning
    demo.emu("DELETE", "faults")


def test_from_the_activity_to_the_complete_ledger(
    demo: Demo, browser: Browser, morning: datetime, tmp_path: Path
) -> None:
    with (
        organizer_at(browser, demo, place=CITY) as editor,
        organizer_at(browser, demo, "approver", place=CITY) as approver,
    ):
        activity = create_activity(editor, demo, morning)
        publish_activity(editor, approver, demo, activity)
        people = [register(demo, activity, f"听众{n}") for n in range(PEOPLE)]
        announcement = write_announcement(editor, demo)
        approve_announcement(editor, approver, demo, announcement)
        kill_mid_send(demo, approver, announcement, people)
        see_whole_ledger(editor, demo, announcement)
    assert received(demo, people) == Counter({one.openid_oa: 1 for one in people})
    ann = people[0]
    with hand_of(browser, demo, ann.person, tmp_path, allowed=(REFUSED,)) as hand:
        hand.go("packages/mine/inbox/index")
        hand.sees(NEWS)
        hand.measure("announced")
    titles = Counter(i["title"] for i in ann.api("GET", "/me/inbox").body["items"])
    assert titles[NEWS] == 1


def fill(page: Page, values: dict[str, str]) -> None:
    for name, value in values.items():
        page.locator(f"[name={name}]").fill(value)


def ref_of(page: Page) -> str:
    """The id at the end of the address of a page."""
    return page.url.rsplit("/", 1)[1]


def create_activity(editor: Page, demo: Demo, morning: datetime) -> str:
    """Write an activity that takes place in five days; its sign-up is open."""
    editor.goto(f"{demo.server}/console/activities/new")
    start = morning + timedelta(days=5)
    times = {
        "starts_at": start,
        "ends_at": start + timedelta(hours=2),
        "signup_opens_at": morning - timedelta(hours=2),
        "signup_closes_at": start - timedelta(hours=1),
    }
    fill(editor, {name: f"{at:%Y-%m-%dT%H:%M}" for name, at in times.items()})
    fill(editor, {"title": TITLE, "venue": "一楼报告厅", "seats": "300"})
    editor.get_by_label("所在地", exact=True).select_option(label="南宁市")
    editor.get_by_role("button", name="保存").click()
    expect(editor.locator("main h1")).to_contain_text(TITLE)
    return ref_of(editor)


def publish_activity(editor: Page, approver: Page, demo: Demo, ref: str) -> None:
    editor.get_by_role("button", name="提交审核").click()
    expect(editor.get_by_role("status")).to_be_visible()
    approver.goto(f"{demo.server}/console/activities/{ref}")
    approver.get_by_role("button", name="发布").first.click()
    approver.get_by_role("dialog").get_by_role("button", name="发布").click()
    expect(approver.get_by_role("status")).to_contain_text("已经发布")


def register(demo: Demo, activity: str, nickname: str) -> Citizen:
    """A follower of the official account with a place in the activity."""
    made, _ = sign_up(demo, activity, nickname)
    demo.emu("POST", "follow", {"person": made.person})
    return made


def write_announcement(editor: Page, demo: Demo) -> str:
    """Write the text, the template's fields and the audience, and see whom it can reach."""
    editor.goto(f"{demo.server}/console/announcements/new")
    fill(editor, {"title": NEWS, "body": "讲座改在二楼报告厅，时间不变。"})
    editor.get_by_label("关联的活动").select_option(label=TITLE)
    editor.get_by_label("公众号模板消息").check()
    editor.get_by_role("button", name="保存").click()
    expect(editor.locator("main h1")).to_contain_text(NEWS)
    ref = ref_of(editor)
    editor.get_by_role("link", name="填写内容").click()
    editor.get_by_label("消息模板").select_option("oa-announcement")
    fields = {"公告标题": NEWS, "发布单位": "南宁市科协", "内容摘要": "请到二楼报告厅，时间不变"}
    for label, text in {**fields, "发布时间": "2026年5月1日 15:00"}.items():
        editor.get_by_label(label).locator("visible=true").fill(text)
    editor.get_by_role("button", name="保存").click()
    expect(editor.get_by_role("status")).to_contain_text("已经修改")
    editor.get_by_role("link", name="选择接收人").click()
    editor.get_by_label(TITLE).check()
    editor.get_by_label("已有名额").check()
    editor.get_by_role("button", name="保存").click()
    expect(editor.get_by_role("status")).to_contain_text("接收人已经修改")
    expect(editor.get_by_role("region", name="发送预测")).to_contain_text(str(PEOPLE))
    return ref


def approve_announcement(editor: Page, approver: Page, demo: Demo, ref: str) -> None:
    """The author cannot approve; another organizer types the count."""
    editor.get_by_role("button", name="提交审核").click()
    expect(editor.get_by_role("status")).to_contain_text("已经提交审核")
    expect(editor.get_by_role("link", name="审核", exact=True)).to_have_count(0)
    approver.goto(f"{demo.server}/console/announcements/{ref}/approve")
    approver.get_by_label("接收人数").fill(str(PEOPLE))
    approver.get_by_role("button", name="审核").click()
    expect(approver.get_by_role("status")).to_contain_text("审核通过")


def kill_mid_send(demo: Demo, approver: Page, ref: str, people: list[Citizen]) -> None:
    """SIGKILL to the worker when some messages have arrived and others are on the way."""
    for one in people[:SLOW]:
        demo.emu("POST", "faults", {"path": SEND, "openid": one.openid_oa, "mode": "hold"})
    demo.emu("POST", "clock", {"advance": 180})
    eventually(lambda: received(demo, people).total() == PEOPLE - SLOW, "the first messages")
    eventually(lambda: count_held(demo) == SLOW, "the messages on the way")
    # WeChat has answered before the worker has written it down: a kill between the two leaves
    # more rows to repeat than are held.
    approver.goto(f"{demo.server}/console/announcements/{ref}/progress")
    left = approver.locator(".tile", has_text="还没有发").locator(".value")
    expect(left).to_have_text(str(SLOW))
    for pid in descendants(demo.pid):
        if b"server\0worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    # WeChat accepts the held messages after the death of the worker.
    demo.emu("DELETE", "faults")
    eventually(lambda: received(demo, people).total() == PEOPLE, "the held messages")
    # The leases of the dead worker end, and the page follows.
    demo.emu("POST", "clock", {"advance": 180})
    expect(left).to_have_text("0")


def count_held(demo: Demo) -> int:
    """The messages that WeChat has got and not yet answered."""
    return sum(one["hits"] for one in demo.emu("GET", "faults").body["items"])


def see_whole_ledger(editor: Page, demo: Demo, ref: str) -> None:
    """Every recipient is settled, and the sum is the audience."""
    editor.goto(f"{demo.server}/console/announcements/{ref}/progress")
    expect(editor.get_by_text("发送完毕")).to_be_visible()
    for name, count in (("还没有发", 0), ("已发出", PEOPLE)):
        tile = editor.locator(".tile", has_text=name).first
        expect(tile.locator(".value")).to_have_text(str(count))


def received(demo: Demo, people: list[Citizen]) -> Counter[str]:
    """How many template messages each of the people has received in WeChat."""
    ours = {one.openid_oa for one in people}
    items = demo.emu("GET", "deliveries?after=0").body["items"]
    return Counter(
        one["openid"] for one in items if one["via"] == "template" if one["openid"] in ours
    )
