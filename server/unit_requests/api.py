"""Requests for units from the mini-program."""

from __future__ import annotations

from server.base.errors import Invalid
from server.base.rate_limits import CHANGE, OWN_WORDS, spend_token
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, PreflightContext, endpoint
from server.unit_requests import service
from server.unit_requests.errors import EnoughRequests, UnitListed, UnitNameRefused
from server.unit_requests.models import NameCheck
from server.unit_requests.schemas import UnitRequestIn, UnitRequestOut, UnitRequestsOut
from server.unit_requests.service import RequestView, WantedUnit

API = Api("unit_requests")


def _have_name_judged(
    preflight: PreflightContext, body: UnitRequestIn
) -> tuple[WantedUnit, NameCheck]:
    with preflight.uow_factory.begin(read_only=True) as uow:
        wanted = service.check_wanted(
            uow, preflight.caller.id, name=body.name, city=body.city, county=body.county
        )
    spend_token(preflight.uow_factory.dependencies, OWN_WORDS, preflight.caller.person)
    return wanted, service.judge_name(preflight.gateway, wanted)


@endpoint(
    API,
    "POST",
    "/me/unit-requests",
    who=Who.CITIZEN,
    body=UnitRequestIn,
    out=UnitRequestOut,
    errors=(UnitListed, UnitNameRefused, EnoughRequests, Invalid),
    consent=True,
    ask=_have_name_judged,
    pace=CHANGE,
)
def send_unit_request(
    uow: UnitOfWork,
    body: UnitRequestIn,  # noqa: ARG001 - used by `ask`
    asked: tuple[WantedUnit, NameCheck],
) -> UnitRequestOut:
    """Ask for a unit that is missing; asking again for the same one changes nothing."""
    return _show_request(service.send_request(uow, uow.caller_id, *asked))


@endpoint(API, "GET", "/me/unit-requests", who=Who.CITIZEN, out=UnitRequestsOut)
def list_unit_requests(uow: UnitOfWork) -> UnitRequestsOut:
    """The caller's requests with their answers."""
    items = [_show_request(one) for one in service.list_own(uow, uow.caller_id)]
    return UnitRequestsOut(items=items)


def _show_request(view: RequestView) -> UnitRequestOut:
    return UnitRequestOut(
        id=view.request.ref,
        name=view.request.name,
        place=view.place,
        state=view.request.state.value,
        unit_name=None if view.unit is None else view.unit.name,
        sentence=view.request.sentence or None,
    )
