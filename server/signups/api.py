"""Activities, sign-ups and tickets for the mini-program."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.accounts import service as accounts
from server.activities import service as activities
from server.activities.service import ActivityView, WantedActivities
from server.base.errors import Invalid, NotFound
from server.base.rate_limits import CHANGE, SIGN_UP
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.cursor import decode_cursor, encode_cursor
from server.base.web.endpoint import PREFIX, Answer, Api, Picture, endpoint
from server.base.web.schema import Page
from server.signups import calendars, limits, places, responses, service, wishes
from server.signups.calendar_file import MEDIA
from server.signups.contacts import Contact
from server.signups.errors import (
    ActivityFull,
    AlreadyCheckedIn,
    AlreadyStarted,
    ClashesWithOther,
    DrawInProgress,
    NoShowPause,
    OfferExpired,
    PhoneNeeded,
    SignUpClosed,
    SignUpLimitReached,
    SignUpNotOpen,
)
from server.signups.schemas import (
    ActivitiesQuery,
    ActivityOut,
    CalendarOut,
    CalendarQuery,
    OfferIn,
    OwnPlaceOut,
    OwnTicketOut,
    SignUpIn,
    TicketsOut,
)
from server.units import service as units

API = Api("activities")


@endpoint(
    API,
    "GET",
    "/activities",
    who=Who.MAYBE_CITIZEN,
    query=ActivitiesQuery,
    out=Page[ActivityOut],
    errors=(Invalid,),
)
def list_activities(uow: UnitOfWork, query: ActivitiesQuery) -> Page[ActivityOut]:
    """Activities in the order of their start; by default those that have not ended."""
    units.load_regions().check_place(query.city, None)
    wanted = WantedActivities(
        kind=query.kind, city=query.city, programme=query.programme, audience=query.audience,
        series=query.series, status=query.status, first_day=query.from_day, last_day=query.to,
    )  # fmt: skip
    after = None if query.after is None else _read_cursor(query.after)
    found = activities.list_activities(uow, wanted, query.limit + 1, after)
    shown = found[: query.limit]
    mine = _own_places(uow, shown)
    more = len(found) > len(shown)
    last = shown[-1].activity if more else None
    return Page(
        items=[responses.listed_activity(one, uow.now, mine.get(one.activity.id)) for one in shown],
        next=None if last is None else encode_cursor(last.starts_at.isoformat(), last.id),
    )


def _read_cursor(after: str) -> tuple[datetime, int]:
    at, row_id = decode_cursor(after, str, int)
    try:
        start = datetime.fromisoformat(str(at))
    except ValueError:
        raise Invalid((("query", "after"), "an unreadable cursor")) from None
    if start.tzinfo is None:
        raise Invalid((("query", "after"), "an unreadable cursor"))
    return start, int(row_id)


def _own_places(uow: UnitOfWork, shown: Sequence[ActivityView]) -> dict[int, OwnPlaceOut]:
    caller = uow.maybe_caller_id
    if caller is None:
        return {}
    wanted = {one.activity.id for one in shown}
    return {
        activity_id: responses.place_out(uow, placed)
        for activity_id, placed in service.read_places_in(uow, caller, wanted).items()
    }


@endpoint(
    API, "GET", "/activities/<ref>", who=Who.MAYBE_CITIZEN, out=ActivityOut, errors=(NotFound,)
)
def show_activity(uow: UnitOfWork, ref: str) -> ActivityOut:
    """Show one activity, with the caller's place in it."""
    found = activities.find_activity(uow, ref)
    mine = _own_places(uow, [found])
    rule = limits.say_rule(uow)
    return responses.activity_out(found, uow.now, mine.get(found.activity.id), rule)


@endpoint(
    API,
    "POST",
    "/activities/<ref>/signup",
    who=Who.CITIZEN,
    body=SignUpIn,
    out=OwnPlaceOut,
    status=(201, 200),
    errors=(
        NotFound, Invalid, SignUpNotOpen, SignUpClosed, DrawInProgress, ActivityFull,
        ClashesWithOther, SignUpLimitReached, NoShowPause, PhoneNeeded,
        AlreadyCheckedIn,
    ),
    consent=True,
    pace=SIGN_UP,
)  # fmt: skip
def sign_up(uow: UnitOfWork, ref: str, body: SignUpIn) -> Answer:
    """Take seats, a place on the waitlist or a lot; a repeat returns the existing place."""
    phone = None if body.phone is None else wishes.read_phone(body.phone)
    contact = Contact(
        name=None if body.name is None else wishes.read_name(body.name),
        phone=phone or accounts.tell_number(uow, uow.caller_id),
    )
    wish = service.Wish(
        party_size=body.party_size, answers=body.answers, contact=contact,
        instead_of=body.instead_of,
    )  # fmt: skip
    placed = service.sign_up(uow, uow.caller_id, ref, wish)
    return Answer(value=responses.place_out(uow, placed), status=201 if placed.fresh else 200)


@endpoint(
    API,
    "DELETE",
    "/activities/<ref>/signup",
    who=Who.CITIZEN,
    status=(204,),
    errors=(NotFound, AlreadyStarted, AlreadyCheckedIn),
    pace=SIGN_UP,
)
def withdraw(uow: UnitOfWork, ref: str) -> None:
    """Give up the place; a repeat does nothing."""
    service.withdraw(uow, uow.caller_id, ref)


@endpoint(
    API,
    "POST",
    "/activities/<ref>/signup/offer",
    who=Who.CITIZEN,
    body=OfferIn,
    out=OwnPlaceOut,
    errors=(NotFound, OfferExpired),
    pace=SIGN_UP,
)
def answer_offer(uow: UnitOfWork, ref: str, body: OfferIn) -> OwnPlaceOut:
    """Accept or decline offered seats."""
    placed = service.answer_offer(uow, uow.caller_id, ref, accept=body.accept)
    return responses.place_out(uow, placed)


@endpoint(API, "GET", "/me/tickets", who=Who.CITIZEN, out=TicketsOut)
def list_tickets(uow: UnitOfWork) -> TicketsOut:
    """The caller's places, with signed codes that a phone can show without network."""
    held = places.read_places(uow, uow.caller_id)
    past = _tickets_for(uow, places.read_past_activities(uow, uow.caller_id))
    return TicketsOut(
        items=_tickets_for(uow, {one.activity_id for one in held.held}),
        past=[one for one in reversed(past) if one.place.checked_in],
        absences=responses.absences_out(uow, uow.caller_id),
    )


def _tickets_for(uow: UnitOfWork, activity_ids: set[int]) -> list[OwnTicketOut]:
    """The caller's places in these activities, the earliest first."""
    own = service.read_places_in(uow, uow.caller_id, activity_ids)
    views = activities.views_of(uow, activity_ids)
    ordered = sorted(views, key=lambda one: (one.activity.starts_at, one.activity.id))
    return [responses.ticket_out(uow, one, own[one.activity.id]) for one in ordered]


@endpoint(API, "GET", "/activities/<ref>.ics", who=Who.ANYONE, errors=(NotFound,), media=MEDIA)
def show_activity_file(uow: UnitOfWork, ref: str) -> Picture:
    """Show one activity as a calendar file; its UID is stable, SEQUENCE grows with each change."""
    return Picture(content=calendars.write_activity_file(uow, ref), keep_seconds=0)


@endpoint(
    API,
    "GET",
    "/me/calendar.ics",
    who=Who.ANYONE,
    query=CalendarQuery,
    errors=(NotFound,),
    media=MEDIA,
)
def show_feed(uow: UnitOfWork, query: CalendarQuery) -> Picture:
    """Show the places of a citizen as a calendar feed, opened by its key instead of a token."""
    return Picture(content=calendars.write_feed(uow, query.key), keep_seconds=0)


@endpoint(
    API,
    "POST",
    "/me/calendar",
    who=Who.CITIZEN,
    out=CalendarOut,
    consent=True,
    pace=CHANGE,
)
def open_feed(uow: UnitOfWork) -> CalendarOut:
    """The address of the caller's calendar feed; a repeat returns the same one."""
    key = calendars.open_feed(uow, uow.caller_id)
    return CalendarOut(path=f"{PREFIX}/me/calendar.ics?key={key}")


@endpoint(API, "DELETE", "/me/calendar", who=Who.CITIZEN, status=(204,), pace=CHANGE)
def end_feed(uow: UnitOfWork) -> None:
    """Withdraw the address of the calendar feed; it answers 404 from then on."""
    calendars.end_feed(uow, uow.caller_id)
