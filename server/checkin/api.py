"""Self check-in for citizens, and the scanner's page for the staff of a gate.

A member of the staff is a citizen with a grant for one session. Every call reads the grant again,
so that a revoked one is refused at once.
"""

from __future__ import annotations

from server.activities import service as activities
from server.activities.service import ActivityGate
from server.base.errors import Invalid, NotFound
from server.base.rate_limits import CHANGE, SCAN, WRONG_CODE, counting_failures
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, endpoint
from server.checkin import admitting, grants, responses, roster
from server.checkin.errors import (
    AlreadyAdmitted,
    CodeExpired,
    GrantEnded,
    GrantTaken,
    HallFull,
    NoPlaceToAdmit,
    NotAdmitted,
    NotSignedUp,
    TooEarly,
    TooLate,
    WaitlistedOnly,
)
from server.checkin.scanning import GivenScan, take_scans
from server.checkin.schemas import (
    AdmitIn,
    AdmittedOut,
    CheckInOut,
    CodeIn,
    DepartureIn,
    GrantOut,
    GrantsOut,
    PeopleOut,
    PersonQuery,
    RosterOut,
    ScansIn,
    ScansOut,
    StaffSessionOut,
    WalkInIn,
)
from server.checkin.store import HeldGrant
from server.signups import service as signups
from server.signups.service import Contact, Wish

API = Api("checkin")
_GRANT = (NotFound, GrantEnded)


@endpoint(
    API,
    "POST",
    "/checkins",
    who=Who.CITIZEN,
    body=CodeIn,
    out=CheckInOut,
    errors=(CodeExpired, NotSignedUp, WaitlistedOnly, TooEarly, TooLate, NotFound),
    consent=True,
    pace=CHANGE,
)
def check_in(uow: UnitOfWork, body: CodeIn) -> CheckInOut:
    """Check in the caller's own party with the code that the venue shows now."""
    person = uow.rate_limit_key(uow.caller_id)
    with counting_failures(uow.dependencies, WRONG_CODE, person, CodeExpired):
        admitting.activity_of_code(uow, body.code)
    gate, admitted = admitting.check_in_by_code(uow, uow.caller_id, body.code)
    return responses.check_in_out(gate, admitted)


@endpoint(
    API,
    "POST",
    "/staff/grants",
    who=Who.CITIZEN,
    body=CodeIn,
    out=GrantOut,
    status=(201,),
    errors=(*_GRANT, GrantTaken),
    consent=True,
    pace=CHANGE,
)
def redeem_grant(uow: UnitOfWork, body: CodeIn) -> GrantOut:
    """Redeem the QR of a scanner grant; the first citizen holds it and may redeem it again."""
    person = uow.rate_limit_key(uow.caller_id)
    with counting_failures(uow.dependencies, WRONG_CODE, person, NotFound):
        grants.require_code(uow, body.code)
    held, gate = grants.redeem_grant(uow, uow.caller_id, body.code)
    return responses.grant_out(uow, held, gate)


@endpoint(API, "GET", "/staff/sessions", who=Who.CITIZEN, out=GrantsOut)
def list_sessions(uow: UnitOfWork) -> GrantsOut:
    """The sessions for which the caller holds a valid grant."""
    held = grants.valid_grants(uow, uow.caller_id)
    return GrantsOut(
        items=[
            responses.grant_out(uow, one, activities.gate_of(uow, one.activity_id)) for one in held
        ]
    )


@endpoint(API, "GET", "/staff/sessions/<ref>", who=Who.CITIZEN, out=StaffSessionOut, errors=_GRANT)
def show_session(uow: UnitOfWork, ref: str) -> StaffSessionOut:
    """Show the session of the caller's grant, with its counters."""
    held, gate = _enter_session(uow, ref)
    return responses.staff_session_out(uow, held, gate, activities.find_activity(uow, ref))


@endpoint(API, "GET", "/staff/sessions/<ref>/roster", who=Who.CITIZEN, out=RosterOut, errors=_GRANT)
def load_roster(uow: UnitOfWork, ref: str) -> RosterOut:
    """The roster for scanning without network: hashes of tickets, masked names, a signature."""
    held, gate = _enter_session(uow, ref)
    return responses.roster_out(gate, roster.build_roster(uow, held, gate))


@endpoint(
    API,
    "POST",
    "/staff/checkins",
    who=Who.CITIZEN,
    body=ScansIn,
    out=ScansOut,
    errors=_GRANT,
    pace=SCAN,
)
def take_batch(uow: UnitOfWork, body: ScansIn) -> ScansOut:
    """Store scans, live or saved offline; a nonce that was answered before gets the same answer.

    Each scan is judged by itself, so a wrong one does not stop the others.
    """
    held = grants.held_grant(uow, uow.caller_id, body.session)
    scans = [
        GivenScan(
            nonce=one.nonce,
            ticket=one.ticket,
            scanned_at=one.scanned_at,
            direction=one.direction,
            admitted=one.admitted,
        )
        for one in body.scans
    ]
    taken = take_scans(uow, held, scans, body.sent_at)
    return ScansOut(
        results=[responses.scan_out(one) for one in taken.answers],
        admitted=taken.admitted,
        inside=taken.inside,
    )


@endpoint(
    API,
    "GET",
    "/staff/sessions/<ref>/people",
    who=Who.CITIZEN,
    query=PersonQuery,
    out=PeopleOut,
    errors=(*_GRANT, Invalid),
)
def find_people(uow: UnitOfWork, ref: str, query: PersonQuery) -> PeopleOut:
    """Find people of the session by the end of their number or by name; names are masked."""
    _, gate = _enter_session(uow, ref)
    found = roster.find_people(uow, gate, query.words.strip())
    return PeopleOut(items=[responses.person_out(one) for one in found])


@endpoint(
    API,
    "POST",
    "/staff/sessions/<ref>/admissions",
    who=Who.CITIZEN,
    body=AdmitIn,
    out=AdmittedOut,
    status=(201,),
    errors=(*_GRANT, AlreadyAdmitted, NoPlaceToAdmit, HallFull, TooEarly, TooLate),
    pace=SCAN,
)
def admit_person(uow: UnitOfWork, ref: str, body: AdmitIn) -> AdmittedOut:
    """Admit a person who was found in the list; without a seat only while there is room."""
    held, gate = _enter_session(uow, ref)
    signup_id = signups.id_in_activity(uow, gate.id, body.person)
    keeper = admitting.keeper_at_gate(held)
    admitted = admitting.admit_signup(uow, keeper, gate, signup_id, body.reason)
    return responses.admitted_out(uow, gate, admitted)


@endpoint(
    API,
    "POST",
    "/staff/sessions/<ref>/admissions/undo",
    who=Who.CITIZEN,
    body=AdmitIn,
    status=(204,),
    errors=(*_GRANT, NotAdmitted),
    pace=SCAN,
)
def undo_admission(uow: UnitOfWork, ref: str, body: AdmitIn) -> None:
    """Undo an admission, its counters and its participation; a walk-in loses the seat."""
    held, gate = _enter_session(uow, ref)
    signup_id = signups.id_in_activity(uow, gate.id, body.person)
    admitting.undo_attendance(uow, admitting.keeper_at_gate(held), gate, signup_id, body.reason)


@endpoint(
    API,
    "POST",
    "/staff/sessions/<ref>/departures",
    who=Who.CITIZEN,
    body=DepartureIn,
    status=(204,),
    errors=(*_GRANT, NotAdmitted),
    pace=SCAN,
)
def note_departure(uow: UnitOfWork, ref: str, body: DepartureIn) -> None:
    """Record that people who were found in the list leave."""
    held, gate = _enter_session(uow, ref)
    signup_id = signups.id_in_activity(uow, gate.id, body.person)
    admitting.check_out_signup(uow, admitting.keeper_at_gate(held), gate, signup_id)


@endpoint(
    API,
    "POST",
    "/staff/sessions/<ref>/walk-ins",
    who=Who.CITIZEN,
    body=WalkInIn,
    out=AdmittedOut,
    status=(201,),
    errors=(*_GRANT, Invalid, HallFull, TooEarly, TooLate),
    pace=SCAN,
)
def admit_walk_in(uow: UnitOfWork, ref: str, body: WalkInIn) -> AdmittedOut:
    """Admit people who came without a sign-up, if there is room for all of them."""
    held, gate = _enter_session(uow, ref)
    contact = Contact(
        name=None if body.name is None else signups.read_name(body.name),
        phone=None if body.phone is None else signups.read_phone(body.phone),
    )
    wish = Wish(party_size=body.party_size, contact=contact)
    admitted = admitting.admit_guest(uow, admitting.keeper_at_gate(held), gate, wish)
    return responses.admitted_out(uow, gate, admitted)


def _enter_session(uow: UnitOfWork, ref: str) -> tuple[HeldGrant, ActivityGate]:
    """The caller's valid grant for a session, and the session.

    Raises: NotFound (404), GrantEnded (403).
    """
    held = grants.held_grant(uow, uow.caller_id, ref)
    return held, activities.gate_of(uow, held.activity_id)
