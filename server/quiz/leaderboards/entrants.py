"""Subqueries of the citizens in a contest by their results, for the audiences of announcements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState
from server.quiz.leaderboards import rank_order
from server.quiz.leaderboards.board_keys import TOTAL
from server.quiz.models import Attempt, Entry, SealedRank, Standing


@dataclass(frozen=True, kw_only=True)
class ResultBand:
    """Conditions on the result of an entry; None means any.

    `completed`: at least one paper was submitted. Units: `minimum_score` is in points of the whole
    season, `best_rank` and `last_rank` count from 1 in the region, both included.
    """

    completed: bool = False
    minimum_score: int | None = None
    best_rank: int | None = None
    last_rank: int | None = None


def entrants_of(contest: ContestView, band: ResultBand) -> Select[Any]:
    """The citizens with an entry in a contest that meets all conditions.

    Scores and ranks are those of the published final ranks, and before them those of the public
    board, on which neither held entries are nor papers after a freeze.
    """
    asked = select(Entry.citizen_id).where(
        Entry.contest_id == contest.id, Entry.merged_at.is_(None)
    )
    if band.completed:
        submitted = select(Attempt.entry_id).where(
            Attempt.contest_id == contest.id, Attempt.state == AttemptState.SUBMITTED
        )
        asked = asked.where(Entry.id.in_(submitted))
    if band.minimum_score is None and band.best_rank is None and band.last_rank is None:
        return asked
    board = _final_board(contest.final.id) if contest.final else _present_board(contest.id)
    ranked = board.subquery()
    kept: list[ColumnElement[bool]] = []
    if band.minimum_score is not None:
        kept.append(ranked.c.points >= band.minimum_score * contest.rules.points_scale)
    if band.best_rank is not None:
        kept.append(ranked.c.place >= band.best_rank)
    if band.last_rank is not None:
        kept.append(ranked.c.place <= band.last_rank)
    return asked.where(Entry.id.in_(select(ranked.c.entry_id).where(*kept)))


def _final_board(version_id: int) -> Select[Any]:
    columns: list[Any] = [SealedRank.entry_id, SealedRank.points, SealedRank.rank.label("place")]
    return select(*columns).where(SealedRank.version_id == version_id)


def _present_board(contest_id: int) -> Select[Any]:
    table: Any = Standing.__table__
    place = func.row_number().over(order_by=rank_order.best_first(table))
    columns: list[Any] = [Standing.entry_id, Standing.points, place.label("place")]
    return select(*columns).where(Standing.contest_id == contest_id, Standing.period == TOTAL)
