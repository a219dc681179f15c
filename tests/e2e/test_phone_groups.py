"""People share cards in groups, between two and on the timeline, each in a tab of their own."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from server.emulator.testing import Emulator
from tests.e2e.phone import Watch, browser, watch, wechat, window
from tests.e2e.program import answered, ask, frame_of, phone_of, stand_in, start, told
from tests.emulator.conftest import Api, receiver
from tests.emulator.test_groups import session_key, unsealed

__all__ = ["browser", "receiver", "watch", "wechat", "window"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

CARD = {"title": "一起来答题", "path": "/packages/quiz/board/index?contest=c1", "imageUrl": ""}
# One green pixel.
PIXEL = base64.b64encode(
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x24\x70\x3f\x00\x00\x00!\xf9\x04\x00\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
).decode()


@pytest.fixture
def people(window: BrowserContext, wechat: Emulator) -> list[str]:
    stand_in(window)
    return [str(wechat.create_person(name)["person"]) for name in ("韦小妹", "莫一", "陆二")]


def group_of(wechat: Emulator, *members: str) -> str:
    return str(wechat.post_control("groups", name="三年级家长群", members=members)["group"])


def share(page: Page, **changed: Any) -> None:
    ask(page, "share", card={**CARD, **changed}, timeline=None, withShareTicket=True)


def test_a_group_is_made_by_hand_and_its_members_find_it(
    window: BrowserContext, wechat: Emulator, people: list[str]
) -> None:
    page = phone_of(window, wechat, people[0])
    page.get_by_role("button", name="发起群聊").click()
    sheet = page.get_by_role("dialog", name="发起群聊")
    sheet.get_by_role("button", name="确定").click()
    expect(sheet.get_by_role("status")).to_have_text("请先给群起个名字。")
    sheet.get_by_label("群名").fill("三年级家长群")
    sheet.get_by_role("button", name="确定").click()
    expect(sheet.get_by_role("status")).to_have_text("请至少选一个人。")
    expect(sheet.get_by_role("checkbox", name="韦小妹")).to_have_count(0)
    sheet.get_by_role("checkbox", name="莫一").check()
    sheet.get_by_label("按姓名查找").fill("陆")
    sheet.get_by_role("checkbox", name="陆二").check()
    sheet.get_by_role("button", name="确定").click()
    expect(page.get_by_role("heading", name="三年级家长群")).to_be_visible()
    expect(page.get_by_text("还没有人发过消息。")).to_be_visible()
    (group,) = wechat.get_control("groups")["items"]
    assert [member["name"] for member in group["members"]] == ["韦小妹", "莫一", "陆二"]
    mo = phone_of(window, wechat, people[1])
    mo.get_by_role("link", name="三年级家长群（3）").click()
    expect(mo.get_by_role("heading", name="三年级家长群")).to_be_visible()


def test_members_are_added_and_may_leave(
    window: BrowserContext, wechat: Emulator, people: list[str]
) -> None:
    group = group_of(wechat, people[0])
    page = phone_of(window, wechat, people[0], f"#talk/{group}")
    page.get_by_role("button", name="群成员").click()
    page.get_by_role("button", name="添加成员").click()
    page.get_by_role("checkbox", name="莫一").check()
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_role("heading", name="三年级家长群（2）")).to_be_visible()
    page.get_by_role("button", name="群成员").click()
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_text(
        ["韦韦小妹", "莫莫一"], use_inner_text=False
    )
    page.get_by_role("button", name="退出群聊").click()
    expect(page.get_by_role("heading", name="韦小妹的手机")).to_be_visible()
    expect(page.get_by_role("link", name="三年级家长群")).to_have_count(0)
    assert [m["name"] for m in wechat.get_control("groups")["items"][0]["members"]] == ["莫一"]


def test_a_shared_card_reaches_a_group_and_opens_there_with_the_group(
    window: BrowserContext, wechat: Emulator, people: list[str]
) -> None:
    wei, mo, _lu = people
    group = group_of(wechat, wei, mo)
    sender = phone_of(window, wechat, wei, "&path=pages/home/index")
    reader = phone_of(window, wechat, mo)
    share(sender, imageUrl=f"data:image/gif;base64,{PIXEL}")
    sender.get_by_role("dialog", name="发送给").get_by_role("button", name="三年级家长群").click()
    assert answered(sender) == {"value": {"to": "group"}}
    expect(sender.get_by_text("已发送")).to_be_visible()
    row = reader.get_by_role("link", name="三年级家长群（2）")
    expect(row).to_contain_text("韦小妹：[小程序] 一起来答题")
    expect(row.locator(".badge")).to_have_text("1")
    expect(reader).to_have_title("(1) 莫一 · 模拟微信")
    row.click()
    reader.get_by_role("button", name="一起来答题").click()
    found = start(reader)
    assert (found["path"], found["query"]) == ("packages/quiz/board/index", {"contest": "c1"})
    assert found["scene"] == 1044
    assert found["shareTicket"]
    ask(reader, "login")
    key = session_key(Api(wechat), str(answered(reader)["value"]["code"]))
    ask(reader, "groupEnter")
    info = answered(reader)["value"]
    opened = unsealed({"encrypted_data": info["encryptedData"], "iv": info["iv"]}, key)
    listed = {item["group"]: item["opengid"] for item in wechat.get_control("groups")["items"]}
    assert opened["opengid"] == listed[group]
    reader.get_by_role("button", name="关闭小程序").click()
    expect(row.locator(".badge")).to_be_hidden()


def test_a_card_for_one_person_stands_in_a_chat_of_two(
    window: BrowserContext, wechat: Emulator, people: list[str]
) -> None:
    wei, mo, lu = people
    sender = phone_of(window, wechat, wei, "&path=pages/home/index")
    share(sender)
    sheet = sender.get_by_role("dialog", name="发送给")
    expect(sheet.get_by_role("button", name="朋友圈")).to_have_count(0)
    sheet.get_by_label("按姓名查找").fill("莫")
    expect(sheet.get_by_role("button", name="陆二")).to_have_count(0)
    sheet.get_by_role("button", name="莫一").click()
    assert answered(sender) == {"value": {"to": "person"}}
    reader = phone_of(window, wechat, mo)
    reader.get_by_role("link", name="韦小妹").click()
    expect(reader.get_by_role("button", name="群成员")).to_be_hidden()
    reader.get_by_role("button", name="一起来答题").click()
    assert (start(reader)["scene"], "shareTicket" in start(reader)) == (1007, False)
    sender.get_by_role("button", name="关闭小程序").click()
    expect(sender.get_by_role("link", name="莫一")).to_contain_text("一起来答题")
    third = phone_of(window, wechat, lu)
    expect(third.locator("#talks")).to_be_hidden()


def test_the_menu_shares_what_the_page_offers_also_on_the_timeline(
    window: BrowserContext, wechat: Emulator, people: list[str]
) -> None:
    wei, mo, _lu = people
    page = phone_of(window, wechat, wei, "&path=pages/home/index")
    frame_of(page).evaluate("window.offers = { share: true, timeline: false }")
    page.get_by_role("button", name="小程序菜单").click()
    expect(page.get_by_role("button", name="分享到朋友圈")).to_be_disabled()
    page.get_by_role("button", name="转发给朋友").click()
    page.get_by_role("dialog", name="发送给").get_by_role("button", name="取消").click()
    frame_of(page).evaluate("window.offers = { share: true, timeline: true }")
    page.get_by_role("button", name="小程序菜单").click()
    page.get_by_role("button", name="分享到朋友圈").click()
    expect(page.get_by_text("已发到朋友圈")).to_be_visible()
    reader = phone_of(window, wechat, mo, "&path=pages/mine/index")
    frame_of(reader)
    reader.get_by_role("button", name="关闭小程序").click()
    reader.get_by_role("link", name="朋友圈").click()
    reader.get_by_role("button", name="我在答题").click()
    expect(reader.locator("#app")).to_be_visible()
    found = start(reader)
    assert (found["scene"], found["mode"]) == (1154, "singlePage")
    assert found["query"] == {"from": "timeline"}
    assert [kind for kind, *_ in told(reader)] == ["start"]
    for kind in ("login", "phoneNumber", "share", "scan"):
        ask(reader, kind)
        assert answered(reader)["refusal"]["errMsg"] == "not allowed in single page mode"
    reader.get_by_role("button", name="关闭小程序").click()
    reader.get_by_role("link", name="八桂科普 小程序").click()
    assert start(reader)["mode"] == "default"


def test_a_card_that_wechat_would_not_send_is_refused_to_the_page(
    window: BrowserContext, wechat: Emulator, people: list[str], watch: Watch
) -> None:
    watch.allowed = ("status of 400",)
    page = phone_of(window, wechat, people[0], "&path=pages/home/index")
    share(page, imageUrl="https://elsewhere.example.org/a.png")
    page.get_by_role("button", name="莫一").click()
    assert "picture" in answered(page)["refusal"]["errMsg"]
    share(page)
    page.keyboard.press("Escape")
    assert answered(page) == {"value": {"to": None}}
