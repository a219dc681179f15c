"""`"style": "v2"` in a browser: WeChat's newer looks of the built-in elements."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from server.emulator.testing import Emulator, emulated_wechat
from tests.kit.browser import PHONE, browser
from tests.kit.node import ROOT, node_path

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
BUILD = "server/emulator/phone/build.mjs"


@pytest.fixture(scope="module")
def wechat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    app = tmp_path_factory.mktemp("newer") / "app"
    shutil.copytree(ROOT / "tests/phone/program", app)
    settings = json.loads((app / "app.json").read_text(encoding="utf-8"))
    (app / "app.json").write_text(json.dumps({**settings, "style": "v2"}), encoding="utf-8")
    out = tmp_path_factory.mktemp("phone")
    command = [node_path(), BUILD, "--app", str(app), "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    with emulated_wechat(bundle=out) as emulator:
        yield emulator


@pytest.fixture
def page(browser: Browser, wechat: Emulator) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{wechat.base}/phone/app/?person=nobody&path=r/index")
    yield page
    context.close()


def test_a_text_shows_words_and_texts_and_nothing_else(page: Page) -> None:
    script = """(frame) => {
      const text = frame.appendChild(document.createElement("wx-text"));
      text.innerHTML = "一<wx-text>二</wx-text><wx-view>三</wx-view><wx-image>四</wx-image>";
      return text.innerText;
    }"""
    assert page.locator(".wx-frame:visible wx-page").evaluate(script) == "一二"


def test_newer_looks_shrink_every_block_button_also_those_of_tdesign(page: Page) -> None:
    buttons = page.locator(".wx-frame:visible wx-button")
    assert buttons.count() > 1
    widths = {box["width"] for one in buttons.all() if (box := one.bounding_box())}
    assert widths == {184}


def test_newer_looks_outrank_one_class_and_not_two(page: Page) -> None:
    button = page.locator(".wx-frame:visible wx-button").first
    script = """(button, rule) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(rule);
      document.adoptedStyleSheets = [sheet];
      button.classList.add("wide", "own");
      return button.getBoundingClientRect().width;
    }"""
    assert button.evaluate(script, ".wide { transition: none; width: 300px }") == 184
    assert button.evaluate(script, ".wide.own { transition: none; width: 300px }") == 300
