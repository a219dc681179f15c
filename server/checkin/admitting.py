"""Admissions without a scanner: self check-in, by hand, their undo, and check-out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from server.accounts import service as accounts
from server.activities import service as activities
from server.activities.service import ActivityGate, LockedSeats
from server.audit.service import Subject, record_change
from server.base.access import Organizer, System
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.checkin import codes, store, walk_ins
from server.checkin.book import (
    HallBook,
    Origin,
    close_book,
    open_book,
    passage_now,
    uncount_admission,
)
from server.checkin.errors import (
    AlreadyAdmitted,
    CodeExpired,
    NoPlaceToAdmit,
    NotAdmitted,
    NotSignedUp,
    TooEarly,
    TooLate,
    WaitlistedOnly,
)
from server.checkin.kinds import AdmissionWay, GatePhase, ScanResult
from server.checkin.models import Admission, ScanRecord
from server.checkin.scanning import pass_ticket, phase_of, refuse_state
from server.checkin.store import HeldGrant
from server.programme import service as programmes
from server.signups import service as signups
from server.signups.service import GateTicket, SignUpState


@dataclass(frozen=True, kw_only=True)
class Gatekeeper:
    """The person who admits by hand: an organizer in the console, or gate staff under a grant."""

    actor: Organizer | System
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """An admission; `fresh` is False when the people had been admitted before."""

    ticket: GateTicket
    at: datetime
    gate: str
    fresh: bool


def keeper_in_console(uow: UnitOfWork, organizer: Organizer) -> Gatekeeper:
    """An organizer who admits in the console."""
    label = uow.texts.fill_text("checkin.gate.desk")
    origin = Origin(way=AdmissionWay.MANUAL, gate=label, organizer_id=organizer.id)
    return Gatekeeper(actor=organizer, origin=origin)


def keeper_at_gate(held: HeldGrant) -> Gatekeeper:
    """A member of the staff who admits under a grant."""
    origin = Origin(way=AdmissionWay.MANUAL, gate=held.gate, grant_id=held.id)
    return Gatekeeper(actor=System(name="scanner"), origin=origin)


def activity_of_code(uow: UnitOfWork, code: str) -> int:
    """The row id of the activity to whose venue this code belongs now.

    Raises: CodeExpired (409).
    """
    found = codes.read_venue_code(uow.keys, code, uow.now)
    if found is None:
        raise CodeExpired
    return found


def check_in_by_code(uow: UnitOfWork, citizen_id: int, code: str) -> tuple[ActivityGate, Admitted]:
    """Admit the caller by the venue's code, with the party of the caller's own sign-up.

    Locks: the citizen, the sign-up, the hall.
    Raises: CodeExpired, NotSignedUp, WaitlistedOnly, TooEarly, TooLate (409).
    """
    activity_id = activity_of_code(uow, code)
    accounts.lock_citizen(uow, citizen_id)
    gate = activities.gate_of(uow, activity_id)
    signup_id = signups.live_signup_of(uow, citizen_id, activity_id)
    if signup_id is None:
        raise NotSignedUp
    store.open_hall(uow, activity_id)
    book = open_book(uow, gate, [signup_id])
    ticket = book.tickets[signup_id]
    if refuse_state(ticket.state) is ScanResult.WAITLISTED:
        raise WaitlistedOnly
    if ticket.state is not SignUpState.CONFIRMED:
        # The sign-up ended before it was locked.
        raise NotSignedUp
    require_open_gate(uow, gate)
    label = uow.texts.fill_text("checkin.gate.self")
    return gate, _pass_inward(uow, book, ticket, Origin(way=AdmissionWay.SELF, gate=label))


def require_open_gate(uow: UnitOfWork, gate: ActivityGate) -> None:
    """Refuse an admission outside the time of the check-in.

    Raises: TooEarly, TooLate (409).
    """
    phase = phase_of(uow, gate)
    if phase is GatePhase.EARLY:
        raise TooEarly(minutes=uow.settings.checkin.opens_minutes)
    if phase is not GatePhase.OPEN:
        raise TooLate


def admit_signup(
    uow: UnitOfWork, keeper: Gatekeeper, gate: ActivityGate, signup_id: int, reason: str
) -> Admitted:
    """Admit a person who was found in the list.

    People on the waitlist, and those whose seat was given away, get a free seat, as walk-ins do.
    Locks: the activity, the sign-up, the hall.
    Raises: AlreadyAdmitted, NoPlaceToAdmit, HallFull, TooEarly, TooLate (409), NotFound (404).
    """
    gate, locked = _lock_gate(uow, gate)
    _require_begun(uow, gate)
    ticket = signups.lock_tickets(uow, gate.id, [signup_id]).get(signup_id)
    if ticket is None:
        raise NotFound
    if ticket.state in walk_ins.HOPEFUL:
        require_open_gate(uow, gate)
        walk_ins.seat_hopeful(uow, gate, locked, ticket)
    elif ticket.state is not SignUpState.CONFIRMED:
        raise NoPlaceToAdmit
    book = open_book(uow, gate, [signup_id])
    admitted = _pass_inward(uow, book, book.tickets[signup_id], keeper.origin)
    if not admitted.fresh:
        raise AlreadyAdmitted(about=ticket.ref)
    subject = Subject("signup", ticket.ref, activities.scope_of_gate(gate))
    after = {"gate": admitted.gate, "people": ticket.party_size}
    record_change(uow, keeper.actor, "checkin.admit_by_hand", subject, after=after, reason=reason)
    return admitted


def _lock_gate(uow: UnitOfWork, gate: ActivityGate) -> tuple[ActivityGate, LockedSeats]:
    """Lock the seats of an activity, and read it again: it may have been moved or cancelled.

    Locks: the activity.
    """
    locked = activities.lock_seats(uow, [gate.id])[gate.id]
    store.open_hall(uow, gate.id)
    return activities.gate_of(uow, gate.id), locked


def _require_begun(uow: UnitOfWork, gate: ActivityGate) -> None:
    """Refuse an admission by hand before the check-in begins; one after the end is a correction.

    Raises: TooEarly, TooLate (409).
    """
    phase = phase_of(uow, gate)
    if phase is GatePhase.EARLY:
        raise TooEarly(minutes=uow.settings.checkin.opens_minutes)
    if phase is GatePhase.CANCELLED:
        raise TooLate


def undo_attendance(
    uow: UnitOfWork, keeper: Gatekeeper, gate: ActivityGate, signup_id: int, reason: str
) -> None:
    """Undo an admission, its counters and its participation; a walk-in loses the seat.

    Locks: the activity, the sign-up, the hall.
    Raises: NotFound (404), NotAdmitted (409).
    """
    gate, locked = _lock_gate(uow, gate)
    book = open_book(uow, gate, [signup_id])
    ticket, kept = book.tickets.get(signup_id), book.admissions.get(signup_id)
    if ticket is None:
        raise NotFound
    if kept is None or not kept.holds:
        raise NotAdmitted(about=ticket.ref)
    uncount_admission(book.hall, kept)
    _void_passages(uow, signup_id, reason)
    programmes.withdraw_participation(uow, programmes.ATTENDED, [ticket.ref])
    if kept.way is AdmissionWay.WALK_IN:
        _unseat_walk_in(uow, locked, ticket)
    store.store_hall(uow, book.hall)
    subject = Subject("signup", ticket.ref, activities.scope_of_gate(gate))
    before = {"people": kept.people, "first_in_at": kept.first_in_at.isoformat()}
    record_change(
        uow, keeper.actor, "checkin.undo_admission", subject, before=before, reason=reason
    )


def _void_passages(uow: UnitOfWork, signup_id: int, reason: str) -> None:
    values = {
        "holds": False, "inside_since": None, "last_out_at": None, "stayed_seconds": 0,
        "undone_at": uow.now, "undo_reason": reason,
    }  # fmt: skip
    plain = {"synchronize_session": False}
    uow.session.execute(
        update(Admission).where(Admission.signup_id == signup_id).values(values),
        execution_options=plain,
    )
    uow.session.execute(
        update(ScanRecord)
        .where(ScanRecord.signup_id == signup_id, ScanRecord.is_passage)
        .values(is_passage=False, is_conflict=False),
        execution_options=plain,
    )


def _unseat_walk_in(uow: UnitOfWork, locked: LockedSeats, ticket: GateTicket) -> None:
    """End the sign-up of a walk-in, which was made for the admission only."""
    if ticket.state is not SignUpState.CONFIRMED:
        return
    signups.uncount_place(locked, ticket.state, ticket.party_size)
    signups.settle_signup(uow, ticket.id, SignUpState.REMOVED)
    signups.serve_waitlist(uow, locked)
    activities.store_counts(uow, locked)


def check_out_signup(
    uow: UnitOfWork, keeper: Gatekeeper, gate: ActivityGate, signup_id: int
) -> None:
    """Record that people who were found in the list leave.

    Locks: the sign-up, the hall.
    Raises: NotFound (404), NotAdmitted (409).
    """
    store.open_hall(uow, gate.id)
    book = open_book(uow, gate, [signup_id])
    ticket = book.tickets.get(signup_id)
    if ticket is None:
        raise NotFound
    passage = passage_now(uow, keeper.origin, inward=False)
    answer = pass_ticket(uow, book, passage, ticket)
    if answer.result is not ScanResult.OK:
        raise NotAdmitted(about=ticket.ref)
    close_book(uow, book)
    subject = Subject("signup", ticket.ref, activities.scope_of_gate(gate))
    record_change(uow, keeper.actor, "checkin.check_out", subject, after={"gate": passage.gate})


def admit_guest(
    uow: UnitOfWork, keeper: Gatekeeper, gate: ActivityGate, wish: signups.Wish
) -> Admitted:
    """Admit people who came without a sign-up, if there is room for them.

    Locks: the activity, the sign-ups whose seats are given away, the hall.
    Raises: HallFull, TooEarly, TooLate, PhoneNeeded (409), Invalid (422).
    """
    gate, locked = _lock_gate(uow, gate)
    require_open_gate(uow, gate)
    given = walk_ins.make_room(uow, gate, locked, wish.party_size)
    person = {"citizen_id": None, "entered_by": keeper.origin.organizer_id, "group_label": None}
    placed = signups.seat_at_gate(uow, locked, wish, person)
    book = open_book(uow, gate, [placed.id])
    origin = Origin(
        way=AdmissionWay.WALK_IN, gate=keeper.origin.gate, grant_id=keeper.origin.grant_id,
        organizer_id=keeper.origin.organizer_id,
    )  # fmt: skip
    admitted = _pass_inward(uow, book, book.tickets[placed.id], origin)
    subject = Subject("signup", placed.ref, activities.scope_of_gate(gate))
    after = {
        "gate": admitted.gate, "people": wish.party_size, "seats": locked.seats,
        "given_away": given,
    }  # fmt: skip
    record_change(uow, keeper.actor, "checkin.admit_walk_in", subject, after=after)
    return admitted


def _pass_inward(uow: UnitOfWork, book: HallBook, ticket: GateTicket, origin: Origin) -> Admitted:
    """Admit a ticket at this instant, and store it; nothing is stored for people who are inside."""
    inside = book.presence_of(ticket.id).entered
    if inside is not None:
        return Admitted(ticket=ticket, at=inside.at, gate=inside.gate, fresh=False)
    passage = passage_now(uow, origin, inward=True)
    pass_ticket(uow, book, passage, ticket)
    close_book(uow, book)
    return Admitted(ticket=ticket, at=passage.at, gate=passage.gate, fresh=True)
