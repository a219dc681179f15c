"""The pictures of docs/pictures/, taken of the running demo: `python -m tests.e2e.pictures`;
with `console` only those of the organizers' pages.

They show what is there: a demo is started in a folder of its own, people take the contest, and a
browser looks.  Nothing is drawn by hand, and nobody but this machine is asked.
"""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import sys
import tempfile
import threading
from pathlib import Path

import pyotp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.hand import AT_REST, DRESS, Hand, answer, right_options
from tests.e2e.outside import ROOT, Citizen, Demo
from tests.e2e.phone import write
from tests.kit.browser import FLAGS, PATIENCE_MS, PHONE, Watch

OUT = ROOT / "docs" / "pictures"
SHARP = 1.5
GAP, GROUND = 36, (222, 230, 225)
# Name, city, right answers, seconds.
PEOPLE = (
    ("黄大山", "450200", 9, 96), ("莫一", "450300", 9, 131), ("蓝阿婆", "451200", 8, 88),
    ("覃老师", "451000", 8, 154), ("谭师傅", "450500", 7, 119), ("陆小满", "450900", 6, 75),
)  # fmt: skip


def players(demo: Demo, contest: str) -> None:
    """Some people, each with a city and a paper of the given result."""
    keys = right_options()
    for name, city, right, seconds in PEOPLE:
        one = Citizen.born(demo, name)
        one.log_in()
        one.agree()
        changed = one.api("PUT", "/me", {"city": city, "nickname": name, "public_rank": True})
        assert changed.status == 200, changed
        paper = one.api("POST", f"/contests/{contest}/attempts").body
        answers = {
            question["id"]: [
                o["key"] for o in question["options"] if o["text"] in keys[question["stem"]]
            ]
            for question in paper["questions"][:right]
        }
        demo.emu("POST", "clock", {"advance": seconds})
        done = one.api("POST", f"/attempts/{paper['id']}/submission", {"answers": answers})
        assert done.status == 200, done


def opened(browser: Browser, watch: Watch, **window: object) -> BrowserContext:
    """A window on the demo that lets nothing go outside."""
    context = browser.new_context(device_scale_factor=SHARP, locale="zh-CN", **window)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    context.on("request", watch.request)
    return context


def shot(page: Page) -> Image.Image:
    """The window as it is, when nothing moves any more."""
    for frame in page.frames:
        frame.evaluate(AT_REST)
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def saved(picture: Image.Image, name: str) -> None:
    """A small file: the pages have few colours."""
    path = OUT / name
    picture.quantize(224, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path.relative_to(ROOT)} {path.stat().st_size // 1024} KB\n")


def beside(pictures: list[Image.Image]) -> Image.Image:
    """Some screens of one height in a row."""
    wide = sum(one.width + GAP for one in pictures) + GAP
    row = Image.new("RGB", (wide, pictures[0].height + 2 * GAP), GROUND)
    left = GAP
    for one in pictures:
        row.paste(one, (left, GAP))
        left += one.width + GAP
    return row


def pages(hand: Hand) -> None:
    """A citizen's way from the home page to the board, and the same in the elder mode."""
    keys = right_options()
    hand.go("pages/home/index")
    hand.sees("今天还可以答 1 次")
    screens = [shot(hand.page)]
    hand.frame.evaluate(DRESS, True)
    elder = [shot(hand.page)]
    hand.tap("开始答题")
    hand.sees("答题之前")
    hand.tap("开始答题")
    for number in range(1, 11):
        hand.sees(f"第 {number} 题 / 共 10 题")
        answer(hand, keys, right=number not in (2, 7))
        if number == 5:
            hand.sees("已保存")
            screens.append(shot(hand.page))
            hand.frame.evaluate(DRESS, True)
            elder.append(shot(hand.page))
            hand.frame.evaluate(DRESS, False)
        if number < 10:
            hand.tap("下一题")
    hand.demo.emu("POST", "clock", {"advance": 97})
    hand.tap("交卷")
    hand.answers("交卷")
    hand.sees("答得很好")
    screens.append(shot(hand.page))
    hand.tap("看排行榜")
    hand.sees("我是第 ")
    hand.settled()
    screens.append(shot(hand.page))
    hand.frame.evaluate(DRESS, True)
    elder.append(shot(hand.page))
    saved(beside(screens), "mini-program.png")
    saved(beside(elder), "elder.png")


def chat(page: Page, demo: Demo, person: str) -> None:
    """The official account: a follower asks for the contest and for the board."""
    page.goto(f"{demo.emulator}/phone/?person={person}#chat")
    for words, told in (("答题", "你今天的答题机会"), ("排行榜", "全区排行榜")):
        write(page, words)
        expect(page.locator("#lines .line.in .bubble").last).to_contain_text(told)
    page.get_by_role("button", name="换成菜单").click()
    saved(shot(page), "phone.png")


# The console's pages, and what each shows when it has everything.
CONSOLE_PAGES = (
    ("home", "", "等我办理"),
    ("figures", "/figures", "数据总览"),
    ("questions", "/questions", "题库"),
)
SEASON_SECONDS = 120


def await_season(demo: Demo) -> None:
    """Wait until the season is written and counted."""
    waiting = threading.Event()
    for _ in range(SEASON_SECONDS):
        if "leaves it out" in demo.console():
            with sqlite3.connect(f"file:{demo.var / 'kepu.sqlite3'}?mode=ro", uri=True) as database:
                (left,) = database.execute("SELECT count(*) FROM participation_change").fetchone()
                (counted,) = database.execute("SELECT count(*) FROM figure_funnel").fetchone()
            if counted > 100 and left == 0:
                return
        waiting.wait(1)
    raise AssertionError("the demo has no season")


def console(browser: Browser, watch: Watch, demo: Demo) -> None:
    """An approver of the region looks at the season: first page, dashboard, question bank."""
    people = json.loads((demo.var / "demo-organizers.json").read_text("utf-8"))
    one = next(p for p in people if (p["role"], p["scope"]) == ("approver", "region"))
    page = opened(browser, watch, viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"{demo.server}/console/login")
    page.locator("[name=username]").fill(one["username"])
    page.locator("[name=password]").fill(one["password"])
    if "totp_secret" in one:
        page.locator("[name=totp]").fill(pyotp.TOTP(one["totp_secret"]).now())
    page.locator("main form button").first.click()
    for name, path, told in CONSOLE_PAGES:
        page.goto(f"{demo.server}/console{path}")
        expect(page.locator("main")).to_contain_text(told)
        saved(shot(page), f"console-{name}.png")


def take_console_pictures() -> None:
    """The console's pictures, of a demo of their own with a season."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("no chromium on this machine")
    with tempfile.TemporaryDirectory(prefix="kepu-pictures-") as folder:
        demo = Demo(Path(folder) / "var", season="full")
        demo.start()
        try:
            await_season(demo)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                watch = Watch()
                console(browser, watch, demo)
                browser.close()
            assert watch.wrong == [], watch.wrong
        finally:
            demo.stop()


def main() -> None:
    """Start a demo, fill it, take every picture, and leave nothing behind."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("no chromium on this machine")
    with tempfile.TemporaryDirectory(prefix="kepu-pictures-") as folder:
        demo = Demo(Path(folder) / "var")
        demo.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                take(browser, demo)
                browser.close()
        finally:
            demo.stop()


def take(browser: Browser, demo: Demo) -> None:
    """Every picture, of one demo."""
    contest = str(demo.api("GET", "/contests/daily-quiz").body["id"])
    players(demo, contest)
    wei = Citizen.born(demo, "韦小妹")
    demo.emu("POST", "follow", {"person": wei.person, "scene": "contest"})
    wei.log_in()
    wei.agree()
    wei.api("PUT", "/me", {"city": "450100", "nickname": "韦小妹", "public_rank": True})
    watch = Watch()
    phone = opened(browser, watch, viewport=PHONE, has_touch=True, is_mobile=True)
    pages(Hand(phone.new_page(), demo, wei.person, Path()))
    desk = opened(browser, watch, viewport={"width": 600, "height": 900})
    chat(desk.new_page(), demo, wei.person)
    assert watch.wrong == [], watch.wrong


if __name__ == "__main__":
    if "console" not in sys.argv[1:]:
        main()
    take_console_pictures()
