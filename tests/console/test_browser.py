"""The console in a browser: on a narrow and a wide screen, by keyboard, under its own policy."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import select
from werkzeug.serving import make_server

from server.base.uow import UnitOfWorkFactory
from server.channel.models import KeywordRule, RuleState
from server.console.assets import FOLDER
from server.console.form_session import SESSION_COOKIE
from tests.e2e.phone import browser
from tests.kit.console import NANNING, console_app
from tests.kit.console_rules import PAGES, make_rule

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
NARROW, WIDE = (360, 640), (1280, 800)
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective));
"""
# Elements that stick out of the window, and links and buttons too small for a finger.
FAULTS = """() => [...document.querySelectorAll("body *")].flatMap((one) => {
  const box = one.getBoundingClientRect();
  if (one.matches(".skip:not(:focus)") || box.width === 0) return [];
  const name = one.outerHTML.slice(0, 60);
  const faults = box.right > innerWidth + 1 || box.left < -1 ? [`sticks out: ${name}`] : [];
  if (one.matches("nav a, button, input:not([type=hidden])") && box.height < 44)
    faults.push(`small: ${name}`);
  if (parseFloat(getComputedStyle(one).fontSize) < 16) faults.push(`tiny: ${name}`);
  return faults;
})"""
# The lowest contrast of text with the ground it stands on (WCAG: at least 4.5).
CONTRAST = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color[3] !== 0) return color;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll("main *, header *, nav *")].filter((one) =>
    [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return Math.min(...texts.map((one) => {
    const pair = [light(parse(getComputedStyle(one).color)), light(ground(one))].sort();
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  }));
}"""


@dataclass(frozen=True)
class Site:
    base: str
    uow_factory: UnitOfWorkFactory


@pytest.fixture
def site(uow_factory: UnitOfWorkFactory) -> Iterator[Site]:
    with uow_factory.begin() as uow:
        make_rule(uow, NANNING, RuleState.ON)
    app, _ = console_app(uow_factory, PAGES)
    app.config["SESSION_COOKIE_SECURE"] = False
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_port}", uow_factory)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(locale="zh-CN", reduced_motion="reduce")
    made.set_default_timeout(10_000)
    made.add_init_script(VIOLATIONS)
    yield made
    made.close()


def opened(
    context: BrowserContext, site: Site, who: str | None, path: str, size: tuple[int, int] = WIDE
) -> Page:
    if who is not None:
        context.add_cookies([{"name": SESSION_COOKIE, "value": who, "url": f"{site.base}/console"}])
    page = context.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{site.base}/console{path}")
    return page


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize(
    ("who", "path"),
    [(None, ""), ("editor-county", ""), ("auditor-region", ""), ("editor-city", "/nothing"),
     ("editor-city", "/rules"), ("editor-city", "/rules/rule-city-450100-on/edit")],
)  # fmt: skip
def test_every_page_fits_the_window_and_can_be_read_and_hit(
    context: BrowserContext, site: Site, who: str | None, path: str, size: tuple[int, int]
) -> None:
    page = opened(context, site, who, path, size)
    assert page.evaluate(FAULTS) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate(CONTRAST) >= 4.5
    assert page.evaluate("violations") == []
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "zh-CN"


def test_what_breaks_the_rules_of_the_page_is_seen(context: BrowserContext, site: Site) -> None:
    page = opened(context, site, "editor-county", "", NARROW)
    page.evaluate("""() => {
      document.querySelector("h1").setAttribute("style", "width: 500px");
      document.querySelector(".remark").innerHTML = '<i style="color: red">x</i>';
    }""")
    page.wait_for_function("violations.length > 0")
    page.locator("main").evaluate("(main) => { main.style.width = '700px'; }")
    page.locator("nav a").first.evaluate("""(a) => {
      a.style.minHeight = '0'; a.style.padding = '0'; a.style.color = '#ccc';
      a.style.fontSize = '10px';
    }""")
    faults = page.evaluate(FAULTS)
    assert {fault.split(":")[0] for fault in faults} == {"sticks out", "small", "tiny"}
    assert page.evaluate(CONTRAST) < 4.5


def test_the_first_page_tells_name_role_place_and_powers(
    context: BrowserContext, site: Site
) -> None:
    page = opened(context, site, "editor-county", "")
    assert page.locator("dt").all_inner_texts() == ["姓名", "角色", "管理范围"]
    texts = page.locator("dd").all_inner_texts()
    assert [text.split("\n")[0] for text in texts] == ["韦editorcounty", "编辑员", "南宁市青秀区"]
    assert "编写和修改题目" in page.locator(".powers").all_inner_texts()[1]


def test_everything_is_reached_by_keyboard(context: BrowserContext, site: Site) -> None:
    page = opened(context, site, "editor-city", "/rules/rule-city-450100-on/edit")
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    box = skip.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    for name in ("首页", "公众号的自动回复"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == name
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("由键盘写的")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/rules")
    with site.uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(KeywordRule.text)) == "由键盘写的"


def test_the_skip_link_leads_to_the_text(context: BrowserContext, site: Site) -> None:
    page = opened(context, site, "editor-city", "")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_visitor_is_told_of_the_invitation_and_finds_no_link(
    context: BrowserContext, site: Site
) -> None:
    page = opened(context, site, None, "")
    assert "邀请" in page.locator("main").inner_text()
    assert page.locator("a:not(.skip)").count() == 0


# Not known to Chrome 86 or Firefox 78, the oldest browsers of the offices.
TOO_NEW = re.compile(
    r":has\(|:is\(|:where\(|color-mix|oklch|light-dark|@layer|@container|aspect-ratio|accent-color"
    r"|\binset\b|\bdvh\b|&\s*[.:{]"
)


def sheets() -> list[Path]:
    return sorted(FOLDER.glob("*.css"))


def test_the_style_sheet_uses_nothing_newer_than_the_oldest_browser() -> None:
    assert sheets() != []
    assert [p.name for p in sheets() if TOO_NEW.search(p.read_text(encoding="utf-8"))] == []
    assert TOO_NEW.search("a:has(b) { inset: 0 }")
