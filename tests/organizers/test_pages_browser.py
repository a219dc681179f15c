"""Pages about one unit, one request and one account, in Chromium: nothing serious for axe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext

from server.app import Overrides, create_app
from server.base.access import Role
from server.base.ownership import owned_by
from server.base.settings import Settings
from server.base.uow import UnitOfWork
from server.quiz.enums import QuestionState
from server.unit_requests.models import NameCheck, RequestState, UnitRequest
from server.units import service as units
from tests.kit.boards import people
from tests.kit.browser import browser
from tests.kit.console import resolve_test_session
from tests.kit.console_browser import WIDE, a_context, built_libraries, check_pages, served
from tests.kit.organizers import an_account
from tests.kit.question_probes import make_question
from tests.kit.units import a_unit

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
WHO = "system_admin-city"


@pytest.fixture
def whole(settings: Settings, overrides: Overrides) -> Iterator[Flask]:
    built_libraries()
    made = create_app(settings, replace(overrides, signed_in=resolve_test_session))
    yield made
    made.extensions["kepu"].uow_factory.engine.dispose()


def make_rows(uow: UnitOfWork) -> list[str]:
    """What the pages show; the addresses of the pages."""
    old = a_unit(uow, name="南宁市第一中学", county="450103")
    new = a_unit(uow, name="南宁市第一中学（新校区）", county="450103")
    people(uow, 3, unit_id=old.id)
    leaving = an_account(uow, "wei", role=Role.EDITOR, place="county:450103")
    an_account(uow, "lan", role=Role.EDITOR)
    scope, _ = units.resolve_scope(uow, "county:450103")
    make_question(uow, scope, QuestionState.DRAFT, writer_id=leaving.id)
    uow.session.add(
        UnitRequest(ref="unq_1", name="南宁市第一中学校", name_key="x", sentence="",
                    name_check=NameCheck.UNCHECKED, state=RequestState.WAITING,
                    made_at=uow.now, **owned_by(scope))
    )  # fmt: skip
    uow.session.flush()
    return [
        f"/units/{old.ref}",
        f"/units/{old.ref}/merge?q=中学",
        f"/units/{old.ref}/merge?into={new.ref}",
        "/unit-requests/unq_1",
        f"/organizers/{leaving.ref}/leave",
        f"/organizers/{leaving.ref}",
    ]


def open_question(context: BrowserContext, address: str) -> tuple[float, float]:
    """Open the question of a button beside others; its distances from the middle of the window."""
    page = context.new_page()
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.goto(address)
    page.locator("main .buttons [data-opens]").first.click()
    box = page.locator("dialog[open]").bounding_box()
    assert box is not None
    return abs(2 * box["x"] + box["width"] - WIDE[0]), abs(2 * box["y"] + box["height"] - WIDE[1])


def test_no_page_about_one_thing_has_a_serious_fault(browser: Browser, whole: Flask) -> None:
    uow_factory = whole.extensions["kepu"].uow_factory
    with uow_factory.begin() as uow:
        addresses = make_rows(uow)
    with served(whole, uow_factory) as site, a_context(browser) as context:
        faults = check_pages(context, site, WHO, *addresses)
        assert max(open_question(context, site.address(addresses[-1]))) < 20
    assert faults == [], "\n".join(faults)
