"""The list of a contest's ranks in the console, present or public, with its exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    false,
    func,
    literal_column,
    select,
    true,
)

from server.accounts import service as accounts
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.ownership import people_of, serving_found_row, visible_to
from server.base.uow import UnitOfWork
from server.console.tables import Column, ColumnKind, Filter, ListQuery, Table
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards import rank_order, scopes
from server.quiz.leaderboards.board_keys import REGION, TOTAL
from server.quiz.models import Contest, Entry, SealedRank, Standing
from server.quiz.sealing.building import select_live_stands
from server.units import service as units

# A subquery of every statement below has this name.
_RANK: ColumnElement[int] = literal_column("board.rank", Integer)


class RankSource(StrEnum):
    """Which ranks: those that citizens see, or the present ones with the papers of a freeze."""

    PUBLIC = "public"
    LIVE = "live"


class RankQuery(ListQuery, frozen=True, kw_only=True):
    """Which board; `scope` as the API spells it."""

    contest: str | None = None
    source: RankSource | None = None
    scope: str | None = None


@dataclass(frozen=True, kw_only=True)
class RankedPlayer:
    """One row, with the name that citizens see."""

    rank: int
    name: str
    city: str
    county: str
    unit: str
    score: float
    seconds: float


def select_ranks(uow: UnitOfWork, organizer: Organizer, query: RankQuery) -> Select[Any]:
    """The ranks of the people of the organizer's place on a board.

    Raises: NotFound (404), Invalid (422) for an unknown scope.
    """
    contest = _find_contest(uow, organizer, query.contest)
    if contest is None:
        return people_of(_select_rows(_empty_board(), 1), organizer, Entry)
    scope = scopes.scope_in_contest(uow, contest, query.scope or REGION, None)
    board = _board_of(contest, query.source or RankSource.PUBLIC, scope)
    return people_of(_select_rows(board, contest.rules.points_scale), organizer, Entry)


def _select_rows(board: Subquery, scale: int) -> Select[Any]:
    """The rows of a board with their citizens."""
    rows: Select[*tuple[Any, ...]] = select(
        board.c.rank,
        board.c.points,
        board.c.time_ms,
        board.c.city,
        board.c.county,
        board.c.unit_id,
        Entry.citizen_id,
        literal_column(str(scale), Integer).label("scale"),
    )
    return rows.join(Entry, Entry.id == board.c.entry_id)


def _empty_board() -> Subquery:
    """The board of no contest, for an organizer who sees none yet."""
    stands = select(SealedRank).where(false()).subquery()
    return select(*_columns_of(stands, stands.c)).subquery("board")


def _find_contest(uow: UnitOfWork, organizer: Organizer, ref: str | None) -> ContestView | None:
    """The contest, or the newest one; None when there is none yet. Raises: NotFound (404)."""
    wanted = (
        select(Contest.id)
        .where(Contest.published_at.is_not(None), true() if ref is None else Contest.ref == ref)
        .order_by(Contest.id.desc())
        .limit(1)
    )
    found = uow.session.scalar(visible_to(wanted, organizer, Contest))
    if found is None and ref is None:
        return None
    if found is None:
        raise NotFound
    with serving_found_row(uow.session):
        return contests.contest_by_id(uow, found)


def _board_of(contest: ContestView, source: RankSource, scope: str) -> Subquery:
    kind, _, value = scope.partition(":")
    column = {"unit": "unit_id"}.get(kind, kind)
    wanted = int(value) if kind == "unit" else value
    if source is RankSource.PUBLIC and contest.final is not None:
        stands = select(SealedRank).where(SealedRank.version_id == contest.final.id).subquery()
        places: Any = stands.c
        joined = select(*_columns_of(stands, stands.c))
    else:
        public = select(Standing).where(Standing.contest_id == contest.id, Standing.period == TOTAL)
        live = source is RankSource.LIVE and contest.final is None
        stands = (select_live_stands(contest.id) if live else public).subquery()
        places = Entry
        joined = select(*_columns_of(stands, Entry)).join(Entry, Entry.id == stands.c.entry_id)
    if scope != REGION:
        joined = joined.where(getattr(places, column) == wanted)
    return joined.subquery("board")


def _columns_of(stands: Subquery, places: Any) -> list[Any]:
    rank = func.row_number().over(order_by=rank_order.best_first(stands)).label("rank")
    named = [getattr(places, name).label(name) for name in ("city", "county", "unit_id")]
    return [rank, stands.c.entry_id, stands.c.points, stands.c.time_ms, *named]


def add_names(uow: UnitOfWork, rows: Sequence[Any]) -> Sequence[RankedPlayer]:
    """The rows with names and cities in words."""
    with serving_found_row(uow.session):
        names = accounts.names_of(uow, [row.citizen_id for row in rows])
        at_units = units.units_by_id(uow, {row.unit_id for row in rows if row.unit_id is not None})
    known = units.load_regions()
    return [
        RankedPlayer(
            rank=row.rank,
            name=names[row.citizen_id].shown,
            city=city.name if (city := known.find_city(row.city or "")) is not None else "",
            county="" if row.county is None else units.name_place(row.county),
            unit=at_units[row.unit_id].name if row.unit_id in at_units else "",
            score=row.points if row.scale == 1 else row.points / row.scale,
            seconds=row.time_ms / 1000,
        )
        for row in rows
    ]


def list_contest_choices(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """The published contests that the organizer may see, the newest first."""
    rows = visible_to(
        select(Contest.ref, Contest.title).where(Contest.published_at.is_not(None)),  # type: ignore[arg-type] # two columns
        organizer,
        Contest,
    ).order_by(Contest.id.desc())
    return [(row.ref, row.title) for row in uow.session.execute(rows)]


def list_scope_choices(_uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """The cities and counties of the organizer's place."""
    found = []
    for city in units.load_regions().cities:
        if organizer.scope.city in (None, city.code):
            found.append((f"city:{city.code}", city.name))
            found += [(f"county:{one.code}", f"{city.name}{one.name}") for one in city.counties]
    return found


RANKS = Table(
    name="quiz.ranks",
    path="/ranks",
    title="quiz.ranks.title",
    empty="quiz.ranks.none",
    query=RankQuery,
    select=select_ranks,
    prepare=add_names,
    key=_RANK,
    sort="rank",
    persons=True,
    columns=(
        Column(
            name="rank", title="quiz.ranks.rank", kind=ColumnKind.NUMBER, sort=_RANK,
            value=lambda row: row.rank,
        ),
        Column(name="name", title="quiz.ranks.name", value=lambda row: row.name),
        Column(name="city", title="quiz.ranks.city", value=lambda row: row.city),
        Column(
            name="score", title="quiz.ranks.score", kind=ColumnKind.NUMBER,
            value=lambda row: row.score,
        ),
        Column(
            name="seconds", title="quiz.ranks.seconds", kind=ColumnKind.NUMBER,
            value=lambda row: row.seconds,
        ),
        Column(
            name="county", title="quiz.ranks.county", value=lambda row: row.county, shown=False,
        ),
        Column(name="unit", title="quiz.ranks.unit", value=lambda row: row.unit, shown=False),
    ),
    filters=(
        Filter(
            name="contest", title="quiz.ranks.contest", options=list_contest_choices,
            blank="quiz.ranks.newest",
        ),
        Filter(
            name="source", title="quiz.ranks.source",
            choices=[(RankSource.LIVE.value, "quiz.ranks.source_live")],
            blank="quiz.ranks.source_public",
        ),
        Filter(
            name="scope", title="quiz.ranks.scope", options=list_scope_choices,
            blank="quiz.ranks.whole",
        ),
    ),
)  # fmt: skip
