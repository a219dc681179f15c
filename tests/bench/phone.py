"""How soon the phone is there: its build cold, warm and after one change, and its first page.

These are wall-clock times of whole commands, Node's start included, for that is what a person
waits for; they say little on a machine that is busy with other things.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Error, ViewportSize, sync_playwright

from server.base.settings import ROOT
from server.emulator.testing import emulated_wechat
from tests.bench.processes import BenchFailed

_BUILD = ROOT / "server" / "emulator" / "phone" / "build.mjs"
_CHANGED = Path("pages", "home", "index.ts")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_SCREEN: ViewportSize = {"width": 390, "height": 844}
_PATIENCE_MS = 60_000


@dataclass(frozen=True, kw_only=True)
class Wait:
    """One thing that a person waits for.

    Units: milliseconds, one figure a round; `skipped` says why there are none.
    """

    key: str
    title: str
    goal_ms: float
    figures: Sequence[float] = ()
    skipped: str = ""

    @property
    def ms(self) -> float:
        """The median of the rounds."""
        return float(median(self.figures))

    @property
    def verdict(self) -> str:
        if self.skipped:
            return f"not measured: {self.skipped}"
        return "met" if self.ms <= self.goal_ms else f"missed by {self.ms - self.goal_ms:.0f} ms"

    def document(self) -> dict[str, Any]:
        """The row as JSON."""
        told: dict[str, Any] = {"title": self.title, "goal_ms": self.goal_ms}
        if self.skipped:
            return told | {"skipped": self.skipped}
        figures = [round(figure) for figure in self.figures]
        return told | {"median_ms": round(self.ms), "ms": figures, "met": self.ms <= self.goal_ms}


_TITLES = {
    "cold": ("build of the phone, nothing there", 4000),
    "warm": ("build of the phone, nothing changed", 1000),
    "changed": ("build of the phone, one file changed", 1000),
    "ready": ("phone ready in the browser", 1500),
}


def measure(rounds: int, folder: Path) -> list[Wait]:
    """All waits, each `rounds` times; what the machine lacks is skipped with a reason.

    Raises: BenchFailed when the mini-program does not compile or its first page does not stand.
    """
    node = _program("node")
    if node is None or not (ROOT / "node_modules").is_dir():
        return [
            _wait(key, skipped="no Node, or no node_modules, on this machine") for key in _TITLES
        ]
    builds = _Builds(node, folder)
    figures: dict[str, list[float]] = {"cold": [], "warm": [], "changed": []}
    for part in range(rounds):
        figures["cold"].append(builds.cold())
        figures["warm"].append(builds.run("unchanged"))
        figures["changed"].append(builds.changed(part))
    return [*(_wait(key, figures[key]) for key in figures), _ready(rounds, builds.out)]


def table(waits: Sequence[Wait]) -> list[str]:
    """The waits as lines of text."""
    lines = ["", f"{'':46}{'ms':>8}{'best':>8}{'worst':>8}{'goal':>8}"]
    for wait in waits:
        told = (
            ""
            if wait.skipped
            else f"{wait.ms:8.0f}{min(wait.figures):8.0f}{max(wait.figures):8.0f}"
        )
        lines.append(f"{wait.title:46}{told:24}{wait.goal_ms:8.0f}  {wait.verdict}")
    return lines


def page(waits: Sequence[Wait]) -> list[str]:
    """The waits as a section of docs/performance.md."""
    lines = [
        "",
        "## The phone",
        "",
        "Wall-clock time of the whole command, Node's start included, and in Chromium the time"
        " from the opening of the page until the mini-program's first page is shown; medians of the"
        " rounds.",
        "",
        "| what | ms (best-worst) | goal ms | |",
        "|---|---|---|---|",
    ]
    for wait in waits:
        told = (
            ""
            if wait.skipped
            else f"{wait.ms:.0f} ({min(wait.figures):.0f}-{max(wait.figures):.0f})"
        )
        lines.append(f"| {wait.title} | {told} | {wait.goal_ms:.0f} | {wait.verdict} |")
    return lines


def _wait(key: str, figures: Sequence[float] = (), skipped: str = "") -> Wait:
    title, goal = _TITLES[key]
    return Wait(key=key, title=title, goal_ms=goal, figures=figures, skipped=skipped)


def _program(name: str) -> str | None:
    # Where the machine has no Node, one lies beside the interpreter.
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


class _Builds:
    """Builds of a copy of the mini-program, in which a file can be changed."""

    def __init__(self, node: str, folder: Path) -> None:
        self._node, self._app, self.out = node, folder / "phone-app", folder / "phone-out"
        shutil.copytree(ROOT / "miniprogram", self._app)

    def run(self, said: str) -> float:
        """One build; milliseconds. It must say that it did what was wanted of it."""
        command = [self._node, str(_BUILD), "--app", str(self._app), "--out", str(self.out)]
        begun = time.perf_counter()
        made = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        took = (time.perf_counter() - begun) * 1000
        if made.returncode != 0 or f"phone: {said}" not in made.stdout:
            raise BenchFailed(f"the phone's build: {made.stdout}{made.stderr}")
        return took

    def cold(self) -> float:
        shutil.rmtree(self.out, ignore_errors=True)
        return self.run("built")

    def changed(self, part: int) -> float:
        with (self._app / _CHANGED).open("a", encoding="utf-8") as file:
            file.write(f"// {part}\n")
        return self.run("built")


def _ready(rounds: int, bundle: Path) -> Wait:
    chromium = shutil.which("chromium")
    if chromium is None:
        return _wait("ready", skipped="no Chromium on this machine")
    with contextlib.ExitStack() as closing:
        wechat = closing.enter_context(emulated_wechat(bundle=bundle))
        play = closing.enter_context(sync_playwright())
        try:
            browser = play.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        except Error as trouble:
            return _wait(
                "ready", skipped=f"Chromium does not start: {trouble.message.splitlines()[0]}"
            )
        closing.callback(browser.close)
        # The first opening also starts the browser's own processes.
        openings = [_opened(browser, f"{wechat.base}/phone/app/") for _part in range(rounds + 1)]
        return _wait("ready", openings[1:])


def _opened(browser: Browser, address: str) -> float:
    """One opening by somebody who was never there: nothing is kept from the last one."""
    context = browser.new_context(viewport=_SCREEN, has_touch=True, is_mobile=True)
    try:
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("window.__ready !== undefined", timeout=_PATIENCE_MS)
        if page.locator(".wx-frame").count() != 1:
            raise BenchFailed("the phone said that it was ready and showed no page")
        return float(page.evaluate("window.__ready"))
    finally:
        context.close()
