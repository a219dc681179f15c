"""Forms of stored objects: a change by somebody else after the page was opened is not lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
from flask import Flask
from sqlalchemy import func, select

from server import slices
from server.activities import console as activity_pages
from server.activities.models import Activity
from server.base.access import REGION
from server.base.ownership import owned_by
from server.base.uow import UnitOfWorkFactory
from server.base.web.page import PageRoute
from server.console.forms import WatchedForm
from server.signups import change_pages
from server.signups.models import SignUpNotice
from tests.kit.activities import a_lecture
from tests.kit.activity_probes import ACTIVITY_PROBES, MOVE_FORM
from tests.kit.announcement_form_probes import ANNOUNCEMENT_FORM_PROBES
from tests.kit.clock import FakeClock
from tests.kit.console import NANNING, PEOPLE, Browser, console_app
from tests.kit.console_contests import CONTEST_PROBES
from tests.kit.question_probes import QUESTION_PROBES
from tests.kit.signup_probes import SIGNUP_PROBES, seat_guest

PROBES = {
    **ACTIVITY_PROBES, **ANNOUNCEMENT_FORM_PROBES, **CONTEST_PROBES, **QUESTION_PROBES,
    **SIGNUP_PROBES,
}  # fmt: skip
# The matrix makes its accounts itself; the form is the same kind.
ELSEWHERE = {"/organizers/<ref>/role"}
SAID = "有人改过这里"


def watched_routes() -> Iterator[PageRoute]:
    """The posts of forms that their page fills from a stored object."""
    for pages in slices.PAGES:
        for route in pages.routes:
            watched = route.form is not None and issubclass(route.form, WatchedForm)
            if route.method == "POST" and watched and route.places:
                yield route


def seen_in(page: str) -> str:
    """The digest that a page sends with its form."""
    found = re.search(r'name="seen" value="([0-9a-f]{64})"', page)
    assert found is not None, page
    return found[1]


def who_may(route: PageRoute) -> str:
    return next(
        name
        for name, one in PEOPLE.items()
        if one.has_permission(route.needs) and name.endswith("-region")
    )


def test_every_form_of_a_stored_object_is_refused_when_that_has_changed(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    others = [pages for pages in slices.PAGES if pages.tag != "console"]
    app = console_app(uow_factory, *others)[0]
    overtaken = set()
    for route in watched_routes():
        if route.path in ELSEWHERE:
            continue
        probe = PROBES[route.spelled]
        assert probe.make is not None, route.spelled
        with uow_factory.begin() as uow:
            places = probe.make(uow, REGION, False)
        path = route.path
        for name, value in places.items():
            path = path.replace(f"<{name}>", value)
        browser = Browser(app, who_may(route))
        first = seen_in(browser.get(path)[1])
        clock.advance(60)
        assert seen_in(browser.get(path)[1]) == first, f"{path}: it depends on the time"
        form: Mapping[str, str] = {**probe.form, "seen": first}
        status, page = browser.ask("POST", path, dict(form))
        assert status in (303, probe.refused), (path, status, page)
        status, page = browser.get(path)
        if status == 200 and seen_in(page) != first:
            status, page = browser.ask("POST", path, dict(form))
            assert (status, SAID in page) == (409, True), path
            overtaken.add(route.path)
    assert overtaken >= {
        "/activities/<ref>/edit", "/activities/<ref>/describe", "/activities/<ref>/move",
        "/activities/<ref>/seats", "/announcements/<ref>/edit", "/contests/<ref>/edit",
        "/questions/<ref>/edit",
    }  # fmt: skip


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, activity_pages.PAGES, change_pages.PAGES)[0]


def test_an_old_page_does_not_take_back_a_new_date_nor_tell_anybody(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow, seats=3, **owned_by(NANNING))
        seat_guest(uow, lecture)
    path = f"/activities/{lecture.ref}/move"
    early, late = Browser(app, "editor-city"), Browser(app, "editor-region")
    opened = seen_in(early.get(path)[1])
    moved = {**MOVE_FORM, "seen": seen_in(late.get(path)[1])}
    assert late.ask("POST", path, moved)[0] == 303

    def stored() -> tuple[object, ...]:
        with uow_factory.begin(read_only=True) as uow:
            row = uow.session.get_one(Activity, lecture.id)
            told = uow.session.scalar(select(func.count()).select_from(SignUpNotice))
            return row.starts_at, row.venue, told

    before = stored()
    times = {"starts_at": "2026-05-20T09:00", "ends_at": "2026-05-20T11:00"}
    stale = {**MOVE_FORM, **times, "venue": "另一处", "seen": opened}
    status, page = early.ask("POST", path, stale)
    assert (status, SAID in page, "另一处" in page) == (409, True, True)
    assert stored() == before
    # Having looked at the present date, the same organizer may change it.
    again = {**stale, "seen": seen_in(early.get(path)[1])}
    assert early.ask("POST", path, again)[0] == 303
    assert stored() != before


def test_a_refused_form_keeps_what_its_page_showed(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow, **owned_by(NANNING))
    path = f"/activities/{lecture.ref}/move"
    browser = Browser(app, "editor-city")
    opened = seen_in(browser.get(path)[1])
    wrong = {**MOVE_FORM, "venue": "", "seen": opened}
    status, page = browser.ask("POST", path, wrong)
    assert (status, seen_in(page)) == (422, opened)
    assert browser.ask("POST", path, {**MOVE_FORM, "seen": seen_in(page)})[0] == 303
