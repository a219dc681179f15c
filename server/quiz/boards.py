"""Writing the boards: standings in the transaction of the paper, Redis right after its commit.

What cannot be brought to Redis is left to the sweep of board_tasks.py. Reading is in board_view.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from server.base.kv.client import KvAway
from server.base.kv.facilities import Facilities
from server.base.kv.leaderboard import Change
from server.base.tables import insert_for
from server.base.work import Work
from server.quiz import board_keys as keys
from server.quiz import contests, queries
from server.quiz.board_keys import REGION, TOTAL, Place
from server.quiz.models import Attempt, AttemptState, Entry, Standing
from server.quiz.queries import Moved, Stand
from server.quiz.rules import Paper, RuleSet, standing


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Where a paper has brought its citizen at this moment; no city, no rank in it."""

    region: int
    city: int | None


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The entry that a closed paper counts for."""

    contest_id: int
    entry_id: int
    place: Place
    on_board: bool


def record(work: Work, attempt_id: int, rules: RuleSet | None = None) -> Ranks:
    """Count a paper that was just closed, in the whole contest, its day and its week.

    Call it in the transaction that closes the paper, after its row is written.
    Locks: the entry.
    """
    entry_id, day, week = work.session.execute(
        select(Attempt.entry_id, Attempt.on_day, Attempt.on_week).where(Attempt.id == attempt_id)
    ).one()
    counted = locked(work, entry_id)
    rules = rules or contests.contest_by_id(work, counted.contest_id).rules
    stands = recount(work, counted, rules, keys.periods_of(day, week))
    return _ranks(work, counted, stands[TOTAL])


def locked(work: Work, entry_id: int) -> Counted:
    """An entry, held until the commit, so that its place and its standings stay in step."""
    contest_id, merged_at, *place = work.session.execute(
        select(Entry.contest_id, Entry.merged_at, *queries.place_columns())
        .where(Entry.id == entry_id)
        .with_for_update()
    ).one()
    return Counted(
        contest_id=contest_id, entry_id=entry_id, place=Place(*place), on_board=merged_at is None
    )


def recount(
    work: Work, counted: Counted, rules: RuleSet, periods: Iterable[str]
) -> dict[str, Stand]:
    """Write the standings of an entry from its closed papers, and bring them to the boards."""
    papers = _papers(work, counted.entry_id)
    rows = []
    for period in sorted(periods):
        reached = standing(rules.season, [p for p, inside in papers if period in inside])
        if reached is not None:
            rows.append(
                {
                    "contest_id": counted.contest_id,
                    "entry_id": counted.entry_id,
                    "period": period if counted.on_board else keys.GONE + period,
                    "points": reached.points,
                    "time_ms": min(reached.time_ms, keys.MOST_TIME_MS),
                    "reached_at": keys.to_millisecond(reached.reached_at),
                    "version": 1,
                    "changed_at": work.now,
                }
            )
    moved = [Moved(p, s, counted.place, [], work.now) for p, s in _write(work, rows).items()]
    bring_after_commit(work, counted.contest_id, moved)
    return {move.period.removeprefix(keys.GONE): move.stand for move in moved}


def bring_after_commit(work: Work, contest_id: int, moved: Sequence[Moved]) -> None:
    """Bring standings to the boards once they are committed."""

    def bell() -> None:
        bring(work.kv, contest_id, moved)

    if moved:
        work.after_commit(bell)


def bring(kv: Facilities, contest_id: int, moved: Sequence[Moved]) -> bool:
    """Bring committed standings to the boards of Redis; False when it is away.

    It may be done again at any time: what a board knows already it keeps.
    """
    changes = [change for move in moved for change in _changes(move)]
    try:
        kv.leaderboard.apply(keys.group_name(contest_id), changes)
    except KvAway:
        # The rows are committed and marked as changed: the sweep brings them when Redis is back.
        return False
    return True


def ask_for(work: Work, contest_id: int, board: str) -> None:
    """Have a board built that is not ready; asked once in two seconds however many read it."""
    if work.kv.kv.away:
        return
    if work.kv.once.remember(f"board:{contest_id}:{board}", b"asked", 2) is None:
        work.ring("quiz.rebuild_boards", contest_id, keys.board_number(board))


def _changes(move: Moved) -> list[Change]:
    here, gone = move.place.scopes, move.period.startswith(keys.GONE)
    left = [scope for scope in move.left_scopes if scope not in here]
    period, stand = move.period.removeprefix(keys.GONE), move.stand
    return [
        Change(
            board=keys.board_name(period, scope),
            entry=stand.entry_id,
            score=keys.packed(stand.kept),
            finish_ms=keys.epoch_ms(stand.reached_at),
            version=stand.version,
            removed=gone or at >= len(here),
        )
        for at, scope in enumerate([*here, *left])
    ]


def _papers(work: Work, entry_id: int) -> list[tuple[Paper, list[str]]]:
    """The closed papers of an entry, each with the periods it counts in."""
    asked = select(
        Attempt.id,
        Attempt.on_day,
        Attempt.on_week,
        Attempt.score,
        Attempt.duration_ms,
        Attempt.closed_at,
    ).where(Attempt.entry_id == entry_id, Attempt.state != AttemptState.OPEN)
    return [
        (
            Paper(id=row.id, on_day=row.on_day, score=row.score, time_ms=row.duration_ms,
                  closed_at=row.closed_at),
            keys.periods_of(row.on_day, row.on_week),
        )
        for row in work.session.execute(asked)
    ]  # fmt: skip


def _write(work: Work, rows: Sequence[dict[str, object]]) -> dict[str, Stand]:
    """Insert or renew standings; each write has a version of its own."""
    if not rows:
        return {}
    # On the connection, not through the mapper: this is on the way of every submission.
    written = work.session.connection().execute(_renewing(work.session), rows)
    return {row[0]: Stand(*row[1:]) for row in written}


def _renewing(session: Session) -> ReturningInsert[Any]:
    fresh = insert_for(session, Standing)
    told = ("points", "time_ms", "reached_at", "changed_at")
    renewed: ReturningInsert[Any] = fresh.on_conflict_do_update(
        index_elements=["entry_id", "period"],
        set_={
            "version": Standing.version + 1,
            **{name: getattr(fresh.excluded, name) for name in told},
        },
    ).returning(Standing.period, *queries.STAND_COLUMNS)
    return renewed


def _ranks(work: Work, counted: Counted, mine: Stand) -> Ranks:
    city = counted.place.city
    better = _better_in_redis(work, counted, mine)
    if better is None:
        region, in_city = queries.ahead(work, counted.contest_id, city, mine)
    else:
        ties = queries.ties_ahead(work, counted.contest_id, city, mine)
        region, in_city = better[0] + ties[0], better[1] + ties[1]
    return Ranks(region=region + 1, city=None if city is None else in_city + 1)


def _better_in_redis(work: Work, counted: Counted, mine: Stand) -> tuple[int, int] | None:
    """How many others have more points or less time, in region and city; None without Redis."""
    found = []
    for scope in [REGION, *([f"city:{counted.place.city}"] if counted.place.city else [])]:
        board = keys.board_name(TOTAL, scope)
        try:
            count = work.kv.leaderboard.count_ahead(
                keys.group_name(counted.contest_id),
                board,
                keys.packed(mine.kept) + 1,
                mine.entry_id,
            )
        except KvAway:
            return None
        if count is None:
            ask_for(work, counted.contest_id, board)
            return None
        found.append(count)
    return found[0], found[-1]
