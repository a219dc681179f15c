"""The command that rebuilds every board of every contest from the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.leaderboards import standings_queries
from server.quiz.leaderboards import tasks as board_tasks
from server.quiz.leaderboards.board_keys import board_name, group_name


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """Result of the command; `busy` boards were being built by another process."""

    contests: int
    boards: int
    busy: int


def rebuild_leaderboards(
    uow_factory: UnitOfWorkFactory, progress: Callable[[int, int], None]
) -> Rebuilt:
    """Build all non-empty boards, and the main ones; calls `progress(done, total)` after each.

    Raises: RedisUnavailable.
    """
    with uow_factory.begin(read_only=True) as uow:
        contests = standings_queries.all_contests(uow)
        wanted = [
            (contest.id, board)
            for contest in contests
            for board in _boards_to_build(uow, contest.id)
        ]
    for contest in contests:
        uow_factory.dependencies.kv.leaderboard.drop_group(group_name(contest.id))
    built = 0
    for done, (contest_id, board) in enumerate(wanted, start=1):
        built += board_tasks.build_board(uow_factory, contest_id, board)
        progress(done, len(wanted))
    return Rebuilt(contests=len(contests), boards=built, busy=len(wanted) - built)


def _boards_to_build(uow: UnitOfWork, contest_id: int) -> list[str]:
    held = [
        board_name(period, scope)
        for period, scope in standings_queries.boards_held(uow, contest_id)
    ]
    return list(dict.fromkeys([*board_tasks.main_boards(uow.now), *held]))
