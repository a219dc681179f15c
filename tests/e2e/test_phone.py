"""The phone page in a real Chromium: people's whole way through it, by hand and by eye."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import BrowserContext, expect

from server.emulator import inbox
from server.emulator.apps import OFFICIAL
from server.emulator.testing import Emulator
from tests.e2e.audit import CONTRAST, OVERFLOW, SMALL_TARGETS, SMALL_TEXT
from tests.e2e.phone import (
    BOARD,
    PHONE,
    POSTER,
    WELCOME,
    Watch,
    born,
    browser,
    bubbles,
    code,
    follow,
    watch,
    wechat,
    window,
    write,
)
from tests.emulator.conftest import Api, Push, Receiver, receiver
from tests.emulator.kit import text_reply

__all__ = ["browser", "receiver", "watch", "wechat", "window"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

COMPUTER, SMALLEST = {"width": 1280, "height": 900}, {"width": 320, "height": 568}


def test_a_person_follows_reads_taps_asks_leaves_and_comes_back_by_a_code(
    window: BrowserContext, wechat: Emulator
) -> None:
    code(wechat, "contest")
    page = born(window, wechat, "韦小妹")
    expect(page.get_by_role("note")).to_have_text("模拟微信，仅供演示和测试")
    follow(page)

    opener = page.get_by_role("button", name="我的竞赛")
    opener.click()
    expect(opener).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="排行榜").click()
    expect(bubbles(page).last).to_have_text(BOARD)
    expect(page.get_by_role("button", name="排行榜")).to_be_hidden()
    assert [c["what"] for c in wechat.list_callbacks()] == ["subscribe", "CLICK"]
    assert "BOARD" in wechat.list_callbacks()[-1]["plain"]

    write(page, "帮助")
    expect(page.locator("#lines .out .bubble")).to_have_text("帮助")
    expect(bubbles(page).last).to_contain_text("竞赛规则https://example.org/rules?a=1&b=2")
    expect(page.get_by_label("消息", exact=True)).to_have_value("")
    expect(page.get_by_text("正在等待公众号答复…")).to_be_hidden()

    page.get_by_role("button", name="公众号设置").click()
    page.get_by_role("button", name="取消关注").click()
    expect(page.get_by_role("button", name="关注公众号")).to_be_visible()
    expect(page.get_by_label("消息", exact=True)).to_be_hidden()

    page.get_by_role("link", name="返回").click()
    page.get_by_role("link", name="扫一扫").click()
    card = page.get_by_role("button", name="contest")
    picture = card.locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("async (img) => { await img.decode(); return img.naturalWidth }") > 100
    card.click()
    expect(page.get_by_role("heading", name="八桂科普")).to_be_visible()
    assert [c["what"] for c in wechat.list_callbacks()].count("subscribe") == 1
    page.get_by_role("button", name="关注公众号").click()
    expect(bubbles(page).last).to_have_text(WELCOME)
    expect(page.get_by_role("button", name="关注公众号")).to_be_hidden()
    assert "qrscene_contest" in wechat.list_callbacks()[-1]["plain"]

    page.get_by_role("link", name="返回").click()
    page.get_by_role("link", name="扫一扫").click()
    page.get_by_role("button", name="contest").click()
    expect(bubbles(page).last).to_have_text(POSTER)
    assert wechat.list_callbacks()[-1]["what"] == "SCAN"


def test_a_code_that_was_scanned_and_left_alone_is_forgotten(
    window: BrowserContext, wechat: Emulator
) -> None:
    code(wechat, "contest")
    page = born(window, wechat, "韦小妹")
    page.get_by_role("link", name="扫一扫").click()
    page.get_by_role("button", name="contest").click()
    expect(page.get_by_role("button", name="关注公众号")).to_be_visible()
    page.get_by_role("link", name="返回").click()
    follow(page)
    assert "qrscene_" not in wechat.list_callbacks()[-1]["plain"]


def test_two_tabs_are_two_people_each_with_its_own_unread_messages(
    window: BrowserContext, wechat: Emulator
) -> None:
    wei = born(window, wechat, "韦小妹")
    follow(wei)
    wei.get_by_role("link", name="返回").click()
    with window.expect_page() as opened_tab:
        wei.get_by_role("link", name="在新标签页打开另一部手机").click()
    mo = opened_tab.value
    mo.get_by_label("新建人物").fill("莫一")
    mo.get_by_role("button", name="新建").click()
    follow(mo)
    write(mo, "只有莫一写了")
    expect(bubbles(mo).last).to_have_text("没有听懂：只有莫一写了")
    expect(wei.locator("#chat-last")).to_have_text(WELCOME)
    expect(wei.locator("#chat-badge")).to_be_hidden()

    person = wei.url.split("person=")[1].split("#")[0]
    openid = next(i for i in wechat.get_control("people")["items"] if i["person"] == person)[
        "openid_oa"
    ]
    for words in ("第一条", "第二条"):
        sent = {"touser": openid, "msgtype": "text", "text": {"content": words}}
        assert Api(wechat).official("/cgi-bin/message/custom/send", sent)["errcode"] == 0
    expect(wei.locator("#chat-badge")).to_have_text("2")
    expect(wei).to_have_title("(2) 韦小妹 · 模拟微信")
    wei.locator("a[href='#chat']").click()
    expect(bubbles(wei).last).to_have_text("第二条")
    wei.get_by_role("link", name="返回").click()
    expect(wei.locator("#chat-badge")).to_be_hidden()
    wei.reload()
    expect(wei.locator("#chat-last")).to_have_text("第二条")
    expect(wei.locator("#chat-badge")).to_be_hidden()


def test_a_service_notice_is_counted_and_read(window: BrowserContext, wechat: Emulator) -> None:
    page = born(window, wechat, "韦小妹")
    page.locator("a[href='#notices']").click()
    expect(page.get_by_text("还没有服务通知。")).to_be_visible()
    page.get_by_role("link", name="返回").click()
    openid = wechat.get_control("people")["items"][0]["openid_mp"]
    inbox.put_line(
        wechat.world,
        openid,
        "subscribe",
        "报名成功通知",
        via="subscribe",
        data={"thing1": "科普讲堂"},
        names={"thing1": "活动名称"},
    )
    expect(page.locator("#notices-badge")).to_have_text("1")
    page.locator("a[href='#notices']").click()
    card = page.get_by_role("article")
    expect(card.get_by_role("heading")).to_have_text("报名成功通知")
    expect(card.get_by_role("term")).to_have_text("活动名称")
    expect(card.get_by_role("definition")).to_have_text("科普讲堂")
    page.get_by_role("link", name="返回").click()
    expect(page.locator("#notices-badge")).to_be_hidden()


def test_what_people_and_accounts_write_stays_text(
    window: BrowserContext, wechat: Emulator, receiver: Receiver
) -> None:
    bad = "<img src=x onerror=document.body.remove()>"
    link = '<a href="javascript:document.body.remove()">点我</a><script>x()</script>'
    receiver.answer = lambda push: (
        200,
        text_reply(wechat.apps[OFFICIAL], push, bad + link).encode(),
    )
    page = born(window, wechat, "<b>韦</b>")
    page.locator("a[href='#chat']").click()
    page.get_by_role("button", name="关注公众号").click()
    shown = f"{bad}点我javascript:document.body.remove()<script>x()</script>"
    expect(bubbles(page).last).to_have_text(shown)
    write(page, bad)
    expect(page.locator("#lines .out .bubble")).to_have_text(bad)
    assert page.locator("#lines").locator("img, a, script, b").count() == 0


def test_a_stopped_wechat_is_said_and_the_message_can_be_sent_again(
    window: BrowserContext, wechat: Emulator, watch: Watch
) -> None:
    page = born(window, wechat, "韦小妹")
    follow(page)
    watch.allowed = ("ERR_INTERNET_DISCONNECTED",)
    window.set_offline(True)
    expect(page.get_by_role("alert")).to_have_text("连不上模拟微信，正在重试")
    write(page, "帮助")
    again = page.get_by_role("button", name="没发出，重发")
    expect(again).to_be_visible()
    assert wechat.list_callbacks()[-1]["what"] == "subscribe"
    window.set_offline(False)
    expect(page.get_by_role("alert")).to_be_hidden()
    again.click()
    expect(bubbles(page).last).to_contain_text("可以回复")
    expect(page.locator(".out .bubble")).to_have_count(1)
    expect(again).to_be_hidden()


def test_a_server_that_is_away_is_said_in_the_chat(
    window: BrowserContext, wechat: Emulator, receiver: Receiver
) -> None:
    page = born(window, wechat, "韦小妹")
    follow(page)
    wechat.push_to("http://127.0.0.1:9")
    write(page, "帮助")
    expect(page.locator("#lines .failure")).to_have_text("该公众号提供的服务出现故障，请稍后再试")
    expect(page.locator("#away")).to_have_text("公众号的服务器没有正常应答（连接不上）")
    wechat.push_to(receiver.url)
    write(page, "帮助")
    expect(bubbles(page).last).to_contain_text("可以回复")
    expect(page.locator("#away")).to_be_hidden()


def test_while_the_account_thinks_the_phone_says_so(
    window: BrowserContext, wechat: Emulator, receiver: Receiver
) -> None:
    page = born(window, wechat, "韦小妹")
    follow(page)
    quick, go_on = receiver.answer, threading.Event()

    def slow(push: Push) -> tuple[int, bytes] | None:
        go_on.wait(4)
        return quick(push)

    receiver.answer = slow
    write(page, "帮助")
    expect(page.get_by_text("正在等待公众号答复…")).to_be_visible()
    expect(page.locator("#lines .out .bubble")).to_have_text("帮助")
    go_on.set()
    expect(bubbles(page).last).to_contain_text("可以回复")
    expect(page.get_by_text("正在等待公众号答复…")).to_be_hidden()


def test_a_person_who_is_gone_leads_back_to_the_choice(
    window: BrowserContext, wechat: Emulator
) -> None:
    wechat.create_person("莫一")
    page = window.new_page()
    page.goto(f"{wechat.base}/phone/?person=person-gone")
    expect(page.get_by_text("没有找到这个人，请重新选择。")).to_be_visible()
    page.get_by_label("选择人物").fill("没有")
    expect(page.get_by_text("没有姓名含“没有”的人。")).to_be_visible()
    page.get_by_label("选择人物").fill("莫")
    page.get_by_role("link", name="莫一").click()
    expect(page.get_by_role("heading", name="莫一的手机")).to_be_visible()
    wechat.post_control("reset")
    expect(page.get_by_text("没有找到这个人，请重新选择。")).to_be_visible()


def test_the_keyboard_alone_is_enough(window: BrowserContext, wechat: Emulator) -> None:
    page = window.new_page()
    page.goto(f"{wechat.base}/phone/")
    expect(page.get_by_label("新建人物")).to_be_visible()

    def reach(role: str, name: str) -> None:
        wanted = page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
        expect(wanted).to_be_visible()
        for _ in range(20):
            page.keyboard.press("Tab")
            if wanted.evaluate("(node) => node === document.activeElement"):
                outline = "(node) => parseFloat(getComputedStyle(node).outlineWidth)"
                assert wanted.evaluate(outline) >= 2
                return
        raise AssertionError(f"Tab never reached {name}")

    reach("textbox", "新建人物")
    page.keyboard.type("韦小妹")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="韦小妹的手机")).to_be_visible()
    reach("link", "八桂科普 还没有消息")
    page.keyboard.press("Enter")
    reach("button", "关注公众号")
    page.keyboard.press("Enter")
    expect(bubbles(page).last).to_have_text(WELCOME)
    reach("button", "我的竞赛")
    page.keyboard.press("Enter")
    reach("button", "排行榜")
    page.keyboard.press("Escape")
    opener = page.get_by_role("button", name="我的竞赛")
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    reach("button", "排行榜")
    page.keyboard.press("Enter")
    expect(bubbles(page).last).to_have_text(BOARD)
    reach("button", "公众号设置")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="公众号设置")).to_be_focused()


@pytest.mark.parametrize("screen", [PHONE, COMPUTER, SMALLEST])
def test_every_view_is_readable_and_reachable_for_elders(
    window: BrowserContext, wechat: Emulator, screen: dict[str, int]
) -> None:
    code(wechat, "contest-of-the-whole-region-with-a-long-name")
    page = window.new_page()
    page.set_viewport_size(screen)  # type: ignore[arg-type]

    def look(view: str) -> None:
        expect(page.locator(f"#{view}")).to_be_visible()
        for flaw in (SMALL_TARGETS, SMALL_TEXT, CONTRAST, OVERFLOW):
            assert page.evaluate(flaw) == [], view

    page.goto(f"{wechat.base}/phone/")
    look("people")
    page.get_by_label("新建人物").fill("一个名字特别特别长的人叫韦小妹")
    page.get_by_role("button", name="新建").click()
    look("home")
    page.locator("a[href='#chat']").click()
    look("chat")
    page.get_by_role("button", name="关注公众号").click()
    expect(bubbles(page).last).to_have_text(WELCOME)
    page.get_by_role("button", name="我的竞赛").click()
    look("chat")
    wechat.push_to("http://127.0.0.1:9")
    write(page, "https://example.org/" + "x" * 300)
    expect(page.locator("#away")).to_be_visible()
    look("chat")
    page.get_by_role("button", name="公众号设置").click()
    look("sheet")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="返回").click()
    page.locator("a[href='#notices']").click()
    look("notices")
    page.get_by_role("link", name="返回").click()
    page.get_by_role("link", name="扫一扫").click()
    expect(page.get_by_role("button", name="contest")).to_be_visible()
    look("scan")
    phone = page.locator(".phone").bounding_box()
    assert phone is not None
    if screen is COMPUTER:
        middle = phone["x"] + phone["width"] / 2
        assert abs(middle - screen["width"] / 2) < 2
        assert phone["width"] < 460
    else:
        assert phone["width"] == screen["width"]
