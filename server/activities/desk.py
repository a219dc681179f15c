"""Actions of organizers on activities besides the stages: lists, tasks, copies, late corrections.

A published activity changes here in its describing fields only. Its times, place and seats concern
people who have signed up; the slice of sign-ups changes them and informs these people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute

from server.activities.drafts import ActivityDraft, read_draft
from server.activities.kinds import ActivityState
from server.activities.lifecycle import (
    SUBJECT,
    lock_activity,
    may_publish,
    read_activity,
    subject_of,
    waits_for,
)
from server.activities.models import Activity, Seating
from server.audit.service import AuditLine, read_history, record_change
from server.base.access import Organizer, Permission
from server.base.errors import NotFound
from server.base.ownership import HandOver, scope_of, visible_to, writable_by
from server.base.uow import Hooks, UnitOfWork
from server.base.web.page import Waiting
from server.programme import service as programmes

# States in which the describing fields of a published activity may still be corrected.
DESCRIBED = (ActivityState.PUBLISHED, ActivityState.POSTPONED)
_MOST_TITLES = 200
# Changes about which people with a place get a message; a page shows the newest of them.
_TOLD_ACTS = frozenset(
    f"activities.{act}"
    for act in ("move_activity", "postpone_activity", "date_activity", "cancel_activity")
)
_MOST_CHANGES = 5
_BEFORE_PUBLISHED = (ActivityState.DRAFT, ActivityState.REVIEW)


@dataclass(frozen=True, kw_only=True)
class Descriptions:
    """The fields of a published activity that may be corrected at any time."""

    speaker: str
    speaker_post: str
    speaker_bio: str
    abstract: str
    notes: str
    live_link: str | None
    office_phone: str
    poster: str | None


@dataclass(frozen=True, kw_only=True)
class ShownActivity:
    """An activity with its content and its seats, as an organizer sees it.

    `own` tells that it belongs to the organizer's place, `mine` that the organizer wrote it;
    `programme` is the title of its programme, or empty.
    """

    row: Activity
    draft: ActivityDraft
    seating: Seating
    programme: str
    own: bool
    mine: bool


def select_activities(organizer: Organizer) -> Select[Any]:
    """The activities that an organizer may see, for lists."""
    return visible_to(select(Activity), organizer, Activity)


def show_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> ShownActivity:
    """Find an activity that the organizer may read.

    Raises: NotFound (404).
    """
    row = read_activity(uow, organizer, ref)
    return ShownActivity(
        row=row,
        draft=read_draft(uow, row),
        seating=_seating_of(uow, row),
        programme=_title_programme(uow, row.programme_slug),
        own=organizer.scope.covers_scope(scope_of(row)),
        mine=row.writer_id == organizer.id,
    )


def list_changes(uow: UnitOfWork, organizer: Organizer, shown: ShownActivity) -> list[AuditLine]:
    """Changes after the publication, the newest first; only for roles that read the history."""
    if not shown.own or not organizer.has_permission(Permission.HISTORY_READ):
        return []
    lines = read_history(uow, organizer, SUBJECT, shown.row.ref)
    return [one for one in lines if one.code in _TOLD_ACTS][:_MOST_CHANGES]


def own_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> Activity:
    """Find an activity of the organizer's place.

    Raises: NotFound (404).
    """
    asked = writable_by(select(Activity).where(Activity.ref == ref), organizer, Activity)
    row: Activity | None = uow.session.scalar(asked)
    if row is None:
        raise NotFound
    return row


def seating_of(uow: UnitOfWork, organizer: Organizer, ref: str) -> Seating:
    """The seats of an activity of the organizer's place.

    Raises: NotFound (404).
    """
    return _seating_of(uow, own_activity(uow, organizer, ref))


def own_titles(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """Public id and title of the newest activities of the organizer's place, for a choice."""
    own: Select[Any] = writable_by(select(Activity), organizer, Activity)
    newest = own.order_by(Activity.starts_at.desc(), Activity.id.desc()).limit(_MOST_TITLES)
    rows = uow.session.scalars(newest.where(Activity.published_condition()))
    return [(row.ref, row.title) for row in rows]


def has_ref(ref: str) -> ColumnElement[bool]:
    """The condition that a row of `restrict_to_own` belongs to this activity."""
    return Activity.ref == ref


def restrict_to_own(
    statement: Select[Any], organizer: Organizer, activity_id: InstrumentedAttribute[int]
) -> Select[Any]:
    """Restrict a statement to rows of activities of the organizer's place, by a join."""
    return writable_by(statement.join(Activity, Activity.id == activity_id), organizer, Activity)


def copy_content(draft: ActivityDraft, now: datetime) -> ActivityDraft:
    """The content for a copy: on the same weekday and hour, in the next future week."""
    weeks = max(1, (now - draft.starts_at) // timedelta(weeks=1) + 1)
    return move_by_weeks(draft, weeks)


def move_by_weeks(draft: ActivityDraft, weeks: int) -> ActivityDraft:
    """The same content some weeks later, with all times of its sign-up."""
    by = timedelta(weeks=weeks)
    return replace(
        draft,
        starts_at=draft.starts_at + by,
        ends_at=draft.ends_at + by,
        signup_opens_at=draft.signup_opens_at + by,
        signup_closes_at=draft.signup_closes_at + by,
        draw_at=None if draft.draw_at is None else draft.draw_at + by,
    )


def recall_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Take an activity back from review, to change it.

    Raises: NotFound (404), WrongActivityState (409).
    """
    row = lock_activity(uow, organizer, ref, ActivityState.REVIEW)
    row.state, row.changed_at = ActivityState.DRAFT, uow.now
    record_change(
        uow,
        organizer,
        "activities.recall_activity",
        subject_of(row),
        before={"state": ActivityState.REVIEW.value},
        after={"state": ActivityState.DRAFT.value},
    )


def delete_draft(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Delete a draft; the trail keeps its title.

    Raises: NotFound (404), WrongActivityState (409).
    """
    row = lock_activity(uow, organizer, ref, ActivityState.DRAFT)
    subject, title = subject_of(row), row.title
    _delete_rows(uow, row)
    record_change(uow, organizer, "activities.delete_draft", subject, before={"title": title})


def correct_descriptions(
    uow: UnitOfWork, organizer: Organizer, ref: str, given: Descriptions
) -> None:
    """Change the describing fields of a published activity.

    Raises: NotFound (404), WrongActivityState (409).
    """
    row = lock_activity(uow, organizer, ref, *DESCRIBED)
    names = list(Descriptions.__dataclass_fields__)
    changed = [one for one in names if getattr(row, one) != getattr(given, one)]
    if not changed:
        return
    before = {one: getattr(row, one) or "" for one in changed}
    for one in changed:
        setattr(row, one, getattr(given, one))
    row.changed_at = uow.now
    record_change(
        uow,
        organizer,
        "activities.correct_descriptions",
        subject_of(row),
        before=before,
        after={one: getattr(row, one) or "" for one in changed},
    )


def tell_waiting(uow: UnitOfWork, organizer: Organizer) -> list[Waiting]:
    """Activities that wait for this organizer's decision, and the organizer's returned drafts."""
    told = []
    if organizer.has_permission(Permission.ACTIVITY_APPROVE) and may_publish(organizer):
        count = _count_activities(uow, organizer, waits_for(organizer))
        told.append(
            Waiting(count=count, said="activities.waiting", path="/activities?state=review")
        )
    if organizer.has_permission(Permission.ACTIVITY_WRITE):
        mine = and_(is_returned(), Activity.writer_id == organizer.id)
        count = _count_activities(uow, organizer, mine)
        told.append(
            Waiting(
                count=count, said="activities.returned_waiting", path="/activities?state=returned"
            )
        )
    return told


def is_returned() -> ColumnElement[bool]:
    """Drafts that an approver returned with a remark."""
    return and_(Activity.state == ActivityState.DRAFT, Activity.remark.is_not(None))


def _count_activities(uow: UnitOfWork, organizer: Organizer, wanted: ColumnElement[bool]) -> int:
    asked = select(func.count()).select_from(Activity).where(wanted)
    return uow.session.scalar(writable_by(asked, organizer, Activity)) or 0


def _title_programme(uow: UnitOfWork, slug: str | None) -> str:
    found = None if slug is None else programmes.programme_by_slug(uow, slug)
    return slug or "" if found is None else found.title


def _seating_of(uow: UnitOfWork, row: Activity) -> Seating:
    return uow.session.scalars(select(Seating).where(Seating.activity_id == row.id)).one()


def _delete_rows(uow: UnitOfWork, row: Activity) -> None:
    uow.session.execute(delete(Seating).where(Seating.activity_id == row.id))
    uow.session.delete(row)
    uow.session.flush()


# A published activity keeps its author. The successor becomes the author of an unfinished one, and
# therefore cannot publish it.
HOOKS = Hooks(
    hand_over=(
        HandOver(
            said="activities.hand_over.activities",
            table=Activity,
            column="writer_id",
            unfinished=lambda: Activity.state.in_(_BEFORE_PUBLISHED),
        ),
    )
)
