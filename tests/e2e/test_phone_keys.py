"""The chat phone by keyboard and screen reader, Back, texts in groups, and the desk beside it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from server.emulator.apps import MINI
from server.emulator.testing import Emulator
from tests.e2e.audit import (
    ACCESSIBILITY,
    CONTRAST,
    OVERFLOW,
    SHOWS_FOCUS,
    SMALL_TARGETS,
    SMALL_TEXT,
)
from tests.e2e.phone import Watch, browser, bubbles, code, follow, watch, wechat, window
from tests.e2e.program import answered, ask, frame_of, phone_of, stand_in, told
from tests.emulator.conftest import Api, receiver

__all__ = ["browser", "receiver", "watch", "wechat", "window"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
COMPUTER = {"width": 1280, "height": 800}
MOST_TABS = 40


@pytest.fixture
def wei(wechat: Emulator) -> str:
    return str(wechat.create_person("韦小妹")["person"])


@pytest.fixture
def group(wechat: Emulator, wei: str) -> str:
    mo = wechat.create_person("莫一")["person"]
    return str(wechat.post_control("groups", name="三年级家长群", members=[wei, mo])["group"])


def reach(page: Page, role: str, name: str | re.Pattern[str]) -> None:
    """Come to a control with the Tab key, and see that the focus is there."""
    wanted = page.get_by_role(role, name=name, exact=True).last  # type: ignore[arg-type]
    expect(wanted).to_be_visible()
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("(node) => node === document.activeElement"):
            assert page.evaluate(SHOWS_FOCUS), f"the focus on {name} cannot be seen"
            return
    raise AssertionError(f"Tab never reached {name}")


def audit(page: Page, what: str) -> None:
    for flaw in (*ACCESSIBILITY, SMALL_TARGETS, SMALL_TEXT, CONTRAST, OVERFLOW):
        assert page.evaluate(flaw) == [], what


def test_every_view_and_sheet_speaks_and_is_reached(
    window: BrowserContext, wechat: Emulator, wei: str, group: str
) -> None:
    stand_in(window)
    code(wechat, "lecture.7")
    wechat.post_control("say", person=wei, to={"group": group}, content="大家好")
    page = phone_of(window, wechat, wei)
    follow(page)
    for view in ("home", "chat", "notices", "scan", f"talk/{group}", "moments", "app"):
        page.evaluate("(view) => { location.hash = view; }", view)
        expect(page.locator(f"#{view.split('/')[0]}")).to_be_visible()
        audit(page, view)
    sheets: list[tuple[str, dict[str, object]]] = [
        ("avatar", {}),
        ("nickname", {}),
        ("phoneNumber", {}),
        ("privacy", {}),
        ("scan", {}),
        ("subscribe", {"tmplIds": list(wechat.world.templates)[:2], "tapped": True}),
    ]
    for kind, facts in sheets:
        ask(page, kind, **facts)
        expect(page.get_by_role("dialog")).to_be_visible()
        audit(page, kind)
        page.keyboard.press("Escape")
        answered(page)


def test_tabs_tiles_links_and_choices_are_pressed_from_the_keyboard(
    window: BrowserContext, wechat: Emulator, wei: str
) -> None:
    stand_in(window)
    code(wechat, "lecture.7")
    page = phone_of(window, wechat, wei)
    reach(page, "link", "扫一扫")
    page.keyboard.press("Enter")
    reach(page, "button", re.compile("lecture.7"))
    page.keyboard.press("Enter")
    reach(page, "button", "关注公众号")
    page.keyboard.press("Enter")
    expect(bubbles(page)).to_have_count(1)
    openid = wechat.get_control("people")["items"][0]["openid_oa"]
    appid = wechat.apps[MINI].appid
    link = f'<a data-miniprogram-appid="{appid}" data-miniprogram-path="pages/a">去答题</a>'
    menu = {"head_content": "选一个", "list": [{"id": "1", "content": "甲"}], "tail_content": ""}
    for kind, part in (("text", {"content": link}), ("msgmenu", menu)):
        body = {"touser": openid, "msgtype": kind, kind: part}
        assert official(wechat, body) == 0
    reach(page, "button", "甲")
    page.keyboard.press("Enter")
    expect(page.locator("#lines .out .bubble")).to_have_text("甲")
    page.locator("#title").focus()
    reach(page, "button", "去答题")
    page.keyboard.press("Enter")
    assert told(page)[0][1]["path"] == "pages/a"
    reach(page, "button", "小程序菜单")
    page.keyboard.press("Enter")
    reach(page, "button", "通知设置")


def official(wechat: Emulator, body: dict[str, object]) -> int:
    return int(Api(wechat).official("/cgi-bin/message/custom/send", body)["errcode"])


def test_the_avatar_sheet_is_used_from_the_keyboard(
    window: BrowserContext, wechat: Emulator, wei: str
) -> None:
    stand_in(window)
    page = phone_of(window, wechat, wei, "#app")
    ask(page, "avatar")
    for name in ("从相册选择", "拍照"):
        picker = page.get_by_label(name, exact=True)
        for _ in range(MOST_TABS):
            page.keyboard.press("Tab")
            if picker.evaluate("(node) => node === document.activeElement"):
                break
        assert page.evaluate(SHOWS_FOCUS), name
    assert picker.get_attribute("capture") == "user"
    reach(page, "button", "用微信头像")
    page.keyboard.press("Enter")
    said = frame_of(page).evaluate("window.answer.then(({ value }) => value.file.type)")
    assert said == "image/png"


def test_people_write_to_each_other_in_a_group(
    window: BrowserContext, wechat: Emulator, wei: str, group: str
) -> None:
    page = phone_of(window, wechat, wei, f"#talk/{group}")
    mo = next(
        item["person"] for item in wechat.get_control("people")["items"] if item["person"] != wei
    )
    other = phone_of(window, wechat, mo)
    reach(page, "textbox", "群消息")
    page.keyboard.type("今天的题答了吗？ <b>")
    page.keyboard.press("Enter")
    expect(page.locator("#posts .line.out .bubble")).to_have_text("今天的题答了吗？ <b>")
    expect(page.get_by_label("群消息")).to_have_value("")
    bubble = page.locator("#posts .line.out .bubble").bounding_box()
    # One line: the words are not squeezed into a column.
    assert bubble is not None
    assert bubble["height"] < 60
    row = other.get_by_role("link", name=re.compile("三年级家长群"))
    expect(row).to_contain_text("韦小妹：今天的题答了吗？ <b>")
    row.click()
    expect(other.locator("#posts .line.in .bubble")).to_have_text("今天的题答了吗？ <b>")
    other.get_by_label("群消息").fill("答了")
    other.get_by_role("button", name="发送").click()
    expect(page.locator("#posts .line.in .bubble")).to_have_text("答了")
    audit(page, "a group")
    assert wechat.list_callbacks() == []


def test_back_leads_through_what_was_opened_and_ends_at_the_list_of_chats(
    window: BrowserContext, wechat: Emulator, wei: str, group: str
) -> None:
    stand_in(window)
    page = window.new_page()
    page.goto("about:blank")
    page.goto(f"{wechat.base}/phone/?person={wei}#talk/{group}")
    expect(page.locator("#talk")).to_be_visible()
    # A sheet is closed first.
    page.get_by_role("button", name="群成员").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#talk")).to_be_visible()
    # Then comes the list of chats, which lies under every view.
    page.go_back()
    expect(page.get_by_role("heading", name="韦小妹的手机")).to_be_visible()
    # The phone's own key leaves nothing to go back to.
    page.locator("a[href='#chat']").click()
    page.get_by_role("link", name="返回").click()
    expect(page.locator("#home")).to_be_visible()
    page.go_back()
    expect(page).to_have_url("about:blank")


def test_back_goes_through_the_pages_of_the_mini_program_before_it_leaves_it(
    window: BrowserContext, wechat: Emulator, wei: str
) -> None:
    stand_in(window)
    page = phone_of(window, wechat, wei)
    page.get_by_role("link", name="八桂科普 小程序").click()
    frame_of(page).evaluate("window.deep = true")
    page.go_back()
    expect(page.locator("#app")).to_be_visible()
    frame_of(page).wait_for_function("window.told.some(([kind]) => kind === 'back')")
    frame_of(page).evaluate("window.deep = false")
    page.go_back()
    expect(page.locator("#home")).to_be_visible()
    assert [kind for kind, *_ in frame_of_hidden(page)] == ["start", "back", "back", "hide"]


def frame_of_hidden(page: Page) -> list[list[str]]:
    frame = next(frame for frame in page.frames if frame.parent_frame is not None)
    kinds: list[list[str]] = frame.evaluate("window.told")
    return kinds


@pytest.fixture
def desk(window: BrowserContext, wechat: Emulator, wei: str) -> Page:
    stand_in(window)
    page = phone_of(window, wechat, wei)
    expect(page.get_by_role("complementary", name="演示台")).to_be_hidden()
    page.set_viewport_size(COMPUTER)  # type: ignore[arg-type]
    expect(page.get_by_role("complementary", name="演示台")).to_be_visible()
    return page


def test_the_desk_moves_the_time(desk: Page, wechat: Emulator) -> None:
    before = wechat.world.now()
    desk.get_by_role("button", name="过五分钟").click()
    expect(desk.locator("#desk-said")).to_have_text("过了五分钟。")
    assert 300 <= wechat.world.now() - before < 400
    ahead = desk.evaluate("window.shell.clockAhead")
    assert ahead == pytest.approx(300_000, abs=1_000)
    day = str(wechat.get_control("clock")["now"])[:10]
    desk.get_by_role("button", name="到第二天").click()
    expect(desk.locator("#desk-said")).to_have_text("到了第二天早上八点。")
    now = str(wechat.get_control("clock")["now"])
    assert now[:10] > day
    assert now[11:13] == "08"
    expect(desk.locator("#desk-time")).to_contain_text("08:0")
    expect(desk.get_by_role("button", name="隔一天，再答一份 ✓ 已试过")).to_be_visible()


def test_the_desk_is_there_before_a_person_is_chosen_and_its_numbers_stand_at_the_first_line(
    window: BrowserContext, wechat: Emulator, wei: str
) -> None:
    page = window.new_page()
    page.set_viewport_size(COMPUTER)  # type: ignore[arg-type]
    page.goto(f"{wechat.base}/phone/")
    desk = page.get_by_role("complementary", name="演示台")
    before = wechat.world.now()
    desk.get_by_role("button", name="过五分钟").click()
    expect(desk.locator("#desk-said")).to_have_text("过了五分钟。")
    assert wechat.world.now() - before >= 300
    expect(desk.get_by_text("接下来试试")).to_be_hidden()
    page.goto(f"{wechat.base}/phone/?person={wei}")
    expect(desk.get_by_text("接下来试试")).to_be_visible()
    items = desk.locator("li")
    expect(items).to_have_count(6)
    for at in range(6):
        item, step = items.nth(at).bounding_box(), items.nth(at).locator("button").bounding_box()
        assert item is not None
        assert step is not None
        # The number stands before the words and on their first line, also where they wrap.
        assert step["x"] > item["x"] + 8
        assert items.nth(at).evaluate("one => getComputedStyle(one).alignItems") == "baseline"


def test_whoever_moves_the_world_moves_the_clock_of_every_phone(
    desk: Page, wechat: Emulator
) -> None:
    told = desk.locator("#desk-time").inner_text()
    for offset in (86_400, -86_400):
        wechat.post_control("clock", offset_s=offset)
        expect(desk.locator("#desk-time")).not_to_have_text(told)
        told = desk.locator("#desk-time").inner_text()
        ahead = desk.evaluate("window.shell.clockAhead")
        assert ahead == pytest.approx(offset * 1000, abs=1_000)


def test_the_desk_cuts_the_network_of_the_mini_program_and_gives_it_back(
    desk: Page, wechat: Emulator, watch: Watch
) -> None:
    watch.allowed = ("Failed to load resource",)
    desk.get_by_role("link", name="八桂科普 小程序").click()
    frame = frame_of(desk)
    frame.evaluate(
        """() => { window.heard = [];
        for (const name of ["online", "offline"])
          addEventListener(name, () => window.heard.push([name, navigator.onLine])); }"""
    )
    # The mini-program's own requests, as the runtime makes them.
    asks = "() => fetch('/phone/net/nobody.test/x').then((a) => a.status, () => 'broken')"
    assert frame.evaluate(asks) == 403
    desk.get_by_role("button", name="断开网络").click()
    expect(desk.get_by_role("button", name="接通网络")).to_be_visible()
    frame.wait_for_function("window.heard.length === 1")
    assert frame.evaluate(asks) == "broken"
    desk.get_by_role("button", name="接通网络").click()
    frame.wait_for_function("window.heard.length === 2")
    assert frame.evaluate("window.heard") == [["offline", False], ["online", True]]
    assert frame.evaluate(asks) == 403


def test_the_desk_brings_followers_and_shows_what_to_try_next(desk: Page, wechat: Emulator) -> None:
    desk.get_by_role("button", name="来五十位关注者").click()
    expect(desk.locator("#desk-said")).to_contain_text("来了 50 位关注者")
    people = wechat.get_control("people")["items"]
    assert sum(person["subscribed"] for person in people) == 50
    step = desk.get_by_role("listitem").get_by_role("button", name=re.compile("^关注这个公众号"))
    expect(step).not_to_contain_text("已试过")
    step.click()
    desk.locator("#follow").click()
    expect(step).to_contain_text("已试过")
    audit(desk, "the desk")
    box, phone = desk.locator("#desk").bounding_box(), desk.locator(".phone").bounding_box()
    assert box is not None
    assert phone is not None
    assert phone["x"] + phone["width"] <= box["x"]
