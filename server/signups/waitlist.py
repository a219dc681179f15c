"""Serving the waitlist of a locked activity, and ending offers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from server.activities.service import LockedSeats, SignUpPhase, may_promote_at, phase_at
from server.base.uow import UnitOfWork
from server.signups import store
from server.signups.kinds import NoticeKind, SignUpState
from server.signups.rules import Party, plan_promotions

# The key of a sign-up that is not stored yet.
NEWCOMER = 0


def serve_waitlist(
    uow: UnitOfWork, locked: LockedSeats, newcomer: int = 0, *, drawn: bool = False
) -> bool:
    """Give the free seats of a locked activity to its waitlist, a new sign-up last.

    `newcomer` is the party size of a new sign-up, which the caller stores. Returns whether it gets
    seats, which are counted as taken. `drawn` confirms people at once, as winners of a lottery.
    Locks: nothing; the caller holds the activity (`lock_seats`) and stores its counters.
    """
    end_due_offers(uow, locked)
    if locked.free <= 0:
        return False
    if not may_promote_at(locked, uow.now):
        return _seat_late(uow, locked, newcomer)
    sizes: dict[int, int] = {}
    plan = plan_promotions(locked.free, _list_parties(uow, locked, sizes, newcomer))
    for key in plan.served:
        locked.taken += sizes[key]
        if key != NEWCOMER:
            locked.waiting -= 1
            _promote_signup(uow, locked, key, drawn=drawn)
    for key, times in plan.passed.items():
        store.store_passed(uow, key, times)
    return NEWCOMER in plan.served


def _seat_late(uow: UnitOfWork, locked: LockedSeats, newcomer: int) -> bool:
    """Give seats to a new sign-up after the start: the waitlist has ended."""
    fits = 0 < newcomer <= locked.free
    if not fits or phase_at(locked, uow.now) is not SignUpPhase.OPEN:
        return False
    locked.taken += newcomer
    return True


def _list_parties(
    uow: UnitOfWork, locked: LockedSeats, sizes: dict[int, int], newcomer: int
) -> Iterator[Party]:
    """The parties that may be served, in order; notes their sizes."""
    if locked.waiting:
        for part in store.waitlist_parts(uow, locked.id):
            people = {one.citizen_id for one in part if one.citizen_id is not None}
            clashing = store.clashing_people(uow, locked, people)
            for one in part:
                if one.party_size > locked.seats or one.citizen_id in clashing:
                    continue
                sizes[one.id] = one.party_size
                yield Party(key=one.id, size=one.party_size, passed=one.passed)
    if newcomer:
        sizes[NEWCOMER] = newcomer
        yield Party(key=NEWCOMER, size=newcomer)


def _promote_signup(uow: UnitOfWork, locked: LockedSeats, signup_id: int, *, drawn: bool) -> None:
    until = None if drawn else offer_end(locked, uow.now)
    if until is None:
        store.settle_signup(uow, signup_id, SignUpState.CONFIRMED)
        kind = NoticeKind.DRAWN if drawn else NoticeKind.PROMOTED
    else:
        store.settle_signup(uow, signup_id, SignUpState.OFFERED, until)
        locked.offered += 1
        kind = NoticeKind.OFFERED
    store.note_message(uow, signup_id, kind)


def offer_end(locked: LockedSeats, now: datetime) -> datetime | None:
    """The instant at which an offer made now expires; None when seats are confirmed at once."""
    if locked.offer_minutes == 0:
        return None
    return min(
        now + timedelta(minutes=locked.offer_minutes), locked.signup_closes_at, locked.starts_at
    )


def end_due_offers(uow: UnitOfWork, locked: LockedSeats) -> int:
    """End the expired offers of a locked activity and free their seats; return how many."""
    if not locked.offered:
        return 0
    ended = store.due_offers(uow, locked.id)
    for signup_id, size in ended:
        locked.taken, locked.offered = locked.taken - size, locked.offered - 1
        store.settle_signup(uow, signup_id, SignUpState.EXPIRED)
        store.note_message(uow, signup_id, NoticeKind.EXPIRED)
    if ended:
        store.free_person(uow)
    return len(ended)


def uncount_place(locked: LockedSeats, state: SignUpState, party_size: int) -> None:
    """Remove a live sign-up from the counters of its locked activity."""
    match state:
        case SignUpState.CONFIRMED:
            locked.taken -= party_size
        case SignUpState.OFFERED:
            locked.taken, locked.offered = locked.taken - party_size, locked.offered - 1
        case SignUpState.WAITLISTED:
            locked.waiting -= 1
        case SignUpState.ENTERED:
            locked.entered -= 1
        case _:
            raise ValueError(f"a sign-up that is {state.value} holds no place")
