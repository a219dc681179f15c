"""Synchronises Redis with the standings after lost updates.

A board is built on demand, the main ones in advance. Committed standings that never reached Redis
are found by `changed_at`; updating them twice changes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from server.base.jobs import Task, TaskContext
from server.base.redis.client import RedisUnavailable
from server.base.redis.leaderboard import BoardStanding
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.leaderboards import board_keys as keys
from server.quiz.leaderboards import rank_order, standings_queries
from server.quiz.leaderboards import service as boards
from server.quiz.leaderboards.board_keys import REGION, TOTAL
from server.quiz.leaderboards.standings_queries import Stand
from server.units import service as units

MARK = "synced"
# Longer than any transaction: `changed_at` is the instant at which a transaction began.
OVERLAP = timedelta(seconds=10)
# Boards of contests closed for less than this are kept ready in advance.
STILL_READ = timedelta(days=1)
_DAYS_KEPT = 2
_TRIES = 3


def rebuild_boards(context: TaskContext, contest_id: int, *names: str) -> int:
    """Build the named boards of a contest, or its main ones; return how many."""
    try:
        wanted = names or main_boards(context.uow_factory.dependencies.clock.now())
        return sum(build_board(context.uow_factory, contest_id, board) for board in wanted)
    except RedisUnavailable:
        # Redis is unavailable; the database answers until it is back and a build is requested
        # again.
        return 0


def sync_boards(context: TaskContext) -> int:
    """Update the boards of every contest with recent standings; return how many rows were new."""
    try:
        with context.uow_factory.begin(read_only=True) as uow:
            return sum(
                _sync_contest(uow, contest.id, current=contest.closes_at > uow.now - STILL_READ)
                for contest in standings_queries.all_contests(uow)
            )
    except RedisUnavailable:
        return 0


def main_boards(now: datetime) -> list[str]:
    """The most read boards: current periods of the region and the cities."""
    regional = [keys.board_name(period, REGION) for period in keys.periods_at(now)]
    cities = [keys.board_name(TOTAL, f"city:{city.code}") for city in units.load_regions().cities]
    return regional + cities


def build_board(uow_factory: UnitOfWorkFactory, contest_id: int, board: str) -> bool:
    """Build one board from the database; False when another build runs or Redis was flushed.

    Raises: RedisUnavailable.
    """
    group, leaderboard = keys.group_name(contest_id), uow_factory.dependencies.kv.leaderboard
    for _ in range(_TRIES):
        # The build begins before the database is read, so that commits in between are collected.
        token = leaderboard.begin_build(group, board)
        if token is None:
            return False
        try:
            if _fill_board(uow_factory, contest_id, board, token):
                return True
        except RedisUnavailable:
            raise
        except BaseException:
            leaderboard.abandon_build(group, board, token)
            raise
    return False


def _fill_board(uow_factory: UnitOfWorkFactory, contest_id: int, board: str, token: str) -> bool:
    group, leaderboard = keys.group_name(contest_id), uow_factory.dependencies.kv.leaderboard
    period, scope = keys.split_board(board)
    with uow_factory.begin(read_only=True) as uow:
        stands = standings_queries.board_rows(uow, contest_id, period, scope)
        if not leaderboard.load_rows(group, board, token, map(_board_standing, stands)):
            return False
    kept_seconds = 0 if period == TOTAL else _DAYS_KEPT * 86_400
    return leaderboard.finish_build(group, board, token, expire_seconds=kept_seconds)


def _board_standing(stand: Stand) -> BoardStanding:
    return BoardStanding(
        entry=stand.entry_id,
        score=rank_order.pack_score(stand.kept),
        finish_ms=rank_order.epoch_ms(stand.reached_at),
        version=stand.version,
    )


def _sync_contest(uow: UnitOfWork, contest_id: int, *, current: bool) -> int:
    group, leaderboard = keys.group_name(contest_id), uow.kv.leaderboard
    kept = leaderboard.read_mark(group, MARK)
    mark = uow.now if kept is None else datetime.fromisoformat(kept)
    if mark > uow.now + OVERLAP:
        # The clock was set back, so the stored mark is useless.
        leaderboard.drop_group(group)
        mark = uow.now
    brought = _bring_since(uow, contest_id, min(mark, uow.now))
    leaderboard.store_mark(group, MARK, uow.now.isoformat())
    if current:
        _ask_for_main_boards(uow, contest_id)
    return brought


def _bring_since(uow: UnitOfWork, contest_id: int, mark: datetime) -> int:
    since, after_id, new = mark - OVERLAP, 0, 0
    while True:
        rows = standings_queries.changed_since(uow, contest_id, since, after_id)
        if rows and not boards.bring_standings(uow.kv, contest_id, [moved for _, moved in rows]):
            raise RedisUnavailable("went away while standings were brought")
        # A row changed in the future (a clock ahead) is sent in every run, but counted only once
        # the clock has reached its `changed_at`.
        new += sum(mark < moved.changed_at <= uow.now for _, moved in rows)
        if len(rows) < standings_queries.CHUNK:
            return new
        after_id, since = rows[-1][0], rows[-1][1].changed_at


def _ask_for_main_boards(uow: UnitOfWork, contest_id: int) -> None:
    for board in main_boards(uow.now):
        if uow.kv.leaderboard.read_size(keys.group_name(contest_id), board) is None:
            boards.ask_for(uow, contest_id, board)


BOARD_TASKS = (
    Task(name="quiz.rebuild_boards", step=rebuild_boards),
    Task(name="quiz.sync_boards", step=sync_boards, every_seconds=2),
)
