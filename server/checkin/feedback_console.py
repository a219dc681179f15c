"""The page with the feedback about an activity."""

from __future__ import annotations

from pathlib import Path

from server.activities import service as activities
from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, page
from server.checkin import feedback

PAGES = Pages("feedback", Path(__file__).with_name("pages"))


@page(PAGES, "GET", "/activities/<ref>/feedback", needs=Permission.CHECKIN_READ)
def show_feedback(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Mean, spread and words about an activity, from five answers up and without names."""
    found = feedback.summarize_feedback(uow, organizer, ref)
    return Page(
        "feedback/feedback.html",
        activity=activities.own_activity(uow, organizer, ref),
        found=found,
        least=feedback.SHOWN_FROM,
        mean=None if found.mean is None else f"{found.mean:.1f}",
        spread=None if found.spread is None else f"{found.spread:.1f}",
    )
