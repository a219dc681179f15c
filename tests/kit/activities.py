"""Activities and sign-ups of tests."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from server.activities.kinds import ActivityKind, ActivityState
from server.activities.models import Activity, Seating
from server.base.access import REGION
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork
from server.signups.kinds import LIVE, SEATED, SignUpState
from server.signups.models import SignUp

_count = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Lecture:
    """An activity of a test."""

    id: int
    ref: str


def a_lecture(
    uow: UnitOfWork, *, seats: int = 2, starts_in: timedelta = timedelta(days=3), **columns: Any
) -> Lecture:
    """A published lecture of two hours whose sign-up is open until it starts."""
    number = next(_count)
    starts_at: datetime = columns.pop("starts_at", uow.now + starts_in)
    row = Activity(
        **{
            "ref": f"act_{number}",
            "kind": ActivityKind.LECTURE,
            "state": ActivityState.PUBLISHED,
            "title": f"第{number}讲",
            "venue": "广西图书馆报告厅",
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(hours=2),
            "signup_opens_at": uow.now - timedelta(days=1),
            "signup_closes_at": starts_at,
            "made_at": uow.now,
            "changed_at": uow.now,
            **owned_by(REGION),
            **columns,
        }
    )
    uow.session.add(row)
    uow.session.flush()
    uow.session.add(Seating(activity_id=row.id, seats=seats))
    uow.session.flush()
    return Lecture(id=row.id, ref=row.ref)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The seats of an activity, counted from its sign-ups and as stored."""

    seats: int
    taken: int
    waiting: int
    offered: int
    entered: int


def stored_counts(uow: UnitOfWork, lecture: Lecture) -> Counted:
    """The counters of an activity."""
    return _read_counts(uow.session.get_one(Seating, lecture.id, populate_existing=True))


def _read_counts(row: Seating) -> Counted:
    return Counted(
        seats=row.seats, taken=row.taken, waiting=row.waiting,
        offered=row.offered, entered=row.entered,
    )  # fmt: skip


def recount(uow: UnitOfWork, lecture: Lecture) -> Counted:
    """The counters as they must be, from the sign-ups."""
    return _count_rows(live_signups(uow, lecture), stored_counts(uow, lecture).seats)


def _count_rows(rows: Sequence[SignUp], seats: int) -> Counted:
    return Counted(
        seats=seats,
        taken=sum(row.party_size for row in rows if row.state in SEATED),
        waiting=sum(row.state is SignUpState.WAITLISTED for row in rows),
        offered=sum(row.state is SignUpState.OFFERED for row in rows),
        entered=sum(row.state is SignUpState.ENTERED for row in rows),
    )


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The live sign-ups of an activity in the order of its waitlist, counted and as stored."""

    rows: list[SignUp]
    counted: Counted
    stored: Counted


def read_counts(uow: UnitOfWork, lectures: Sequence[Lecture]) -> list[Counts]:
    """The counts of activities, read in two statements: a test that looks after each step needs it.

    The rows do not belong to the session.
    """
    ids = [one.id for one in lectures]
    rows: dict[int, list[SignUp]] = {one: [] for one in ids}
    asked = select(SignUp).where(SignUp.activity_id.in_(ids), SignUp.state.in_(LIVE))
    for row in uow.session.scalars(asked.order_by(SignUp.sequence, SignUp.id)):
        rows[row.activity_id].append(row)
    seatings = uow.session.scalars(select(Seating).where(Seating.activity_id.in_(ids)))
    stored = {one.activity_id: _read_counts(one) for one in seatings}
    uow.session.expunge_all()
    return [
        Counts(
            rows=rows[one], counted=_count_rows(rows[one], stored[one].seats), stored=stored[one]
        )
        for one in ids
    ]


def live_signups(uow: UnitOfWork, lecture: Lecture) -> list[SignUp]:
    """The live sign-ups of an activity, in the order of its waitlist."""
    found = uow.session.scalars(
        select(SignUp)
        .where(SignUp.activity_id == lecture.id, SignUp.state.in_(LIVE))
        .order_by(SignUp.sequence, SignUp.id)
        .execution_options(populate_existing=True)
    )
    return list(found)
