"""Requests for missing units: sending one, answering it, informing the requesters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from server.accounts import service as accounts
from server.audit.service import Subject, record_change
from server.base.access import Organizer, Permission, Scope
from server.base.errors import NotAuthenticated, NotFound
from server.base.ownership import (
    owned_by,
    scope_of,
    serving_found_row,
    visible_to,
    writable_by,
)
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused, Waiting
from server.notices import service as notices
from server.notices.service import Letter
from server.organizers import service as organizers
from server.unit_requests import rules
from server.unit_requests.errors import EnoughRequests, RequestAnswered, UnitListed, UnitNameRefused
from server.unit_requests.models import NameCheck, RequestState, UnitRequest, UnitRequester
from server.units import service as units
from server.wechat.gateway import TextPlace, Verdict
from server.wechat.text_check import TextCheck, verdict_or_none

TELL_TASK = "unit_requests.tell_requesters"
PAGE = "packages/mine/unit/index"
# A citizen may have at most this many unanswered requests.
MOST_WAITING = 5
_LISTED = 20
_TOLD_AT_ONCE = 100
_COMPARED = 5000
# A search returns at most this many units.
_FOUND = 50
_CHECKS = {Verdict.PASS: NameCheck.PASSED, Verdict.REVIEW: NameCheck.REVIEW}


@dataclass(frozen=True, kw_only=True)
class WantedUnit:
    """A checked request: the clean name, the place, and the openid for the content check."""

    name: str
    place: Scope
    openid: str | None


@dataclass(frozen=True, kw_only=True)
class RequestView:
    """A request with the number of its requesters, and the unit of the answer."""

    request: UnitRequest
    place: str
    count: int
    unit: units.UnitView | None


@dataclass(frozen=True, kw_only=True)
class RequestAnswer:
    """An organizer's decision: a new unit (`name`, `kind`), an existing one, or a refusal."""

    state: RequestState
    name: str = ""
    kind: str = ""
    unit_ref: str = ""
    sentence: str = ""


def check_wanted(
    uow: UnitOfWork, citizen_id: int, *, name: str, city: str, county: str | None
) -> WantedUnit:
    """A request before the content check of its name.

    Raises: Invalid (422) for a name or a place that cannot be used, UnitListed (409).
    """
    clean = rules.clean_name(name)
    own_city, own_county = units.load_regions().check_place(city, county)
    place = Scope(city=own_city, county=own_county)
    if units.name_taken(uow, place, clean):
        raise UnitListed
    return WantedUnit(
        name=clean, place=place, openid=accounts.openid_of(uow, citizen_id, "mini_program")
    )


def judge_name(gateway: TextCheck, wanted: WantedUnit) -> NameCheck:
    """WeChat's verdict on the name; never call it inside a transaction.

    Raises: UnitNameRefused (409).
    """
    verdict = verdict_or_none(gateway, wanted.openid, wanted.name, TextPlace.COMMENT)
    if verdict is Verdict.RISKY:
        raise UnitNameRefused
    return NameCheck.UNCHECKED if verdict is None else _CHECKS[verdict]


def send_request(
    uow: UnitOfWork, citizen_id: int, wanted: WantedUnit, name_check: NameCheck
) -> RequestView:
    """Ask for a unit, or join others who have asked for it; a repeat changes nothing.

    Raises: EnoughRequests (409).
    Locks: the citizen, then the request.
    """
    accounts.lock_citizen(uow, citizen_id)
    waiting = _own_requests(citizen_id).where(UnitRequest.state == RequestState.WAITING)
    own = list(uow.session.scalars(waiting))
    same = [one for one in own if one.owner == wanted.place.spelled
            and one.name_key == rules.name_key(wanted.name)]  # fmt: skip
    if same:
        return _view_of(uow, same[0])
    if len(own) >= MOST_WAITING:
        raise EnoughRequests(most=MOST_WAITING)
    row = _waiting_request(uow, wanted, name_check)
    uow.session.add(UnitRequester(request_id=row.id, citizen_id=citizen_id, asked_at=uow.now))
    uow.session.flush()
    return _view_of(uow, row)


def _waiting_request(uow: UnitOfWork, wanted: WantedUnit, name_check: NameCheck) -> UnitRequest:
    """The one waiting request for this unit, created if there is none.

    Locks: the request, so that an answer given meanwhile is seen.
    """
    key = rules.name_key(wanted.name)
    fresh = insert_for(uow.session, UnitRequest).values(
        ref=uow.new_ref("unq"), name=wanted.name, name_key=key, name_check=name_check,
        state=RequestState.WAITING, sentence="", made_at=uow.now, **owned_by(wanted.place),
    )  # fmt: skip
    found = select(UnitRequest).where(
        UnitRequest.owner == wanted.place.spelled,
        UnitRequest.name_key == key,
        UnitRequest.state == RequestState.WAITING,
    )
    row = None
    while row is None:
        # The select finds no row when the conflicting one was answered before it was locked: insert
        # again.
        uow.session.execute(fresh.on_conflict_do_nothing())
        row = uow.session.scalar(found.with_for_update())
    return row


def list_own(uow: UnitOfWork, citizen_id: int) -> list[RequestView]:
    """A citizen's own requests, the newest first."""
    newest = _own_requests(citizen_id).order_by(UnitRequest.id.desc()).limit(_LISTED)
    return [_view_of(uow, row) for row in uow.session.scalars(newest)]


def _own_requests(citizen_id: int) -> Select[Any]:
    joined = select(UnitRequest).join(UnitRequester, UnitRequester.request_id == UnitRequest.id)
    return joined.where(UnitRequester.citizen_id == citizen_id)


def _view_of(uow: UnitOfWork, row: UnitRequest, count: int = 0) -> RequestView:
    _, place = units.resolve_scope(uow, row.owner)
    unit = None if row.unit_id is None else units.unit_by_id(uow, row.unit_id)
    return RequestView(request=row, place=place, count=count, unit=unit)


def find_request(
    uow: UnitOfWork, organizer: Organizer, ref: str
) -> tuple[RequestView, list[tuple[str, str]]]:
    """A request of the organizer's place, and units of its city with a similar name.

    Raises: NotFound (404).
    """
    row = _find_row(uow, organizer, ref)
    offered = _list_units(uow, organizer, row, words="", most=_COMPARED)
    return _view_of(uow, row, count_requesters(uow, row.id)), rules.most_alike(row.name, offered)


def _find_row(uow: UnitOfWork, organizer: Organizer, ref: str) -> UnitRequest:
    asked = visible_to(select(UnitRequest), organizer, UnitRequest)
    row: UnitRequest | None = uow.session.scalar(asked.where(UnitRequest.ref == ref))
    if row is None:
        raise NotFound
    return row


def _list_units(
    uow: UnitOfWork, organizer: Organizer, row: UnitRequest, *, words: str, most: int
) -> list[tuple[str, str]]:
    """Ref and name of open units of the request's county, or of its city for a higher place."""
    place = scope_of(row)
    nearby = place if organizer.scope.county else Scope(city=place.city)
    known = units.select_directory(uow, nearby, q=words, is_open=True).with_only_columns(
        units.Unit.ref, units.Unit.name
    )
    known = known.order_by(units.Unit.name, units.Unit.id).limit(most)
    return [(one.ref, one.name) for one in uow.session.execute(known)]


def find_units(
    uow: UnitOfWork, organizer: Organizer, ref: str, words: str
) -> list[tuple[str, str]]:
    """Units with these words in their name, one of which may be the answer to the request.

    Raises: NotFound (404) for the request.
    """
    row = _find_row(uow, organizer, ref)
    return _list_units(uow, organizer, row, words=words, most=_FOUND)


def find_chosen(
    uow: UnitOfWork, organizer: Organizer, ref: str, unit_ref: str | None
) -> list[tuple[str, str]]:
    """The unit that was chosen in a refused form, to be offered again."""
    row = _find_row(uow, organizer, ref)
    unit = units.unit_by_ref(uow, unit_ref) if unit_ref else None
    return [] if unit is None or unit.city != row.owner_city else [(unit.ref, unit.name)]


def count_requesters(uow: UnitOfWork, request_id: int) -> int:
    """How many citizens asked; for a request that was found in the organizer's place."""
    asked = select(func.count()).where(UnitRequester.request_id == request_id)
    with serving_found_row(uow.session):
        return uow.session.scalar(asked) or 0


def answer_request(uow: UnitOfWork, organizer: Organizer, ref: str, answer: RequestAnswer) -> str:
    """Create the unit, name an existing one, or refuse; return the name that was asked for.

    A task sends the requesters the answer.
    Raises: NotFound (404), RequestAnswered (409), FieldRefused.
    Locks: the request.
    """
    asked = writable_by(select(UnitRequest), organizer, UnitRequest)
    locked = asked.where(UnitRequest.ref == ref).with_for_update()
    row: UnitRequest | None = uow.session.scalar(locked)
    if row is None:
        raise NotFound
    if row.state is not RequestState.WAITING:
        raise RequestAnswered
    unit_ref = _unit_of_answer(uow, organizer, row, answer)
    found = None if unit_ref is None else units.unit_by_ref(uow, unit_ref)
    row.unit_id = None if found is None else found.id
    row.state, row.sentence = answer.state, answer.sentence
    row.decider_id, row.decided_at = organizer.id, uow.now
    record_change(
        uow,
        organizer,
        "unit_requests.answer_request",
        Subject("unit_request", ref, scope_of(row)),
        before={"name": row.name},
        after={"state": answer.state.value, "unit": unit_ref},
        reason=row.sentence,
    )
    uow.enqueue_after_commit(TELL_TASK)
    return row.name


def _unit_of_answer(
    uow: UnitOfWork, organizer: Organizer, row: UnitRequest, answer: RequestAnswer
) -> str | None:
    if answer.state is RequestState.CREATED:
        name = answer.name.strip() or row.name
        return organizers.create_unit(uow, organizer, name, answer.kind, row.owner)
    if answer.state is RequestState.POINTED:
        place = Scope(city=row.owner_city)
        unit = units.unit_by_ref(uow, answer.unit_ref)
        if unit is None or unit.city != place.city:
            raise FieldRefused("unit", "unit_requests.form.unit_missing")
        return unit.ref
    if not answer.sentence:
        raise FieldRefused("sentence", "unit_requests.form.sentence_missing")
    return None


def tell_waiting(uow: UnitOfWork, organizer: Organizer) -> list[Waiting]:
    """For the first page: how many requests wait for an answer."""
    if not organizer.has_permission(Permission.UNIT_WRITE):
        return []
    waiting = select(func.count()).select_from(UnitRequest)
    waiting = waiting.where(UnitRequest.state == RequestState.WAITING)
    count = uow.session.scalar(writable_by(waiting, organizer, UnitRequest)) or 0
    return [Waiting(count=count, said="unit_requests.task", path="/unit-requests?state=waiting")]


def untold_requesters(uow: UnitOfWork) -> list[int]:
    """Rows of requesters whom the answer has not been sent to, the oldest first."""
    asked = (
        select(UnitRequester.id)
        .join(UnitRequest, UnitRequest.id == UnitRequester.request_id)
        .where(UnitRequester.told_at.is_(None), UnitRequest.state != RequestState.WAITING)
    )
    return list(uow.session.scalars(asked.order_by(UnitRequester.id).limit(_TOLD_AT_ONCE)))


def tell_requester(uow: UnitOfWork, row_id: int) -> bool:
    """Put the answer into a citizen's inbox; a citizen without a unit joins the unit of the answer.

    False when the citizen was informed before, or was erased.
    Locks: the citizen.
    """
    row = uow.session.get(UnitRequester, row_id)
    if row is None or row.told_at is not None:
        return False
    request = uow.session.get_one(UnitRequest, row.request_id)
    unit = None if request.unit_id is None else units.unit_by_id(uow, request.unit_id)
    try:
        accounts.lock_citizen(uow, row.citizen_id)
    except NotAuthenticated:
        return False
    joined = unit is not None and accounts.join_unit(uow, row.citizen_id, unit.ref)
    row.told_at = uow.now
    what = f"{request.state.value}_joined" if joined else request.state.value
    said = f"unit_requests.letter.{what}"
    facts = {"name": request.name, "sentence": request.sentence,
             "unit": "" if unit is None else unit.name}  # fmt: skip
    letter = Letter(
        key=f"{request.ref}:answer",
        title=uow.texts.fill_text("unit_requests.letter.title"),
        body=uow.texts.fill_text(said, **facts),
        page=PAGE,
    )
    return notices.post_message(uow, row.citizen_id, letter)
