"""The entrance in Chromium: the host admits and undoes, the wall counts and survives a restart."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from werkzeug.serving import BaseWSGIServer, make_server

from server.app import Overrides, create_app
from server.base.settings import Settings
from server.checkin import screens
from server.checkin.codes import VENUE_SECONDS, read_venue_code
from server.signups.models import SignUp
from tests.kit.browser import browser
from tests.kit.checkin_probes import admit_row, open_hall
from tests.kit.clock import FakeClock
from tests.kit.console import NANNING, PEOPLE, resolve_test_session
from tests.kit.console_browser import (
    NARROW,
    WIDE,
    Site,
    a_context,
    built_libraries,
    inspect,
    open_page,
    resize_page,
)
from tests.kit.qr_codes import read_code
from tests.kit.signup_probes import seat_guest

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
# The screen follows the hall within this time (row C12).
FOLLOWS_MS = 3000
# The notice comes after five seconds without an answer.
NOTICES_MS = 20_000


@pytest.fixture
def whole(settings: Settings, overrides: Overrides) -> Iterator[Flask]:
    built_libraries()
    made = create_app(settings, replace(overrides, signed_in=resolve_test_session))
    made.config["SESSION_COOKIE_SECURE"] = False
    yield made
    made.extensions["kepu"].uow_factory.engine.dispose()


@contextmanager
def serve_on(app: Flask, port: int = 0) -> Iterator[BaseWSGIServer]:
    """Serve the app until the block ends, on a given port or on any."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def site_of(app: Flask, server: BaseWSGIServer) -> Site:
    return Site(f"http://127.0.0.1:{server.server_port}", app.extensions["kepu"].uow_factory)


def jump_ahead(page: Page, milliseconds: int) -> None:
    """Put a page's clock ahead and stop it: only what is due until then is done."""
    now = page.evaluate("Date.now()")
    page.clock.pause_at(datetime.fromtimestamp((now + milliseconds) / 1000, UTC))


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with a_context(browser) as made:
        yield made


def test_the_host_finds_somebody_admits_and_takes_it_back(
    context: BrowserContext, whole: Flask
) -> None:
    uow_factory = whole.extensions["kepu"].uow_factory
    with uow_factory.begin() as uow:
        lecture = open_hall(uow, NANNING, title="溶洞是怎样形成的")
        seat_guest(uow, lecture, "韦明", party_size=2)
    with serve_on(whole) as server:
        site = site_of(whole, server)
        page = open_page(context, site, "editor-city", f"/activities/{lecture.ref}")
        page.get_by_role("link", name="现场签到").click()
        expect(page.locator(".tile", has_text="已到").locator(".value")).to_have_text("0")
        faults = inspect(page)
        page.get_by_label("手机号码后四位或姓名").fill("8000")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="韦**").click()
        page.get_by_role("button", name="补签").click()
        expect(page.get_by_role("status")).to_have_text("已经补签。")
        faults += inspect(page)
        page.get_by_role("link", name="回到现场签到").click()
        expect(page.locator(".tile", has_text="已到").locator(".value")).to_have_text("2")
        page.go_back()
        page.get_by_role("link", name="撤销签到").click()
        page.get_by_label("撤销原因").fill("点错了人")
        page.get_by_role("button", name="撤销签到").click()
        expect(page.get_by_text("原因：点错了人")).to_be_visible()
        resize_page(page, NARROW)
        faults += inspect(page)
        page.goto(site.address(f"/activities/{lecture.ref}/checkin"))
        expect(page.locator(".tile", has_text="已到").locator(".value")).to_have_text("0")
    assert faults == []


def test_the_wall_follows_code_and_count_and_survives_a_restart(
    context: BrowserContext, whole: Flask, clock: FakeClock, tmp_path: Path
) -> None:
    uow_factory = whole.extensions["kepu"].uow_factory
    with uow_factory.begin() as uow:
        lecture = open_hall(uow, NANNING, title="溶洞是怎样形成的", speaker="覃教授")
        row_id = seat_guest(uow, lecture, "韦明", party_size=2).id
    with serve_on(whole) as server:
        port, site = server.server_port, site_of(whole, server)
        context.clock.install()
        page = open_page(context, site, "editor-city", f"/activities/{lecture.ref}/screen")
        page.get_by_role("button", name="生成地址").click()
        with context.expect_page() as opened:
            page.get_by_role("link", name="打开投影页").click()
        wall = opened.value
        code, count = wall.get_by_alt_text("签到二维码"), wall.locator("[data-admitted]")
        expect(code).to_be_visible()
        expect(count).to_have_text("0")
        first = code.get_attribute("src")
        with Image.open(io.BytesIO(wall.screenshot())) as shot:
            venue = read_code(shot, tmp_path)
        with uow_factory.begin(read_only=True) as uow:
            assert read_venue_code(uow.keys, venue or "", uow.now) == lecture.id
        clock.advance(VENUE_SECONDS)
        with uow_factory.begin() as uow:
            admit_row(uow, uow.session.get_one(SignUp, row_id))
        jump_ahead(wall, FOLLOWS_MS)
        expect(count).to_have_text("2")
        expect(code).not_to_have_attribute("src", first or "")
        wall.clock.resume()
        faults = []
        for size in (WIDE, NARROW, WIDE):
            resize_page(wall, size)
            faults += inspect(wall)
        # The organizer's session is in the browser, and no request of the page carries it.
        with wall.expect_request("**/api/v1/screens/*") as asked:
            pass
        assert "cookie" not in asked.value.all_headers()
    silence = wall.get_by_text("正在重新连接服务器")
    expect(silence).to_be_visible(timeout=NOTICES_MS)
    expect(count).to_have_text("2")
    with serve_on(whole, port):
        expect(silence).to_be_hidden(timeout=NOTICES_MS)
        expect(code).to_be_visible()
    assert faults == []


def test_a_code_that_no_longer_holds_and_an_ended_address_leave_the_wall(
    context: BrowserContext, whole: Flask
) -> None:
    uow_factory = whole.extensions["kepu"].uow_factory
    with uow_factory.begin() as uow:
        lecture = open_hall(uow, NANNING)
        editor = PEOPLE["editor-city"]
        screens.make_address(uow, editor, lecture.ref)
        found = screens.find_address(uow, editor, lecture.ref)
    assert found is not None
    feed = "**/api/v1/screens/*"
    with serve_on(whole) as server:
        site, wall = site_of(whole, server), context.new_page()
        held = {"state": "open", "title": "溶洞", "speaker": "", "opens": "", "admitted": 1,
                "expected": 2, "code": "data:,", "next_ms": 500, "code_ms": 600}  # fmt: skip
        answers = iter([held])

        def answer(route: Route) -> None:
            told = next(answers, None)
            route.abort() if told is None else route.fulfill(json=told)

        wall.route(feed, answer)
        wall.goto(f"{site.base}{found.path}")
        expect(wall.locator("[data-admitted]")).to_have_text("1")
        expect(wall.get_by_text("请稍等，二维码马上就来")).to_be_visible()
        expect(wall.get_by_alt_text("签到二维码")).to_be_hidden()
        wall.unroute(feed)
        expect(wall.get_by_alt_text("签到二维码")).to_be_visible(timeout=NOTICES_MS)
        with uow_factory.begin() as uow:
            screens.make_address(uow, editor, lecture.ref)
        expect(wall.get_by_text("这个地址已经停用")).to_be_visible(timeout=NOTICES_MS)
        expect(wall.get_by_alt_text("签到二维码")).to_be_hidden()
