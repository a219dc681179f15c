"""An organizer at a computer beside the phones: logged in to the console of a running demo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pyotp
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.outside import Demo
from tests.e2e.phone import Watch
from tests.kit.browser import PATIENCE_MS
from tests.kit.qr import SIZE, read_modules

# The modules of a QR code as it is drawn: the picture's dark box, sampled in the middle of each.
MODULES = """async (picture, size) => {
  await picture.decode();
  const [width, height] = [picture.naturalWidth, picture.naturalHeight];
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const brush = canvas.getContext("2d");
  brush.fillStyle = "#fff";
  brush.fillRect(0, 0, width, height);
  brush.drawImage(picture, 0, 0);
  const pixels = brush.getImageData(0, 0, width, height).data;
  const dark = (x, y) => pixels[4 * (Math.floor(y) * width + Math.floor(x))] < 128;
  let first = 0;
  while (!dark(first, first)) first += 1;
  const step = (width - 2 * first) / size;
  const at = (index) => first + (index + 0.5) * step;
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => (dark(at(column), at(row)) ? "1" : "0")).join(""));
}"""


@contextmanager
def organizer_at(
    browser: Browser, demo: Demo, role: str = "editor", place: str = "region"
) -> Iterator[Page]:
    """The console in a browser of its own, logged in as an organizer of a place."""
    people = json.loads((demo.var / "demo-organizers.json").read_text("utf-8"))
    one = next(p for p in people if (p["role"], p["scope"]) == (role, place))
    watch = Watch()
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    context.on("request", watch.request)
    context.on("page", watch.page)
    page = context.new_page()
    page.goto(f"{demo.server}/console/login")
    page.locator("[name=username]").fill(one["username"])
    page.locator("[name=password]").fill(one["password"])
    if "totp_secret" in one:
        page.locator("[name=totp]").fill(pyotp.TOTP(one["totp_secret"]).now())
    page.locator("main form button").first.click()
    expect(page.locator("main h1")).to_be_visible()
    yield page
    context.close()
    assert watch.wrong == [], watch.wrong


def see_code(picture: Locator) -> str:
    """The text of a QR code on a page, as a camera reads it."""
    expect(picture).to_be_visible()
    return read_modules(picture.evaluate(MODULES, SIZE))


def make_grant_by_hand(page: Page, demo: Demo, ref: str, gate: str) -> str:
    """Make a grant on the console's page, and read its code from the page."""
    page.goto(f"{demo.server}/console/activities/{ref}/grants")
    page.get_by_label("检票口").fill(gate)
    page.get_by_role("button", name="生成授权码").click()
    return see_code(page.get_by_alt_text("检票授权码"))
