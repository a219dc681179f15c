"""Every sheet that WeChat lays over a mini-program, used by hand in a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from server.emulator.apps import MINI
from server.emulator.testing import Emulator
from tests.e2e.phone import browser, code, watch, wechat, window
from tests.e2e.program import answered, ask, frame_of, phone_of, stand_in
from tests.e2e.test_phone_program import mini_code
from tests.emulator.conftest import Api, receiver

__all__ = ["browser", "receiver", "watch", "wechat", "window"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE_NUMBER = "/wxa/business/getuserphonenumber"


@pytest.fixture
def wei(window: BrowserContext, wechat: Emulator) -> str:
    stand_in(window)
    return str(wechat.create_person("韦小妹")["person"])


@pytest.fixture
def page(window: BrowserContext, wechat: Emulator, wei: str) -> Page:
    return phone_of(window, wechat, wei, "&path=pages/home/index")


def grants(wechat: Emulator, person: str) -> dict[str, int]:
    listed = wechat.post_control("settings", person=person)["templates"]
    return {item["id"]: item["grants"] for item in listed if item["grants"]}


def test_each_template_is_accepted_or_refused_and_the_server_hears_of_it(
    page: Page, wechat: Emulator, wei: str
) -> None:
    yes, no = list(wechat.world.templates)[:2]
    titles = [wechat.world.templates[each].title for each in (yes, no)]
    ask(page, "subscribe", tmplIds=[yes, no], tapped=True)
    sheet = page.get_by_role("dialog", name="八桂科普 申请向您发送以下消息")
    expect(sheet.get_by_role("checkbox", name=titles[0])).to_be_checked()
    sheet.get_by_role("checkbox", name=titles[1]).uncheck()
    sheet.get_by_role("button", name="允许").click()
    assert answered(page) == {"value": {"results": {yes: "accept", no: "reject"}}}
    assert grants(wechat, wei) == {yes: 1}
    event = wechat.list_callbacks()[-1]
    assert event["what"] == "subscribe_msg_popup_event"
    assert event["plain"].count('"SubscribeStatusString"') == 2
    expect(sheet).to_be_hidden()
    ask(page, "setting")
    assert answered(page)["value"] == {"mainSwitch": True, "itemSettings": {}}


@pytest.mark.parametrize(
    ("word", "granted"),
    [
        ("acceptWithAudio", True),
        ("acceptWithAlert", True),
        ("acceptWithForcePush", True),
        ("acknowledge", False),
    ],
)
def test_a_stronger_yes_and_an_unknown_word_can_be_said(
    page: Page, wechat: Emulator, wei: str, word: str, granted: bool
) -> None:
    first = next(iter(wechat.world.templates))
    ask(page, "subscribe", tmplIds=[first], tapped=True)
    page.get_by_label("点“允许”时微信回的词").select_option(word)
    page.get_by_role("button", name="允许").click()
    assert answered(page) == {"value": {"results": {first: word}}}
    assert grants(wechat, wei) == ({first: 1} if granted else {})
    assert f'"SubscribeStatusString": "{word}"' in wechat.list_callbacks()[-1]["plain"]


def test_an_answer_to_be_kept_needs_no_sheet_the_next_time_and_adds_a_grant_each_time(
    page: Page, wechat: Emulator, wei: str
) -> None:
    first, second = list(wechat.world.templates)[:2]
    ask(page, "subscribe", tmplIds=[first], tapped=True)
    page.get_by_role("checkbox", name="总是保持以上选择，不再询问").check()
    page.get_by_role("button", name="允许").click()
    assert answered(page) == {"value": {"results": {first: "accept"}}}
    ask(page, "subscribe", tmplIds=[first], tapped=True)
    assert answered(page) == {"value": {"results": {first: "accept"}}}
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert grants(wechat, wei) == {first: 2}
    ask(page, "subscribe", tmplIds=[first, second], tapped=True)
    expect(page.get_by_role("dialog").get_by_role("checkbox")).to_have_count(2)
    page.keyboard.press("Escape")
    assert answered(page) == {"value": {"results": {first: "accept", second: "reject"}}}
    ask(page, "setting")
    assert answered(page)["value"]["itemSettings"] == {first: "accept"}


def test_without_a_tap_or_with_six_templates_there_is_no_sheet(
    page: Page, wechat: Emulator, wei: str
) -> None:
    ids = list(wechat.world.templates)
    ask(page, "subscribe", tmplIds=ids[:1], tapped=False)
    assert "TAP gesture" in answered(page)["refusal"]["errMsg"]
    ask(page, "subscribe", tmplIds=[*ids, *ids][:6], tapped=True)
    assert answered(page)["refusal"]["errCode"] == 20003
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert grants(wechat, wei) == {}
    assert wechat.list_callbacks() == []


def test_a_phone_number_is_given_once_and_only_when_allowed(
    page: Page, wechat: Emulator, wei: str
) -> None:
    ask(page, "phoneNumber")
    page.get_by_role("button", name="不允许").click()
    assert answered(page) == {"value": {"code": None}}
    ask(page, "phoneNumber")
    expect(page.get_by_role("dialog")).to_contain_text("****")
    page.get_by_role("button", name="允许", exact=True).click()
    given = {"code": answered(page)["value"]["code"]}
    api = Api(wechat)
    assert api.mini(PHONE_NUMBER, given)["phone_info"]["purePhoneNumber"].startswith("13")
    assert api.mini(PHONE_NUMBER, given)["errcode"] == 40029


def test_the_privacy_popup_shows_its_text_and_remembers_who_agreed(
    page: Page, wechat: Emulator, wei: str, window: BrowserContext
) -> None:
    ask(page, "privacyState")
    name = "《八桂科普小程序隐私保护指引》"
    assert answered(page)["value"] == {"needAuthorization": True, "privacyContractName": name}
    ask(page, "privacy")
    page.get_by_role("button", name="拒绝").click()
    assert answered(page) == {"value": {"agreed": False}}
    ask(page, "privacy")
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("dialog", name=name)).to_contain_text("是否同意")
    page.get_by_role("button", name="关闭", exact=True).click()
    page.get_by_role("button", name="同意", exact=True).click()
    assert answered(page) == {"value": {"agreed": True}}
    page.reload()
    ask(page, "privacy")
    assert answered(page) == {"value": {"agreed": True}}
    expect(page.get_by_role("dialog")).to_be_hidden()
    mo = str(wechat.create_person("莫一")["person"])
    other = phone_of(window, wechat, mo, "&path=pages/home/index")
    ask(other, "privacyState")
    assert answered(other)["value"]["needAuthorization"] is True
    ask(other, "agreePrivacy")
    assert answered(other) == {"value": {}}
    ask(other, "privacyState")
    assert answered(other)["value"]["needAuthorization"] is False


SIZE = "(file) => file && [file.size > 100, file.type]"


def file_of(page: Page) -> list[object] | None:
    found: list[object] | None = frame_of(page).evaluate(
        f"async () => ({SIZE})((await window.answer).value.file)"
    )
    return found


def test_an_avatar_is_wechats_own_or_from_the_album(page: Page, tmp_path: Path) -> None:
    ask(page, "avatar")
    page.get_by_role("button", name="用微信头像").click()
    assert file_of(page) == [True, "image/png"]
    picture = tmp_path / "me.jpg"
    picture.write_bytes(b"\xff\xd8" + b"0" * 200)
    ask(page, "avatar")
    page.get_by_label("从相册选择").set_input_files(picture)
    assert file_of(page) == [True, "image/jpeg"]
    expect(page.get_by_role("dialog")).to_be_hidden()
    ask(page, "avatar")
    page.get_by_role("button", name="取消").click()
    assert file_of(page) is None


def test_a_nickname_is_wechats_own_or_written(page: Page) -> None:
    ask(page, "nickname")
    page.get_by_role("button", name="用微信昵称：韦小妹").click()
    assert answered(page) == {"value": {"name": "韦小妹", "pass": True}}
    ask(page, "nickname")
    page.get_by_label("昵称", exact=True).fill(" 三月三 ")
    page.keyboard.press("Enter")
    assert answered(page) == {"value": {"name": "三月三", "pass": True}}
    ask(page, "nickname")
    page.keyboard.press("Escape")
    assert answered(page) == {"value": {"name": None, "pass": True}}
    for kind, name in (("nickname", "[risky]"), ("nicknameReview", "[review]")):
        ask(page, kind, name=name)
        if kind == "nickname":
            page.get_by_label("昵称", exact=True).fill(name)
            page.keyboard.press("Enter")
        assert answered(page) == {"value": {"name": name, "pass": False}}


def test_the_scanner_hands_over_what_a_code_holds(page: Page, wechat: Emulator) -> None:
    code(wechat, "poster")
    mini_code(wechat, "c=7", "pages/home/index")
    ask(page, "scan")
    sheet = page.get_by_role("dialog", name="扫一扫")
    sheet.get_by_role("button", name="c=7").click()
    value = answered(page)["value"]
    assert (value["scanType"], value["path"]) == ("WX_CODE", "pages/home/index?scene=c%3D7")
    ask(page, "scan")
    sheet.get_by_role("button", name="poster").click()
    value = answered(page)["value"]
    assert (value["scanType"], value["path"]) == ("QR_CODE", "")
    assert value["result"].startswith("http://weixin.qq.com/")
    ask(page, "scan")
    sheet.get_by_label("二维码内容").fill("kepu-ticket-1")
    page.keyboard.press("Enter")
    assert answered(page)["value"] == {
        "result": "kepu-ticket-1",
        "scanType": "QR_CODE",
        "path": "",
    }
    ask(page, "scan")
    sheet.get_by_role("button", name="取消").click()
    assert answered(page) == {"value": None}


def test_a_position_a_map_and_a_call_are_the_persons_to_allow(page: Page) -> None:
    ask(page, "position", type="gcj02", purpose="看看离你多远")
    sheet = page.get_by_role("dialog", name="八桂科普 申请获取您的模糊位置")
    expect(sheet.get_by_text("看看离你多远")).to_be_visible()
    sheet.get_by_label("纬度").fill("91")
    sheet.get_by_role("button", name="允许").click()
    expect(sheet).to_be_visible()
    sheet.get_by_label("纬度").fill("24.33")
    sheet.get_by_label("经度").fill("109.43")
    sheet.get_by_role("button", name="允许").click()
    assert answered(page) == {"value": {"latitude": 24.33, "longitude": 109.43}}
    ask(page, "position", type="gcj02", purpose="")
    expect(sheet.get_by_label("纬度")).to_have_value("24.33")
    sheet.get_by_role("button", name="拒绝").click()
    assert answered(page) == {"value": None}
    place = {"latitude": 22.8167, "longitude": 108.3669, "name": "图书馆", "address": "大道1号"}
    ask(page, "map", **place, scale=16)
    shown = page.get_by_role("dialog", name="图书馆")
    expect(shown.get_by_text("纬度 22.816700，经度 108.366900")).to_be_visible()
    shown.get_by_role("button", name="关闭").click()
    assert answered(page) == {"value": {}}
    for button, called in (("呼叫", True), ("取消", False)):
        ask(page, "phoneCall", phoneNumber="0771-1234567")
        page.get_by_role("dialog", name="拨打电话").get_by_role("button", name=button).click()
        assert answered(page) == {"value": {"called": called}}


def test_a_login_code_opens_a_session_and_the_account_and_home_are_one_ask_away(
    page: Page, wechat: Emulator
) -> None:
    ask(page, "checkSession")
    assert answered(page) == {"value": {"valid": False}}
    ask(page, "login")
    app = wechat.apps[MINI]
    asked = {"appid": app.appid, "secret": app.secret, "grant_type": "authorization_code"}
    login = str(answered(page)["value"]["code"])
    assert "openid" in Api(wechat).get("/sns/jscode2session", js_code=login, **asked)
    ask(page, "checkSession")
    assert answered(page) == {"value": {"valid": True}}
    ask(page, "groupEnter")
    assert answered(page)["refusal"]["errCode"] == 40097
    ask(page, "officialAccount")
    expect(page.get_by_role("button", name="关注公众号")).to_be_visible()
    page.go_back()
    ask(page, "close")
    expect(page.get_by_role("heading", name="韦小妹的手机")).to_be_visible()


def test_an_unknown_wish_is_refused_by_name(page: Page) -> None:
    ask(page, "flyToTheMoon")
    assert answered(page)["refusal"]["errMsg"] == "the phone knows no flyToTheMoon"


def test_two_sheets_wait_for_each_other(page: Page) -> None:
    ask(page, "nickname")
    ask(page, "phoneNumber")
    expect(page.get_by_role("dialog")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="八桂科普 申请使用您的手机号")).to_be_visible()
    page.keyboard.press("Escape")
    assert answered(page) == {"value": {"code": None}}


def test_what_was_turned_off_holds_for_what_is_asked_before_it_is_written(
    page: Page, wechat: Emulator, wei: str
) -> None:
    first = next(iter(wechat.world.templates))
    wechat.answer_sheet(wei, first)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held:
            route.fallback()
        held.append(route)

    page.route("**/_emu/consent", hold)
    page.evaluate("""() => { const send = fetch; window.asked = [];
      window.fetch = (url, how) => { asked.push(String(url)); return send(url, how); }; }""")
    page.get_by_role("button", name="小程序菜单").click()
    page.get_by_role("button", name="通知设置").click()
    with page.expect_request("**/_emu/consent"):
        page.get_by_role("button", name="拒收").click()
    ask(page, "subscribe", tmplIds=[first], tapped=True)
    assert "/_emu/consent" in page.evaluate("asked")
    assert "/_emu/sheet" not in page.evaluate("asked")
    held[0].fallback()
    assert answered(page) == {"value": {"results": {first: "reject"}}}


def test_notices_are_turned_off_one_by_one_and_all_together(
    page: Page, wechat: Emulator, wei: str
) -> None:
    first, second = list(wechat.world.templates)[:2]
    wechat.answer_sheet(wei, first)
    wechat.answer_sheet(wei, second)
    page.get_by_role("button", name="小程序菜单").click()
    page.get_by_role("button", name="通知设置").click()
    title = wechat.world.templates[first].title
    page.get_by_role("button", name=f"拒收{title}").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    ask(page, "subscribe", tmplIds=[first], tapped=True)
    assert answered(page) == {"value": {"results": {first: "reject"}}}
    assert grants(wechat, wei) == {second: 1}
    assert "subscribe_msg_change_event" in [c["what"] for c in wechat.list_callbacks()]
    page.get_by_role("button", name="小程序菜单").click()
    page.get_by_role("button", name="通知设置").click()
    expect(page.get_by_role("button", name=f"拒收{title}")).to_be_disabled()
    page.get_by_role("checkbox", name="接收“八桂科普”的订阅消息").uncheck()
    page.get_by_role("button", name="关闭", exact=True).click()
    ask(page, "subscribe", tmplIds=[second], tapped=True)
    assert answered(page)["refusal"]["errCode"] == 20004
