"""What only a real browser shows of the phone: layout, scrolling, fingers, pictures, speed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from server.emulator.testing import Emulator, emulated_wechat
from tests.kit.browser import PHONE, Watch, browser
from tests.kit.node import ROOT, node_path

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
# Third parties' components name events and attributes that the framework wonders at, and it does
# not like a list that is a number, which WeChat allows.
HARMLESS = ("is not a valid event binding", "is not a valid property", "Use number as for-list")
BUILD = "server/emulator/phone/build.mjs"


@pytest.fixture(scope="module")
def wechat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    out = tmp_path_factory.mktemp("phone")
    subprocess.run(
        [node_path(), BUILD, "--app", "tests/phone/program", "--out", str(out)],
        cwd=ROOT,
        check=True,
        timeout=120,
    )
    with emulated_wechat(bundle=out) as emulator:
        yield emulator


@pytest.fixture
def page(browser: Browser, wechat: Emulator) -> Iterator[Page]:
    watch = Watch(allowed=HARMLESS)
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, locale="zh-CN")
    context.on("request", watch.request)
    page = context.new_page()
    watch.page(page)
    page.goto(f"{wechat.base}/phone/app/?person=nobody")
    yield page
    assert page.evaluate("[window.__missing, window.__errors]") == [[], []]
    assert watch.wrong == []
    context.close()


def here(page: Page) -> Locator:
    return page.locator(".wx-frame:visible")


def go(page: Page, path: str) -> None:
    page.evaluate("(url) => new Promise((yes) => wx.navigateTo({ url, success: yes }))", path)


def box(page: Page, selector: str) -> dict[str, float]:
    found = here(page).locator(selector).bounding_box()
    assert found is not None
    return dict(found)


def style(page: Page, selector: str, name: str) -> str:
    script = "(element, name) => getComputedStyle(element)[name]"
    return str(here(page).locator(selector).evaluate(script, name))


def test_lengths_follow_the_phone_and_sheets_keep_to_their_page(page: Page) -> None:
    half = box(page, "#half")
    stage = page.locator("#wx-stage").bounding_box()
    assert stage is not None
    assert half["width"] == pytest.approx(195)
    assert half["height"] == pytest.approx(stage["height"] / 2)
    assert style(page, "#shared", "fontSize") == "20.8px"
    assert style(page, "#shared", "paddingLeft") == "39px"
    assert style(page, "#own wx-view", "width") == "30px"
    assert style(page, "#own", "padding") == "7px"
    go(page, "/q/index")
    page.evaluate("wx.navigateBack()")
    expect(here(page).locator("#tap")).to_be_visible()
    assert style(page, "#tap", "color") == "rgb(4, 5, 6)"
    assert box(page, "#half")["width"] == pytest.approx(195)


def test_a_picture_of_the_app_keeps_its_shape(page: Page) -> None:
    expect(here(page).locator("#tap")).to_have_text("按 1/0")
    wide = box(page, "#wide")
    assert (wide["width"], wide["height"]) == (pytest.approx(156), pytest.approx(78))


def test_what_is_fixed_stays_and_a_page_comes_back_where_it_was(page: Page) -> None:
    before = box(page, "#bar")
    page.evaluate("wx.pageScrollTo({ scrollTop: 700, duration: 0 })")
    assert box(page, "#bar") == before
    assert before["y"] + before["height"] == pytest.approx(PHONE["height"])
    go(page, "/q/index")
    page.locator("#wx-back").tap()
    expect(here(page).locator("#half")).to_be_attached()
    assert here(page).locator("wx-page").evaluate("(page) => page.scrollTop") == 700


def test_who_came_straight_to_an_inner_page_has_a_way_home(page: Page, wechat: Emulator) -> None:
    home = page.get_by_role("button", name="返回首页")
    expect(home).to_be_hidden()
    inner = f"{wechat.base}/phone/app/?person=nobody&path=q/index"
    page.goto(inner)
    expect(home).to_be_visible()
    go(page, "/r/index")
    expect(home).to_be_hidden()
    page.locator("#wx-back").tap()
    page.evaluate("wx.hideHomeButton()")
    expect(home).to_be_hidden()
    page.goto(inner)
    home.tap()
    expect(here(page).locator("#tap")).to_be_visible()
    expect(home).to_be_hidden()
    page.goto(f"{inner}&scene=1154")
    expect(here(page).locator("wx-page")).to_be_visible()
    expect(home).to_be_hidden()


def test_a_finger_and_a_mouse_both_tap_and_touch(page: Page) -> None:
    button = here(page).locator("#tap")
    expect(button).to_have_text("按 1/0")
    button.tap()
    expect(button).to_have_text("按 2/11")
    button.click()
    expect(button).to_have_text("按 3/22")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_text("按 4/22")


def test_an_observer_sees_what_comes_into_view(page: Page) -> None:
    far = here(page).locator("#far")
    expect(far).to_have_text("远 0")
    far.scroll_into_view_if_needed()
    expect(far).to_have_text("远 1")


def test_a_canvas_becomes_a_picture_in_the_album(page: Page) -> None:
    done = page.evaluate_handle("(window.painted = getCurrentPages()[0].paint(), null)")
    assert done is not None
    page.get_by_role("button", name="允许").tap()
    script = """async () => {
      await window.painted;
      const [blob] = window.__album;
      const picture = await createImageBitmap(blob);
      const pen = new OffscreenCanvas(1, 1).getContext("2d");
      pen.drawImage(picture, 0, 0);
      return [picture.width, picture.height, ...pen.getImageData(0, 0, 1, 1).data];
    }"""
    assert page.evaluate(script) == [200, 100, 255, 0, 0, 255]


def test_swiper_lists_wheels_choices_and_fields_answer_a_finger(page: Page) -> None:
    go(page, "/q/index")
    said = here(page).locator("#said")
    reel = box(page, "#reel")
    left, right, middle = reel["x"] + 40, reel["x"] + 300, reel["y"] + 50
    page.mouse.move(right, middle)
    page.mouse.down()
    page.mouse.move(left, middle, steps=4)
    page.mouse.up()
    expect(said).to_have_text("1 0 2 -")
    here(page).locator("#list").evaluate("(list) => { list.scrollTop = 1000 }")
    expect(said).to_have_text("1 1 2 -")
    wheel = here(page).locator("wx-picker-view-column")
    assert wheel.evaluate("(column) => column.scrollTop") == 80
    row, all_rows = box(page, "text=轮2"), box(page, ".wheel")
    assert row["y"] == pytest.approx(all_rows["y"] + 40)
    wheel.evaluate("(column) => { column.scrollTop = 160 }")
    expect(said).to_have_text("1 1 4 -")
    here(page).get_by_text("甲").tap()
    here(page).get_by_label("姓名").fill("韦小妹")
    expect(said).to_have_text("1 1 4 a 韦小妹")


def test_tdesign_and_vant_work_and_fetch_nothing(page: Page, tmp_path: Path) -> None:
    go(page, "/r/index")
    here(page).get_by_text("TDesign 0").tap()
    here(page).get_by_text("Vant 1").tap()
    expect(here(page).get_by_text("TDesign 2")).to_be_visible()
    assert page.locator("#wx-title").evaluate("(e) => getComputedStyle(e).visibility") == "hidden"
    first = box(page, "wx-button >> nth=0")
    assert first["width"] > 300
    page.screenshot(path=tmp_path / "third-party.png")


def test_the_phone_tells_when_it_was_ready(page: Page) -> None:
    # How soon is the bench's to say; a whole number of ms comes as an int.
    ready: Any = page.evaluate("window.__ready")
    assert 0 < ready <= page.evaluate("performance.now()")
