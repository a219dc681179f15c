"""Announcements for the mini-program."""

from __future__ import annotations

from server.announcements.watching.funnel import note_opened
from server.base.errors import NotFound
from server.base.rate_limits import CHANGE
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, endpoint

API = Api("announcements")


@endpoint(
    API,
    "POST",
    "/me/announcements/<ref>/opened",
    who=Who.CITIZEN,
    status=(204,),
    errors=(NotFound,),
    pace=CHANGE,
)
def note_announcement_opened(uow: UnitOfWork, ref: str) -> None:
    """Record that the caller has opened an announcement; repeats change nothing."""
    note_opened(uow, uow.caller_id, ref)
