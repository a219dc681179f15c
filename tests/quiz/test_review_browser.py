"""The review desk in a browser: from a report to the letter about a new rank, at both widths."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlalchemy import select

from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.notices.models import InboxMessage
from server.quiz.bank.import_console import PAGES as BANK_PAGES
from server.quiz.enums import WordsState
from server.quiz.models import Entry, Question, QuestionReport, RankChange
from server.quiz.review import answering
from server.quiz.review.console import PAGES
from tests.kit.browser import browser
from tests.kit.console_browser import (
    NARROW,
    WIDE,
    Site,
    a_context,
    inspect,
    open_page,
    served_console,
)
from tests.kit.gateway import RecordingGateway
from tests.kit.jobs import run_jobs
from tests.quiz.test_rescoring import Played, played

__all__ = ["browser", "played"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def site(uow_factory: UnitOfWorkFactory) -> Iterator[Site]:
    with served_console(uow_factory, BANK_PAGES, PAGES) as made:
        yield made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with a_context(browser) as made:
        yield made


def report_question(played: Played) -> tuple[str, int]:
    """A player reports the faulty question; its stem and the citizen."""
    with played.uow_factory.begin() as uow:
        question = uow.session.get_one(Question, played.faulty[0])
        citizen = uow.session.get_one(Entry, played.entries[0]).citizen_id
        uow.session.add(
            QuestionReport(
                ref=uow.new_ref("rep"), citizen_id=citizen, question_id=question.id,
                reason="第二个选项也对", words=WordsState.PASSED, made_at=uow.now,
            )
        )  # fmt: skip
        return question.stem, citizen


def press_enter(target: Locator) -> None:
    target.press("Enter")


def press_space(target: Locator) -> None:
    target.press("Space")


def use_mouse(target: Locator) -> None:
    target.click()


Hand = Callable[[Locator], None]
MOUSE, KEYBOARD = (use_mouse, use_mouse), (press_enter, press_space)


def propose_on_page(page: Page, stem: str, follow: Hand, choose: Hand) -> list[str]:
    """The editor goes from the desk to a proposed void; return the faults of each page."""
    faults = inspect(page)
    row = page.get_by_role("row").filter(has_text=stem)
    follow(row.get_by_role("link").first)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"核查题目：{stem}")
    expect(page.get_by_text("第二个选项也对")).to_be_visible()
    faults += inspect(page)
    follow(page.get_by_role("link", name="申请作废"))
    choose(page.get_by_role("checkbox").first)
    page.get_by_label("作废原因").fill("两个选项都对")
    faults += inspect(page)
    follow(page.get_by_role("button", name="提交申请"))
    expect(page.get_by_text("申请已经提交")).to_be_visible()
    return faults


def approve_on_page(page: Page, stem: str, follow: Hand, choose: Hand) -> list[str]:
    """The approver decides the proposed void; return the faults of each page."""
    follow(page.get_by_role("row").filter(has_text=stem).get_by_role("link").first)
    # The act that waits stands beside the heading, above the fold.
    decide = page.get_by_role("link", name="处理作废申请").first
    expect(decide).to_be_in_viewport()
    faults = inspect(page)
    follow(decide)
    choose(page.get_by_label("批准作废，重新计分"))
    page.get_by_label("说明").fill("核查属实")
    faults += inspect(page)
    follow(page.get_by_role("button", name="确定"))
    expect(page.get_by_text("已经作废")).to_be_visible()
    return faults + inspect(page)


@pytest.mark.parametrize(
    ("width", "hands"), [(WIDE, MOUSE), (NARROW, KEYBOARD)], ids=["mouse-wide", "keyboard-narrow"]
)
def test_a_reported_question_is_voided_and_those_who_moved_read_it_in_their_inbox(
    context: BrowserContext,
    site: Site,
    played: Played,
    gateway: RecordingGateway,
    width: tuple[int, int],
    hands: tuple[Hand, Hand],
) -> None:
    stem, reporter = report_question(played)
    page = open_page(context, site, "editor-region", "/review", width)
    faults = propose_on_page(page, stem, *hands)
    page = open_page(context, site, "approver-region", "/review?why=proposed", width)
    faults += approve_on_page(page, stem, *hands)
    assert faults == []
    assert run_jobs(played.uow_factory) == 1
    page.reload()
    expect(page.get_by_text("已完成").first).to_be_visible()
    answering.tell_reporters(TaskContext(uow_factory=played.uow_factory, gateway=gateway))
    with played.uow_factory.begin(read_only=True) as uow:
        moved = set(uow.session.scalars(select(Entry.citizen_id).join(
            RankChange, RankChange.entry_id == Entry.id
        )))  # fmt: skip
        letters = uow.session.execute(select(InboxMessage.citizen_id, InboxMessage.body)).all()
    assert moved
    assert {who for who, body in letters if "已作废" in body} == moved
    assert [who for who, body in letters if "报错的题目" in body] == [reporter]
