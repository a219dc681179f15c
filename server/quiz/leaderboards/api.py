"""The leaderboard endpoint: public; for a citizen it includes the citizen's rank."""

from __future__ import annotations

from server.base.errors import Invalid, NotFound
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, endpoint
from server.base.web.schema import fill_from
from server.quiz.leaderboards import board_view
from server.quiz.leaderboards.board_view import Board, BoardChoice
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
    """The top of a board, and the caller's rank on it."""
    choice = BoardChoice(
        scope=query.scope,
        period=query.period,
        limit=query.limit,
        citizen_id=uow.maybe_caller_id,
    )
    return _board_out(board_view.read_board_by_name(uow, ref, choice))


def _board_out(found: Board) -> BoardOut:
    mine = None if found.me is None else fill_from(found.me, BoardMeOut)
    # The rows of the top are encoded once for all readers.
    items = found.encoded_items
    return fill_from(found, BoardOut, items=items, me=mine, state=found.state.value)
