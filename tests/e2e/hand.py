"""A finger on one person's phone, and an eye that measures each page it comes to."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Frame, Locator, Page, expect

from tests.e2e.elder import ELDER, ORDINARY, flaws
from tests.e2e.outside import ROOT, Citizen, Demo
from tests.e2e.phone import PHONE, Watch
from tests.kit.browser import PATIENCE_MS

# A popup of the third party's listens for an event named like an attribute; it does no harm.
HARMLESS = ('"class" is not a valid event binding',)
# What a browser writes by itself when a request is refused or comes to nothing.
REFUSED = "Failed to load resource"
# What moves for ever, such as the dots of loading, is never waited for.
AT_REST = """() => Promise.all(document.getAnimations()
  .filter((one) => one.effect?.getComputedTiming().endTime !== Infinity)
  .map((one) => one.finished.catch(() => undefined)))"""
# The tab bar is a component of its own, whose classes the phone gives a name before theirs.
DRESS = """(elder) => document.querySelectorAll("[class]").forEach((node) => {
  const look = [...node.classList].find((name) => /^(s\\d+--)?look$/.test(name));
  if (look) node.classList.toggle(`${look}-elder`, elder);
})"""


# How far a part stands above the lower edge of a page that is longer than the screen.
ABOVE_EDGE = """(part) => {
  const page = part.closest("wx-page"), [content] = page.getElementsByClassName("look");
  content.style.minHeight = "4000px";
  const edge = Math.min(page.getBoundingClientRect().bottom, window.innerHeight);
  const above = edge - part.getBoundingClientRect().bottom;
  content.style.minHeight = "";
  return above;
}"""


class Hand:
    """What a citizen can do on the phone: open, see, tap, write; and what a test can measure."""

    def __init__(self, page: Page, demo: Demo, person: str, shots: Path) -> None:
        self.page, self.demo, self.person = page, demo, person
        self._shots = shots
        self._count = 0

    @property
    def frame(self) -> Frame:
        """The frame in which the mini-program runs."""
        [found] = [f for f in self.page.frames if f.url.endswith("/phone/app/")]
        return found

    @property
    def here(self) -> Locator:
        """The page on top of the stack."""
        return self.page.frame_locator("iframe").locator("wx-page:visible").last

    @property
    def over(self) -> Locator:
        """What the mini-program asks over its page: dialogs and toasts."""
        return self.page.frame_locator("iframe").locator("#wx-overlay")

    def go(self, path: str) -> None:
        """Come in from outside, as a card or a menu entry opens a page."""
        self.page.goto("about:blank")
        inside = quote(path, safe="/")
        self.page.goto(f"{self.demo.emulator}/phone/?person={self.person}&path={inside}")
        expect(self.here).to_be_visible()
        self.settled()

    def settled(self) -> None:
        """The page has what it reads, and nothing moves any more."""
        expect(self.here.get_by_text("正在加载")).to_have_count(0)
        self.frame.evaluate(AT_REST)

    def sees(self, text: str) -> None:
        """Some place of the page says this."""
        expect(self.here.get_by_text(text).first).to_be_visible()

    def misses(self, text: str) -> None:
        """No place of the page says this."""
        expect(self.here.get_by_text(text)).to_have_count(0)

    def titled(self, text: str) -> None:
        """The bar above the page has this title."""
        expect(self.page.frame_locator("iframe").locator("#wx-nav")).to_contain_text(text)

    def tap(self, text: str, *, at: int = 0) -> None:
        """Tap the words of a control, the first of them or that in the given place."""
        self.here.get_by_text(text, exact=True).nth(at).tap()

    def answers(self, words: str) -> None:
        """Answer the dialog that lies over the page."""
        self.over.get_by_text(words, exact=True).last.tap()

    def hears(self, words: str) -> None:
        """A toast, or a dialog, says this."""
        expect(self.over).to_contain_text(words)

    def choose(self, number: int = 0) -> None:
        """Tap an option of the question."""
        options = self.here.get_by_role("radio").or_(self.here.get_by_role("checkbox"))
        options.nth(number).tap()

    def measure(self, name: str) -> None:
        """The page has no flaw, neither as most see it nor in the elder mode.

        A picture of each is kept where pictures are wanted, or where it has a flaw.
        """
        self.settled()
        elder = self.frame.evaluate("document.querySelector('.look-elder') !== null")
        self._count += 1
        for kind, floor in (("normal", ORDINARY), ("elder", ELDER)):
            self.frame.evaluate(DRESS, kind == "elder")
            # Sizes of buttons glide from one look to the other.
            self.frame.evaluate(AT_REST)
            found = flaws(self.frame, floor)
            if found or pictures_wanted():
                self.page.screenshot(path=self._shots / f"{self._count:02d}-{name}-{kind}.png")
            assert not found, f"{name}, {kind}: {found}"
        self.frame.evaluate(DRESS, elder)

    def stays_pinned(self, part: str) -> None:
        """This part stays at the lower edge, however long the page is."""
        assert abs(self.here.locator(part).evaluate(ABOVE_EDGE)) < 1, part

    def stands_in_one_row(self, label: str) -> None:
        """The choices of a group stand side by side; the page itself is not wider for it."""
        group = self.here.get_by_role("group", name=label)
        tops = "(group) => [...group.children].map((one) => one.getBoundingClientRect().top)"
        found = group.evaluate(tops)
        assert (len(found) > 1, len(set(found))) == (True, 1), (label, found)

    def missing(self) -> object:
        """What the phone lacks of WeChat, and the errors that the program threw."""
        return self.frame.evaluate("[[...window.__missing], [...window.__errors]]")


def pictures_wanted() -> bool:
    """Whether KEPU_SHOTS names a folder for pictures of the pages."""
    return bool(os.environ.get("KEPU_SHOTS"))


@contextmanager
def hand_of(
    browser: Browser, demo: Demo, person: str, shots: Path, allowed: tuple[str, ...] = ()
) -> Iterator[Hand]:
    """A phone in the hand; at the end nothing was missing, wrong, or asked of anybody outside."""
    watch = Watch(allowed=(*HARMLESS, *allowed))
    context = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        has_touch=True,
        is_mobile=True,
        locale="zh-CN",
    )
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    context.on("request", watch.request)
    page = context.new_page()
    watch.page(page)
    hand = Hand(page, demo, person, shots)
    yield hand
    missing = hand.missing()
    assert missing == [[], []], missing
    assert watch.wrong == [], watch.wrong
    context.close()


def citizen(demo: Demo, name: str, city: str = "450100") -> Citizen:
    """A person who has logged in, agreed, and given a nickname and a city."""
    made = Citizen.born(demo, name)
    made.log_in()
    made.agree()
    assert made.api("PUT", "/me", {"city": city, "nickname": name}).status == 200
    return made


def right_options() -> dict[str, set[str]]:
    """The texts of the right options of the demo's bank, by the question's words."""
    path = ROOT / "config" / "campaign" / "2020" / "questions.csv"
    with path.open(encoding="utf-8") as file:
        return {
            row["stem"]: {row[f"option_{key.lower()}"] for key in row["answer"]}
            for row in csv.DictReader(file)
        }


def answer(hand: Hand, keys: dict[str, set[str]], *, right: bool = True) -> None:
    """Tap the right options of the question that is shown, or a single wrong one."""
    stem = hand.here.locator("[aria-level='1']").inner_text()
    options = hand.here.get_by_role("radio").or_(hand.here.get_by_role("checkbox"))
    for option in options.all():
        # The name of an option begins with its letter.
        words = str(option.get_attribute("aria-label")).split(" ", 1)[1]
        if (words in keys[stem]) is right:
            option.tap()
            if not right:
                return
