"""Locking an activity with the counters of its seats, for the slice of sign-ups."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from server.activities.kinds import ActivityState
from server.activities.models import Activity, Seating
from server.base.sql.prepared import run_by_commit, run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork

_activity, _seating = table_of(Activity), table_of(Seating)
_TERMS = (
    _activity.c.id,
    _activity.c.ref,
    _activity.c.title,
    _activity.c.state,
    _activity.c.starts_at,
    _activity.c.ends_at,
    _activity.c.signup_opens_at,
    _activity.c.signup_closes_at,
    _activity.c.party_max,
    _activity.c.waitlist_most,
    _activity.c.offer_minutes,
    _activity.c.phone_needed,
    _activity.c.questions,
    _activity.c.draw_at,
    _activity.c.drawn_at,
    _activity.c.series_id,
    _activity.c.room_limit,
)
_COUNTS = (
    _seating.c.seats,
    _seating.c.taken,
    _seating.c.waiting,
    _seating.c.offered,
    _seating.c.entered,
    _seating.c.next_sequence,
    _seating.c.head_sequence,
)
# Both rows are locked: PostgreSQL reads a row again after waiting for it, but not one it joins.
_LOCK = (
    select(*_TERMS, *_COUNTS)
    .join(_seating, _seating.c.activity_id == _activity.c.id)
    .where(_activity.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_activity.c.id)
    .with_for_update(of=[_activity, _seating])
)
_STORE = (
    update(_seating)
    .where(_seating.c.activity_id == bindparam("of_activity"))
    .values(
        {name: bindparam(f"new_{name}") for name in
         ("taken", "waiting", "offered", "entered", "next_sequence", "head_sequence")}
    )
)  # fmt: skip


@dataclass(kw_only=True, slots=True)
class LockedSeats:
    """A locked activity: its terms, and counters that the holder of the lock changes.

    `store_counts` writes the counters.
    """

    id: int
    ref: str
    title: str
    state: ActivityState
    starts_at: datetime
    ends_at: datetime
    signup_opens_at: datetime
    signup_closes_at: datetime
    party_max: int
    waitlist_most: int | None
    offer_minutes: int
    phone_needed: bool
    questions: list[dict[str, Any]]
    draw_at: datetime | None
    drawn_at: datetime | None
    series_id: int | None
    room_limit: int | None
    seats: int
    taken: int
    waiting: int
    offered: int
    entered: int
    next_sequence: int
    head_sequence: int

    @property
    def room(self) -> int:
        """People that the room may hold: no fewer than there are seats."""
        return max(self.room_limit or 0, self.seats)

    @property
    def free(self) -> int:
        """The number of free seats."""
        return self.seats - self.taken

    def take_sequence(self) -> int:
        """The next place at the end of the waitlist."""
        self.next_sequence += 1
        return self.next_sequence - 1

    def take_head_sequence(self) -> int:
        """A place at the head of the waitlist."""
        self.head_sequence -= 1
        return self.head_sequence + 1


def lock_seats(uow: UnitOfWork, activity_ids: Collection[int]) -> dict[int, LockedSeats]:
    """Lock activities and their counters until the commit; missing ones are left out.

    Locks: the activities in the order of their ids, each with its counters.
    """
    found = run_statement(uow, _LOCK, {"ids": sorted(activity_ids)})
    return {row.id: LockedSeats(**row._asdict()) for row in found}


def store_counts(uow: UnitOfWork, locked: LockedSeats) -> None:
    """Write the counters of a locked activity."""
    values = {
        "of_activity": locked.id,
        "new_taken": locked.taken,
        "new_waiting": locked.waiting,
        "new_offered": locked.offered,
        "new_entered": locked.entered,
        "new_next_sequence": locked.next_sequence,
        "new_head_sequence": locked.head_sequence,
    }
    run_by_commit(uow, _STORE, values)
