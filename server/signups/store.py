"""Statements on sign-ups, for the hot paths and the waitlist."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from server.accounts import service as accounts
from server.activities.service import ActivityTimes, LockedSeats, ids_overlapping
from server.base.sql.prepared import run_by_commit, run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork
from server.signups.kinds import LIVE, SEATED, NoticeKind, SignUpState
from server.signups.models import SignUp, SignUpNotice

_signup, _notice = table_of(SignUp), table_of(SignUpNotice)
_LIVE_OF = select(
    _signup.c.id, _signup.c.activity_id, _signup.c.state, _signup.c.party_size, _signup.c.sequence
).where(
    _signup.c.citizen_id == bindparam("of_citizen"),
    _signup.c.state.in_(bindparam("live", expanding=True)),
)
_ADD = insert(_signup).returning(_signup.c.id)
_ADD_NOTICE = insert(_notice)
_WAITING = (
    select(_signup.c.id, _signup.c.citizen_id, _signup.c.party_size, _signup.c.passed)
    .where(
        _signup.c.activity_id == bindparam("of_activity"),
        _signup.c.state == SignUpState.WAITLISTED,
        _signup.c.sequence > bindparam("after"),
    )
    .add_columns(_signup.c.sequence)
    .order_by(_signup.c.sequence)
    .limit(bindparam("most"))
)
_SETTLE = (
    update(_signup)
    .where(_signup.c.id == bindparam("of_id"))
    .values(
        state=bindparam("new_state"),
        offer_expires_at=bindparam("until"),
        changed_at=bindparam("at"),
    )
)
_GATE_COLUMNS = (
    _signup.c.id,
    _signup.c.ref,
    _signup.c.activity_id,
    _signup.c.citizen_id,
    _signup.c.state,
    _signup.c.party_size,
    _signup.c.name,
    _signup.c.phone_tail,
    _signup.c.group_label,
    _signup.c.absent_at,
    _signup.c.changed_at,
)
_AT_GATE = accounts.join_names(select(*_GATE_COLUMNS), _signup.c.citizen_id).order_by(_signup.c.id)
_LOCK_FOR_GATE = _AT_GATE.where(
    _signup.c.id.in_(bindparam("ids", expanding=True)),
    _signup.c.activity_id == bindparam("of_activity"),
).with_for_update(of=_signup, key_share=True)
_ROWS_FOR_GATE = _AT_GATE.where(
    _signup.c.activity_id == bindparam("of_activity"), _signup.c.id > bindparam("after")
).limit(bindparam("most"))
_LOCK_ONE = (
    select(_signup.c.id).where(_signup.c.id == bindparam("of_id")).with_for_update(key_share=True)
)
_PASS = update(_signup).where(_signup.c.id == bindparam("of_id")).values(passed=bindparam("times"))
# The task that delivers messages; see notices.py.
TELL_TASK = "signups.tell_notices"
FILL_TASK = "signups.fill_idle_seats"
# The waitlist is read in parts, because few seats are free at a time.
_PART = 40
_FIRST = -(2**31)


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A live sign-up of a citizen."""

    id: int
    activity_id: int
    state: SignUpState
    party_size: int
    sequence: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingParty:
    """A sign-up on a waitlist."""

    id: int
    citizen_id: int | None
    party_size: int
    passed: int


def live_of(uow: UnitOfWork, citizen_id: int) -> list[Held]:
    """The live sign-ups of a citizen, in all activities."""
    return [
        Held(**row._asdict())
        for row in run_statement(uow, _LIVE_OF, {"of_citizen": citizen_id, "live": LIVE})
    ]


def add_signup(uow: UnitOfWork, values: dict[str, Any]) -> int:
    """Insert a sign-up; return its row id."""
    return int(run_statement(uow, _ADD, values).scalar_one())


def note_message(
    uow: UnitOfWork,
    signup_id: int,
    kind: NoticeKind,
    *,
    number: int = 0,
    facts: dict[str, Any] | None = None,
    due_at: datetime | None = None,
) -> None:
    """Add a message about a sign-up, due now by default; the task that delivers it is woken."""
    values = {
        "signup_id": signup_id,
        "kind": kind,
        "number": number,
        "facts": facts or {},
        "due_at": due_at or uow.now,
    }
    run_by_commit(uow, _ADD_NOTICE, values)
    if due_at is None:
        uow.enqueue_after_commit(TELL_TASK, signup_id)


def waitlist_parts(uow: UnitOfWork, activity_id: int) -> Iterator[list[WaitingParty]]:
    """The waitlist of a locked activity, in its order, read in parts."""
    after = _FIRST
    while True:
        values = {"of_activity": activity_id, "after": after, "most": _PART}
        rows = run_statement(uow, _WAITING, values).rows
        if rows:
            yield [
                WaitingParty(id=one.id, citizen_id=one.citizen_id, party_size=one.party_size,
                        passed=one.passed)
                for one in rows
            ]  # fmt: skip
        if len(rows) < _PART:
            return
        after = rows[-1].sequence


def clashing_people(
    uow: UnitOfWork, locked: LockedSeats | ActivityTimes, citizen_ids: Collection[int]
) -> set[int]:
    """The citizens among these who have seats in another activity at the same time."""
    if not citizen_ids:
        return set()
    asked = (
        select(SignUp.citizen_id)
        .where(
            SignUp.citizen_id.in_(list(citizen_ids)),
            SignUp.state.in_(SEATED),
            SignUp.activity_id != locked.id,
            SignUp.activity_id.in_(ids_overlapping(locked)),
        )
        .distinct()
    )
    return {found for found in uow.session.scalars(asked) if found is not None}


def settle_signup(
    uow: UnitOfWork, signup_id: int, state: SignUpState, until: datetime | None = None
) -> None:
    """Change the state of a sign-up; `until` is the end of an offer."""
    values = {"of_id": signup_id, "new_state": state, "until": until, "at": uow.now}
    run_by_commit(uow, _SETTLE, values)


def store_passed(uow: UnitOfWork, signup_id: int, times: int) -> None:
    """Store how often a party was passed over."""
    run_by_commit(uow, _PASS, {"of_id": signup_id, "times": times})


def count_before(uow: UnitOfWork, activity_id: int, sequence: int) -> int:
    """How many sign-ups on the waitlist come before a place."""
    asked = select(func.count()).where(
        SignUp.activity_id == activity_id,
        SignUp.state == SignUpState.WAITLISTED,
        SignUp.sequence < sequence,
    )
    return uow.session.scalar(asked) or 0


def due_offers(uow: UnitOfWork, activity_id: int) -> Sequence[tuple[int, int]]:
    """Offers of a locked activity that have expired, as (id, party size)."""
    found = uow.session.execute(
        select(SignUp.id, SignUp.party_size).where(
            SignUp.activity_id == activity_id,
            SignUp.state == SignUpState.OFFERED,
            SignUp.offer_expires_at <= uow.now,
        )
    )
    return [(row.id, row.party_size) for row in found]


def activities_with_due_offers(uow: UnitOfWork) -> Sequence[int]:
    """Row ids of activities with an offer that has expired."""
    found = uow.session.scalars(
        select(SignUp.activity_id)
        .where(SignUp.state == SignUpState.OFFERED, SignUp.offer_expires_at <= uow.now)
        .distinct()
        .order_by(SignUp.activity_id)
    )
    return found.all()


def lock_signup(uow: UnitOfWork, signup_id: int) -> None:
    """Lock a sign-up until the commit."""
    run_statement(uow, _LOCK_ONE, {"of_id": signup_id})


def lock_for_gate(uow: UnitOfWork, activity_id: int, signup_ids: Collection[int]) -> Sequence[Any]:
    """Sign-ups of an activity among these, with the public names of their citizens.

    Locks: those sign-ups, in the order of their ids.
    """
    if not signup_ids:
        return []
    values = {"ids": sorted(signup_ids), "of_activity": activity_id}
    return run_statement(uow, _LOCK_FOR_GATE, values).rows


def rows_for_gate(uow: UnitOfWork, activity_id: int, after: int, most: int) -> Sequence[Any]:
    """The next sign-ups of an activity after a row id, with the names of their citizens."""
    values = {"of_activity": activity_id, "after": after, "most": most}
    return run_statement(uow, _ROWS_FOR_GATE, values).rows


def free_person(uow: UnitOfWork) -> None:
    """Note that somebody lost a seat, whose other activities are not locked here.

    The person may wait for another activity at the same time, and has no seat now that forbids it:
    the task that is woken after the commit serves those waitlists.
    """
    uow.enqueue_after_commit(FILL_TASK)
