"""A Chromium under watch, an emulated WeChat with an account that answers, and a few gestures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import (
    BrowserContext,
    Locator,
    Page,
    expect,
)

from server.emulator.apps import OFFICIAL
from server.emulator.testing import Emulator, emulated_wechat
from tests.emulator.conftest import Api, Push, Receiver
from tests.emulator.kit import opened, text_reply
from tests.kit.browser import PHONE as PHONE
from tests.kit.browser import Watch as Watch
from tests.kit.browser import browser as browser
from tests.kit.browser import watch as watch
from tests.kit.browser import window as window

WELCOME = "欢迎关注八桂科普"
HELP = '可以回复：答题、排行榜\n<a href="https://example.org/rules?a=1&b=2">竞赛规则</a>'
BOARD, POSTER = "全区排行榜\n1. 韦** 98分", "您扫的是竞赛海报"
MENU = [
    {"type": "click", "name": "每日答题", "key": "QUIZ"},
    {
        "name": "我的竞赛",
        "sub_button": [
            {"type": "click", "name": "排行榜", "key": "BOARD"},
            {"type": "click", "name": "我的战绩", "key": "MINE"},
        ],
    },
]


@pytest.fixture
def wechat(receiver: Receiver, window: BrowserContext) -> Iterator[Emulator]:
    with emulated_wechat(server=receiver.url, pause=lambda _seconds: None) as emulator:
        emulator.post_control("apps", official_account={"mode": "plain"})
        receiver.answer = account(emulator)
        Api(emulator).official("/cgi-bin/menu/create", {"button": MENU})
        yield emulator
        # A page that still asks while its world ends would write an error.
        for page in window.pages:
            page.close()


def account(emulator: Emulator) -> Callable[[Push], tuple[int, bytes]]:
    """An official account that answers in plain mode."""

    def answer(push: Push) -> tuple[int, bytes]:
        if push.path != "/wechat/official/callback":
            return 200, b"success"
        app = emulator.apps[OFFICIAL]
        asked = opened(app, push)
        event, words = asked.get("Event"), asked.get("Content", "")
        if event == "unsubscribe":
            return 200, b"success"
        said = {"subscribe": WELCOME, "CLICK": BOARD, "SCAN": POSTER}.get(event)
        reply = said or (HELP if words == "帮助" else f"没有听懂：{words}")
        return 200, text_reply(app, push, reply).encode()

    return answer


def code(wechat: Emulator, scene: str) -> None:
    scene_of = {"scene": {"scene_str": scene}}
    asked = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": scene_of}
    assert "ticket" in Api(wechat).official("/cgi-bin/qrcode/create", asked)


def born(window: BrowserContext, wechat: Emulator, name: str) -> Page:
    page = window.new_page()
    page.goto(f"{wechat.base}/phone/")
    page.get_by_label("新建人物").fill(name)
    page.get_by_role("button", name="新建").click()
    expect(page.get_by_role("heading", name=f"{name}的手机")).to_be_visible()
    return page


def follow(page: Page) -> None:
    page.locator("a[href='#chat']").click()
    page.get_by_role("button", name="关注公众号").click()
    expect(bubbles(page).last).to_have_text(WELCOME)


def bubbles(page: Page) -> Locator:
    return page.locator("#lines .bubble")


def write(page: Page, words: str) -> None:
    expect(page.locator("#foot")).to_be_visible()
    if page.get_by_role("button", name="换成打字").is_visible():
        page.get_by_role("button", name="换成打字").click()
    page.get_by_label("消息", exact=True).fill(words)
    page.keyboard.press("Enter")
