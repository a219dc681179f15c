"""Changing the number of seats of an activity that people have signed up for."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from server.activities import service as activities
from server.activities.service import LockedSeats
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.signups import store, waitlist
from server.signups.errors import AboveRoomLimit, SeatsTaken
from server.signups.kinds import SEATED, NoticeKind, SignUpState
from server.signups.models import SignUp
from server.signups.used_places import refuse_used


def change_seats(
    uow: UnitOfWork, activity_id: int, seats: int, put_back: Sequence[str] = ()
) -> None:
    """Set the number of seats; new ones go to the waitlist at once.

    `put_back` names the sign-ups that lose their seats and are put at the head of the waitlist, in
    this order.
    Locks: the activity.
    Raises: NotFound (404), SeatsTaken (409) when more seats are taken, AboveRoomLimit (409).
    """
    locked = activities.lock_seats(uow, [activity_id]).get(activity_id)
    if locked is None:
        raise NotFound
    if locked.room_limit is not None and seats > max(locked.room_limit, locked.seats):
        raise AboveRoomLimit(most=locked.room_limit)
    if put_back:
        _put_back(uow, locked, put_back)
    if seats < locked.taken:
        raise SeatsTaken(taken=locked.taken)
    activities.store_seats(uow, locked, seats)
    waitlist.serve_waitlist(uow, locked)
    activities.store_counts(uow, locked)


def _put_back(uow: UnitOfWork, locked: LockedSeats, refs: Sequence[str]) -> None:
    """Put people with seats back at the head of the waitlist, in the given order.

    Raises: NotFound (404) for a sign-up without seats in this activity, AlreadyCheckedIn (409).
    """
    rows = uow.session.execute(
        select(SignUp.id, SignUp.ref, SignUp.state, SignUp.party_size).where(
            SignUp.activity_id == locked.id, SignUp.ref.in_(list(refs)), SignUp.state.in_(SEATED)
        )
    )
    by_ref = {row.ref: row for row in rows}
    if len(by_ref) != len(set(refs)):
        raise NotFound
    for ref in reversed(refs):
        row = by_ref[ref]
        refuse_used(uow, locked, row.id)
        waitlist.uncount_place(locked, row.state, row.party_size)
        locked.waiting += 1
        uow.session.execute(
            update(SignUp)
            .where(SignUp.id == row.id)
            .values(
                state=SignUpState.WAITLISTED,
                sequence=locked.take_head_sequence(),
                passed=0,
                offer_expires_at=None,
                changed_at=uow.now,
            )
        )
        store.note_message(uow, row.id, NoticeKind.PUT_BACK)
    store.free_person(uow)
