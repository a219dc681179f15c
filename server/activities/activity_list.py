"""The list of activities in the console, for its page and its exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from server.activities import desk, series
from server.activities.kinds import ActivityKind, ActivityState
from server.activities.models import Activity, Seating
from server.base.access import Organizer
from server.base.uow import UnitOfWork
from server.console.tables import Column, ColumnKind, Filter, FilterKind, ListQuery, Table
from server.programme import service as programmes
from server.units import service as units


class ListedState(StrEnum):
    """The state of an activity in the list; a returned draft has one of its own."""

    DRAFT = "draft"
    RETURNED = "returned"
    REVIEW = "review"
    PUBLISHED = "published"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class ActivityQuery(ListQuery, frozen=True, kw_only=True):
    """Filters of the list of activities."""

    words: str | None = None
    state: ListedState | None = None
    kind: ActivityKind | None = None
    city: str | None = None
    programme: str | None = None
    series: str | None = None


@dataclass(frozen=True, kw_only=True)
class ActivityLine:
    activity: Activity
    state: ListedState
    seating: Seating


_BADGES = {
    ListedState.PUBLISHED: "good",
    ListedState.RETURNED: "bad",
    ListedState.REVIEW: "mind",
    ListedState.POSTPONED: "mind",
    ListedState.CANCELLED: "bad",
}


def listed_state(row: Activity) -> ListedState:
    """The state of an activity as the list shows it."""
    if row.state is ActivityState.DRAFT and row.remark is not None:
        return ListedState.RETURNED
    return ListedState(row.state.value)


def badge_of(state: ListedState) -> str:
    """The kind of badge of a state."""
    return _BADGES.get(state, "plain")


def _find_activities(_uow: UnitOfWork, organizer: Organizer, query: ActivityQuery) -> Select[Any]:
    rows = desk.select_activities(organizer)
    if query.words is not None:
        columns = (Activity.title, Activity.speaker, Activity.venue)
        rows = rows.where(or_(*(one.contains(query.words, autoescape=True) for one in columns)))
    if query.state is not None:
        rows = rows.where(_in_state(query.state))
    if query.kind is not None:
        rows = rows.where(Activity.kind == query.kind)
    if query.city is not None:
        rows = rows.where(Activity.city == query.city)
    if query.programme is not None:
        rows = rows.where(Activity.programme_slug == query.programme)
    if query.series is not None:
        rows = rows.where(series.in_series(query.series))
    return rows


def _in_state(state: ListedState) -> ColumnElement[bool]:
    match state:
        case ListedState.RETURNED:
            return desk.is_returned()
        case ListedState.DRAFT:
            return and_(Activity.state == ActivityState.DRAFT, Activity.remark.is_(None))
        case _:
            return Activity.state == ActivityState(state.value)


def _add_seats(uow: UnitOfWork, rows: Sequence[Activity]) -> Sequence[ActivityLine]:
    asked = select(Seating).where(Seating.activity_id.in_([row.id for row in rows]))
    by_id = {one.activity_id: one for one in uow.session.scalars(asked)}
    return [
        ActivityLine(activity=row, state=listed_state(row), seating=by_id[row.id]) for row in rows
    ]


def _offer_cities(uow: UnitOfWork, _organizer: Organizer) -> list[tuple[str, str]]:
    return [(city.code, city.name) for city, _ in units.cities_today(uow)]


def _offer_programmes(uow: UnitOfWork, _organizer: Organizer) -> list[tuple[str, str]]:
    return programmes.list_titles(uow)


ACTIVITIES = Table(
    name="activities",
    path="/activities",
    title="activities.menu",
    empty="activities.none",
    query=ActivityQuery,
    select=_find_activities,
    prepare=_add_seats,
    key=Activity.id,
    sort="-starts_at",
    columns=(
        Column(
            name="title", title="activities.form.title", value=lambda line: line.activity.title,
            sort=Activity.title, address=lambda line: f"/console/activities/{line.activity.ref}",
        ),
        Column(
            name="state", title="activities.state_title", value=lambda line: line.state.value,
            words="activities.state", badge=lambda line: badge_of(line.state),
        ),
        Column(
            name="kind", title="activities.form.kind",
            value=lambda line: line.activity.kind.value, words="activities.kind",
        ),
        Column(
            name="starts_at", title="activities.form.starts_at", kind=ColumnKind.DATE,
            value=lambda line: line.activity.starts_at, sort=Activity.starts_at,
        ),
        Column(name="venue", title="activities.form.venue", value=lambda line: line.activity.venue),
        Column(
            name="taken", title="activities.taken", kind=ColumnKind.NUMBER,
            value=lambda line: line.seating.taken,
        ),
        Column(
            name="seats", title="activities.form.seats", kind=ColumnKind.NUMBER,
            value=lambda line: line.seating.seats,
        ),
        Column(
            name="waiting", title="activities.waitlisted", kind=ColumnKind.NUMBER,
            value=lambda line: line.seating.waiting,
        ),
        Column(
            name="city", title="activities.form.place", shown=False,
            value=lambda line: line.activity.city and units.name_place(line.activity.city),
        ),
        Column(
            name="speaker", title="activities.form.speaker", shown=False,
            value=lambda line: line.activity.speaker,
        ),
        Column(
            name="ends_at", title="activities.form.ends_at", kind=ColumnKind.DATE, shown=False,
            value=lambda line: line.activity.ends_at,
        ),
        Column(
            name="signup_opens_at", title="activities.form.signup_opens_at", kind=ColumnKind.DATE,
            shown=False, value=lambda line: line.activity.signup_opens_at,
            sort=Activity.signup_opens_at,
        ),
        Column(
            name="signup_closes_at", title="activities.form.signup_closes_at",
            kind=ColumnKind.DATE, shown=False, value=lambda line: line.activity.signup_closes_at,
        ),
        Column(
            name="changed_at", title="activities.changed_at", kind=ColumnKind.DATE, shown=False,
            value=lambda line: line.activity.changed_at, sort=Activity.changed_at,
        ),
    ),
    filters=(
        Filter(
            name="words", title="activities.words", kind=FilterKind.SEARCH,
            hint="activities.words_hint",
        ),
        Filter(
            name="state", title="activities.state_title",
            choices=[(one.value, f"activities.state.{one.value}") for one in ListedState],
        ),
        Filter(
            name="kind", title="activities.form.kind",
            choices=[(one.value, f"activities.kind.{one.value}") for one in ActivityKind],
        ),
        Filter(name="city", title="activities.city", options=_offer_cities),
        Filter(name="programme", title="activities.form.programme", options=_offer_programmes),
        Filter(name="series", title="activities.series.name", options=series.own_series),
    ),
)  # fmt: skip
