"""The stages of an activity: written, sent to review, published or returned, closed.

The author does not publish the activity. A published one is moved, postponed or cancelled by the
slice of sign-ups, which informs the people who have signed up.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, select

from server.activities.drafts import (
    ActivityDraft,
    DraftFault,
    add_activity,
    check_draft,
    read_draft,
    store_draft,
)
from server.activities.errors import CityPublishes, OwnActivity, WrongActivityState
from server.activities.kinds import ActivityState
from server.activities.models import Activity
from server.activities.posters import hold_poster
from server.activities.rules import commit_seed
from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.ownership import scope_of, visible_to, writable_by
from server.base.sql.locks import lock_name
from server.base.uow import UnitOfWork

SUBJECT = "activity"


class DraftRefused(Exception):
    """A draft with faults; nothing was stored."""

    def __init__(self, faults: list[DraftFault]) -> None:
        super().__init__(", ".join(f"{one.field} {one.reason}" for one in faults))
        self.faults = faults


def write_activity(
    uow: UnitOfWork,
    organizer: Organizer,
    draft: ActivityDraft,
    form_key: str | None = None,
    *,
    ref: str | None = None,
) -> str:
    """Store a new draft of the organizer's place; return its ref. A form sent again finds it.

    `ref` is for sample data; other drafts get a random one.
    Raises: DraftRefused.
    """
    if form_key is not None:
        # A repeated request waits here for the first one, and finds its draft.
        lock_name(uow, "activity form", form_key)
        mine = writable_by(select(Activity.ref), organizer, Activity)
        made: str | None = uow.session.scalar(mine.where(Activity.form_key == form_key))
        if made is not None:
            return made
    _refuse_faults(uow, draft)
    draft = replace(draft, poster=hold_poster(uow, draft.poster))
    row = add_activity(uow, organizer.scope, draft, ref, writer_id=organizer.id, form_key=form_key)
    record_change(
        uow, organizer, "activities.write_activity", subject_of(row), after=_facts_of(row)
    )
    return row.ref


def change_draft(uow: UnitOfWork, organizer: Organizer, ref: str, draft: ActivityDraft) -> None:
    """Change a draft; the organizer becomes its author.

    Raises: NotFound (404), WrongActivityState (409), DraftRefused.
    """
    row = lock_activity(uow, organizer, ref, ActivityState.DRAFT)
    before = read_draft(uow, row)
    if draft == before:
        return
    _refuse_faults(uow, draft)
    old = _facts_of(row)
    store_draft(uow, row, draft)
    row.writer_id, row.remark = organizer.id, None
    uow.session.flush()
    record_change(
        uow, organizer, "activities.change_draft", subject_of(row), before=old, after=_facts_of(row)
    )


def send_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Send a draft to review.

    Raises: NotFound (404), WrongActivityState (409), DraftRefused.
    """
    row = lock_activity(uow, organizer, ref, ActivityState.DRAFT)
    _refuse_faults(uow, read_draft(uow, row))
    moved = _enter_state(uow, row, ActivityState.REVIEW)
    record_change(uow, organizer, "activities.send_activity", subject_of(row), **moved)


def may_publish(organizer: Organizer) -> bool:
    """Whether an organizer's place publishes activities: a city or the region."""
    return organizer.scope.county is None and organizer.scope.unit_id is None


def publish_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Publish an activity that waits for review; the commitment of its lottery is fixed now.

    Raises: NotFound (404), WrongActivityState, CityPublishes, OwnActivity (409).
    """
    row = lock_activity(uow, organizer, ref, ActivityState.REVIEW)
    if not may_publish(organizer):
        raise CityPublishes(ref=ref)
    if row.writer_id == organizer.id:
        raise OwnActivity(ref=ref)
    row.decider_id = organizer.id
    moved = _enter_state(uow, row, ActivityState.PUBLISHED)
    open_activity(uow, row)
    record_change(uow, organizer, "activities.publish_activity", subject_of(row), **moved)


def open_activity(uow: UnitOfWork, row: Activity) -> None:
    """Set the instant of the publication, and the seed of the lottery."""
    row.state, row.published_at, row.remark = ActivityState.PUBLISHED, uow.now, None
    if row.draw_at is not None and row.draw_seed is None:
        row.draw_seed = secrets.token_hex(32)
        row.draw_commitment = commit_seed(row.draw_seed)


def return_activity(uow: UnitOfWork, organizer: Organizer, ref: str, remark: str) -> None:
    """Return an activity to its author with a remark.

    Raises: NotFound (404), WrongActivityState (409).
    """
    row = lock_activity(uow, organizer, ref, ActivityState.REVIEW)
    row.remark, row.decider_id = remark, organizer.id
    moved = _enter_state(uow, row, ActivityState.DRAFT)
    record_change(
        uow, organizer, "activities.return_activity", subject_of(row), **moved, reason=remark
    )


def read_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> Activity:
    """An activity that the organizer may read.

    Raises: NotFound (404).
    """
    row: Activity | None = uow.session.scalar(
        visible_to(select(Activity).where(Activity.ref == ref), organizer, Activity)
    )
    if row is None:
        raise NotFound
    return row


def lock_activity(
    uow: UnitOfWork, organizer: Organizer, ref: str, *states: ActivityState
) -> Activity:
    """Lock an activity of the organizer's place in one of these states.

    Locks: the activity.
    Raises: NotFound (404), WrongActivityState (409).
    """
    asked = select(Activity).where(Activity.ref == ref).with_for_update(of=Activity)
    row: Activity | None = uow.session.scalar(writable_by(asked, organizer, Activity))
    if row is None:
        raise NotFound
    if row.state not in states:
        raise WrongActivityState(about=ref, path=f"/activities/{ref}", ref=ref)
    return row


def waits_for(organizer: Organizer) -> ColumnElement[bool]:
    """Activities in review that this organizer may decide."""
    own = and_(Activity.writer_id.is_not(None), Activity.writer_id == organizer.id)
    return and_(Activity.state == ActivityState.REVIEW, not_(own))


def subject_of(row: Activity) -> Subject:
    """An activity as the subject of an audit entry."""
    return Subject(SUBJECT, row.ref, scope_of(row))


def _refuse_faults(uow: UnitOfWork, draft: ActivityDraft) -> None:
    faults = check_draft(uow, draft)
    if faults:
        raise DraftRefused(faults)


def _enter_state(uow: UnitOfWork, row: Activity, state: ActivityState) -> dict[str, Any]:
    """Change the state; return the change for the audit trail."""
    before = {"state": row.state.value}
    row.state, row.changed_at = state, uow.now
    return {"before": before, "after": {"state": state.value}}


def _facts_of(row: Activity) -> dict[str, object]:
    """The content of an activity as recorded in the audit trail."""
    return {
        "title": row.title,
        "venue": row.venue,
        "starts_at": row.starts_at.isoformat(),
        "ends_at": row.ends_at.isoformat(),
        "signup_opens_at": row.signup_opens_at.isoformat(),
        "signup_closes_at": row.signup_closes_at.isoformat(),
    }
