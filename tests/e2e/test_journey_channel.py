"""From a channel's code to its reach: an organizer's pack, a poster, a citizen, a sign-up."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.gate import import_lectures, lecture_row
from tests.e2e.hand import Hand, hand_of
from tests.e2e.organizer import organizer_at
from tests.e2e.outside import Citizen, Demo, ask, eventually
from tests.e2e.phone import browser
from tests.e2e.shell import Shell
from tests.kit.qr_codes import read_code

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHARES_DEMO = True
REF, TITLE = "pack-lecture", "大明山的昆虫"
DETAIL, FROM_CODE = "packages/lectures/detail/index", 1047


def test_who_comes_by_a_poster_is_counted_for_it(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    import_lectures(demo, [lecture_row(REF, TITLE, 3 * 24 * 60)])
    ann = Citizen.born(demo, "韦海报")
    ann.log_in()
    ann.agree()
    with organizer_at(browser, demo) as editor:
        code = name_channel(editor, demo, "图书馆海报")
        read_pack(editor, demo, code, tmp_path)
        open_web_page(demo, code)
        with hand_of(browser, demo, ann.person, tmp_path) as hand:
            scan_poster(hand, tmp_path, code)
        signed = ann.api("POST", f"/activities/{REF}/signup", {})
        assert signed.status == 201
        eventually(
            lambda: reach_of(editor, demo) == ["1", "1", "1", "1"], "the reach of the poster"
        )


def name_channel(editor: Page, demo: Demo, name: str) -> str:
    """Make a channel from the page of the activity; its code, once WeChat has drawn it."""
    editor.goto(f"{demo.server}/console/activities/{REF}")
    editor.get_by_role("link", name="发布包").click()
    editor.get_by_label("渠道名称").fill(name)
    editor.get_by_role("button", name="新建渠道").click()
    expect(editor.get_by_role("heading", name=name)).to_be_visible()
    link = editor.get_by_label("链接", exact=True).input_value()
    code = link.rsplit("/", 1)[1]
    picture = f"{demo.server}/api/v1/codes/{code}/mini.jpg"
    eventually(lambda: ask("GET", picture).status == 200, "the mini-program code")
    return code


def read_pack(editor: Page, demo: Demo, code: str, folder: Path) -> None:
    editor.reload()
    expect(editor.locator("ul.codes img")).to_have_count(2)
    with editor.expect_download() as begun:
        editor.get_by_role("link", name="下载发布包").click()
    file = begun.value.path()
    assert begun.value.suggested_filename == f"发布包 {TITLE}.zip"
    with zipfile.ZipFile(file) as pack:
        link = pack.read("01 图书馆海报/链接.txt").decode("utf-8-sig").strip()
        picture = Image.open(io.BytesIO(pack.read("01 图书馆海报/网页二维码.png")))
        assert any(name.startswith("01 图书馆海报/小程序码") for name in pack.namelist())
    assert read_code(picture, folder) == link
    assert link.endswith(f"/p/{code}")


def open_web_page(demo: Demo, code: str) -> None:
    page = ask("GET", f"{demo.server}/p/{code}")
    assert page.status == 200
    assert TITLE in page.body
    assert f"/api/v1/codes/{code}/mini.jpg" in page.body


def scan_poster(hand: Hand, shots: Path, code: str) -> None:
    """Scan the mini-program code; the page of the activity opens."""
    shell = Shell(hand, shots)
    shell.opens("scan")
    shell.page.get_by_role("button", name=code).tap()
    expect(hand.here).to_be_visible()
    hand.sees(TITLE)
    assert shell.page.evaluate("window.shell.start.scene") == FROM_CODE


def reach_of(editor: Page, demo: Demo) -> list[str]:
    """The figures of the channel: opened, visits, people, sign-ups."""
    editor.goto(f"{demo.server}/console/packs/activity/{REF}")
    return editor.locator("#reach ~ .scroll tbody td.number").all_inner_texts()
