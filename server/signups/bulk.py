"""Many sign-ups of one activity at once, for the demo: adding them, and counting them again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from server.activities import service as activities
from server.activities.service import LockedSeats
from server.base.sql.tables import insert_rows
from server.base.uow import UnitOfWork
from server.signups import waitlist
from server.signups.contacts import Contact, sealed_contact
from server.signups.kinds import SEATED, SignUpState
from server.signups.models import SignUp
from server.signups.rules import Party, plan_promotions


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSignUp:
    """A sign-up to insert, with the instant at which it was made."""

    ref: str
    citizen_id: int
    party_size: int
    made_at: datetime
    contact: Contact = field(default_factory=Contact)


@dataclass(frozen=True, kw_only=True, slots=True)
class SeatRecount:
    """The seats of an activity, and the people who have some, counted from their rows."""

    seats: int
    seated: int


def ids_of_signups(uow: UnitOfWork, refs: Collection[str]) -> dict[str, int]:
    """The row ids of sign-ups by their refs."""
    found = uow.session.execute(select(SignUp.ref, SignUp.id).where(SignUp.ref.in_(list(refs))))
    return {row.ref: row.id for row in found}


def signups_made(
    uow: UnitOfWork,
    citizen_ids: Collection[int] | Select[Any],
    since: datetime,
    ref: str | None = None,
) -> list[tuple[int, datetime]]:
    """Sign-ups that these citizens made from an instant on, also ended ones: citizen and time.

    With `ref` only those for this activity.
    """
    asked = select(SignUp.citizen_id, SignUp.made_at).where(
        SignUp.citizen_id.in_(citizen_ids), SignUp.made_at >= since
    )
    if ref is not None:
        asked = asked.where(SignUp.activity_id.in_(activities.ids_on_days([ref], None, None)))
    return [(row.citizen_id, row.made_at) for row in uow.session.execute(asked)]


def recount_seats(uow: UnitOfWork, ref: str) -> SeatRecount:
    """Count the people with seats in an activity, without its counters.

    Raises: NotFound (404).
    """
    view = activities.find_activity(uow, ref)
    seated = select(func.coalesce(func.sum(SignUp.party_size), 0)).where(
        SignUp.activity_id == view.activity.id, SignUp.state.in_(SEATED)
    )
    return SeatRecount(seats=view.seating.seats, seated=uow.session.scalars(seated).one())


def add_signups(
    uow: UnitOfWork, ref: str, people: Sequence[NewSignUp], *, given_up: int = 0
) -> None:
    """Sign up people for an activity that has nobody yet, in their order, in one statement.

    They get what the rules give: lots before a draw, else seats and then the waitlist. `given_up`
    seats are free only after all have signed up, so that the waitlist is served with them. Nobody
    gets a message about the sign-up itself.
    Locks: the activity, but not the citizens, whose other places are not looked at.
    Raises: NotFound (404), ValueError for an activity with sign-ups.
    """
    activity_id = activities.times_of_ref(uow, ref).id
    locked = activities.lock_seats(uow, [activity_id])[activity_id]
    if locked.taken or locked.waiting or locked.entered:
        raise ValueError(f"{ref} has sign-ups already")
    insert_rows(uow.session, SignUp, list(_place_people(uow, locked, people, given_up)))
    if given_up:
        waitlist.serve_waitlist(uow, locked)
    activities.store_counts(uow, locked)


def _place_people(
    uow: UnitOfWork, locked: LockedSeats, people: Sequence[NewSignUp], given_up: int
) -> Iterable[dict[str, object]]:
    """The rows of the sign-ups, counted in the locked activity."""
    drawn_later = locked.draw_at is not None and locked.drawn_at is None
    queue = [Party(key=at, size=one.party_size) for at, one in enumerate(people)]
    plan = plan_promotions(0 if drawn_later else locked.free - given_up, queue)
    seated = set(plan.served)
    for at, one in enumerate(people):
        sequence = None
        if drawn_later:
            state, locked.entered = SignUpState.ENTERED, locked.entered + 1
        elif at in seated:
            state, locked.taken = SignUpState.CONFIRMED, locked.taken + one.party_size
        else:
            state, locked.waiting = SignUpState.WAITLISTED, locked.waiting + 1
            sequence = locked.take_sequence()
        yield {
            "ref": one.ref,
            "activity_id": locked.id,
            "citizen_id": one.citizen_id,
            "state": state,
            "party_size": one.party_size,
            "sequence": sequence,
            "passed": plan.passed.get(at, 0),
            "answers": {},
            "made_at": one.made_at,
            "changed_at": one.made_at,
            **sealed_contact(uow, one.ref, one.contact),
        }
