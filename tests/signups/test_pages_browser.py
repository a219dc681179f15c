"""Activities in Chromium: from the draft to the publication, seats, and a change told to people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from server.activities import console as activity_pages
from server.activities.kinds import ActivityState
from server.activities.models import Activity
from server.base.ownership import owned_by
from server.base.uow import UnitOfWorkFactory
from server.signups import change_pages, console
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from tests.kit.activities import Lecture, a_lecture
from tests.kit.browser import browser
from tests.kit.console import NANNING
from tests.kit.console_browser import (
    NARROW,
    WIDE,
    Site,
    a_context,
    inspect,
    load_page,
    open_page,
    served_console,
)
from tests.signups.test_console import sign_up_people

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def site(uow_factory: UnitOfWorkFactory) -> Iterator[Site]:
    tables = (activity_pages.PAGES, console.PAGES, change_pages.PAGES)
    with served_console(uow_factory, *tables) as made:
        yield made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with a_context(browser) as made:
        yield made


def press(page: Page, role: str, name: str) -> None:
    """Use a control by keyboard."""
    page.get_by_role(role, name=name, exact=True).press("Enter")  # type: ignore[arg-type]


def test_a_draft_is_written_reviewed_by_a_second_person_and_published_by_keyboard(
    context: BrowserContext, site: Site, uow_factory: UnitOfWorkFactory
) -> None:
    page = open_page(context, site, "editor-county", "/activities", WIDE)
    press(page, "link", "新建活动")
    page.get_by_label("活动名称").fill("甘蔗为什么这么甜")
    page.get_by_label("活动地点").fill("广西科技馆报告厅")
    press(page, "button", "保存")
    expect(page.get_by_text("名额请填1到20000之间的整数")).to_be_visible()
    page.get_by_role("spinbutton", name="名额").fill("200")
    assert page.get_by_label("活动名称").input_value() == "甘蔗为什么这么甜"
    press(page, "button", "保存")
    expect(page.get_by_text("草稿已经保存")).to_be_visible()
    press(page, "button", "提交审核")
    expect(page.get_by_text("已经提交审核")).to_be_visible()
    assert page.get_by_role("button", name="发布", exact=True).count() == 0
    path = page.url.partition("/console")[2].partition("?")[0]
    load_page(page, site, "approver-city", path, NARROW)
    press(page, "button", "发布")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("公众马上能看到")).to_be_visible()
    dialog.get_by_role("button", name="发布", exact=True).press("Enter")
    expect(page.get_by_text("活动已经发布")).to_be_visible()
    assert inspect(page) == []
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.scalars(select(Activity)).one()
        assert (row.state, row.title) == (ActivityState.PUBLISHED, "甘蔗为什么这么甜")


def a_full_lecture(uow_factory: UnitOfWorkFactory) -> Lecture:
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow, seats=3, **owned_by(NANNING))
    sign_up_people(uow_factory, lecture, 1, 1, 1)
    return lecture


def test_fewer_seats_put_somebody_back_whom_the_organizer_chooses(
    context: BrowserContext, site: Site, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = a_full_lecture(uow_factory)
    page = open_page(context, site, "editor-city", f"/activities/{lecture.ref}/people", NARROW)
    page.get_by_role("link", name="调整名额").click()
    page.get_by_label("新的名额").fill("2")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("新的名额比已占的少1个")).to_be_visible()
    boxes = page.get_by_role("checkbox")
    assert [boxes.nth(at).is_checked() for at in range(3)] == [True, False, False]
    boxes.nth(0).uncheck()
    boxes.nth(1).check()
    assert inspect(page) == []
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("名额已经调整")).to_be_visible()
    page.get_by_role("link", name="全部报名人员").click()
    expect(page.get_by_role("row")).to_have_count(4)
    assert inspect(page) == []
    with uow_factory.begin(read_only=True) as uow:
        states = uow.session.scalars(select(SignUp.state).order_by(SignUp.id)).all()
    assert list(states) == [SignUpState.CONFIRMED, SignUpState.WAITLISTED, SignUpState.CONFIRMED]


def test_a_published_activity_is_moved_after_a_look_at_who_is_told(
    context: BrowserContext, site: Site, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = a_full_lecture(uow_factory)
    page = open_page(context, site, "editor-city", f"/activities/{lecture.ref}", WIDE)
    press(page, "link", "改时间或地点")
    expect(page.get_by_text("3人次")).to_be_visible()
    page.get_by_label("活动地点").fill("广西科技馆报告厅")
    page.get_by_label("原因").fill("原来的场地检修")
    press(page, "button", "改时间或地点")
    expect(page.get_by_text("请先核对会收到消息的人")).to_be_visible()
    page.get_by_label("上面的内容已经核对").check()
    assert inspect(page) == []
    press(page, "button", "改时间或地点")
    expect(page.get_by_text("3人次会收到消息")).to_be_visible()
    expect(page.get_by_text("广西图书馆报告厅 → 广西科技馆报告厅")).to_be_visible()
    assert inspect(page) == []
