"""Signing up, withdrawing, and answering offers.

Lock order: the citizen, then the activities (`activities.lock_seats`) in the order of their ids.
Besides the wanted activity a transaction of a citizen locks those on whose waitlist the citizen
stands at the same time, so that no other transaction promotes the citizen there meanwhile. A person
on a waitlist can take a seat in another activity at the same time, and is then skipped by
promotions (`store.clashing_people`); two waitlists at the same time are refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from server.accounts import service as accounts
from server.activities import service as activities
from server.activities.service import ActivityState, ActivityTimes, LockedSeats, SignUpPhase
from server.base.errors import Invalid, NotFound
from server.base.uow import UnitOfWork
from server.signups import limits, store, waitlist
from server.signups.audiences import citizens_absent as citizens_absent
from server.signups.audiences import citizens_signed_up as citizens_signed_up
from server.signups.bulk import NewSignUp as NewSignUp
from server.signups.bulk import add_signups as add_signups
from server.signups.bulk import ids_of_signups as ids_of_signups
from server.signups.bulk import recount_seats as recount_seats
from server.signups.bulk import signups_made as signups_made
from server.signups.changes import cancel_activity as cancel_activity
from server.signups.changes import close_activity as close_activity
from server.signups.changes import forget_absences as forget_absences
from server.signups.changes import note_absences as note_absences
from server.signups.changes import postpone_activity as postpone_activity
from server.signups.contacts import Contact as Contact
from server.signups.contacts import blind_phone as blind_phone
from server.signups.contacts import mask_name as mask_name
from server.signups.contacts import name_on_signup as name_on_signup
from server.signups.contacts import sealed_contact
from server.signups.errors import (
    ActivityFull,
    AlreadyStarted,
    ClashesWithOther,
    DrawInProgress,
    OfferExpired,
    PhoneNeeded,
    SignUpClosed,
    SignUpNotOpen,
)
from server.signups.gate_tickets import GateTicket as GateTicket
from server.signups.gate_tickets import clear_absences as clear_absences
from server.signups.gate_tickets import end_absent as end_absent
from server.signups.gate_tickets import existing_signups as existing_signups
from server.signups.gate_tickets import id_in_activity as id_in_activity
from server.signups.gate_tickets import id_of_own as id_of_own
from server.signups.gate_tickets import live_signup_of as live_signup_of
from server.signups.gate_tickets import lock_tickets as lock_tickets
from server.signups.gate_tickets import search_tickets as search_tickets
from server.signups.gate_tickets import seated_parties as seated_parties
from server.signups.gate_tickets import tickets_of as tickets_of
from server.signups.kinds import HOPING as HOPING
from server.signups.kinds import LIVE as LIVE
from server.signups.kinds import NoticeKind
from server.signups.kinds import SignUpState as SignUpState
from server.signups.lottery import draw_lottery as draw_lottery
from server.signups.models import SignUp as SignUp
from server.signups.places import HeldPlaces, activities_to_lock, read_places
from server.signups.store import Held
from server.signups.store import settle_signup as settle_signup
from server.signups.tickets import read_ticket as read_ticket
from server.signups.tickets import spell_ticket as spell_ticket
from server.signups.used_places import refuse_used
from server.signups.waitlist import serve_waitlist as serve_waitlist
from server.signups.waitlist import uncount_place as uncount_place
from server.signups.wishes import MOST_NAME as MOST_NAME
from server.signups.wishes import check_answers, read_questions
from server.signups.wishes import is_wrong_phone as is_wrong_phone
from server.signups.wishes import phone_or_none as phone_or_none
from server.signups.wishes import read_name as read_name
from server.signups.wishes import read_phone as read_phone


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A citizen's request: seats, answers to questions, the activity to leave for it."""

    party_size: int = 1
    answers: Mapping[str, str] = field(default_factory=dict)
    contact: Contact = field(default_factory=lambda: Contact())
    instead_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class PlaceView:
    """A sign-up as its person sees it; `position` counts from 1 on the waitlist."""

    id: int
    ref: str
    state: SignUpState
    party_size: int
    position: int | None = None
    offer_expires_at: datetime | None = None
    fresh: bool = False


def sign_up(uow: UnitOfWork, citizen_id: int, ref: str, wish: Wish) -> PlaceView:
    """Take seats, a place on the waitlist or a lot of the lottery; an existing place is returned.

    With `instead_of` the citizen leaves that activity in the same transaction, but only for seats.
    Locks: the citizen, the activities.
    Raises: NotFound (404), Invalid (422) for a party that is too large, SignUpNotOpen,
    SignUpClosed, DrawInProgress, ClashesWithOther, SignUpLimitReached, NoShowPause, PhoneNeeded,
    ActivityFull, AlreadyCheckedIn (409).
    """
    accounts.lock_citizen(uow, citizen_id)
    wanted = activities.times_of_ref(uow, ref)
    left = _times_to_leave(uow, wish)
    touched = (wanted,) if left is None else (wanted, left)
    before = read_places(uow, citizen_id)
    locked = activities.lock_seats(uow, activities_to_lock(before, *touched))
    # Read again: promotions may have changed them before the locks.
    places = read_places(uow, citizen_id)
    own = places.in_activity(wanted.id)
    if own is not None:
        return read_placed(uow, own.id)
    leaving = None if left is None else places.in_activity(left.id)
    if left is not None and leaving is None:
        raise NotFound
    mine = locked[wanted.id]
    require_phase(uow, mine)
    check_wish(mine, wish)
    limits.check_limits(uow, citizen_id, places, wanted, leaving)
    _refuse_seats_beside(uow, places, wanted, leaving)
    placed = take_place(uow, mine, wish, {"citizen_id": citizen_id})
    if placed.state in HOPING and places.hoping_beside(wanted):
        raise ClashesWithOther(**_name_activity(uow, places.hoping_beside(wanted)[0]))
    if leaving is not None:
        if placed.state is not SignUpState.CONFIRMED:
            raise ActivityFull
        refuse_used(uow, locked[leaving.activity_id], leaving.id)
        _end_place(uow, locked[leaving.activity_id], leaving, SignUpState.WITHDRAWN)
    _serve_others(uow, locked, mine.id)
    return placed


def withdraw(uow: UnitOfWork, citizen_id: int, ref: str) -> bool:
    """Give up a place; its seats go to the waitlist at once. False when there is none.

    Locks: the citizen, the activities.
    Raises: NotFound (404), AlreadyStarted, AlreadyCheckedIn (409).
    """
    accounts.lock_citizen(uow, citizen_id)
    left = activities.times_of_ref(uow, ref)
    before = read_places(uow, citizen_id)
    locked = activities.lock_seats(uow, activities_to_lock(before, left))
    own = read_places(uow, citizen_id).in_activity(left.id)
    if own is None:
        return False
    mine = locked[left.id]
    if uow.now >= mine.starts_at and mine.state is not ActivityState.POSTPONED:
        raise AlreadyStarted
    refuse_used(uow, mine, own.id)
    _end_place(uow, mine, own, SignUpState.WITHDRAWN)
    _serve_others(uow, locked)
    return True


def answer_offer(uow: UnitOfWork, citizen_id: int, ref: str, *, accept: bool) -> PlaceView:
    """Accept or decline an offer; a repeated answer returns the present place.

    Locks: the citizen, the activities.
    Raises: NotFound (404) without an offer, OfferExpired (409).
    """
    accounts.lock_citizen(uow, citizen_id)
    offered = activities.times_of_ref(uow, ref)
    before = read_places(uow, citizen_id)
    locked = activities.lock_seats(uow, activities_to_lock(before, offered))
    newest = _newest_signup(uow, citizen_id, offered.id)
    if newest is None:
        raise NotFound
    expired = newest.offer_expires_at is not None and newest.offer_expires_at <= uow.now
    if newest.state is SignUpState.EXPIRED or expired:
        raise OfferExpired
    repeated = SignUpState.CONFIRMED if accept else SignUpState.DECLINED
    if newest.state is repeated:
        return read_placed(uow, newest.id)
    if newest.state is not SignUpState.OFFERED:
        raise NotFound
    mine = locked[offered.id]
    if accept:
        mine.offered -= 1
        store.settle_signup(uow, newest.id, SignUpState.CONFIRMED)
        store.note_message(uow, newest.id, NoticeKind.CONFIRMED)
    else:
        held = Held(
            id=newest.id, activity_id=mine.id, state=newest.state,
            party_size=newest.party_size, sequence=newest.sequence,
        )  # fmt: skip
        _end_place(uow, mine, held, SignUpState.DECLINED)
    _serve_others(uow, locked)
    return read_placed(uow, newest.id)


def read_places_in(
    uow: UnitOfWork, citizen_id: int, activity_ids: Collection[int]
) -> dict[int, PlaceView]:
    """A citizen's live places in these activities, by the activity's row id."""
    held = [one for one in store.live_of(uow, citizen_id) if one.activity_id in activity_ids]
    return {one.activity_id: read_placed(uow, one.id) for one in held}


def read_placed(uow: UnitOfWork, signup_id: int) -> PlaceView:
    """A sign-up with its present position on the waitlist."""
    row = uow.session.get_one(SignUp, signup_id, populate_existing=True)
    waits = row.state is SignUpState.WAITLISTED and row.sequence is not None
    position = store.count_before(uow, row.activity_id, row.sequence or 0) + 1 if waits else None
    return PlaceView(
        id=row.id, ref=row.ref, state=row.state, party_size=row.party_size,
        position=position, offer_expires_at=row.offer_expires_at,
    )  # fmt: skip


def _times_to_leave(uow: UnitOfWork, wish: Wish) -> ActivityTimes | None:
    return None if wish.instead_of is None else activities.times_of_ref(uow, wish.instead_of)


def _newest_signup(uow: UnitOfWork, citizen_id: int, activity_id: int) -> SignUp | None:
    return uow.session.scalar(
        select(SignUp)
        .where(SignUp.citizen_id == citizen_id, SignUp.activity_id == activity_id)
        .order_by(SignUp.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def require_phase(uow: UnitOfWork, mine: LockedSeats) -> None:
    """Refuse a sign-up outside its time.

    Raises: SignUpNotOpen, SignUpClosed, DrawInProgress (409).
    """
    phase = activities.phase_at(mine, uow.now)
    if phase is SignUpPhase.NOT_OPEN:
        raise SignUpNotOpen(opens_at=mine.signup_opens_at)
    if phase not in (SignUpPhase.OPEN, SignUpPhase.LOTTERY):
        raise SignUpClosed
    if activities.is_draw_due(mine, uow.now):
        raise DrawInProgress


def check_wish(mine: LockedSeats, wish: Wish) -> None:
    """Refuse a party that is too large, or a missing number.

    Raises: Invalid (422), PhoneNeeded (409).
    """
    if not 1 <= wish.party_size <= min(mine.party_max, mine.seats):
        raise Invalid((("body", "party_size"), "too large"))
    if mine.phone_needed and wish.contact.phone is None:
        raise PhoneNeeded


def _refuse_seats_beside(
    uow: UnitOfWork, places: HeldPlaces, wanted: ActivityTimes, leaving: Held | None
) -> None:
    clashing = places.seated_beside(wanted, leaving)
    if clashing is not None:
        raise ClashesWithOther(**_name_activity(uow, clashing))


def _name_activity(uow: UnitOfWork, held: Held) -> dict[str, object]:
    named = activities.name_of(uow, held.activity_id)
    return {"activity": named.ref, "title": named.title}


def take_place(
    uow: UnitOfWork, mine: LockedSeats, wish: Wish, person: Mapping[str, object]
) -> PlaceView:
    """Insert a new sign-up in a locked activity, and store the counters.

    `person` has the columns that identify its person.
    Raises: Invalid (422), ActivityFull (409).
    """
    state, sequence = _choose_state(uow, mine, wish.party_size)
    answers = check_answers(read_questions(mine.questions), wish.answers)
    values = {**person, "state": state, "sequence": sequence, "answers": answers}
    placed = _insert_place(uow, mine, wish, values)
    store.note_message(uow, placed.id, _FIRST_NOTICE[state])
    return placed


def seat_at_gate(
    uow: UnitOfWork, mine: LockedSeats, wish: Wish, person: Mapping[str, object]
) -> PlaceView:
    """Give seats in a locked activity with room to a party that came without a sign-up.

    Unlike other sign-ups it does not depend on the time of the sign-up, and asks no questions.
    """
    mine.taken += wish.party_size
    values = {**person, "state": SignUpState.CONFIRMED, "sequence": None, "answers": {}}
    return _insert_place(uow, mine, wish, values)


def _insert_place(
    uow: UnitOfWork, mine: LockedSeats, wish: Wish, values: Mapping[str, object]
) -> PlaceView:
    ref = uow.new_ref("sgn")
    row = {
        "ref": ref,
        "activity_id": mine.id,
        **values,
        "party_size": wish.party_size,
        "passed": 0,
        "made_at": uow.now,
        "changed_at": uow.now,
        **sealed_contact(uow, ref, wish.contact),
    }
    signup_id = store.add_signup(uow, row)
    activities.store_counts(uow, mine)
    state = SignUpState(str(values["state"]))
    position = mine.waiting if state is SignUpState.WAITLISTED else None
    return PlaceView(
        id=signup_id, ref=ref, state=state, party_size=wish.party_size,
        position=position, fresh=True,
    )  # fmt: skip


_FIRST_NOTICE = {
    SignUpState.CONFIRMED: NoticeKind.CONFIRMED,
    SignUpState.WAITLISTED: NoticeKind.WAITLISTED,
    SignUpState.ENTERED: NoticeKind.ENTERED,
}


def _choose_state(
    uow: UnitOfWork, mine: LockedSeats, party_size: int
) -> tuple[SignUpState, int | None]:
    """The state of a new sign-up, counted in the locked activity; with its place on the waitlist.

    Raises: ActivityFull (409).
    """
    if activities.phase_at(mine, uow.now) is SignUpPhase.LOTTERY:
        mine.entered += 1
        return SignUpState.ENTERED, None
    if waitlist.serve_waitlist(uow, mine, party_size):
        return SignUpState.CONFIRMED, None
    most = mine.waitlist_most
    if most is not None and mine.waiting >= most:
        raise ActivityFull
    mine.waiting += 1
    return SignUpState.WAITLISTED, mine.take_sequence()


def _end_place(uow: UnitOfWork, mine: LockedSeats, held: Held, state: SignUpState) -> None:
    """End a live sign-up in a locked activity, and free its seats; others are served later."""
    waitlist.uncount_place(mine, held.state, held.party_size)
    store.settle_signup(uow, held.id, state)


def _serve_others(uow: UnitOfWork, locked: Mapping[int, LockedSeats], served: int = 0) -> None:
    """Serve the waitlists of locked activities, and store their counters."""
    for one in locked.values():
        if one.id != served:
            waitlist.serve_waitlist(uow, one)
            activities.store_counts(uow, one)
