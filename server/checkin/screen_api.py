"""The data that the projector page of an activity requests every two seconds."""

from __future__ import annotations

from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, endpoint
from server.base.web.schema import Out, fill_from
from server.checkin import screens
from server.checkin.errors import ScreenEnded
from server.checkin.screens import ScreenState

SCREEN_API = Api("screens")


class ScreenOut(Out, frozen=True, kw_only=True):
    """The present content of the projector page; `code` is a picture as a data address.

    Units: milliseconds until the next code begins, and until the shown one is refused.
    """

    state: ScreenState
    title: str
    speaker: str
    opens: str
    admitted: int
    expected: int
    code: str | None
    next_ms: int
    code_ms: int


@endpoint(
    SCREEN_API,
    "GET",
    "/screens/<code>",
    who=Who.ANYONE,
    out=ScreenOut,
    errors=(ScreenEnded,),
)
def show_screen(uow: UnitOfWork, code: str) -> ScreenOut:
    """Show the venue's code and the counters of the activity to which this address belongs."""
    return fill_from(screens.read_screen(uow, code), ScreenOut)
