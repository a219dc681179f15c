"""Reads published final ranks: the same boards for every scope, from the rows of the version."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Subquery, func, select

from server.base.uow import UnitOfWork
from server.quiz.leaderboards.board_keys import REGION
from server.quiz.leaderboards.rank_order import Kept
from server.quiz.models import Entry, GroupMember, SealedRank

# The columns of a scope's value and of the rank within it.
_SCOPES = {
    "city": (SealedRank.city, SealedRank.city_rank),
    "county": (SealedRank.county, SealedRank.county_rank),
    "unit": (SealedRank.unit_id, SealedRank.unit_rank),
    "audience": (SealedRank.audience, SealedRank.audience_rank),
    "division": (SealedRank.division, SealedRank.division_rank),
}


class FinalPlace(NamedTuple):
    """One row of a published board."""

    rank: int
    entry_id: int
    points: int
    time_ms: int

    @property
    def kept(self) -> Kept:
        """Points and time."""
        return Kept(self.points, self.time_ms)


class FinalBoard(NamedTuple):
    """The first rows of a board, its size, and the rows around an entry."""

    top: list[FinalPlace]
    size: int
    around: list[FinalPlace]


class EntryRanks(NamedTuple):
    """The final ranks of an entry, with the city of the sealing."""

    region: int
    city_rank: int | None
    city: str | None


def read_final_board(
    uow: UnitOfWork, version_id: int, scope: str, *, limit: int, entry_id: int | None, span: int
) -> FinalBoard:
    """A board of a version, with up to `span` neighbours on each side of an entry."""
    board = _board_of(version_id, scope)
    columns = (board.c.place, board.c.entry_id, board.c.points, board.c.time_ms)
    top = uow.session.execute(select(*columns).order_by(board.c.place).limit(limit))
    size = uow.session.scalar(select(board.c.place).order_by(board.c.place.desc()).limit(1))
    around: list[FinalPlace] = []
    if entry_id is not None:
        mine = select(board.c.place).where(board.c.entry_id == entry_id)
        place = uow.session.scalar(mine)
        if place is not None:
            near = select(*columns).where(board.c.place.between(place - span, place + span))
            rows = uow.session.execute(near.order_by(board.c.place))
            around = [FinalPlace(*row) for row in rows]
    return FinalBoard([FinalPlace(*row) for row in top], size or 0, around)


def ranks_of_entry(uow: UnitOfWork, version_id: int, entry_id: int) -> EntryRanks | None:
    """The ranks of an entry in a version; None when it is not in it."""
    row = uow.session.execute(
        select(SealedRank.rank, SealedRank.city_rank, SealedRank.city).where(
            SealedRank.version_id == version_id, SealedRank.entry_id == entry_id
        )
    ).one_or_none()
    return None if row is None else EntryRanks(*row)


def _board_of(version_id: int, scope: str) -> Subquery:
    kind, _, value = scope.partition(":")
    kept = (SealedRank.entry_id, SealedRank.points, SealedRank.time_ms)
    if kind == "group":
        place = func.row_number().over(order_by=SealedRank.rank).label("place")
        members = select(GroupMember.citizen_id).where(GroupMember.group_id == int(value))
        found = select(place, *kept).join(Entry, Entry.id == SealedRank.entry_id)
        found = found.where(Entry.citizen_id.in_(members))
    elif scope == REGION:
        found = select(SealedRank.rank.label("place"), *kept)
    else:
        column, rank = _SCOPES[kind]
        wanted = int(value) if kind == "unit" else value
        found = select(rank.label("place"), *kept).where(column == wanted)
    return found.where(SealedRank.version_id == version_id).subquery()
