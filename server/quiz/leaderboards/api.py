"""The leaderboard endpoint: public; for a citizen it includes the citizen's rank."""

from __future__ import annotations

from server.base.errors import Invalid, NotFound
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, endpoint
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
    # Written out, because every look at a board runs this.
    me = found.me
    return BoardOut(
        state=found.state.value,
        version=found.version,
        period=found.period,
        # The rows of the top are encoded once for all readers.
        items=found.encoded_items,  # type: ignore[arg-type]
        me=None
        if me is None
        else BoardMeOut(rank=me.rank, score=me.score, duration_ms=me.duration_ms, around=me.around),
        total=found.total,
        as_of=found.as_of,
        frozen=found.frozen,
    )
