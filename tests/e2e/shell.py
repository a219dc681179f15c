"""The phone around the mini-program in a test's hand: people, chats, codes, groups, the capsule."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.e2e.audit import CONTRAST, OVERFLOW, SMALL_TARGETS, SMALL_TEXT
from tests.e2e.hand import AT_REST, Hand, pictures_wanted
from tests.e2e.outside import Demo

# Every picture that is in sight has come.
PICTURES = """() => [...document.images].every((one) => one.complete && one.naturalWidth > 0
  || !one.checkVisibility() || one.getBoundingClientRect().top > innerHeight)"""
FLAWS = (SMALL_TARGETS, SMALL_TEXT, CONTRAST, OVERFLOW)


class Shell:
    """What a person does in WeChat outside of a mini-program, looked at and photographed."""

    def __init__(self, hand: Hand, shots: Path) -> None:
        self.hand, self.page = hand, hand.page
        self._shots = shots
        self._count = 0

    def opens(self, view: str = "home") -> None:
        """Take the phone into the hand at one of its views."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.hand.demo.emulator}/phone/?person={self.hand.person}#{view}")
        expect(self.page.locator("#loading")).to_be_hidden()
        self.shows(view)

    def shows(self, view: str) -> None:
        """This view is the one in front."""
        expect(self.page.locator(f"#{view.split('/')[0]}")).to_be_visible()

    def leaves(self) -> None:
        """Close the mini-program by the capsule; it goes on in the background."""
        self.page.get_by_role("button", name="关闭小程序").tap()
        self.shows("home")

    def goes(self, name: str | re.Pattern[str]) -> None:
        """Tap a row of the list of chats, or a tab."""
        self.page.get_by_role("link", name=name).first.tap()

    @property
    def said(self) -> Locator:
        """What the official account said last."""
        return self.page.locator("#lines .line.in .bubble").last

    def taps(self, name: str) -> None:
        """Tap a button of the phone."""
        self.page.get_by_role("button", name=name, exact=True).last.tap()

    def writes(self, words: str) -> None:
        """Write to the official account and wait for what it says to that."""
        before = self.page.locator("#lines .line.in").count()
        if self.page.get_by_role("button", name="换成打字").is_visible():
            self.taps("换成打字")
        self.page.get_by_label("消息", exact=True).fill(words)
        self.taps("发送")
        expect(self.page.locator("#lines .line.in")).to_have_count(before + 1)

    def menu(self, top: str, entry: str | None = None) -> None:
        """Tap an entry of the account's menu."""
        bar = self.page.get_by_role("list", name="公众号菜单")
        bar.get_by_role("button", name=top, exact=True).tap()
        if entry is not None:
            self.page.get_by_role("button", name=entry, exact=True).tap()

    def arrives(self, path: str, scene: int) -> None:
        """The mini-program was opened at this page, by this kind of door."""
        expect(self.hand.here).to_be_visible()
        self.hand.settled()
        assert self.page.evaluate("[window.shell.start.path, window.shell.start.scene]") == [
            path,
            scene,
        ]

    def looks(self, name: str) -> None:
        """The view in front is large, legible and whole; its picture is kept if wanted."""
        self._count += 1
        self.page.wait_for_function(PICTURES)
        self.page.evaluate(AT_REST)
        found = [line for flaw in FLAWS for line in self.page.evaluate(flaw)]
        if found or pictures_wanted():
            self.page.screenshot(path=self._shots / f"wechat-{self._count:02d}-{name}.png")
        assert found == [], f"{name}: {found}"


def code_of(demo: Demo, scene: str) -> str:
    """The picture's ticket of a scene's code, made by the operator's command."""
    made = demo.command("scene-code", scene)
    assert made.returncode == 0, made.stderr
    calls = demo.emu("GET", "calls?path=/cgi-bin/qrcode/create").body["items"]
    assert any(f'"{scene}"' in str(call["request"]).replace("'", '"') for call in calls), calls
    (ticket,) = [
        code["ticket"] for code in demo.emu("GET", "codes").body["items"] if code["scene"] == scene
    ]
    return str(ticket)
