"""A tiny mini-program in the phone's frame that only writes down what the phone tells it.

The runtime is another matter: here it is the phone around it that is looked at.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import BrowserContext, Frame, Page, Route, expect

from server.emulator.testing import Emulator

HTML = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>stand-in</title>
<style>body { margin: 0; font: 18px sans-serif; } header { height: 52px; }</style>
<header></header><main tabindex="-1">小程序页面</main><script>
window.told = [];
window.offers = { share: true, timeline: true };
window.shared = { card: { title: "一起来答题", path: "/pages/home/index?from=menu", imageUrl: "" },
  timeline: { title: "我在答题", path: "/pages/home/index?from=timeline", imageUrl: "" },
  withShareTicket: true };
window.told.push(["start", parent.shell.start]);
parent.shell.join({
  show: (start) => window.told.push(["show", start]),
  hide: () => window.told.push(["hide"]),
  back: () => { window.told.push(["back"]); return window.deep === true; },
  menu: () => window.offers,
  share: async () => window.shared,
});
</script></html>"""
BROKEN = "<!doctype html><html lang='zh-CN'><title>stand-in</title><p>empty</p></html>"


def stand_in(window: BrowserContext, html: str = HTML) -> None:
    """Answer every request for the mini-program's page with this one."""

    def answer(route: Route) -> None:
        route.fulfill(body=html, content_type="text/html; charset=utf-8")

    window.unroute("**/phone/app/")
    window.route("**/phone/app/", answer)


def phone_of(window: BrowserContext, wechat: Emulator, person: str, tail: str = "") -> Page:
    page = window.new_page()
    page.goto(f"{wechat.base}/phone/?person={person}{tail}")
    expect(page.locator("#loading")).to_be_hidden()
    return page


def frame_of(page: Page) -> Frame:
    """The running mini-program."""
    expect(page.frame_locator("iframe.program").get_by_text("小程序页面")).to_be_visible()
    return next(frame for frame in page.frames if frame.parent_frame is not None)


def told(page: Page) -> list[Any]:
    """What the phone told the mini-program, oldest first."""
    found: list[Any] = frame_of(page).evaluate("window.told")
    return found


def start(page: Page) -> dict[str, Any]:
    """How the page that is shown was reached."""
    found = [facts for kind, *rest in told(page) if kind != "hide" for facts in rest]
    latest: dict[str, Any] = found[-1]
    return latest


def ask(page: Page, kind: str, **facts: object) -> None:
    """Let the mini-program ask; `answered` waits for what comes back."""
    frame_of(page).evaluate(
        """([kind, facts]) => { window.answer = parent.shell.ask(kind, facts)
          .then((value) => ({ value }), (refusal) => ({ refusal })); }""",
        [kind, facts],
    )


def answered(page: Page) -> dict[str, Any]:
    """What the phone answered last: {"value"} or {"refusal"}.

    An evaluated promise has no deadline in Playwright: one that never settles must not hang a run.
    """
    frame = frame_of(page)
    frame.evaluate("void window.answer.then((said) => { window.said = [window.answer, said]; })")
    frame.wait_for_function("window.said?.[0] === window.answer")
    found: dict[str, Any] = frame.evaluate("window.said[1]")
    return found
