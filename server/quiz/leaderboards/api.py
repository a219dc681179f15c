"""The leaderboard endpoint; public, and with the own place for a citizen."""

from __future__ import annotations

from server.base.errors import Invalid, NotFound
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, endpoint
from server.quiz.contests import service as contests
from server.quiz.leaderboards import board_view
from server.quiz.leaderboards.board_view import Board, OwnPlace
from server.quiz.leaderboards.schemas import BoardMeOut, BoardOut, BoardQuery

BOARD_API = Api("boards")


@endpoint(
    BOARD_API,
    "GET",
    "/contests/<ref>/leaderboard",
    who=Who.MAYBE_CITIZEN,
    query=BoardQuery,
    out=BoardOut,
    errors=(NotFound, Invalid),
)
def leaderboard(uow: UnitOfWork, ref: str, query: BoardQuery) -> BoardOut:
    """The top of a board, and the caller's place on it."""
    found = board_view.board(
        uow,
        contests.contest(uow, ref),
        scope=query.scope,
        period=query.period,
        limit=query.limit,
        citizen_id=uow.maybe_caller_id,
    )
    return _board_out(found)


def _board_out(found: Board) -> BoardOut:
    return BoardOut(
        period=found.period,
        items=found.items,
        me=None if found.me is None else _me_out(found.me),
        total=found.total,
        as_of=found.as_of,
        frozen=found.frozen,
    )


def _me_out(mine: OwnPlace) -> BoardMeOut:
    return BoardMeOut(
        rank=mine.rank,
        score=mine.score,
        duration_ms=mine.duration_ms,
        around=mine.around,
    )
