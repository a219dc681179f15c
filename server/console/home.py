"""The first page of the console: the organizer's pending tasks, scope and permissions."""

from __future__ import annotations

from pathlib import Path

from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Waiting, page

PAGES = Pages("console", Path(__file__).with_name("pages"))


@page(PAGES, "GET", "/", needs=Permission.CONSOLE_OPEN, menu="console.menu.home")
def show_home(uow: UnitOfWork, organizer: Organizer) -> Page:
    """Show pending tasks, the organizer, and the role's permissions to read and to change."""
    found = [provide(uow, organizer) for provide in uow.dependencies.hooks.waiting]
    waiting: list[Waiting] = [one for several in found for one in several if one.count]
    powers = [power for power in Permission if organizer.has_permission(power)]
    listed = [power for power in powers if power is not Permission.CONSOLE_OPEN]
    return Page(
        "console/home.html",
        waiting=waiting,
        reads=[power.value for power in listed if not power.changes_something],
        changes=[power.value for power in listed if power.changes_something],
        level=organizer.scope.spelled.partition(":")[0],
        sees_above=bool(organizer.scope.above)
        and organizer.has_permission(Permission.CONTEST_READ),
    )
