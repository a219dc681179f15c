"""A citizen's standing in contests: the ranked total, its rank, the distance to the next rank.

Totals come from the database. Ranks come from Redis if it has the same total, else from the
database, in one statement for all contests. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, func, select

from server.base.clock import beijing_day
from server.base.redis.client import RedisUnavailable
from server.base.sql.prepared import run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards import board_keys as keys
from server.quiz.leaderboards import figures, rank_order
from server.quiz.leaderboards import service as boards
from server.quiz.leaderboards.board_keys import REGION, TOTAL
from server.quiz.leaderboards.final_ranks import read_final_board
from server.quiz.leaderboards.rank_order import Kept
from server.quiz.models import Entry, Standing


@dataclass(frozen=True, kw_only=True)
class SeasonProgress:
    """A citizen's results in one contest.

    Units: `total` and `today_score` points by the contest's season rule, None without a closed
    paper; `behind_next` points to the next higher rank, None for rank 1; `behind_next_ms`
    milliseconds to it when the points are equal, else None. Both are differences of displayed
    figures (leaderboards/figures.py), so that a board's rows add up.
    """

    total: float | None = None
    today_score: float | None = None
    rank: int | None = None
    behind_next: float | None = None
    behind_next_ms: int | None = None


class _Place(NamedTuple):
    """A rank in the region, and the standing above it."""

    rank: int
    above: Kept | None


class _Stand(NamedTuple):
    entry_id: int
    kept: Kept


_entry, _mine = table_of(Entry), table_of(Standing)
_other = _mine.alias()
_IN_THESE = _mine.c.contest_id.in_(bindparam("contest_ids", expanding=True))
_OF_CITIZEN = and_(_entry.c.citizen_id == bindparam("citizen_id"), _IN_THESE)
_STANDS = (
    select(
        _mine.c.contest_id, _mine.c.period, _mine.c.entry_id, _mine.c.points, _mine.c.time_ms
    )
    .join(_entry, _entry.c.id == _mine.c.entry_id)
    .where(_OF_CITIZEN, _mine.c.period.in_(bindparam("periods", expanding=True)))
)  # fmt: skip
_BETTER = and_(
    _other.c.contest_id == _mine.c.contest_id,
    _other.c.period == _mine.c.period,
    rank_order.is_better(_other.c, _mine.c),
)
_NEAREST_FIRST = rank_order.worst_first(_other)


def _value_of_nearest(column: ColumnElement[int]) -> Any:
    asked = select(column).where(_BETTER).order_by(*_NEAREST_FIRST).limit(1)
    return asked.correlate(_mine).scalar_subquery()


_PLACES = (
    select(
        _mine.c.contest_id,
        select(func.count()).select_from(_other).where(_BETTER).correlate(_mine)
        .scalar_subquery().label("better"),
        _value_of_nearest(_other.c.points).label("points"),
        _value_of_nearest(_other.c.time_ms).label("time_ms"),
    )
    .join(_entry, _entry.c.id == _mine.c.entry_id)
    .where(_OF_CITIZEN, _mine.c.period == bindparam("period"))
)  # fmt: skip


def season_progress(
    uow: UnitOfWork, contests: Sequence[ContestView], citizen_id: int
) -> dict[int, SeasonProgress]:
    """A citizen's results in each of these contests, by contest id."""
    today = keys.day_period(beijing_day(uow.now))
    stands = _read_stands(uow, [contest.id for contest in contests], citizen_id, today)
    final = {one.id: one.final.id for one in contests if one.final is not None}
    totals = {
        contest_id: stand
        for (contest_id, period), stand in stands.items()
        if period == TOTAL and contest_id not in final
    }
    places = _find_places(uow, totals, citizen_id)
    own = {one.id: _own_stands(uow, one, stands, today) for one in contests}
    for contest_id, version_id in final.items():
        total, today_stand = own[contest_id]
        sealed = None if total is None else _in_version(uow, version_id, total.entry_id)
        if sealed is not None:
            totals[contest_id], places[contest_id] = sealed
            own[contest_id] = (sealed[0], today_stand)
    return {
        one.id: _progress_from(one, own[one.id], totals.get(one.id), places.get(one.id))
        for one in contests
    }


def _own_stands(
    uow: UnitOfWork, contest: ContestView, stands: dict[tuple[int, str], _Stand], today: str
) -> tuple[_Stand | None, _Stand | None]:
    """The citizen's total and today's score; both include the papers closed during a freeze."""
    hidden = keys.HIDDEN if contest.is_frozen_at(uow.now) else ""
    total, of_today = (
        stands.get((contest.id, f"{hidden}{period}"), stands.get((contest.id, period)))
        for period in (TOTAL, today)
    )
    return total, of_today


def _in_version(uow: UnitOfWork, version_id: int, entry_id: int) -> tuple[_Stand, _Place] | None:
    """The sealed standing of an entry, and its rank with the standing above."""
    board = read_final_board(uow, version_id, REGION, limit=0, entry_id=entry_id, span=1)
    mine = next((one for one in board.around if one.entry_id == entry_id), None)
    if mine is None:
        return None
    above = next((one.kept for one in board.around if one.rank == mine.rank - 1), None)
    return _Stand(entry_id, mine.kept), _Place(mine.rank, above)


def _progress_from(
    contest: ContestView,
    own: tuple[_Stand | None, _Stand | None],
    ranked: _Stand | None,
    place: _Place | None,
) -> SeasonProgress:
    scale = contest.rules.points_scale
    reached, today = own
    if reached is None:
        return SeasonProgress()
    total = _score_from_points(reached.kept.points, scale)
    today_score = None if today is None else _score_from_points(today.kept.points, scale)
    if ranked is None or place is None:
        return SeasonProgress(total=total, today_score=today_score)
    mine, above = ranked.kept, place.above
    equal = above is not None and above.points == mine.points
    return SeasonProgress(
        total=total,
        today_score=today_score,
        rank=place.rank,
        behind_next=None
        if above is None
        else figures.points_between(
            _score_from_points(above.points, scale), _score_from_points(mine.points, scale)
        ),
        behind_next_ms=figures.time_between(mine.time_ms, above.time_ms)
        if equal and above
        else None,
    )


def _score_from_points(points: int, scale: int) -> float:
    return points if scale == 1 else points / scale


def _read_stands(
    uow: UnitOfWork, contest_ids: Sequence[int], citizen_id: int, today: str
) -> dict[tuple[int, str], _Stand]:
    asked = {
        "contest_ids": list(contest_ids),
        "citizen_id": citizen_id,
        "periods": [p for period in (TOTAL, today) for p in (period, keys.HIDDEN + period)],
    }
    return {
        (row.contest_id, row.period): _Stand(row.entry_id, Kept(row.points, row.time_ms))
        for row in run_statement(uow, _STANDS, asked)
    }


def _find_places(uow: UnitOfWork, totals: dict[int, _Stand], citizen_id: int) -> dict[int, _Place]:
    found = {contest_id: _in_redis(uow, contest_id, mine) for contest_id, mine in totals.items()}
    known = {contest_id: place for contest_id, place in found.items() if place is not None}
    missing = [contest_id for contest_id in totals if contest_id not in known]
    return known | (_in_database(uow, missing, citizen_id) if missing else {})


def _in_redis(uow: UnitOfWork, contest_id: int, mine: _Stand) -> _Place | None:
    """The rank on Redis's board; None when that is not ready or has another total."""
    board = keys.board_name(TOTAL, REGION)
    try:
        view = uow.kv.leaderboard.read_view(
            keys.group_name(contest_id), board, mine.entry_id, limit=0, span=1
        )
    except RedisUnavailable:
        return None
    if view is None:
        boards.ask_for(uow, contest_id, board)
        return None
    if view.rank.place is None or view.rank.score != rank_order.pack_score(mine.kept):
        return None
    above = [
        rank_order.unpack_score(line.score) for line in view.around if line.place < view.rank.place
    ]
    return _Place(view.rank.place, above[-1] if above else None)


def _in_database(
    uow: UnitOfWork, contest_ids: Collection[int], citizen_id: int
) -> dict[int, _Place]:
    asked = {"contest_ids": list(contest_ids), "citizen_id": citizen_id, "period": TOTAL}
    return {
        row.contest_id: _Place(
            row.better + 1, None if row.points is None else Kept(row.points, row.time_ms)
        )
        for row in run_statement(uow, _PLACES, asked)
    }
