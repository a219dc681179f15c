"""The list of contests in the console, for its page and its exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_

from server.base.access import Organizer
from server.base.clock import say_end_time
from server.base.uow import UnitOfWork
from server.console.tables import Column, ColumnKind, Filter, FilterKind, ListQuery, Table
from server.quiz.contests import editing
from server.quiz.models import Contest


class ContestState(StrEnum):
    """The state of a contest at this moment."""

    DRAFT = "draft"
    RETURNED = "returned"
    UPCOMING = "upcoming"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class ContestQuery(ListQuery, frozen=True, kw_only=True):
    """Filters of the list of contests."""

    title: str | None = None
    state: ContestState | None = None


@dataclass(frozen=True, kw_only=True)
class _Line:
    contest: Contest
    state: str


_BADGES = {"open": "good", "draft": "mind", "returned": "bad", "paused": "mind"}


def _find_contests(uow: UnitOfWork, organizer: Organizer, query: ContestQuery) -> Select[Any]:
    rows = editing.select_contests(organizer)
    if query.title is not None:
        rows = rows.where(Contest.title.contains(query.title, autoescape=True))
    if query.state is not None:
        rows = rows.where(_in_state(uow, query.state))
    return rows


def _in_state(uow: UnitOfWork, state: ContestState) -> ColumnElement[bool]:
    """The condition of `editing.state_of`."""
    published = Contest.published_at.is_not(None)
    over, begun = Contest.closes_at <= uow.now, Contest.opens_at <= uow.now
    live = and_(published, ~over)
    conditions: dict[ContestState, ColumnElement[bool]] = {
        ContestState.DRAFT: and_(~published, Contest.returned_reason.is_(None)),
        ContestState.RETURNED: and_(~published, Contest.returned_reason.is_not(None)),
        ContestState.CLOSED: and_(published, over),
        ContestState.PAUSED: and_(live, Contest.paused_at.is_not(None)),
        ContestState.UPCOMING: and_(live, Contest.paused_at.is_(None), ~begun),
        ContestState.OPEN: and_(live, Contest.paused_at.is_(None), begun),
    }
    return conditions[state]


def _add_state(uow: UnitOfWork, rows: Sequence[Contest]) -> Sequence[_Line]:
    return [_Line(contest=row, state=editing.state_of(row, uow.now)) for row in rows]


CONTESTS = Table(
    name="quiz.contests",
    path="/contests",
    title="quiz.contest.menu",
    empty="quiz.contest.none",
    query=ContestQuery,
    select=_find_contests,
    prepare=_add_state,
    key=Contest.id,
    sort="-opens_at",
    columns=(
        Column(
            name="title",
            title="quiz.contest.form.title",
            value=lambda line: line.contest.title,
            sort=Contest.title,
            address=lambda line: f"/console/contests/{line.contest.ref}",
        ),
        Column(
            name="state",
            title="quiz.contest.state_title",
            value=lambda line: line.state,
            words="quiz.contest.state",
            badge=lambda line: _BADGES.get(line.state, "plain"),
        ),
        Column(
            name="opens_at",
            title="quiz.contest.form.opens_at",
            value=lambda line: line.contest.opens_at,
            kind=ColumnKind.DATE,
            sort=Contest.opens_at,
        ),
        Column(
            name="closes_at",
            title="quiz.contest.form.closes_at",
            value=lambda line: "{} {}".format(*say_end_time(line.contest.closes_at)),
            kind=ColumnKind.DATE,
            sort=Contest.closes_at,
        ),
        Column(
            name="bank",
            title="quiz.contest.form.bank",
            value=lambda line: line.contest.bank,
            shown=False,
        ),
    ),
    filters=(
        Filter(name="title", title="quiz.contest.form.title", kind=FilterKind.SEARCH),
        Filter(
            name="state",
            title="quiz.contest.state_title",
            choices=[(one.value, f"quiz.contest.state.{one.value}") for one in ContestState],
        ),
    ),
)
