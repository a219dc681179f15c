"""The console in Chromium: a served site, and a check of a page on a wide and a narrow screen.

`check_pages` opens pages at 1280 and 360 px and reports what axe finds serious, breaches of the
content policy, elements outside of the window, and controls too small for a finger.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import product

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import make_server

from server.base.uow import UnitOfWorkFactory
from server.base.web.page import Pages
from server.console.assets import missing_libraries
from server.console.form_session import SESSION_COOKIE
from tests.kit.browser import PATIENCE_MS
from tests.kit.console import console_app
from tests.kit.paths import ROOT

NARROW, WIDE = (360, 640), (1280, 800)
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(
  `${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
window.settled = 0;
document.addEventListener("htmx:afterSettle", () => { settled += 1; });
"""
# Elements outside of the window (except in a box that scrolls), and controls that are too small.
FAULTS = """(least) => [...document.querySelectorAll("body *")].flatMap((one) => {
  const box = one.getBoundingClientRect();
  if (one.matches(".skip:not(:focus)") || box.width === 0 || box.height === 0) return [];
  const name = one.outerHTML.slice(0, 80);
  const scrolls = one.closest(".scroll") && !one.matches(".scroll");
  const out = !scrolls && (box.right > innerWidth + 1 || box.left < -1);
  const faults = out ? [`sticks out: ${name}`] : [];
  const control = "nav.side a, .tabs a, button, select, summary, "
    + "input:not([type=hidden]):not([type=checkbox]):not([type=radio])";
  if (one.matches(control) && box.height < least) faults.push(`small: ${name}`);
  if (parseFloat(getComputedStyle(one).fontSize) < 14) faults.push(`tiny: ${name}`);
  return faults;
})"""
SERIOUS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`)"""
# A mouse hits smaller controls than a finger.
LEAST_HEIGHT = {NARROW: 44, WIDE: 32}


@cache
def built_libraries() -> None:
    """Build server/console/static once, where `make` did not."""
    if missing_libraries():
        subprocess.run(["node", "server/console/build.mjs"], cwd=ROOT, check=True)


@dataclass(frozen=True)
class Site:
    """A console served on a port of this machine."""

    base: str
    uow_factory: UnitOfWorkFactory

    def address(self, path: str) -> str:
        return f"{self.base}/console{path}"


@contextmanager
def served(app: Flask, uow_factory: UnitOfWorkFactory) -> Iterator[Site]:
    """Serve any app with the console until the block ends."""
    app.config["SESSION_COOKIE_SECURE"] = False
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_port}", uow_factory)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def served_console(uow_factory: UnitOfWorkFactory, *tables: Pages) -> Iterator[Site]:
    """Serve the frame with some tables of pages; sign in by a key of PEOPLE."""
    built_libraries()
    app, _ = console_app(uow_factory, *tables)
    with served(app, uow_factory) as site:
        yield site


@contextmanager
def a_context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser session without cookies, which notes breaches of the content policy."""
    made = browser.new_context(locale="zh-CN", reduced_motion="reduce", accept_downloads=True)
    made.set_default_timeout(PATIENCE_MS)
    made.add_init_script(WATCH)
    try:
        yield made
    finally:
        made.close()


def open_page(
    context: BrowserContext,
    site: Site,
    who: str | None,
    path: str,
    size: tuple[int, int] = WIDE,
) -> Page:
    """Open a path below /console in a new tab, signed in as `who`."""
    page = context.new_page()
    load_page(page, site, who, path, size)
    return page


def load_page(
    page: Page, site: Site, who: str | None, path: str, size: tuple[int, int] = WIDE
) -> None:
    """Load a path below /console, signed in as `who`, into a tab that is open already.

    A test of many pages keeps one tab: each new one costs Chromium another process.
    """
    if who is not None:
        cookie = {"name": SESSION_COOKIE, "value": who, "url": site.address("")}
        page.context.add_cookies([cookie])  # type: ignore[list-item]  # a plain dict is taken
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(site.address(path))


@contextmanager
def part_replaced(page: Page) -> Iterator[None]:
    """Wait after the block until htmx has replaced a part of the page and made its links live.

    The new part is shown some milliseconds before htmx listens to it: a link that is pressed in
    between loads a whole page. A state that the old part has too is no sign of the new one.
    """
    before = page.evaluate("settled")
    yield
    page.wait_for_function("(before) => settled > before", arg=before)


def resize_page(page: Page, size: tuple[int, int]) -> None:
    """Change the window, and wait for the frame in which the page hears of it: charts follow."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.evaluate(
        "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
    )


# A button opens a dialog by its id, and a label names its field.
REPEATED_IDS = """() => [...document.querySelectorAll("[id]")].map((one) => one.id)
  .filter((id, at, all) => all.indexOf(id) !== at)"""


def inspect(page: Page) -> list[str]:
    """The faults of the page as it is shown now."""
    size = page.viewport_size or {"width": WIDE[0], "height": WIDE[1]}
    least = LEAST_HEIGHT[NARROW if size["width"] == NARROW[0] else WIDE]
    found = list(page.evaluate(FAULTS, least))
    if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
        found.append("the page scrolls sideways")
    found += [f"two elements have the id {one}" for one in page.evaluate(REPEATED_IDS)]
    found += [f"content policy: {one}" for one in page.evaluate("violations")]
    if page.locator("h1").count() != 1:
        found.append("not exactly one h1")
    if page.evaluate("window.axe === undefined"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found += [f"axe: {one}" for one in page.evaluate(SERIOUS)]
    return found


def check_pages(context: BrowserContext, site: Site, who: str | None, *paths: str) -> list[str]:
    """The faults of these pages on a wide and a narrow screen."""
    found = []
    page = context.new_page()
    for path, size in product(paths, (WIDE, NARROW)):
        load_page(page, site, who, path, size)
        found += [f"{path} at {size[0]}: {fault}" for fault in inspect(page)]
    page.close()
    return found
