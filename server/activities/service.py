"""The interface of the slice of activities: reading them, and locking their seats."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select, update

from server.activities.bulk import NewSeries as NewSeries
from server.activities.bulk import add_series as add_series
from server.activities.bulk import known_activities as known_activities
from server.activities.desk import has_ref as has_ref
from server.activities.desk import own_activity as own_activity
from server.activities.desk import own_titles as own_titles
from server.activities.desk import restrict_to_own as restrict_to_own
from server.activities.desk import seating_of as seating_of
from server.activities.desk import show_activity as show_activity
from server.activities.drafts import ActivityDraft as ActivityDraft
from server.activities.forms import MoveForm as MoveForm
from server.activities.forms import fill_move as fill_move
from server.activities.forms import place_move_faults as place_move_faults
from server.activities.forms import read_move as read_move
from server.activities.kinds import PUBLIC as PUBLIC
from server.activities.kinds import ActivityKind as ActivityKind
from server.activities.kinds import ActivityState as ActivityState
from server.activities.kinds import SignUpPhase as SignUpPhase
from server.activities.lifecycle import DraftRefused as DraftRefused
from server.activities.lifecycle import publish_activity as publish_activity
from server.activities.lifecycle import send_activity as send_activity
from server.activities.lifecycle import write_activity as write_activity
from server.activities.models import Activity as Activity
from server.activities.models import ActivitySeries
from server.activities.models import Seating as Seating
from server.activities.moving import POINT_ALONE as POINT_ALONE
from server.activities.moving import ActivityChange as ActivityChange
from server.activities.moving import Move as Move
from server.activities.moving import due_closings as due_closings
from server.activities.moving import id_of_writable as id_of_writable
from server.activities.moving import store_cancellation as store_cancellation
from server.activities.moving import store_closing as store_closing
from server.activities.moving import store_move as store_move
from server.activities.moving import store_new_date as store_new_date
from server.activities.moving import store_postponement as store_postponement
from server.activities.posters import MadePoster as MadePoster
from server.activities.posters import keep_poster as keep_poster
from server.activities.posters import poster_content as poster_content
from server.activities.posters import poster_path as poster_path
from server.activities.posters import small_poster_content as small_poster_content
from server.activities.posters import small_poster_path as small_poster_path
from server.activities.questions import read_lines as read_lines
from server.activities.reading import ActivityStatus as ActivityStatus
from server.activities.reading import ActivityView as ActivityView
from server.activities.reading import WantedActivities as WantedActivities
from server.activities.reading import find_activity as find_activity
from server.activities.reading import ids_on_days as ids_on_days
from server.activities.reading import list_activities as list_activities
from server.activities.reading import views_of as views_of
from server.activities.rules import MOST_PARTY as MOST_PARTY
from server.activities.rules import MOST_SEATS as MOST_SEATS
from server.activities.rules import Terms as Terms
from server.activities.rules import do_overlap as do_overlap
from server.activities.rules import is_draw_due as is_draw_due
from server.activities.rules import is_urgent as is_urgent
from server.activities.rules import may_promote_at as may_promote_at
from server.activities.rules import phase_at as phase_at
from server.activities.rules import read_audiences as read_audiences
from server.activities.sayings import say_moment as say_moment
from server.activities.sayings import say_times as say_times
from server.activities.seats import LockedSeats as LockedSeats
from server.activities.seats import lock_seats as lock_seats
from server.activities.seats import store_counts as store_counts
from server.base.access import Scope
from server.base.errors import NotFound
from server.base.kept_pictures import measured_picture as measured_picture
from server.base.ownership import scope_from_columns
from server.base.sql.prepared import run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork

_activity, _series = table_of(Activity), table_of(ActivitySeries)
_TIMES = (
    _activity.c.id,
    _activity.c.state,
    _activity.c.starts_at,
    _activity.c.moved_from,
    _activity.c.ends_at,
    _activity.c.signup_opens_at,
    _activity.c.signup_closes_at,
    _activity.c.draw_at,
    _activity.c.drawn_at,
    _activity.c.series_id,
)
_BY_REF = (
    select(*_TIMES, _series.c.most_signups)
    .outerjoin(_series, _series.c.id == _activity.c.series_id)
    .where(
        _activity.c.ref == bindparam("of_ref"),
        _activity.c.state.in_(bindparam("public", expanding=True)),
    )
)
_BY_ID = (
    select(*_TIMES, _series.c.most_signups)
    .outerjoin(_series, _series.c.id == _activity.c.series_id)
    .where(_activity.c.id.in_(bindparam("ids", expanding=True)))
)
_GATE = (
    _activity.c.id,
    _activity.c.ref,
    _activity.c.title,
    _activity.c.state,
    _activity.c.starts_at,
    _activity.c.ends_at,
    _activity.c.programme_slug,
    _activity.c.checkout_needed,
    _activity.c.owner,
    _activity.c.owner_city,
    _activity.c.owner_county,
)
_GATE_BY_ID = select(*_GATE).where(_activity.c.id == bindparam("of_id"))
_HOLD = (
    select(_activity.c.id)
    .where(_activity.c.id == bindparam("of_id"))
    .with_for_update(read=True, key_share=True)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityGate:
    """The facts of an activity that a gate needs."""

    id: int
    ref: str
    title: str
    state: ActivityState
    starts_at: datetime
    ends_at: datetime
    programme_slug: str | None
    checkout_needed: bool
    owner: str
    owner_city: str | None
    owner_county: str | None


def gate_of(uow: UnitOfWork, activity_id: int) -> ActivityGate:
    """The facts of an activity that a gate needs.

    Raises: NotFound (404) for an activity that citizens do not see.
    """
    row = run_statement(uow, _GATE_BY_ID, {"of_id": activity_id}).one_or_none()
    if row is None or row.state not in PUBLIC:
        raise NotFound
    return ActivityGate(**row._asdict())


def scope_of_gate(gate: ActivityGate) -> Scope:
    """The scope of the owner of an activity."""
    return scope_from_columns(gate.owner, gate.owner_city, gate.owner_county)


def hold_activity(uow: UnitOfWork, activity_id: int) -> None:
    """Keep others from locking the seats of an activity until the commit.

    Locks: the activity, shared.
    """
    run_statement(uow, _HOLD, {"of_id": activity_id})


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityTimes:
    """Times and state of an activity, and the limit of its series."""

    id: int
    state: ActivityState
    starts_at: datetime
    moved_from: datetime | None
    ends_at: datetime
    signup_opens_at: datetime
    signup_closes_at: datetime
    draw_at: datetime | None
    drawn_at: datetime | None
    series_id: int | None
    most_signups: int | None


def times_of_ref(uow: UnitOfWork, ref: str) -> ActivityTimes:
    """Times of an activity that citizens see.

    Raises: NotFound (404).
    """
    row = run_statement(uow, _BY_REF, {"of_ref": ref, "public": PUBLIC}).one_or_none()
    if row is None:
        raise NotFound
    return ActivityTimes(**row._asdict())


def times_of(uow: UnitOfWork, activity_ids: Collection[int]) -> dict[int, ActivityTimes]:
    """Times of activities, by row id."""
    if not activity_ids:
        return {}
    rows = run_statement(uow, _BY_ID, {"ids": list(activity_ids)})
    return {row.id: ActivityTimes(**row._asdict()) for row in rows}


def ids_overlapping(terms: Terms) -> Select[Any]:
    """A subquery of the activities that take place at the same time, itself among them."""
    return select(Activity.id).where(
        Activity.starts_at < terms.ends_at,
        Activity.ends_at > terms.starts_at,
        Activity.state.in_((ActivityState.PUBLISHED, ActivityState.CLOSED)),
    )


def ids_ended(before: datetime) -> Select[Any]:
    """A subquery of the activities that ended before an instant; a postponed one has no end yet."""
    return select(Activity.id).where(
        Activity.ends_at <= before, Activity.state != ActivityState.POSTPONED
    )


def ids_closed(after: datetime) -> Select[Any]:
    """A subquery of the closed activities that ended after an instant."""
    return select(Activity.id).where(
        Activity.state == ActivityState.CLOSED, Activity.ends_at > after
    )


def ids_ahead(uow: UnitOfWork) -> Select[Any]:
    """A subquery of the published activities that have not begun."""
    return select(Activity.id).where(
        Activity.state == ActivityState.PUBLISHED, Activity.starts_at > uow.now
    )


def starts_between(
    uow: UnitOfWork, after: datetime, until: datetime
) -> Sequence[tuple[int, datetime]]:
    """Published activities that begin after an instant, and not after another: id and start."""
    rows = uow.session.execute(
        select(Activity.id, Activity.starts_at)
        .where(
            Activity.state == ActivityState.PUBLISHED,
            Activity.starts_at > after,
            Activity.starts_at <= until,
        )
        .order_by(Activity.starts_at, Activity.id)
    )
    return [(row.id, row.starts_at) for row in rows]


def note_draw(uow: UnitOfWork, activity_id: int) -> None:
    """Store that the lottery of a locked activity was drawn.

    Locks: the activity.
    """
    uow.session.execute(update(Activity).where(Activity.id == activity_id).values(drawn_at=uow.now))


def store_seats(uow: UnitOfWork, locked: LockedSeats, seats: int) -> None:
    """Store the number of seats of a locked activity, together with its counters."""
    locked.seats = seats
    uow.session.execute(
        update(Seating)
        .where(Seating.activity_id == locked.id)
        .values(seats=seats, taken=locked.taken, waiting=locked.waiting)
    )


def draw_seed_of(uow: UnitOfWork, activity_id: int) -> str:
    """The seed of a lottery.

    Raises: ValueError for an activity without a lottery.
    """
    seed = uow.session.scalar(select(Activity.draw_seed).where(Activity.id == activity_id))
    if seed is None:
        raise ValueError(f"activity {activity_id} has no lottery")
    return seed


def due_draws(uow: UnitOfWork) -> list[int]:
    """Row ids of published activities whose lottery is due."""
    found = uow.session.scalars(
        select(Activity.id).where(
            Activity.state == ActivityState.PUBLISHED,
            Activity.draw_at <= uow.now,
            Activity.drawn_at.is_(None),
        )
    )
    return list(found)


def idle_waitlists(uow: UnitOfWork) -> list[int]:
    """Row ids of activities with free seats and people who wait, before their start."""
    found = uow.session.scalars(
        select(Activity.id)
        .join(Seating, Seating.activity_id == Activity.id)
        .where(
            Activity.state == ActivityState.PUBLISHED,
            Activity.starts_at > uow.now,
            Activity.signup_closes_at > uow.now,
            Seating.waiting > 0,
            Seating.taken < Seating.seats,
        )
        .order_by(Activity.id)
    )
    return list(found)


class ActivityName(NamedTuple):
    """The public id and the title of an activity."""

    ref: str
    title: str


def name_of(uow: UnitOfWork, activity_id: int) -> ActivityName:
    """The public id and the title of an activity."""
    row = uow.session.execute(
        select(Activity.ref, Activity.title).where(Activity.id == activity_id)
    ).one()
    return ActivityName(row.ref, row.title)
