"""Sign-ups as the check-in needs them: found by ticket, locked, and named with masked names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from server.accounts import service as accounts
from server.activities import service as activities
from server.activities.service import LockedSeats
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.signups import store
from server.signups.contacts import mask_name, unseal_name
from server.signups.kinds import LIVE, SignUpState
from server.signups.models import SignUp

_PART = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class GateTicket:
    """A sign-up at the gate; `name` is masked."""

    id: int
    ref: str
    activity_id: int
    citizen_id: int | None
    state: SignUpState
    party_size: int
    phone_tail: str | None
    group_label: str | None
    absent_at: datetime | None
    changed_at: datetime
    name: str


def lock_tickets(
    uow: UnitOfWork, activity_id: int, signup_ids: Collection[int]
) -> dict[int, GateTicket]:
    """Lock the sign-ups of an activity among these until the commit; return them by id.

    Locks: those sign-ups in the order of their ids. A caller who locks several holds the activity
    (`activities.hold_activity`), because a cancellation locks them in another order.
    """
    rows = store.lock_for_gate(uow, activity_id, signup_ids)
    return {row.id: _ticket_of(uow, row) for row in rows}


def existing_signups(uow: UnitOfWork, signup_ids: Collection[int]) -> set[int]:
    """The ids among these that are sign-ups, of any activity."""
    if not signup_ids:
        return set()
    return set(uow.session.scalars(select(SignUp.id).where(SignUp.id.in_(list(signup_ids)))))


def live_signup_of(uow: UnitOfWork, citizen_id: int, activity_id: int) -> int | None:
    """The id of a citizen's live sign-up in an activity."""
    return uow.session.scalar(
        select(SignUp.id).where(
            SignUp.citizen_id == citizen_id,
            SignUp.activity_id == activity_id,
            SignUp.state.in_(LIVE),
        )
    )


def tickets_of(uow: UnitOfWork, activity_id: int) -> Iterator[GateTicket]:
    """All sign-ups of an activity, also ended ones, in the order of their ids."""
    last = 0
    while True:
        rows = store.rows_for_gate(uow, activity_id, last, _PART)
        yield from (_ticket_of(uow, row) for row in rows)
        if len(rows) < _PART:
            return
        last = rows[-1].id


def search_tickets(uow: UnitOfWork, activity_id: int, words: str, most: int) -> list[GateTicket]:
    """Sign-ups of an activity by the last four digits of the number, a name or a group's name.

    Names are sealed, so all of the activity are read.
    """
    digits = words.isdecimal()
    found: list[GateTicket] = []
    last = 0
    while len(found) < most:
        rows = store.rows_for_gate(uow, activity_id, last, _PART)
        if digits:
            hits = [row for row in rows if row.phone_tail == words[-4:]]
        else:
            hits = [row for row in rows if words in _searched_text(uow, row)]
        found += [_ticket_of(uow, row) for row in hits]
        if len(rows) < _PART:
            break
        last = rows[-1].id
    return found[:most]


def _searched_text(uow: UnitOfWork, row: Any) -> str:
    return f"{unseal_name(uow, row.ref, row.name) or ''}\n{row.group_label or ''}"


def end_absent(uow: UnitOfWork, locked: LockedSeats, tickets: Collection[GateTicket]) -> None:
    """Take the seats of locked people who have not come; it is an absence, as at the closing.

    The caller stores the counters.
    Locks: the caller holds the activity and the sign-ups.
    """
    for one in tickets:
        locked.taken -= one.party_size
        store.settle_signup(uow, one.id, SignUpState.EXPIRED)
    uow.session.execute(
        update(SignUp)
        .where(SignUp.id.in_([one.id for one in tickets]), SignUp.citizen_id.is_not(None))
        .values(absent_at=uow.now)
        .execution_options(synchronize_session=False)
    )


def seated_parties(uow: UnitOfWork, activity_id: int) -> list[tuple[int, int]]:
    """Id and party size of the confirmed sign-ups of an activity."""
    rows = uow.session.execute(
        select(SignUp.id, SignUp.party_size).where(
            SignUp.activity_id == activity_id, SignUp.state == SignUpState.CONFIRMED
        )
    )
    return [(row.id, row.party_size) for row in rows]


def id_of_own(uow: UnitOfWork, organizer: Organizer, ref: str) -> tuple[int, int]:
    """The ids of a sign-up and of its activity, which belongs to the organizer's place.

    Raises: NotFound (404).
    """
    asked = activities.restrict_to_own(_ids_of(ref), organizer, SignUp.activity_id)
    row = uow.session.execute(asked).one_or_none()
    if row is None:
        raise NotFound
    return row.id, row.activity_id


def _ids_of(ref: str) -> Any:
    return select(SignUp.id, SignUp.activity_id).where(SignUp.ref == ref)


def id_in_activity(uow: UnitOfWork, activity_id: int, ref: str) -> int:
    """The id of a sign-up of an activity.

    Raises: NotFound (404).
    """
    found = uow.session.scalar(
        select(SignUp.id).where(SignUp.ref == ref, SignUp.activity_id == activity_id)
    )
    if found is None:
        raise NotFound
    return found


def clear_absences(uow: UnitOfWork, signup_ids: Collection[int]) -> None:
    """Remove the mark of absence of locked sign-ups whose people did come.

    Locks: the caller holds the sign-ups.
    """
    uow.session.execute(
        update(SignUp)
        .where(SignUp.id.in_(list(signup_ids)))
        .values(absent_at=None)
        .execution_options(synchronize_session=False)
    )


def _ticket_of(uow: UnitOfWork, row: Any) -> GateTicket:
    return GateTicket(
        id=row.id,
        ref=row.ref,
        activity_id=row.activity_id,
        citizen_id=row.citizen_id,
        state=row.state,
        party_size=row.party_size,
        phone_tail=row.phone_tail,
        group_label=row.group_label,
        absent_at=row.absent_at,
        changed_at=row.changed_at,
        name=_name_of(uow, row),
    )


def _name_of(uow: UnitOfWork, row: Any) -> str:
    """The masked name of the sign-up, else the name by which boards show the citizen."""
    masked = mask_name(unseal_name(uow, row.ref, row.name))
    if masked or row.citizen_id is None:
        return masked
    return accounts.name_from_row(uow, row).shown
