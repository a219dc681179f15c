"""Final ranks in a browser: from the freeze to the export, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect

from server.base.clock import BEIJING
from server.base.uow import UnitOfWorkFactory
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards.board_view import BoardState, read_board
from server.quiz.sealing import service as sealing
from server.quiz.sealing.console import PAGES
from tests.kit.browser import browser
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE
from tests.kit.console_browser import (
    NARROW,
    WIDE,
    Site,
    a_context,
    check_pages,
    open_page,
    served_console,
)
from tests.kit.sealing import OTHER, a_played_contest, end_contest, reread, seal

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def site(uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setitem(PEOPLE, "second-region", OTHER)
    with served_console(uow_factory, PAGES) as made:
        yield made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with a_context(browser) as made:
        yield made


@pytest.fixture
def contest(uow_factory: UnitOfWorkFactory) -> ContestView:
    with uow_factory.begin() as uow:
        return a_played_contest(uow)


def click_it(control: Locator) -> None:
    control.click()


def press_it(control: Locator) -> None:
    control.focus()
    control.press("Enter")


def state_of_board(uow_factory: UnitOfWorkFactory, contest: ContestView) -> BoardState:
    """What citizens are shown of the board."""
    with uow_factory.begin(read_only=True) as uow:
        return read_board(uow, reread(uow_factory, contest), limit=5).state


@pytest.mark.parametrize(("use", "size"), [(click_it, WIDE), (press_it, NARROW)])
def test_ranks_go_from_the_freeze_to_the_final_board_and_the_export(
    context: BrowserContext,
    site: Site,
    uow_factory: UnitOfWorkFactory,
    contest: ContestView,
    clock: FakeClock,
    use: Callable[[Locator], None],
    size: tuple[int, int],
) -> None:
    path = f"/contests/{contest.ref}/final"
    page = open_page(context, site, "approver-region", path, size)
    use(page.get_by_role("link", name="设定冻结时间"))
    at = (clock.now() + 2 * sealing.SETTLING).astimezone(BEIJING)
    page.get_by_label("从什么时候起冻结").fill(f"{at:%Y-%m-%dT%H:%M}")
    page.get_by_label("事由").fill("结束以前留下悬念")
    use(page.get_by_role("button", name="设定冻结时间"))
    expect(page.get_by_text("冻结时间已经设定。")).to_be_visible()
    clock.advance(timedelta(minutes=3).total_seconds())
    assert state_of_board(uow_factory, contest) is BoardState.FROZEN
    end_contest(uow_factory, clock, contest)

    page.goto(site.address(path))
    use(page.get_by_role("link", name="封存名次"))
    page.get_by_label("事由").fill("竞赛结束")
    use(page.get_by_role("button", name="封存名次"))
    expect(page.get_by_text("名次已经封存，请核对后公布。")).to_be_visible()
    expect(page.get_by_text("这一版由您本人封存")).to_be_visible()
    expect(page.get_by_role("button", name="公布最终榜")).to_have_count(0)
    page.close()

    page = open_page(context, site, "second-region", path, size)
    use(page.get_by_role("link", name="核对这一版"))
    expect(page.get_by_role("heading", name="前5名")).to_be_visible()
    expect(page.get_by_role("heading", name="参加了竞赛但没有名次的人")).to_be_visible()
    use(page.locator("main").get_by_role("button", name="公布最终榜").first)
    use(page.get_by_role("dialog").get_by_role("button", name="公布最终榜"))
    expect(page.get_by_text("最终榜已经公布。")).to_be_visible()
    assert state_of_board(uow_factory, contest) is BoardState.FINAL

    use(page.get_by_role("link", name="第1版"))
    use(page.get_by_role("link", name="看全部名次"))
    # The link before has this word in its name as well.
    use(page.get_by_role("link", name="导出", exact=True))
    page.get_by_label("全部").check()
    page.get_by_label("用途").fill("评奖")
    with page.expect_download() as downloading:
        use(page.locator("main").get_by_role("button", name="导出"))
    assert downloading.value.suggested_filename.endswith(".xlsx")


def test_the_pages_of_final_ranks_fit_the_window_and_can_be_read(
    context: BrowserContext,
    site: Site,
    uow_factory: UnitOfWorkFactory,
    contest: ContestView,
    clock: FakeClock,
) -> None:
    end_contest(uow_factory, clock, contest)
    final = f"/contests/{contest.ref}/final"
    faults = check_pages(context, site, "second-region", f"{final}/seal", final)
    ref = seal(uow_factory, contest)
    paths = [final, f"{final}/{ref}", f"{final}/{ref}/drop", f"/ranks?version={ref}"]
    faults += check_pages(context, site, "second-region", *paths)
    assert faults == []
