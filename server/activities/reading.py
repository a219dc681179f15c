"""Activities as citizens see them: lists with filters, and one in detail."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from server.activities.kinds import PUBLIC, ActivityKind, ActivityState
from server.activities.models import Activity, ActivitySeries, Seating
from server.base.clock import BEIJING, beijing_midnight
from server.base.errors import NotFound
from server.base.uow import UnitOfWork


class ActivityStatus(StrEnum):
    """A filter of the list by time."""

    OPEN = "open"
    UPCOMING = "upcoming"
    PAST = "past"


@dataclass(frozen=True, kw_only=True)
class WantedActivities:
    """Filters of the list, which compose; None means any. Both days of a span are included.

    Without a status and a first day the list has the activities that have not ended.
    """

    kind: ActivityKind | None = None
    city: str | None = None
    programme: str | None = None
    audience: str | None = None
    series: str | None = None
    status: ActivityStatus | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, kw_only=True)
class ActivityView:
    """A public activity with its seats and its series."""

    activity: Activity
    seating: Seating
    series: ActivitySeries | None


def list_activities(
    uow: UnitOfWork, wanted: WantedActivities, limit: int, after: tuple[datetime, int] | None
) -> Sequence[ActivityView]:
    """Public activities in the order of their start; a list of past ones has the latest first."""
    past = wanted.status is ActivityStatus.PAST
    asked = _select_views().where(*_conditions_of(uow, wanted))
    key = (Activity.starts_at, Activity.id)
    if after is not None:
        at, row_id = after
        beyond = Activity.starts_at < at if past else Activity.starts_at > at
        same = Activity.id < row_id if past else Activity.id > row_id
        asked = asked.where(or_(beyond, and_(Activity.starts_at == at, same)))
    ordered = asked.order_by(*(one.desc() if past else one for one in key)).limit(limit)
    return _read_views(uow, ordered)


def views_of(uow: UnitOfWork, activity_ids: Collection[int]) -> Sequence[ActivityView]:
    """Activities by their row ids, in no order."""
    return _read_views(uow, _select_views().where(Activity.id.in_(list(activity_ids))))


def ids_on_days(
    refs: Collection[str], first_day: date | None, last_day: date | None
) -> Select[Any]:
    """A subquery of the public activities with these refs, or all, that begin on these days.

    Both days are included; a postponed activity takes place on no day.
    """
    asked = select(Activity.id).where(Activity.state.in_(PUBLIC))
    if refs:
        asked = asked.where(Activity.ref.in_(refs))
    if first_day is not None:
        asked = asked.where(Activity.starts_at >= beijing_midnight(first_day))
    if last_day is not None:
        next_day = last_day + timedelta(days=1)
        asked = asked.where(Activity.starts_at < beijing_midnight(next_day))
    if first_day is not None or last_day is not None:
        asked = asked.where(Activity.state != ActivityState.POSTPONED)
    return asked


def _read_views(uow: UnitOfWork, asked: Select[Any]) -> Sequence[ActivityView]:
    rows = uow.session.execute(asked)
    return [ActivityView(activity=a, seating=s, series=r) for a, s, r in rows]


def find_activity(uow: UnitOfWork, ref: str) -> ActivityView:
    """A public activity.

    Raises: NotFound (404).
    """
    asked = _select_views().where(Activity.ref == ref, Activity.published_condition())
    row = uow.session.execute(asked).one_or_none()
    if row is None:
        raise NotFound
    return ActivityView(activity=row[0], seating=row[1], series=row[2])


def _select_views() -> Any:
    return (
        select(Activity, Seating, ActivitySeries)
        .join(Seating, Seating.activity_id == Activity.id)
        .outerjoin(ActivitySeries, ActivitySeries.id == Activity.series_id)
    )


def _conditions_of(uow: UnitOfWork, wanted: WantedActivities) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Activity.state.in_(PUBLIC), *_time_conditions(uow, wanted)]
    if wanted.kind is not None:
        found.append(Activity.kind == wanted.kind)
    if wanted.city is not None:
        found.append(Activity.city == wanted.city)
    if wanted.programme is not None:
        found.append(Activity.programme_slug == wanted.programme)
    if wanted.series is not None:
        found.append(ActivitySeries.ref == wanted.series)
    if wanted.audience is not None:
        listed = Activity.audiences.contains(f"|{wanted.audience}|", autoescape=True)
        found.append(or_(Activity.audiences == "", listed))
    return found


def _time_conditions(uow: UnitOfWork, wanted: WantedActivities) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.first_day is not None:
        found.append(Activity.ends_at > datetime.combine(wanted.first_day, time(0), BEIJING))
    if wanted.last_day is not None:
        next_day = wanted.last_day + timedelta(days=1)
        found.append(Activity.starts_at < datetime.combine(next_day, time(0), BEIJING))
    match wanted.status:
        case ActivityStatus.OPEN:
            found += [
                Activity.state == ActivityState.PUBLISHED,
                Activity.signup_opens_at <= uow.now,
                Activity.signup_closes_at > uow.now,
            ]
        case ActivityStatus.UPCOMING:
            found.append(Activity.ends_at > uow.now)
        case ActivityStatus.PAST:
            found.append(Activity.ends_at <= uow.now)
        case None if wanted.first_day is None:
            found.append(Activity.ends_at > uow.now)
    return found
