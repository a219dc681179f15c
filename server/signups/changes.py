"""Changes of a published activity with the people who signed up: moved, postponed, cancelled.

Each is one transaction: the activity under its lock, the sign-ups and the messages in a few
statements, whatever their number, and the entry of the audit trail. Seats that a change frees go
to the waitlist after the commit (`tasks.fill_idle_seats`), when every other transaction reads the
new date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, func, literal, select, update

from server.activities import service as activities
from server.activities.service import ActivityChange, LockedSeats, Move
from server.base.access import Organizer
from server.base.ownership import serving_found_row
from server.base.sql.tables import Json, UtcDateTime, insert_for
from server.base.uow import UnitOfWork
from server.programme import service as programmes
from server.signups.kinds import HOPING, LIVE, NoticeKind, SignUpState
from server.signups.models import SignUp, SignUpNotice
from server.signups.store import FILL_TASK, TELL_TASK


def move_activity(uow: UnitOfWork, organizer: Organizer, ref: str, move: Move) -> int:
    """Give a published activity a new date or place; return how many people get a message.

    The sign-up closes with the start, if it did; open offers end at the new start at the latest.
    Without a change nothing is written, and a corrected map point alone causes no message.
    Locks: the activity.
    Raises: NotFound (404), WrongActivityState, ActivityBegun (409), DraftRefused.
    """
    with _locked_activity(uow, organizer, ref) as locked:
        change = activities.store_move(uow, organizer, ref, move)
        if change is None or change.what == activities.POINT_ALONE:
            return 0
        _shorten_offers(uow, locked, change)
        return _note_change(uow, locked, change, NoticeKind.CHANGED)


def postpone_activity(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> int:
    """Postpone an activity to an unknown date; return how many people get a message.

    Places stay. Open offers go back to their places on the waitlist, because nobody can accept an
    unknown date.
    Locks: the activity.
    Raises: NotFound (404), WrongActivityState, ActivityBegun (409).
    """
    with _locked_activity(uow, organizer, ref) as locked:
        change = activities.store_postponement(uow, organizer, ref, reason)
        told = _note_change(uow, locked, change, NoticeKind.CHANGED)
        _take_offers_back(uow, locked)
        activities.store_counts(uow, locked)
    return told


def set_new_date(uow: UnitOfWork, organizer: Organizer, ref: str, move: Move) -> int:
    """Publish a postponed activity with its new date; return how many people get a message.

    Locks: the activity.
    Raises: NotFound (404), WrongActivityState (409), DraftRefused.
    """
    with _locked_activity(uow, organizer, ref) as locked:
        change = activities.store_new_date(uow, organizer, ref, move)
        return _note_change(uow, locked, change, NoticeKind.CHANGED)


def cancel_activity(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> int:
    """Cancel an activity permanently and end all sign-ups; return how many people get a message.

    Attendance of people who were already let in is withdrawn.
    Locks: the activity.
    Raises: NotFound (404), WrongActivityState, ActivityBegun (409).
    """
    with _locked_activity(uow, organizer, ref) as locked:
        change = activities.store_cancellation(uow, organizer, ref, reason)
        told = _note_change(uow, locked, change, NoticeKind.CANCELLED)
        _withdraw_attendance(uow, locked)
        _end_signups(uow, locked, LIVE, SignUpState.CALLED_OFF)
        locked.taken = locked.offered = locked.waiting = locked.entered = 0
        activities.store_counts(uow, locked)
    return told


def close_activity(uow: UnitOfWork, activity_id: int) -> bool:
    """Close an activity a day after its end: offers, waitlist and lots end; False if not due.

    None of them is an absence. Confirmed places stay as they are.
    Locks: the activity.
    """
    locked = activities.lock_seats(uow, [activity_id]).get(activity_id)
    if locked is None or not activities.store_closing(uow, activity_id):
        return False
    _, seats = _count_offers(uow, locked)
    ended = (SignUpState.OFFERED, *HOPING)
    _end_signups(uow, locked, ended, SignUpState.EXPIRED)
    locked.taken -= seats
    locked.offered = locked.waiting = locked.entered = 0
    activities.store_counts(uow, locked)
    return True


def note_absences(uow: UnitOfWork, activity_id: int, attended: Select[Any]) -> int:
    """Mark the confirmed people of an activity who were absent; return how many are newly marked.

    `attended` selects the ids of the sign-ups with attendance; a mark of theirs is removed. Guests
    are not counted. Call it only for an activity whose attendance was recorded.
    Locks: the activity.
    """
    activities.lock_seats(uow, [activity_id])
    mine = (SignUp.activity_id == activity_id, SignUp.state == SignUpState.CONFIRMED)
    came = update(SignUp).where(*mine, SignUp.id.in_(attended), SignUp.absent_at.is_not(None))
    uow.session.execute(_skip_synchronization(came.values(absent_at=None)))
    absent = update(SignUp).where(
        *mine,
        SignUp.citizen_id.is_not(None),
        SignUp.id.not_in(attended),
        SignUp.absent_at.is_(None),
    )
    marked = uow.session.execute(_skip_synchronization(absent.values(absent_at=uow.now)))
    return int(getattr(marked, "rowcount", 0))


def forget_absences(uow: UnitOfWork, activity_id: int) -> None:
    """Remove the marks of an activity whose attendance turned out not to be recorded.

    Locks: the activity.
    """
    activities.lock_seats(uow, [activity_id])
    marked = (SignUp.activity_id == activity_id, SignUp.state == SignUpState.CONFIRMED)
    uow.session.execute(_skip_synchronization(update(SignUp).where(*marked).values(absent_at=None)))


@dataclass(frozen=True, kw_only=True)
class ToldPeople:
    """The people whom a change concerns: sign-ups by state, and guests, who get no message."""

    states: dict[SignUpState, int]
    guests: int


def count_told(uow: UnitOfWork, organizer: Organizer, ref: str) -> ToldPeople:
    """Count the people whom a change of an activity concerns.

    Raises: NotFound (404).
    """
    activity_id = activities.id_of_writable(uow, organizer, ref)
    with serving_found_row(uow.session):
        return _count_people(uow, activity_id)


def _count_people(uow: UnitOfWork, activity_id: int) -> ToldPeople:
    known = SignUp.citizen_id.is_not(None)
    rows = uow.session.execute(
        select(SignUp.state, known, func.count())
        .where(SignUp.activity_id == activity_id, SignUp.state.in_(LIVE))
        .group_by(SignUp.state, known)
    ).all()
    return ToldPeople(
        states={state: count for state, has_citizen, count in rows if has_citizen},
        guests=sum(count for _, has_citizen, count in rows if not has_citizen),
    )


@contextmanager
def _locked_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> Iterator[LockedSeats]:
    """Lock an activity of the organizer's place; the block concerns its own people alone."""
    activity_id = activities.id_of_writable(uow, organizer, ref)
    with serving_found_row(uow.session):
        yield activities.lock_seats(uow, [activity_id])[activity_id]


def _note_change(
    uow: UnitOfWork, locked: LockedSeats, change: ActivityChange, kind: NoticeKind
) -> int:
    """Add a message for everybody with a live sign-up, in two statements; return how many."""
    offered = SignUp.state == SignUpState.OFFERED
    ended = {"offer_ended": True} if change.what == "postponed" else {}
    told = _add_notices(uow, locked, change, kind, ~offered, {})
    told += _add_notices(uow, locked, change, kind, offered, ended)
    uow.enqueue_after_commit(TELL_TASK)
    # This activity may have free seats now, and people may wait for another one at the old date.
    uow.enqueue_after_commit(FILL_TASK)
    return told


def _add_notices(
    uow: UnitOfWork,
    locked: LockedSeats,
    change: ActivityChange,
    kind: NoticeKind,
    chosen: ColumnElement[bool],
    facts: dict[str, Any],
) -> int:
    columns = ("signup_id", "kind", "number", "facts", "due_at")
    rows = select(
        SignUp.id,
        literal(kind, SignUpNotice.kind.type),
        literal(change.row.revision, Integer),
        literal({**change.facts, **facts}, Json),
        literal(uow.now, UtcDateTime),
    ).where(
        SignUp.activity_id == locked.id,
        SignUp.state.in_(LIVE),
        SignUp.citizen_id.is_not(None),
        chosen,
    )
    added = insert_for(uow.session, SignUpNotice).from_select(columns, rows)
    return len(uow.session.scalars(added.returning(SignUpNotice.id)).all())


def _shorten_offers(uow: UnitOfWork, locked: LockedSeats, change: ActivityChange) -> None:
    """Let open offers end no later than the new start and the new end of the sign-up."""
    latest = min(change.row.starts_at, change.row.signup_closes_at)
    late = update(SignUp).where(
        SignUp.activity_id == locked.id,
        SignUp.state == SignUpState.OFFERED,
        SignUp.offer_expires_at > latest,
    )
    uow.session.execute(_skip_synchronization(late.values(offer_expires_at=latest)))


def _take_offers_back(uow: UnitOfWork, locked: LockedSeats) -> None:
    """Put people with an open offer back to the places on the waitlist that they had."""
    count, seats = _count_offers(uow, locked)
    _end_signups(uow, locked, (SignUpState.OFFERED,), SignUpState.WAITLISTED)
    locked.taken -= seats
    locked.waiting += count
    locked.offered = 0


def _count_offers(uow: UnitOfWork, locked: LockedSeats) -> tuple[int, int]:
    """The numbers of open offers and of their seats."""
    row = uow.session.execute(
        select(func.count(), func.coalesce(func.sum(SignUp.party_size), 0)).where(
            SignUp.activity_id == locked.id, SignUp.state == SignUpState.OFFERED
        )
    ).one()
    return int(row[0]), int(row[1])


def _withdraw_attendance(uow: UnitOfWork, locked: LockedSeats) -> None:
    """Delete the participations of people who were already let in."""
    came = select(SignUp.ref).where(SignUp.activity_id == locked.id)
    programmes.withdraw_participation(uow, programmes.ATTENDED, came)


def _end_signups(
    uow: UnitOfWork, locked: LockedSeats, states: Collection[SignUpState], state: SignUpState
) -> None:
    """Change the sign-ups in some states to another one, in one statement."""
    chosen = update(SignUp).where(SignUp.activity_id == locked.id, SignUp.state.in_(list(states)))
    values = {"state": state, "offer_expires_at": None, "changed_at": uow.now}
    uow.session.execute(_skip_synchronization(chosen.values(**values)))


def _skip_synchronization(statement: Any) -> Any:
    return statement.execution_options(synchronize_session=False)
