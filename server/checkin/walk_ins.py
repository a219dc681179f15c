"""Room for people without a seat: free seats, places up to the room's limit, absent people's.

Under the lock of the activity, they get, in this order: a free seat, like a new sign-up while the
waitlist is served; then additional seats up to the limit of the room; some minutes after the start,
the seats of people who have not come. The room never gets more people than it may hold.
"""

from __future__ import annotations

from datetime import timedelta

from server.activities import service as activities
from server.activities.service import ActivityGate, LockedSeats
from server.base.uow import UnitOfWork
from server.checkin import store
from server.checkin.errors import HallFull, NoPlaceToAdmit
from server.checkin.rules import AbsentParty, choose_absent
from server.signups import service as signups
from server.signups.service import GateTicket, SignUpState

# People without a seat who may get one at the gate: those who wait, those whose offer or seat
# has expired.
HOPEFUL = (SignUpState.WAITLISTED, SignUpState.ENTERED, SignUpState.EXPIRED)


def make_room(uow: UnitOfWork, gate: ActivityGate, locked: LockedSeats, people: int) -> int:
    """Make sure that seats for a party are free; return how many parties lost theirs for it.

    The waitlist is served before, as for every new sign-up; the caller takes the seats and stores
    the counters.
    Locks: the sign-ups whose seats are given away; the caller holds the activity.
    Raises: HallFull (409).
    """
    if signups.serve_waitlist(uow, locked, people):
        # `serve_waitlist` has counted these seats as taken, but the caller counts the party itself.
        locked.taken -= people
        return 0
    if activities.may_promote_at(locked, uow.now) and locked.waiting:
        # People who wait are not passed over: free seats are kept for a party that does not fit.
        raise HallFull
    lacking = people - locked.free
    if lacking <= 0:
        return 0
    more = min(lacking, locked.room - locked.seats)
    absent = _end_absent(uow, gate, locked, lacking - more)
    if more:
        activities.store_seats(uow, locked, locked.seats + more)
    return absent


def _end_absent(uow: UnitOfWork, gate: ActivityGate, locked: LockedSeats, needed: int) -> int:
    """End sign-ups of absent people, so that `needed` seats are free; return how many."""
    if needed <= 0:
        return 0
    if uow.now < gate.starts_at + timedelta(minutes=uow.settings.checkin.absent_minutes):
        raise HallFull
    while True:
        chosen = choose_absent(_absent_parties(uow, gate.id), needed)
        if chosen is None:
            raise HallFull
        tickets = signups.lock_tickets(uow, gate.id, chosen)
        kept = store.read_admissions(uow, chosen)
        if not any(one.holds for one in kept.values()):
            signups.end_absent(uow, locked, list(tickets.values()))
            return len(tickets)
        # One of them was admitted before the lock was taken: the next choice leaves it out.


def _absent_parties(uow: UnitOfWork, activity_id: int) -> list[AbsentParty]:
    parties = signups.seated_parties(uow, activity_id)
    came = store.attended_ids(uow, activity_id)
    return [AbsentParty(signup_id=one, people=size) for one, size in parties if one not in came]


def seat_hopeful(
    uow: UnitOfWork, gate: ActivityGate, locked: LockedSeats, ticket: GateTicket
) -> None:
    """Confirm a locked sign-up without a seat, if there is room for its party.

    Locks: the sign-ups whose seats are given away; the caller holds activity and sign-up.
    Raises: HallFull, NoPlaceToAdmit (409).
    """
    if ticket.state is SignUpState.EXPIRED:
        _refuse_second_place(uow, ticket)
    else:
        if activities.may_promote_at(locked, uow.now):
            # The waitlist is served in its order, and this person waits there.
            raise HallFull
        signups.uncount_place(locked, ticket.state, ticket.party_size)
    make_room(uow, gate, locked, ticket.party_size)
    locked.taken += ticket.party_size
    signups.settle_signup(uow, ticket.id, SignUpState.CONFIRMED)
    activities.store_counts(uow, locked)


def _refuse_second_place(uow: UnitOfWork, ticket: GateTicket) -> None:
    """Refuse an ended sign-up of a citizen who has signed up again."""
    citizen_id = ticket.citizen_id
    if citizen_id is not None and signups.live_signup_of(uow, citizen_id, ticket.activity_id):
        raise NoPlaceToAdmit
