"""The list of a contest's ranks in the console, present or public, with its exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    Subquery,
    false,
    func,
    literal,
    literal_column,
    select,
    true,
)

from server.accounts import service as accounts
from server.base.access import Organizer
from server.base.clock import beijing_day
from server.base.errors import NotFound
from server.base.ownership import people_of, serving_found_row, visible_to
from server.base.uow import UnitOfWork
from server.console.tables import Column, ColumnKind, Filter, ListQuery, Table
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.enums import SealState
from server.quiz.leaderboards import rank_order, scopes
from server.quiz.leaderboards.board_keys import REGION, TOTAL
from server.quiz.models import Contest, Entry, SealedRank, SealedVersion, Standing
from server.quiz.sealing.ranking import select_live_stands
from server.units import service as units

# A subquery of every statement below has this name.
_RANK: ColumnElement[int] = literal_column("board.rank", Integer)
_POINTS: ColumnElement[int] = literal_column("board.points", BigInteger)
_TIME: ColumnElement[int] = literal_column("board.time_ms", BigInteger)
_DIVISION: ColumnElement[str | None] = literal_column("board.division", String)
# Sort keys are never null.
_CITY: ColumnElement[str] = func.coalesce(literal_column("board.city", String), "")
_COUNTY: ColumnElement[str] = func.coalesce(literal_column("board.county", String), "")
_PLACES = ("city", "county", "unit_id", "division")
_MOST_VERSIONS = 100


class RankSource(StrEnum):
    """Source of ranks: those that citizens see, or the present ones with papers of a freeze."""

    PUBLIC = "public"
    LIVE = "live"


class RankQuery(ListQuery, frozen=True, kw_only=True):
    """The chosen board; `scope` is spelled as in the API.

    With `version` the ranks are those of a sealed version, published or not, of that contest.
    """

    contest: str | None = None
    version: str | None = None
    source: RankSource | None = None
    scope: str | None = None


@dataclass(frozen=True, kw_only=True)
class RankedPlayer:
    """One row, with the name that citizens see."""

    rank: int
    board: str
    name: str
    city: str
    county: str
    unit: str
    division: str
    score: float
    seconds: float


def select_ranks(uow: UnitOfWork, organizer: Organizer, query: RankQuery) -> Select[Any]:
    """The ranks of the people of the organizer's place on a board.

    Raises: NotFound (404), Invalid (422) for an unknown scope.
    """
    query = settle_query(uow, organizer, query)
    version = _find_version(uow, organizer, query)
    contest = _find_contest(uow, organizer, query.contest, version)
    if contest is None:
        return people_of(_select_rows(_empty_board(), 1, REGION), organizer, Entry)
    scope = scopes.scope_in_contest(uow, contest.rules, query.scope or REGION, None)
    board = _board_of(contest, query.source or RankSource.PUBLIC, version, scope)
    rows = _select_rows(board, contest.rules.points_scale, scope)
    return people_of(rows, organizer, Entry)


def settle_query(uow: UnitOfWork, organizer: Organizer, query: RankQuery) -> RankQuery:
    """Return the query with its contest named, without a version or division of another contest.

    The list offers only versions and divisions of the chosen contest, so another one was chosen
    before the contest was changed.
    Raises: NotFound (404) for an unknown version or contest.
    """
    version = _find_version(uow, organizer, query)
    contest = _find_contest(uow, organizer, query.contest, None if query.contest else version)
    if contest is None:
        return query
    kind, _, key = (query.scope or REGION).partition(":")
    return replace(
        query,
        contest=contest.ref,
        version=query.version if version and version.contest_id == contest.id else None,
        scope=None if kind == "division" and not contest.rules.division_named(key) else query.scope,
    )


def _find_version(uow: UnitOfWork, organizer: Organizer, query: RankQuery) -> SealedVersion | None:
    """The sealed version asked for. Raises: NotFound (404)."""
    if query.version is None:
        return None
    wanted = select(SealedVersion).join(Contest, Contest.id == SealedVersion.contest_id)
    wanted = wanted.where(SealedVersion.ref == query.version, Contest.published_at.is_not(None))
    wanted = wanted.where(SealedVersion.state != SealState.BUILDING)
    found: SealedVersion | None = uow.session.scalar(visible_to(wanted, organizer, Contest))
    if found is None:
        raise NotFound
    return found


def _select_rows(board: Subquery, scale: int, scope: str) -> Select[Any]:
    """The rows of a board with their citizens."""
    rows: Select[*tuple[Any, ...]] = select(
        board.c.rank,
        board.c.points,
        board.c.time_ms,
        board.c.city,
        board.c.county,
        board.c.unit_id,
        board.c.division,
        Entry.citizen_id,
        Entry.contest_id,
        literal_column(str(scale), Integer).label("scale"),
        literal(scope).label("scope"),
    )
    return rows.join(Entry, Entry.id == board.c.entry_id)


def _empty_board() -> Subquery:
    """An empty board, for an organizer who sees no contest yet."""
    stands = select(SealedRank).where(false()).subquery()
    return select(*_columns_of(stands, stands.c)).subquery("board")


def _find_contest(
    uow: UnitOfWork, organizer: Organizer, ref: str | None, version: SealedVersion | None
) -> ContestView | None:
    """The contest, or the newest one; None when there is none yet. Raises: NotFound (404)."""
    wanted = (
        select(Contest.id)
        .where(
            Contest.published_at.is_not(None),
            true() if version is None else Contest.id == version.contest_id,
            true() if ref is None else Contest.ref == ref,
        )
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


def _board_of(
    contest: ContestView, source: RankSource, version: SealedVersion | None, scope: str
) -> Subquery:
    kind, _, value = scope.partition(":")
    column = {"unit": "unit_id"}.get(kind, kind)
    wanted = int(value) if kind == "unit" else value
    final = contest.final.id if contest.final is not None else None
    sealed = final if version is None else version.id
    if version is not None or (source is RankSource.PUBLIC and sealed is not None):
        stands = select(SealedRank).where(SealedRank.version_id == sealed).subquery()
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
    named = [getattr(places, name).label(name) for name in _PLACES]
    return [rank, stands.c.entry_id, stands.c.points, stands.c.time_ms, *named]


def add_names(uow: UnitOfWork, rows: Sequence[Any]) -> Sequence[RankedPlayer]:
    """Add the names of people, places and divisions to the rows of one board."""
    if not rows:
        return []
    with serving_found_row(uow.session):
        names = accounts.names_of(uow, [row.citizen_id for row in rows])
        at_units = units.units_by_id(uow, {row.unit_id for row in rows if row.unit_id is not None})
        contest = contests.contest_by_id(uow, rows[0].contest_id)
        board = name_board(uow, contest, rows[0].scope)
    known = units.load_regions()
    return [
        RankedPlayer(
            rank=row.rank,
            board=board,
            name=names[row.citizen_id].shown,
            city=city.name if (city := known.find_city(row.city or "")) is not None else "",
            county="" if row.county is None else units.name_place(row.county),
            unit=at_units[row.unit_id].name if row.unit_id in at_units else "",
            division=_name_division(contest, row.division),
            score=row.points if row.scale == 1 else row.points / row.scale,
            # Exact, because the export must agree with the API.
            seconds=row.time_ms / 1000,
        )
        for row in rows
    ]


def name_board(uow: UnitOfWork, contest: ContestView, scope: str) -> str:
    """A board in words: the region, a place, a unit, an audience or a division."""
    kind, _, value = scope.partition(":")
    match kind:
        case "city" | "county":
            return units.name_place(value)
        case "unit":
            return units.units_by_id(uow, {int(value)})[int(value)].name
        case "division":
            return _name_division(contest, value)
        case "audience":
            return _name_audience(uow, value)
    return uow.texts.fill_text("quiz.ranks.whole")


def _name_audience(uow: UnitOfWork, audience: str) -> str:
    return uow.texts.fill_text(f"quiz.ranks.audience.{audience}")


def _name_division(contest: ContestView, key: str | None) -> str:
    division = None if key is None else contest.rules.division_named(key)
    return key or "" if division is None else division.title


def _has_divisions(uow: UnitOfWork, organizer: Organizer, query: RankQuery) -> bool:
    """Whether the rows have divisions: the contest has some, and an entry is in one."""
    settled = settle_query(uow, organizer, query)
    contest = _find_contest(uow, organizer, settled.contest, _find_version(uow, organizer, settled))
    if contest is None or not contest.rules.divisions:
        return False
    filled = select_ranks(uow, organizer, settled).where(_DIVISION.is_not(None))
    return uow.session.execute(filled.limit(1)).first() is not None


def list_contest_choices(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """The published contests that the organizer may see, the newest first."""
    rows = visible_to(
        select(Contest.ref, Contest.title).where(Contest.published_at.is_not(None)),  # type: ignore[arg-type] # two columns
        organizer,
        Contest,
    ).order_by(Contest.id.desc())
    return [(row.ref, row.title) for row in uow.session.execute(rows)]


def list_version_choices(
    uow: UnitOfWork, organizer: Organizer, query: RankQuery
) -> list[tuple[str, str]]:
    """The sealed versions of the chosen contest, or of all that the organizer may see.

    The newest is the first.
    """
    wanted = (
        select(SealedVersion.ref, Contest.title, SealedVersion.number)
        .join(Contest, Contest.id == SealedVersion.contest_id)
        .where(
            true() if query.contest is None else Contest.ref == query.contest,
            SealedVersion.state != SealState.BUILDING,
        )
        .order_by(SealedVersion.id.desc())
        .limit(_MOST_VERSIONS)
    )
    said = uow.texts.fill_text
    return [
        (row.ref, said("quiz.ranks.version_of", title=row.title, number=row.number))
        for row in uow.session.execute(visible_to(wanted, organizer, Contest))  # type: ignore[arg-type] # three columns
    ]


def list_scope_choices(
    uow: UnitOfWork, organizer: Organizer, query: RankQuery
) -> list[tuple[str, str]]:
    """The divisions of the contest, the audiences, and the places of the organizer's own place."""
    said = uow.texts.fill_text
    contest = _find_contest(uow, organizer, query.contest, None)
    divisions = () if contest is None else contest.rules.divisions
    found = [
        (f"division:{one.key}", said("quiz.ranks.of_division", title=one.title))
        for one in divisions
    ]
    found += [
        (f"audience:{one}", said("quiz.ranks.of_audience", title=_name_audience(uow, one)))
        for one in scopes.AUDIENCES
    ]
    for city in units.load_regions().cities:
        if organizer.scope.city in (None, city.code):
            found.append((f"city:{city.code}", city.name))
            counties = city.counties_on(beijing_day(uow.now))
            found += [(f"county:{one.code}", f"{city.name}{one.name}") for one in counties]
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
        Column(name="city", title="quiz.ranks.city", value=lambda row: row.city, sort=_CITY),
        Column(
            name="county", title="quiz.ranks.county", value=lambda row: row.county, sort=_COUNTY,
        ),
        Column(name="unit", title="quiz.ranks.unit", value=lambda row: row.unit),
        Column(
            name="division", title="quiz.ranks.division", value=lambda row: row.division,
            when=_has_divisions,
        ),
        Column(
            name="score", title="quiz.ranks.score", kind=ColumnKind.NUMBER,
            value=lambda row: row.score, sort=_POINTS,
        ),
        Column(
            name="seconds", title="quiz.ranks.seconds", kind=ColumnKind.NUMBER, decimals=1,
            value=lambda row: row.seconds, sort=_TIME,
        ),
        Column(
            name="board", title="quiz.ranks.board", value=lambda row: row.board, shown=False,
        ),
    ),
    filters=(
        Filter(
            name="contest", title="quiz.ranks.contest", options=list_contest_choices,
            blank="quiz.ranks.newest",
        ),
        Filter(
            name="version", title="quiz.ranks.version", options_for=list_version_choices,
            blank="quiz.ranks.version_none",
        ),
        Filter(
            name="source", title="quiz.ranks.source",
            choices=[(RankSource.LIVE.value, "quiz.ranks.source_live")],
            blank="quiz.ranks.source_public",
        ),
        Filter(
            name="scope", title="quiz.ranks.scope", options_for=list_scope_choices,
            blank="quiz.ranks.whole",
        ),
    ),
)  # fmt: skip
