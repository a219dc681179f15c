"""Changes of a published activity: a new date or place, postponing, cancelling, closing.

The slice of sign-ups calls them (`signups/changes.py`): it holds the activity's lock
(`seats.lock_seats`) and writes the messages to the people who have signed up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from server.activities.drafts import ActivityDraft, DraftFault, check_draft, read_draft
from server.activities.errors import ActivityBegun
from server.activities.kinds import ActivityState
from server.activities.lifecycle import DraftRefused, lock_activity, subject_of
from server.activities.models import Activity
from server.audit.service import record_change
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.ownership import writable_by
from server.base.uow import UnitOfWork

# An activity is closed this long after its end, when late check-ins have been uploaded.
CLOSED_AFTER = timedelta(days=1)
_PLACE = ("venue", "address", "latitude", "longitude")
_TIMES = ("starts_at", "ends_at", "signup_opens_at", "signup_closes_at")
_RECORDED = (*_TIMES, "venue", "address")
# The kind of a change of the map point alone; nobody gets a message about it.
POINT_ALONE = "point"


@dataclass(frozen=True, kw_only=True)
class Move:
    """The new date, place and map point of an activity."""

    starts_at: datetime
    ends_at: datetime
    venue: str
    address: str = ""
    latitude: int | None = None
    longitude: int | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ActivityChange:
    """A stored change: its kind (`moved`, `place`, …), and the facts of its message."""

    what: str
    row: Activity
    reason: str

    @property
    def facts(self) -> dict[str, Any]:
        """The present facts of the activity for the message about the change."""
        return {
            "change": self.what,
            "starts_at": self.row.starts_at.isoformat(),
            "venue": self.row.venue,
            "address": self.row.address,
            "reason": self.reason,
        }


def id_of_writable(uow: UnitOfWork, organizer: Organizer, ref: str) -> int:
    """The row id of an activity of the organizer's place.

    Raises: NotFound (404).
    """
    asked = select(Activity.id).where(Activity.ref == ref)
    found: int | None = uow.session.scalar(writable_by(asked, organizer, Activity))
    if found is None:
        raise NotFound
    return found


def store_move(
    uow: UnitOfWork, organizer: Organizer, ref: str, move: Move
) -> ActivityChange | None:
    """Store a new date or place of a published activity that has not begun; None for no change.

    Raises: NotFound (404), WrongActivityState, ActivityBegun (409), DraftRefused.
    """
    row = lock_activity(uow, organizer, ref, ActivityState.PUBLISHED)
    if uow.now >= row.starts_at:
        raise ActivityBegun(ref=ref)
    old = read_draft(uow, row)
    new = _moved_draft(old, move, keep_distance=False)
    what = _name_change(old, new)
    if what is None:
        return None
    moved = _store_dates(uow, row, new)
    record_change(
        uow, organizer, "activities.move_activity", subject_of(row), **moved, reason=move.reason
    )
    return ActivityChange(what=what, row=row, reason=move.reason)


def store_postponement(
    uow: UnitOfWork, organizer: Organizer, ref: str, reason: str
) -> ActivityChange:
    """Postpone a published activity that has not begun; its date is unknown from then on.

    Raises: NotFound (404), WrongActivityState, ActivityBegun (409).
    """
    row = lock_activity(uow, organizer, ref, ActivityState.PUBLISHED)
    if uow.now >= row.starts_at:
        raise ActivityBegun(ref=ref)
    moved = _enter_state(uow, row, ActivityState.POSTPONED, reason)
    record_change(
        uow, organizer, "activities.postpone_activity", subject_of(row), **moved, reason=reason
    )
    return ActivityChange(what="postponed", row=row, reason=reason)


def store_new_date(uow: UnitOfWork, organizer: Organizer, ref: str, move: Move) -> ActivityChange:
    """Publish a postponed activity again with its new date.

    Its sign-up closes as long before the start as it did.
    Raises: NotFound (404), WrongActivityState (409), DraftRefused.
    """
    row = lock_activity(uow, organizer, ref, ActivityState.POSTPONED)
    new = _moved_draft(read_draft(uow, row), move, keep_distance=True)
    row.state, row.remark = ActivityState.PUBLISHED, None
    moved = _store_dates(uow, row, new)
    record_change(
        uow, organizer, "activities.date_activity", subject_of(row), **moved, reason=move.reason
    )
    return ActivityChange(what="dated", row=row, reason=move.reason)


def store_cancellation(
    uow: UnitOfWork, organizer: Organizer, ref: str, reason: str
) -> ActivityChange:
    """Cancel permanently an activity that is published or postponed and has not ended.

    Raises: NotFound (404), WrongActivityState, ActivityBegun (409).
    """
    row = lock_activity(uow, organizer, ref, ActivityState.PUBLISHED, ActivityState.POSTPONED)
    if row.state is ActivityState.PUBLISHED and uow.now >= row.ends_at:
        raise ActivityBegun(ref=ref)
    moved = _enter_state(uow, row, ActivityState.CANCELLED, reason)
    record_change(
        uow, organizer, "activities.cancel_activity", subject_of(row), **moved, reason=reason
    )
    return ActivityChange(what="cancelled", row=row, reason=reason)


def due_closings(uow: UnitOfWork) -> list[int]:
    """Row ids of published activities that ended a day ago."""
    found = uow.session.scalars(
        select(Activity.id)
        .where(
            Activity.state == ActivityState.PUBLISHED, Activity.ends_at <= uow.now - CLOSED_AFTER
        )
        .order_by(Activity.ends_at, Activity.id)
    )
    return list(found)


def store_closing(uow: UnitOfWork, activity_id: int) -> bool:
    """Close a locked activity that ended a day ago; False when it is not due any more."""
    row = uow.session.get_one(Activity, activity_id, populate_existing=True)
    if row.state is not ActivityState.PUBLISHED or row.ends_at > uow.now - CLOSED_AFTER:
        return False
    row.state, row.changed_at = ActivityState.CLOSED, uow.now
    uow.session.flush()
    return True


def _moved_draft(old: ActivityDraft, move: Move, *, keep_distance: bool) -> ActivityDraft:
    return replace(
        old,
        starts_at=move.starts_at,
        ends_at=move.ends_at,
        signup_closes_at=_move_closing(old, move, keep_distance=keep_distance),
        **{name: getattr(move, name) for name in _PLACE},
    )


def _move_closing(old: ActivityDraft, move: Move, *, keep_distance: bool) -> datetime:
    """The instant at which the sign-up closes after a move.

    A sign-up that closed at or before the start keeps its distance to the start; no sign-up lasts
    beyond the new start.
    """
    moved = old.signup_closes_at + (move.starts_at - old.starts_at)
    if keep_distance or old.signup_closes_at >= old.starts_at:
        return min(moved, move.ends_at)
    return min(old.signup_closes_at, move.starts_at)


def _name_change(old: ActivityDraft, new: ActivityDraft) -> str | None:
    moved = (old.starts_at, old.ends_at) != (new.starts_at, new.ends_at)
    place = (old.venue, old.address) != (new.venue, new.address)
    if moved and place:
        return "moved_place"
    if moved:
        return "moved"
    if place:
        return "place"
    return POINT_ALONE if old != new else None


def _store_dates(uow: UnitOfWork, row: Activity, new: ActivityDraft) -> dict[str, Any]:
    """Store the checked dates and place; return the change for the audit trail.

    Raises: DraftRefused.
    """
    faults = check_draft(uow, new)
    if new.starts_at <= uow.now:
        faults.append(DraftFault("starts_at", "in_past"))
    if faults:
        raise DraftRefused(faults)
    before = _facts_of(row)
    if new.starts_at != row.starts_at:
        expected = [one for one in (row.moved_from, row.starts_at) if one and one > uow.now]
        row.moved_from = min(expected, default=None)
    for name in (*_TIMES, *_PLACE):
        setattr(row, name, getattr(new, name))
    _raise_revision(uow, row)
    return {"before": before, "after": _facts_of(row)}


def _enter_state(
    uow: UnitOfWork, row: Activity, state: ActivityState, reason: str
) -> dict[str, Any]:
    """Change the state; return the change for the audit trail."""
    before = {"state": row.state.value}
    row.state, row.remark = state, reason
    _raise_revision(uow, row)
    return {"before": before, "after": {"state": state.value}}


def _raise_revision(uow: UnitOfWork, row: Activity) -> None:
    row.revision += 1
    row.changed_at = uow.now
    uow.session.flush()


def _facts_of(row: Activity) -> dict[str, object]:
    told = {name: getattr(row, name) for name in _RECORDED}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in told.items()
    }
