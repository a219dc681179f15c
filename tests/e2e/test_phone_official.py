"""Cards of the official account on the phone, in a real Chromium: messages, notices, articles."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from server.emulator.apps import MINI
from server.emulator.testing import Emulator
from tests.e2e.audit import CONTRAST, OVERFLOW, SMALL_TARGETS, SMALL_TEXT
from tests.e2e.phone import born, browser, bubbles, follow, watch, wechat, window
from tests.e2e.program import stand_in, told
from tests.emulator.conftest import Api, receiver
from tests.emulator.kit import a_file
from tests.kit.pictures import a_picture

__all__ = ["browser", "receiver", "watch", "wechat", "window"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

MATERIAL, ARTICLE_PICTURE = "/cgi-bin/material/add_material", "/cgi-bin/media/uploadimg"


@pytest.fixture
def page(window: BrowserContext, wechat: Emulator) -> Page:
    stand_in(window)
    page = born(window, wechat, "韦小妹")
    follow(page)
    return page


def owner(wechat: Emulator) -> dict[str, Any]:
    people = wechat.get_control("people")["items"]
    return dict(next(person for person in people if person["name"] == "韦小妹"))


def send(wechat: Emulator, path: str, template: str, **more: Any) -> int:
    keys = wechat.world.all_templates[template].keys
    values = {"thing1": "月球讲座", "time2": "2026年6月13日 09:30", "thing2": "在南宁"}
    body = {"touser": owner(wechat)["openid_oa"], "template_id": template, **more}
    data = {key: {"value": values[key]} for key in keys}
    return int(Api(wechat).official(path, {**body, "data": data})["errcode"])


def send_article(wechat: Emulator, content: str) -> str:
    api, openid = Api(wechat), owner(wechat)["openid_oa"]
    thumb = a_file(api, "image", a_picture(), path=MATERIAL)["media_id"]
    article = {"title": "科普月开幕", "content": content, "thumb_media_id": thumb, "digest": "摘要"}
    media_id = api.official("/cgi-bin/draft/add", {"articles": [article]})["media_id"]
    wechat.post_control("seed", followers=1)
    other = wechat.get_control("people")["items"][-1]["openid_oa"]
    body = {"touser": [openid, other], "msgtype": "mpnews", "mpnews": {"media_id": media_id}}
    return str(api.official("/cgi-bin/message/mass/send", body)["msg_id"])


def article_of(page: Page) -> Locator:
    bubbles(page).last.get_by_role("button", name="科普月开幕").click()
    return page.get_by_role("dialog", name="科普月开幕")


def test_a_template_message_opens_its_page(page: Page, wechat: Emulator) -> None:
    template = next(iter(wechat.world.official_templates))
    jump = {"appid": wechat.apps[MINI].appid, "pagepath": "pages/home/index?id=1"}
    path = "/cgi-bin/message/template/send"
    assert send(wechat, path, template, miniprogram=jump) == 0
    card = bubbles(page).last
    expect(card.get_by_role("heading", name="活动提醒")).to_be_visible()
    expect(card).to_contain_text("月球讲座")
    card.get_by_role("button", name="进入小程序查看").click()
    start = told(page)[0][1]
    assert (start["path"], start["query"], start["scene"]) == (
        "pages/home/index",
        {"id": "1"},
        1043,
    )


def test_an_article_is_read_and_asks_for_notices(page: Page, wechat: Emulator) -> None:
    picture = a_file(Api(wechat), "image", a_picture(), path=ARTICLE_PICTURE)["url"]
    send_article(wechat, f'<p>您好<b>各位</b></p><u>九月</u><img alt="海报" src="{picture}">')
    sheet = article_of(page)
    expect(sheet.locator("p b")).to_have_text("各位")
    expect(sheet).to_contain_text("九月")
    poster = sheet.get_by_role("img", name="海报")
    expect(poster).to_have_js_property("complete", True)
    assert poster.evaluate("node => node.naturalWidth") > 0
    sheet.get_by_role("button", name="订阅通知").click()
    asked = page.get_by_role("dialog", name="八桂科普 申请向您发送以下消息")
    with page.expect_response("**/_emu/consent"):
        asked.get_by_role("button", name="允许").click()
    notice = next(iter(wechat.world.official_notices))
    event = wechat.list_callbacks()[-1]
    assert (event["what"], event["app"]) == ("subscribe_msg_popup_event", "official_account")
    assert "<PopupScene>2</PopupScene>" in event["plain"]
    bizsend = "/cgi-bin/message/subscribe/bizsend"
    assert send(wechat, bizsend, notice, page="https://example.org/a") == 0
    expect(bubbles(page).last).to_contain_text("https://example.org/a")
    wechat.answer_sheet(str(owner(wechat)["person"]), notice)
    with page.expect_response("**/_emu/consent"):
        bubbles(page).last.get_by_role("button", name="拒收资讯通知").click()
    assert send(wechat, bizsend, notice) == 43101


def test_a_deleted_article_keeps_its_card_only(page: Page, wechat: Emulator) -> None:
    sent = send_article(wechat, "<p>您好</p>")
    expect(bubbles(page).last).to_contain_text("科普月开幕")
    deleted = Api(wechat).official("/cgi-bin/message/mass/delete", {"msg_id": int(sent)})
    assert deleted["errcode"] == 0
    expect(article_of(page)).to_contain_text("该内容已被发布者删除")


def test_the_cards_fit_a_phone_and_an_elder_reader(page: Page, wechat: Emulator) -> None:
    send(
        wechat,
        "/cgi-bin/message/template/send",
        next(iter(wechat.world.official_templates)),
        url="https://example.org/" + "x" * 80,
    )
    send_article(wechat, "<p>您好</p>")
    expect(bubbles(page).last).to_contain_text("科普月开幕")
    for audit in (CONTRAST, OVERFLOW, SMALL_TARGETS, SMALL_TEXT):
        assert page.evaluate(audit) == []
