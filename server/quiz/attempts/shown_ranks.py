"""The ranks that citizens see beside a result: one rule for the result page, chat and posters."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from server.base.uow import UnitOfWork
from server.quiz.leaderboards import standings_queries
from server.quiz.leaderboards.board_keys import REGION, TOTAL
from server.quiz.leaderboards.final_ranks import ranks_of_entry


class RankKind(StrEnum):
    """Kind of the shown ranks: at the closing, on the frozen board, present or final."""

    AT_CLOSE = "at_close"
    FROZEN = "frozen"
    NOW = "now"
    FINAL = "final"


class StoredRanks(NamedTuple):
    """Stored facts of a closed paper: the contest's freeze and final ranks, the ranks at closing.

    `city` is the city of the entry, `region_rank` None for a paper closed during a freeze.
    """

    contest_id: int
    entry_id: int
    freezes_at: datetime | None
    final_id: int | None
    region_rank: int | None
    city_rank: int | None
    city: str | None


class ShownRanks(NamedTuple):
    """The ranks to show; None where there is none, for example of a held entry."""

    kind: RankKind
    region: int | None
    city_rank: int | None
    city: str | None


def ranks_to_show(uow: UnitOfWork, stored: StoredRanks) -> ShownRanks:
    """Final ranks once they are published, else those when the paper was closed.

    A paper closed during a freeze has none; then the citizen's rank on the public board is shown.
    """
    if stored.final_id is not None:
        final = ranks_of_entry(uow, stored.final_id, stored.entry_id)
        if final is None:
            return ShownRanks(RankKind.FINAL, None, None, None)
        return ShownRanks(RankKind.FINAL, final.region, final.city_rank, final.city)
    if stored.region_rank is not None:
        return ShownRanks(RankKind.AT_CLOSE, stored.region_rank, stored.city_rank, stored.city)
    frozen = stored.freezes_at is not None and stored.freezes_at <= uow.now
    kind = RankKind.FROZEN if frozen else RankKind.NOW
    region = _rank_on_public_board(uow, stored, REGION)
    in_city = None
    if region is not None and stored.city is not None:
        in_city = _rank_on_public_board(uow, stored, f"city:{stored.city}")
    return ShownRanks(kind, region, in_city, stored.city)


def _rank_on_public_board(uow: UnitOfWork, stored: StoredRanks, scope: str) -> int | None:
    mine = standings_queries.stand_of(uow, stored.entry_id, TOTAL, scope)
    if mine is None:
        return None
    return standings_queries.place_on(uow, stored.contest_id, TOTAL, scope, mine)
