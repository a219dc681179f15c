"""The projector page, and the console's page with its address."""

from __future__ import annotations

from pathlib import Path

from server.activities import service as activities
from server.base.access import Organizer, Permission
from server.base.clock import say_instant
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Redirect, Visit, open_page, page
from server.checkin import screens

PAGES = Pages("screens", Path(__file__).with_name("pages"))


@open_page(PAGES, "GET", "/screens/<code>")
def show_projection(visit: Visit, code: str) -> Page:
    """Show the projector page; its script requests the code and the counters."""
    with visit.uow_factory.begin(read_only=True) as uow:
        screen = screens.read_screen(uow, code)
    return Page("screens/screen.html", screen=screen, feed=f"/api/v1/screens/{code}")


@page(PAGES, "GET", "/activities/<ref>/screen", needs=Permission.CHECKIN_WRITE)
def show_address(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show the address of the projector page, with instructions."""
    found = screens.find_address(uow, organizer, ref)
    return Page(
        "screens/address.html",
        activity=activities.own_activity(uow, organizer, ref),
        found=found,
        made_at="" if found is None else say_instant(found.made_at)[:16],
    )


@page(PAGES, "POST", "/activities/<ref>/screen", needs=Permission.CHECKIN_WRITE)
def make_address(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Make an address, or replace the present one."""
    screens.make_address(uow, organizer, ref)
    return Redirect(f"/activities/{ref}/screen", said="checkin.screen.made")
