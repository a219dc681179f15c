"""Reads a board: from Redis when it is ready there, else from the database, with equal results.

Boards contain numbers only. Names, avatars and cities are read from the database; the rows of the
first ranks are cached for a second (board_pages.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from server.base.redis.client import RedisUnavailable
from server.base.redis.leaderboard import Line as Spot
from server.base.redis.leaderboard import View
from server.base.uow import UnitOfWork
from server.quiz.contests import service as contests
from server.quiz.contests.service import BoardContest, ContestView, FinalRanks
from server.quiz.enums import BoardState
from server.quiz.leaderboards import board_keys as keys
from server.quiz.leaderboards import scopes, standings_queries
from server.quiz.leaderboards import service as boards
from server.quiz.leaderboards.board_keys import REGION, TOTAL
from server.quiz.leaderboards.board_pages import (
    BoardPage,
    BoardPages,
    Line,
    PageKey,
    encode_page,
    mark_own_row,
)
from server.quiz.leaderboards.final_ranks import read_final_board
from server.quiz.leaderboards.rank_order import Kept, pack_score, unpack_score
from server.quiz.leaderboards.standings_queries import BoardPlayer
from server.units import service as units

NEIGHBOURS = 3


class OwnPlace(NamedTuple):
    """The caller's rank; `around` contains the caller's row and its neighbours in order."""

    rank: int
    score: int | float
    duration_ms: int
    around: list[Line]


class Board(NamedTuple):
    """One response about a board; `frozen` once no paper can change it any more.

    `as_of` is the instant that the board shows; `version` is that of published final ranks;
    `encoded_items` is the JSON of `items`.
    """

    state: BoardState
    version: int | None
    period: str
    items: list[Line]
    encoded_items: msgspec.Raw
    me: OwnPlace | None
    total: int
    as_of: datetime
    frozen: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardChoice:
    """The requested board as a client names it; `citizen_id` is the caller's."""

    scope: str = REGION
    period: str = TOTAL
    limit: int = 20
    citizen_id: int | None = None


class _Asked(NamedTuple):
    """One request for a board."""

    contest_id: int
    period: str
    scope: str
    board: str
    limit: int
    entry_id: int | None
    final: FinalRanks | None

    @property
    def page_key(self) -> PageKey:
        """The key of its cached page."""
        return self.contest_id, self.board, self.limit


class _Found(NamedTuple):
    """The result of Redis or the database; `mine` is one of `around`.

    `top` is None when the rows cached under `mark` are still valid.
    """

    top: list[Spot] | None
    mark: bytes
    size: int
    mine: Spot | None
    around: list[Spot]


def read_board(
    uow: UnitOfWork,
    contest: ContestView,
    *,
    scope: str = REGION,
    period: str = TOTAL,
    limit: int = 20,
    citizen_id: int | None = None,
) -> Board:
    """The top of a board, and a citizen's rank on it.

    Raises: Invalid (422) for an unknown scope or period, NotFound (404) for another's group.
    """
    choice = BoardChoice(scope=scope, period=period, limit=limit, citizen_id=citizen_id)
    entry_id = citizen_id and standings_queries.entry_of(uow, contest.id, citizen_id)
    return _read_chosen(uow, contest.for_board, choice, entry_id)


def read_board_by_name(uow: UnitOfWork, name: str, choice: BoardChoice) -> Board:
    """The board of a contest with this public id or slug.

    One statement reads the contest and the caller's entry.
    Raises: as `read_board`, and NotFound (404) for the contest.
    """
    contest, entry_id = contests.find_for_board(uow, name, choice.citizen_id)
    return _read_chosen(uow, contest, choice, entry_id)


def _read_chosen(
    uow: UnitOfWork, contest: BoardContest, choice: BoardChoice, entry_id: int | None
) -> Board:
    period = keys.check_period(choice.period, uow.now)
    scope = scopes.scope_in_contest(uow, contest.rules, choice.scope, choice.citizen_id)
    asked = _Asked(
        contest_id=contest.id,
        period=period,
        scope=scope,
        board=keys.board_name(period, scope),
        limit=choice.limit,
        entry_id=entry_id,
        final=contest.final if period == TOTAL else None,
    )
    at_hand = _pages.get_page(asked.page_key, uow.now)
    found, players = _find_places(uow, asked, at_hand)
    lines = _Lines(players, contest.rules.points_scale)
    page = at_hand
    if page is None or found.top is not None:
        top = [lines.line_of_spot(spot) for spot in found.top or ()]
        # The transaction's instant is earlier than all of its reads.
        page = encode_page(top, found.mark, uow.now)
        _pages.keep_page(asked.page_key, page)
    items, encoded = page.items_for(None if found.mine is None else found.mine.place)
    return Board(
        state=(state := board_state(uow, contest, asked.period)),
        version=None if asked.final is None else asked.final.number,
        period=asked.period,
        items=items,
        encoded_items=encoded,
        me=_own_place(found, lines),
        total=found.size,
        as_of=_instant_of(uow, contest, state),
        frozen=state is not BoardState.LIVE,
    )


def board_state(uow: UnitOfWork, contest: BoardContest, period: str = TOTAL) -> BoardState:
    """The state of a board for citizens; final ranks are published for the whole contest only."""
    if contest.final is not None:
        return BoardState.FINAL if period == TOTAL else BoardState.CLOSED
    if contest.is_frozen_at(uow.now):
        return BoardState.FROZEN
    over = uow.now >= contest.closes_at
    if over and not standings_queries.has_open_paper(uow, contest.id):
        return BoardState.CLOSED
    return BoardState.LIVE


def _instant_of(uow: UnitOfWork, contest: BoardContest, state: BoardState) -> datetime:
    if state is BoardState.FINAL and contest.final is not None:
        return contest.final.published_at
    frozen = state is BoardState.FROZEN
    return contest.freezes_at if frozen and contest.freezes_at is not None else uow.now


def _find_places(
    uow: UnitOfWork, asked: _Asked, at_hand: BoardPage | None
) -> tuple[_Found, dict[int, BoardPlayer]]:
    """The ranked entries with their persons, all from one source."""
    if asked.final is not None:
        found = _from_version(uow, asked, asked.final, at_hand)
        return found, standings_queries.players_by_entry(uow, _entry_ids(found))
    found_there = _from_redis(uow, asked, at_hand)
    if found_there is not None:
        found = found_there
        entries = _entry_ids(found)
        players = standings_queries.players_by_entry(uow, entries)
        if len(players) == len(entries):
            return found, players
        # Redis contains an entry that is newer than this transaction's snapshot.
    found = _from_database(uow, asked)
    return found, standings_queries.players_by_entry(uow, _entry_ids(found))


def _from_version(
    uow: UnitOfWork, asked: _Asked, final: FinalRanks, at_hand: BoardPage | None
) -> _Found:
    # The rows of a version never change, so its number is the mark.
    mark = f"version:{final.id}".encode()
    known = at_hand is not None and at_hand.mark == mark
    board = read_final_board(
        uow,
        final.id,
        asked.scope,
        limit=0 if known else asked.limit,
        entry_id=asked.entry_id,
        span=NEIGHBOURS,
    )
    top = [Spot(one.rank, one.entry_id, pack_score(one.kept)) for one in board.top]
    around = [Spot(one.rank, one.entry_id, pack_score(one.kept)) for one in board.around]
    return _Found(
        top=None if known else top,
        mark=mark,
        size=board.size,
        mine=_find_own(around, asked.entry_id),
        around=around,
    )


def _entry_ids(found: _Found) -> list[int]:
    return list(dict.fromkeys([spot.entry for spot in [*(found.top or ()), *found.around]]))


def _from_redis(uow: UnitOfWork, asked: _Asked, at_hand: BoardPage | None) -> _Found | None:
    if asked.scope.startswith("group:"):
        # A WeChat group has a few hundred people at most, which the database counts quickly.
        return None
    try:
        view = uow.kv.leaderboard.read_view(
            keys.group_name(asked.contest_id),
            asked.board,
            asked.entry_id,
            asked.limit,
            NEIGHBOURS,
            known=b"" if at_hand is None else at_hand.mark,
        )
    except RedisUnavailable:
        return None
    if view is None:
        boards.ask_for(uow, asked.contest_id, asked.board)
        return None
    return _of_view(view, asked.entry_id)


def _of_view(view: View, entry_id: int | None) -> _Found:
    top = view.top
    return _Found(
        top=None if top is None else [Spot(at, *one) for at, one in enumerate(top, start=1)],
        mark=view.mark,
        size=view.size,
        mine=_find_own(view.around, entry_id),
        around=view.around,
    )


def _find_own(around: list[Spot], entry_id: int | None) -> Spot | None:
    for spot in around:
        if spot.entry == entry_id:
            return spot
    return None


def _from_database(uow: UnitOfWork, asked: _Asked) -> _Found:
    where = (uow, asked.contest_id, asked.period, asked.scope)
    top = enumerate(standings_queries.top_stands(*where, asked.limit), start=1)
    mine, around = _near_me(uow, asked)
    return _Found(
        top=[Spot(place, stand.entry_id, pack_score(stand.kept)) for place, stand in top],
        mark=b"",
        size=standings_queries.board_size(*where),
        mine=mine,
        around=around,
    )


def _near_me(uow: UnitOfWork, asked: _Asked) -> tuple[Spot | None, list[Spot]]:
    if asked.entry_id is None:
        return None, []
    stand = standings_queries.stand_of(uow, asked.entry_id, asked.period, asked.scope)
    if stand is None:
        return None, []
    where = (uow, asked.contest_id, asked.period, asked.scope, stand)
    place = standings_queries.place_on(*where)
    near = standings_queries.stands_around(*where, NEIGHBOURS)
    row = [*near.above, stand, *near.below]
    spots = [
        Spot(at, one.entry_id, pack_score(one.kept))
        for at, one in enumerate(row, start=place - len(near.above))
    ]
    return spots[len(near.above)], spots


@dataclass(frozen=True)
class _Lines:
    """Builds the rows of a board."""

    players: dict[int, BoardPlayer]
    scale: int

    def scaled_score(self, kept: Kept) -> int | float:
        return kept.points if self.scale == 1 else kept.points / self.scale

    def line_of_spot(self, spot: Spot) -> Line:
        player, kept = self.players[spot.entry], unpack_score(spot.score)
        place = player.city
        city = None if place is None else units.load_regions().find_city(place)
        return Line(
            rank=spot.place,
            nickname=player.name.shown,
            avatar_url=player.name.avatar_url,
            city=place,
            city_name=None if city is None else city.name,
            score=self.scaled_score(kept),
            duration_ms=kept.time_ms,
            me=False,
        )


def _own_place(found: _Found, lines: _Lines) -> OwnPlace | None:
    if found.mine is None:
        return None
    kept = unpack_score(found.mine.score)
    return OwnPlace(
        rank=found.mine.place,
        score=lines.scaled_score(kept),
        duration_ms=kept.time_ms,
        around=mark_own_row([lines.line_of_spot(spot) for spot in found.around], found.mine.place),
    )


_pages = BoardPages()


def names_changed(uow: UnitOfWork) -> None:
    """Invalidate cached names after an erasure or a move, once it is committed.

    Other processes, and reads in progress at the commit, may use them for another second.
    """
    uow.after_commit(_pages.clear_pages)
