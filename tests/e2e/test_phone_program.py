"""The mini-program in the phone: every way into it, the capsule over it, and its bad days."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, expect

from server.emulator import inbox
from server.emulator.apps import MINI, OFFICIAL
from server.emulator.testing import Emulator
from tests.e2e.phone import browser, bubbles, follow, watch, wechat, window
from tests.e2e.program import BROKEN, HTML, frame_of, phone_of, stand_in, start, told
from tests.emulator.conftest import Api, Push, Receiver, receiver
from tests.emulator.kit import JPEG, a_file, text_reply

__all__ = ["browser", "receiver", "watch", "wechat", "window"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def wei(window: BrowserContext, wechat: Emulator) -> str:
    stand_in(window)
    return str(wechat.create_person("韦小妹")["person"])


def mini_code(wechat: Emulator, scene: str, page: str) -> None:
    api = Api(wechat)
    body = {"scene": scene, "page": page, "check_path": False}
    path, token = "/wxa/getwxacodeunlimit", api.token(MINI)
    assert api.raw(path, json.dumps(body).encode(), access_token=token)[0] == "image/jpeg"


def test_the_entry_starts_it_and_the_capsule_leaves_it_running(
    window: BrowserContext, wechat: Emulator, wei: str
) -> None:
    page = phone_of(window, wechat, wei)
    page.get_by_role("link", name="八桂科普 小程序").click()
    assert start(page) == {
        "person": wei,
        "path": "",
        "query": {},
        "scene": 1001,
        "mode": "default",
    }
    expect(page.locator("#title")).to_be_hidden()
    page.get_by_role("button", name="关闭小程序").click()
    expect(page.get_by_role("heading", name="韦小妹的手机")).to_be_visible()
    page.get_by_role("link", name="八桂科普 小程序").click()
    assert [kind for kind, *_ in told(page)] == ["start", "hide", "show"]
    page.go_back()
    expect(page.get_by_role("heading", name="韦小妹的手机")).to_be_visible()
    page.go_forward()
    kinds = [kind for kind, *_ in told(page)]
    assert kinds == ["start", "hide", "show", "back", "hide", "show"]
    assert start(page)["path"] == ""
    page.get_by_role("button", name="小程序菜单").click()
    page.get_by_role("button", name="重新进入小程序").click()
    page.wait_for_function(
        "() => document.querySelector('iframe.program')?.contentWindow?.told?.length === 1"
    )
    assert [kind for kind, *_ in told(page)] == ["start"]


def test_the_address_opens_a_page_of_it_directly(
    window: BrowserContext, wechat: Emulator, wei: str
) -> None:
    path = quote("/packages/quiz/round/index?contest=c1&note=%E9%99%A6", safe="")
    page = phone_of(window, wechat, wei, f"&path={path}&scene=1047")
    assert start(page)["path"] == "packages/quiz/round/index"
    assert start(page)["query"] == {"contest": "c1", "note": "%E9%99%A6"}
    assert start(page)["scene"] == 1047
    page.get_by_role("button", name="关闭小程序").click()
    expect(page.get_by_role("heading", name="韦小妹的手机")).to_be_visible()


def test_an_address_without_a_person_keeps_its_page_through_the_choice(
    window: BrowserContext, wechat: Emulator, wei: str
) -> None:
    page = window.new_page()
    page.goto(f"{wechat.base}/phone/?path=pages/mine/index")
    page.get_by_role("link", name="韦小妹").click()
    assert start(page)["path"] == "pages/mine/index"
    assert start(page)["person"] == wei


def test_a_service_notice_opens_its_page(
    window: BrowserContext, wechat: Emulator, wei: str
) -> None:
    openid = next(
        p["openid_mp"] for p in wechat.get_control("people")["items"] if p["person"] == wei
    )
    page_of = {"via": "subscribe", "page": "packages/lectures/ticket/index?id=t1"}
    inbox.put_line(wechat.world, openid, "subscribe", "报名成功通知", data={}, **page_of)  # type: ignore[arg-type]
    page = phone_of(window, wechat, wei, "#notices")
    page.get_by_role("button", name="进入小程序查看").click()
    found = start(page)
    assert (found["path"], found["query"]) == ("packages/lectures/ticket/index", {"id": "t1"})
    assert found["scene"] == 1014


def test_the_menu_opens_a_page_and_tells_the_server(
    window: BrowserContext, wechat: Emulator, wei: str
) -> None:
    leaf = {"appid": wechat.apps[MINI].appid, "pagepath": "pages/home/index?from=menu"}
    entry = {"type": "miniprogram", "name": "小程序", "url": "https://example.org", **leaf}
    assert Api(wechat).official("/cgi-bin/menu/create", {"button": [entry]})["errcode"] == 0
    page = phone_of(window, wechat, wei)
    follow(page)
    page.get_by_role("button", name="小程序", exact=True).click()
    found = start(page)
    assert (found["path"], found["query"], found["scene"]) == (
        "pages/home/index",
        {"from": "menu"},
        1035,
    )
    expect(page.get_by_text("正在等待公众号答复…")).to_be_hidden()
    assert wechat.list_callbacks()[-1]["what"] == "view_miniprogram"


def test_words_in_a_message_open_a_page_of_our_own_mini_program_and_of_no_other(
    window: BrowserContext, wechat: Emulator, wei: str, receiver: Receiver
) -> None:
    ours = wechat.apps[MINI].appid
    facts = 'href="https://example.org/" data-miniprogram-path="pages/home/index?a=1"'
    said = (
        f'<a {facts} data-miniprogram-appid="{ours}">去答题</a>，'
        f'<a data-miniprogram-appid="wx0000000000000000" {facts}>别家</a>'
    )

    def answer(push: Push) -> tuple[int, bytes]:
        return 200, text_reply(wechat.apps[OFFICIAL], push, said).encode()

    receiver.answer = answer
    page = phone_of(window, wechat, wei, "#chat")
    page.get_by_role("button", name="关注公众号").click()
    expect(bubbles(page).last).to_have_text("去答题，别家https://example.org/")
    expect(page.get_by_role("button", name="别家")).to_have_count(0)
    page.get_by_role("button", name="去答题").click()
    found = start(page)
    assert (found["path"], found["query"], found["scene"]) == ("pages/home/index", {"a": "1"}, 1082)


def test_a_card_in_the_chat_opens_its_page(
    window: BrowserContext, wechat: Emulator, wei: str
) -> None:
    page, api = phone_of(window, wechat, wei), Api(wechat)
    follow(page)
    openid = next(
        p["openid_oa"] for p in wechat.get_control("people")["items"] if p["person"] == wei
    )
    where = {"appid": wechat.apps[MINI].appid, "pagepath": "pages/home/index"}
    card = {"title": "今日竞赛", "thumb_media_id": a_file(api, "image", JPEG)["media_id"], **where}
    sent = {"touser": openid, "msgtype": "miniprogrampage", "miniprogrampage": card}
    assert api.official("/cgi-bin/message/custom/send", sent)["errcode"] == 0
    page.get_by_role("button", name="今日竞赛").click()
    assert (start(page)["path"], start(page)["scene"]) == ("pages/home/index", 1074)


def test_a_mini_program_code_is_scanned_with_a_tap_or_pasted(
    window: BrowserContext, wechat: Emulator, wei: str
) -> None:
    mini_code(wechat, "c=7&s=x", "pages/home/index")
    page = phone_of(window, wechat, wei, "#scan")
    page.get_by_role("button", name="小程序码").click()
    found = start(page)
    assert (found["path"], found["query"]) == ("pages/home/index", {"scene": "c%3D7%26s%3Dx"})
    assert found["scene"] == 1047
    page.get_by_role("button", name="关闭小程序").click()
    page.get_by_role("link", name="扫一扫").click()
    page.get_by_label("二维码内容").fill("https://example.org/not-ours")
    page.get_by_role("button", name="识别").click()
    expect(page.get_by_text("这不是模拟微信发出的二维码。")).to_be_visible()
    page.get_by_label("二维码内容").fill(wechat.get_control("codes")["items"][0]["url"])
    page.get_by_role("button", name="识别").click()
    expect(page.locator("#app")).to_be_visible()
    assert [kind for kind, *_ in told(page)] == ["start", "hide", "show"]
    assert start(page)["query"] == {"scene": "c%3D7%26s%3Dx"}


def test_a_mini_program_that_does_not_start_can_be_tried_again(
    window: BrowserContext, wechat: Emulator, wei: str
) -> None:
    stand_in(window, BROKEN)
    page = phone_of(window, wechat, wei)
    page.clock.install()
    page.get_by_role("link", name="八桂科普 小程序").click()
    expect(page.get_by_text("正在打开小程序…")).to_be_visible()
    page.clock.run_for(10_000)
    expect(page.locator("#program-trouble")).to_contain_text("小程序没有打开。")
    stand_in(window, HTML)
    page.get_by_role("button", name="重试").click()
    frame_of(page)
    expect(page.get_by_text("正在打开小程序…")).to_be_hidden()
    expect(page.get_by_role("button", name="重试")).to_be_hidden()


def test_two_tabs_run_it_for_two_people(window: BrowserContext, wechat: Emulator, wei: str) -> None:
    mo = str(wechat.create_person("莫一")["person"])
    tabs = [phone_of(window, wechat, person, "&path=pages/home/index") for person in (wei, mo)]
    assert [start(tab)["person"] for tab in tabs] == [wei, mo]
    tabs[0].get_by_role("button", name="关闭小程序").click()
    assert [kind for kind, *_ in told(tabs[1])] == ["start"]
