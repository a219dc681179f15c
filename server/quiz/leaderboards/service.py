"""Writes the boards: standings in the paper's transaction, Redis after its commit.

tasks.py later synchronises what could not be written to Redis. Reading is in board_view.py.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, func, select, update
from sqlalchemy.sql.dml import ReturningInsert

from server.base.redis.client import RedisRefused, RedisUnavailable
from server.base.redis.facilities import RedisFacilities
from server.base.redis.leaderboard import Ahead, Change
from server.base.sql.prepared import run_statement
from server.base.sql.tables import insert_of, table_of
from server.base.uow import UnitOfWork
from server.quiz.enums import AttemptState, Tally
from server.quiz.leaderboards import board_keys as keys
from server.quiz.leaderboards import rank_order, standings_queries
from server.quiz.leaderboards.board_keys import REGION, TOTAL, CountedPlace
from server.quiz.leaderboards.standings_queries import Moved, Stand
from server.quiz.models import Attempt, Entry, Standing
from server.quiz.rules import Paper, RuleSet, season_total

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """A citizen's ranks at this moment; no city rank without a city, none on a frozen board."""

    region: int | None
    city: int | None


@dataclass(frozen=True, kw_only=True)
class LockedEntry:
    """The entry that a closed paper counts for; `freezes_at` is when its public boards freeze."""

    contest_id: int
    entry_id: int
    place: CountedPlace
    on_board: bool
    freezes_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PlayedOn:
    """A closed paper with the periods it counts for."""

    paper: Paper
    periods: Sequence[str]


_entry, _attempt, _standing = table_of(Entry), table_of(Attempt), table_of(Standing)
SELECT_ENTRY = select(
    _entry.c.id,
    _entry.c.contest_id,
    _entry.c.merged_at,
    _entry.c.held_at,
    standings_queries.freeze_of_contest(_entry.c.contest_id).label("freezes_at"),
    *standings_queries.place_columns(),
)
_LOCKED = SELECT_ENTRY.where(_entry.c.id == bindparam("entry_id")).with_for_update()
SELECT_PAPERS = select(
    _attempt.c.id,
    _attempt.c.on_day,
    _attempt.c.on_week,
    _attempt.c.score,
    _attempt.c.duration_ms,
    _attempt.c.closed_at,
).where(_attempt.c.state != AttemptState.OPEN)
_PAPERS = SELECT_PAPERS.where(_attempt.c.entry_id == bindparam("entry_id"))
RENEWED = ("points", "time_ms", "reached_at", "changed_at")
_WRITTEN = ("contest_id", "entry_id", "period", "version", *RENEWED)


def lock_entry(uow: UnitOfWork, entry_id: int) -> LockedEntry:
    """Lock an entry until commit, so that its place and its standings stay consistent.

    Locks: the entry.
    """
    return entry_from_row(run_statement(uow, _LOCKED, {"entry_id": entry_id}).only_row())


def entry_from_row(row: Any) -> LockedEntry:
    """An entry from a row of `SELECT_ENTRY`."""
    entry_id, contest_id, merged_at, held_at, freezes_at, *place = row
    return LockedEntry(
        contest_id=contest_id,
        entry_id=entry_id,
        place=CountedPlace(*place),
        on_board=merged_at is None and held_at is None,
        freezes_at=freezes_at,
    )


def closed_papers(uow: UnitOfWork, entry_id: int) -> list[PlayedOn]:
    """The closed papers of an entry."""
    rows = run_statement(uow, _PAPERS, {"entry_id": entry_id})
    return [paper_from_row(row) for row in rows]


def paper_from_row(row: Any) -> PlayedOn:
    """A closed paper from a row of `SELECT_PAPERS`."""
    return PlayedOn(
        paper=Paper(id=row.id, on_day=row.on_day, score=row.score, time_ms=row.duration_ms,
                    closed_at=row.closed_at),
        periods=keys.periods_of(row.on_day, row.on_week),
    )  # fmt: skip


def record_result(
    uow: UnitOfWork,
    entry_lock: LockedEntry,
    played: Sequence[PlayedOn],
    now: PlayedOn,
    rules: RuleSet,
) -> Ranks:
    """Count a paper that this transaction closes, for the contest, its day and its week.

    `played` are all closed papers of the entry including this one; the caller holds the entry's
    lock.
    """
    stands = recount_standings(uow, entry_lock, played, rules, now.periods)
    if entry_lock.freezes_at is not None and entry_lock.freezes_at <= uow.now:
        if now.paper.closed_at >= entry_lock.freezes_at:
            return Ranks(region=None, city=None)
        # Closed before the freeze, but brought to the boards after it.
        before = [one for one in played if one.paper.closed_at < entry_lock.freezes_at]
        stands = _write_boards(uow, entry_lock, before, rules, now.periods)
    return _find_ranks(uow, entry_lock, stands[TOTAL])


def recount_standings(
    uow: UnitOfWork,
    entry_lock: LockedEntry,
    played: Sequence[PlayedOn],
    rules: RuleSet,
    periods: Iterable[str],
) -> dict[str, Stand]:
    """Recompute the standings of an entry from its closed papers, and update the boards.

    While the boards are frozen the standings are stored under hidden periods, which only organizers
    and the sealing read.
    """
    return _write_boards(uow, entry_lock, played, rules, periods, hiding_of(uow, entry_lock))


def hiding_of(uow: UnitOfWork, entry_lock: LockedEntry) -> str:
    """The prefix of an entry's periods now: `HIDDEN` while its boards are frozen, else empty."""
    frozen = entry_lock.freezes_at is not None and entry_lock.freezes_at <= uow.now
    return keys.HIDDEN if frozen else ""


def _write_boards(
    uow: UnitOfWork,
    entry_lock: LockedEntry,
    played: Sequence[PlayedOn],
    rules: RuleSet,
    periods: Iterable[str],
    hidden: str = "",
) -> dict[str, Stand]:
    rows = standing_rows(uow, entry_lock, played, rules, periods, hidden)
    moved = [
        Moved(p, s, entry_lock.place, [], uow.now) for p, s in _write_standings(uow, rows).items()
    ]
    bring_after_commit(uow, entry_lock.contest_id, moved)
    gone = "" if entry_lock.on_board else keys.GONE
    return {move.period.removeprefix(f"{gone}{hidden}"): move.stand for move in moved}


def standing_rows(
    uow: UnitOfWork,
    entry_lock: LockedEntry,
    played: Sequence[PlayedOn],
    rules: RuleSet,
    periods: Iterable[str],
    hidden: str,
) -> list[dict[str, object]]:
    """The rows of an entry's standings in these periods, computed from its closed papers."""
    gone = "" if entry_lock.on_board else keys.GONE
    rows: list[dict[str, object]] = []
    for period in sorted(periods):
        reached = season_total(rules.season, [one.paper for one in played if period in one.periods])
        if reached is not None:
            rows.append(
                {
                    "contest_id": entry_lock.contest_id,
                    "entry_id": entry_lock.entry_id,
                    "period": f"{gone}{hidden}{period}",
                    "points": reached.points,
                    "time_ms": min(reached.time_ms, rank_order.MOST_TIME_MS),
                    "reached_at": rank_order.to_millisecond(reached.reached_at),
                    "version": 1,
                    "changed_at": uow.now,
                }
            )
    return rows


def take_off(uow: UnitOfWork, entry_id: int) -> None:
    """Take an entry off every board permanently; its standings keep their rows.

    Locks: the entry.
    """
    entry = lock_entry(uow, entry_id)
    uow.session.execute(update(Entry).where(Entry.id == entry_id).values(merged_at=uow.now))
    _withdraw_standings(uow, entry)


def hold_entry(uow: UnitOfWork, entry_id: int) -> None:
    """Take an entry off every board until `release_entry`; new papers do not bring it back.

    Locks: the entry.
    """
    entry = lock_entry(uow, entry_id)
    uow.session.execute(update(Entry).where(Entry.id == entry_id).values(held_at=uow.now))
    _change_tallies(uow, entry_id, {Tally.DUE: Tally.LEFT_OUT, Tally.COUNTED: Tally.TO_REMOVE})
    _withdraw_standings(uow, entry)


def release_entry(uow: UnitOfWork, entry_id: int) -> None:
    """Put a held entry back on its boards, with papers closed meanwhile, unless it is merged.

    Locks: the entry.
    """
    lock_entry(uow, entry_id)
    uow.session.execute(update(Entry).where(Entry.id == entry_id).values(held_at=None))
    _change_tallies(uow, entry_id, {Tally.LEFT_OUT: Tally.DUE, Tally.TO_REMOVE: Tally.COUNTED})
    entry = lock_entry(uow, entry_id)
    if entry.on_board:
        kept = func.substr(Standing.period, len(keys.GONE) + 1)
        _rename_periods(uow, entry, Standing.period.like(f"{keys.GONE}%"), kept)


def _change_tallies(uow: UnitOfWork, entry_id: int, become: Mapping[Tally, Tally]) -> None:
    """Mark an entry's papers to be removed from the statistics of questions, or to be counted."""
    changed = update(Attempt).where(Attempt.entry_id == entry_id, Attempt.tally.in_(become))
    uow.session.execute(changed.values(tally=case(dict(become), value=Attempt.tally)))


def _withdraw_standings(uow: UnitOfWork, entry: LockedEntry) -> None:
    """Remove an entry from every board; its standings keep their rows under another period."""
    shown = Standing.period.not_like(f"{keys.GONE}%")
    _rename_periods(uow, entry, shown, keys.GONE + Standing.period)


def _rename_periods(
    uow: UnitOfWork, entry: LockedEntry, which: ColumnElement[bool], period: Any
) -> None:
    renamed = (
        update(Standing)
        .where(Standing.entry_id == entry.entry_id, which)
        .values(period=period, version=Standing.version + 1, changed_at=uow.now)
        .returning(Standing.period, *standings_queries.STAND_COLUMNS)
    )
    rows = uow.session.execute(renamed).all()
    moves = [Moved(row[0], Stand(*row[1:]), entry.place, [], uow.now) for row in rows]
    bring_after_commit(uow, entry.contest_id, moves)


def bring_after_commit(uow: UnitOfWork, contest_id: int, moved: Sequence[Moved]) -> None:
    """Update the boards in Redis after the commit."""

    def bring_or_log() -> None:
        try:
            bring_standings(uow.kv, contest_id, moved)
        except RedisRefused:
            # The paper is committed, so the request must succeed; the bug is logged.
            _log.exception("standings wait for the sweep")

    if moved:
        uow.after_commit(bring_or_log)


def bring_standings(kv: RedisFacilities, contest_id: int, moved: Sequence[Moved]) -> bool:
    """Update committed standings in Redis; False when it is unavailable.

    Idempotent: a board ignores what it already has.
    """
    shown = (move for move in moved if not keys.is_hidden(move.period))
    changes = [change for move in shown for change in _board_changes(move)]
    try:
        kv.leaderboard.apply_changes(keys.group_name(contest_id), changes)
    except RedisUnavailable:
        # The rows are committed with `changed_at`: the sweep finds them when Redis is back.
        return False
    return True


def ask_for(uow: UnitOfWork, contest_id: int, board: str) -> None:
    """Request the build of a board; at most once in two seconds, however many readers."""
    if uow.kv.kv.away:
        return
    if uow.kv.once.store_first(f"board:{contest_id}:{board}", b"asked", 2) is None:
        uow.enqueue_after_commit("quiz.rebuild_boards", contest_id, board)


def _board_changes(move: Moved) -> list[Change]:
    here, gone = move.place.scopes, move.period.startswith(keys.GONE)
    left = [scope for scope in move.left_scopes if scope not in here]
    period, stand = move.period.removeprefix(keys.GONE), move.stand
    return [
        Change(
            board=keys.board_name(period, scope),
            entry=stand.entry_id,
            score=rank_order.pack_score(stand.kept),
            finish_ms=rank_order.epoch_ms(stand.reached_at),
            version=stand.version,
            removed=gone or at >= len(here),
        )
        for at, scope in enumerate([*here, *left])
    ]


def _write_standings(uow: UnitOfWork, rows: Sequence[Mapping[str, object]]) -> dict[str, Stand]:
    """Insert or update standings; each write gets a new version."""
    if not rows:
        return {}
    # One statement for all rows, because every submission runs this.
    values = {f"{name}_of_{at}": row[name] for at, row in enumerate(rows) for name in _WRITTEN}
    written = run_statement(uow, _renewing_insert(uow.transaction.dialect.name, len(rows)), values)
    return {row[0]: Stand(*row[1:]) for row in written}


@cache
def _renewing_insert(dialect: str, rows: int) -> ReturningInsert[Any]:
    fresh = insert_of(dialect, Standing).values(
        [
            {name: bindparam(f"{name}_of_{at}", type_=_standing.c[name].type) for name in _WRITTEN}
            for at in range(rows)
        ]
    )
    renewed: ReturningInsert[Any] = fresh.on_conflict_do_update(
        index_elements=["entry_id", "period"],
        set_={
            "version": _standing.c.version + 1,
            **{name: fresh.excluded[name] for name in RENEWED},
        },
    ).returning(_standing.c.period, *standings_queries.STAND_COLUMNS)
    return renewed


def _find_ranks(uow: UnitOfWork, entry_lock: LockedEntry, mine: Stand) -> Ranks:
    city = entry_lock.place.city
    found = _ahead_in_redis(uow, entry_lock, mine)
    if found is None:
        region, in_city = standings_queries.count_ahead(uow, entry_lock.contest_id, city, mine)
    else:
        region, in_city = found[0].better, found[-1].better
        # Only the database has the finishing order of equal results.
        if found[0].same:
            ties = standings_queries.ties_ahead(uow, entry_lock.contest_id, city, mine)
            region, in_city = region + ties[0], in_city + ties[1]
    return Ranks(region=region + 1, city=None if city is None else in_city + 1)


def _ahead_in_redis(uow: UnitOfWork, entry_lock: LockedEntry, mine: Stand) -> list[Ahead] | None:
    """The number of entries ahead in the region and, last, in the city; None without Redis."""
    city = entry_lock.place.city
    scopes = [REGION] if city is None else [REGION, f"city:{city}"]
    boards = [keys.board_name(TOTAL, scope) for scope in scopes]
    group, score = keys.group_name(entry_lock.contest_id), rank_order.pack_score(mine.kept)
    try:
        asked = uow.kv.leaderboard.count_ahead(group, boards, score, mine.entry_id)
    except RedisUnavailable:
        return None
    found = [one for one in asked if one is not None]
    for board, one in zip(boards, asked, strict=True):
        if one is None:
            ask_for(uow, entry_lock.contest_id, board)
    return found if len(found) == len(boards) else None
