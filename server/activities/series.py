"""Weekly series: dated copies of one activity as drafts, grouped so that citizens find them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from server.activities.desk import copy_content, move_by_weeks
from server.activities.drafts import add_activity, check_draft, read_draft
from server.activities.kinds import ActivityState
from server.activities.lifecycle import DraftRefused, lock_activity, subject_of
from server.activities.models import Activity, ActivitySeries
from server.audit.service import record_change
from server.base.access import Organizer
from server.base.ownership import owned_by, scope_of, writable_by
from server.base.sql.locks import lock_name
from server.base.uow import UnitOfWork

# Half a year of weeks; more is a typing error.
MOST_COPIES = 26
MOST_TITLE = 80
MOST_SIGNUPS = 99
_MOST_SERIES = 100


@dataclass(frozen=True, kw_only=True)
class SeriesPlan:
    """An organizer's request: `copies` further weeks, and the series they belong to.

    `most_signups` limits the places of one person in activities that have not ended; None is any.
    Title and limit are those of a new series; an activity that belongs to one continues it.
    """

    copies: int
    title: str
    most_signups: int | None = None
    form_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class PlannedSeries:
    """The series, and the number of drafts that were made for it."""

    ref: str
    drafts: int


def series_of(uow: UnitOfWork, organizer: Organizer, row: Activity) -> ActivitySeries | None:
    """The series that an activity of the organizer's place belongs to."""
    if row.series_id is None:
        return None
    asked = select(ActivitySeries).where(ActivitySeries.id == row.series_id)
    found: ActivitySeries | None = uow.session.scalar(writable_by(asked, organizer, ActivitySeries))
    return found


def own_series(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """Public id and title of the newest series of the organizer's place, for a choice."""
    own: Select[Any] = writable_by(select(ActivitySeries), organizer, ActivitySeries)
    newest = own.order_by(ActivitySeries.id.desc()).limit(_MOST_SERIES)
    return [(row.ref, row.title) for row in uow.session.scalars(newest)]


def in_series(ref: str) -> ColumnElement[bool]:
    """The condition that an activity belongs to a series."""
    return Activity.series_id.in_(select(ActivitySeries.id).where(ActivitySeries.ref == ref))


def plan_series(uow: UnitOfWork, organizer: Organizer, ref: str, plan: SeriesPlan) -> PlannedSeries:
    """Make one draft a week from an activity, all times moved with it; a repeated form makes none.

    The first draft is in the week after the activity, or in the next future week. The activity
    itself joins the series and is not changed otherwise.
    Locks: the activity.
    Raises: NotFound (404), WrongActivityState (409) for a cancelled one, DraftRefused.
    """
    if plan.form_key is not None:
        lock_name(uow, "activity form", plan.form_key)
    row = lock_activity(
        uow, organizer, ref, *(one for one in ActivityState if one is not ActivityState.CANCELLED)
    )
    made = _find_repeat(uow, organizer, plan)
    if made is not None:
        return made
    series = series_of(uow, organizer, row) or _add_series(uow, row, plan)
    number = _last_number(uow, organizer, series)
    first = copy_content(read_draft(uow, row), uow.now)
    for week in range(plan.copies):
        draft = replace(
            move_by_weeks(first, week), series_id=series.id, series_number=number + week + 1
        )
        faults = check_draft(uow, draft)
        if faults:
            raise DraftRefused(faults)
        key = plan.form_key if week == 0 else None
        add_activity(uow, scope_of(row), draft, writer_id=organizer.id, form_key=key)
    record_change(
        uow,
        organizer,
        "activities.plan_series",
        subject_of(row),
        after={"series": series.title, "drafts": plan.copies},
    )
    return PlannedSeries(ref=series.ref, drafts=plan.copies)


def _find_repeat(uow: UnitOfWork, organizer: Organizer, plan: SeriesPlan) -> PlannedSeries | None:
    """The series that the same form made before."""
    if plan.form_key is None:
        return None
    asked = (
        select(ActivitySeries.ref)
        .join(Activity, Activity.series_id == ActivitySeries.id)
        .where(Activity.form_key == plan.form_key)
    )
    ref: str | None = uow.session.scalar(writable_by(asked, organizer, ActivitySeries))
    return None if ref is None else PlannedSeries(ref=ref, drafts=plan.copies)


def _add_series(uow: UnitOfWork, row: Activity, plan: SeriesPlan) -> ActivitySeries:
    """A new series of the activity's place, with the activity as its first."""
    series = ActivitySeries(
        ref=uow.new_ref("ser"),
        title=plan.title,
        programme_slug=row.programme_slug,
        introduction="",
        most_signups=plan.most_signups,
        made_at=uow.now,
        **owned_by(scope_of(row)),
    )
    uow.session.add(series)
    uow.session.flush()
    row.series_id, row.series_number = series.id, 1
    uow.session.flush()
    return series


def _last_number(uow: UnitOfWork, organizer: Organizer, series: ActivitySeries) -> int:
    asked = select(func.max(Activity.series_number)).where(Activity.series_id == series.id)
    return uow.session.scalar(writable_by(asked, organizer, Activity)) or 0
