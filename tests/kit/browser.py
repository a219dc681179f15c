"""A Chromium whose errors and outside requests fail the test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

# What Playwright itself switches off on Linux; our switch comes later and replaces Playwright's.
BY_PLAYWRIGHT = (
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints"),
    *("NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"),
)
# The list below the address bar, which nobody sees here: Chromium loads it as a page in a process
# of its own for each window, and that takes two thirds of the CPU time of opening one.
ADDRESS_BAR = ("WebUIOmniboxPopup", "WebUIOmniboxFullPopup", "WebUIOmniboxAimPopup")
FLAGS = [
    f"--disable-features={','.join((*BY_PLAYWRIGHT, *ADDRESS_BAR))}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nobody outside is found. A route for each request would do it too, but switches the cache off.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
# Addresses of this machine, and of what a page carries in itself.
HERE = ("http://127.0.0.1:", "data:", "blob:")
PHONE = {"width": 390, "height": 844}
# Timeout on a busy machine; only a faulty page takes this long.
PATIENCE_MS = 60_000


@dataclass
class Watch:
    """Collects faults of a browser: logged errors, exceptions, requests to other machines."""

    allowed: tuple[str, ...] = ()
    wrong: list[str] = field(default_factory=list)

    def console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.note(message.text)

    def note(self, text: str) -> None:
        if not any(part in text for part in self.allowed):
            self.wrong.append(text)

    def request(self, request: Request) -> None:
        if not request.url.startswith(HERE):
            self.wrong.append(f"asked for {request.url}")

    def page(self, page: Page) -> None:
        page.on("console", self.console)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))


_started: list[Browser] = []


def _start_chromium(path: str, session: pytest.Session) -> Browser:
    """The one Chromium of this process, closed at the end of its tests; a start takes seconds.

    Each test has a context of its own in it. While it runs, this thread has a running asyncio loop.
    """
    if not _started:
        closing = ExitStack()
        session.addfinalizer(closing.close)
        playwright = closing.enter_context(sync_playwright())
        _started.append(playwright.chromium.launch(executable_path=path, args=FLAGS))
        closing.callback(_started.clear)
    return _started[0]


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Browser:
    chromium = shutil.which("chromium")
    if chromium is None:
        reason = "NO CHROMIUM ON THIS MACHINE: the phone page was not looked at in a browser"
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n*** {reason} ***", flush=True)
        pytest.skip(reason)
    expect.set_options(timeout=PATIENCE_MS)
    return _start_chromium(chromium, request.session)


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert watch.wrong == []


@pytest.fixture
def window(browser: Browser, watch: Watch) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=PHONE, reduced_motion="reduce")  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    context.on("page", watch.page)
    context.on("request", watch.request)
    yield context
    context.close()
