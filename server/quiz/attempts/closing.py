"""Closing a paper, by its citizen or at its deadline, and building its result.

A result is built only from the closed row, so that every repeat is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, func, or_, select

from server.base.errors import Unavailable
from server.base.sql.prepared import run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork
from server.quiz.attempts import attempt_store, papers, participation
from server.quiz.attempts.attempt_store import Sheet
from server.quiz.attempts.papers import Slot
from server.quiz.attempts.shown_ranks import ShownRanks, StoredRanks, ranks_to_show
from server.quiz.bank.service import bank_of
from server.quiz.contests import service as contests
from server.quiz.contests import voids
from server.quiz.enums import AttemptState
from server.quiz.leaderboards import service as boards
from server.quiz.leaderboards import standings_queries
from server.quiz.leaderboards.board_keys import REGION, TOTAL, periods_of
from server.quiz.leaderboards.rank_order import rank_key, to_millisecond
from server.quiz.leaderboards.service import LockedEntry, PlayedOn
from server.quiz.models import Attempt, Entry
from server.quiz.rules import GRACE, Paper, RuleSet, is_over, season_total, whole_milliseconds


class Reviewed(NamedTuple):
    """One question of a closed paper, in the paper's option keys."""

    question_ref: str
    chosen: list[str]
    correct: list[str]
    explanation: str
    voided: bool


class Opened(NamedTuple):
    """A paper's rules and its questions in their order."""

    rules: RuleSet
    slots: list[Slot]


class Ending(NamedTuple):
    """The way in which a paper is closed, and the instant."""

    state: AttemptState
    closed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of a paper.

    Units: `duration_ms` milliseconds; `personal_best` the citizen's best score up to this paper.
    """

    state: AttemptState
    closed_at: datetime
    score: int
    max_score: int
    correct_count: int
    question_count: int
    duration_ms: int
    personal_best: int
    ranks: ShownRanks
    review: list[Reviewed]


_attempt, _entry = table_of(Attempt), table_of(Entry)
_BEST = select(func.max(_attempt.c.score)).where(
    _attempt.c.entry_id == bindparam("entry_id"),
    _attempt.c.state != AttemptState.OPEN,
    or_(
        _attempt.c.closed_at < bindparam("closed_at"),
        and_(
            _attempt.c.closed_at == bindparam("closed_at"),
            _attempt.c.id <= bindparam("attempt_id"),
        ),
    ),
)


def load_paper(uow: UnitOfWork, sheet: Sheet) -> Opened:
    """The rules a paper was started under, and its questions; computed once per request."""
    rules = contests.rules_at(uow, sheet.contest_id, sheet.rules_version)
    bank = bank_of(uow, sheet.bank, sheet.bank_revision)
    slots = papers.slots_of_paper(
        sheet.paper, bank.by_id, rules.timer, sheet.started_at, sheet.deadline_at
    )
    return Opened(rules, slots)


def close_paper(
    uow: UnitOfWork, sheet: Sheet, paper: Opened, entry_lock: LockedEntry, ending: Ending
) -> Sheet:
    """Close an open paper with the answers in the sheet, update boards and participation.

    The caller holds the locks of entry and attempt.
    Raises: Unavailable (503) when a question was voided meanwhile; a repeat counts it as right.
    """
    closed = _closed_columns(uow, sheet, paper, ending)
    now = _played_from_sheet(_closed_sheet(sheet, closed))
    played = [one for one in boards.closed_papers(uow, sheet.entry_id) if one.paper.id != sheet.id]
    played.append(now)
    season = contests.rules_at(uow, sheet.contest_id, sheet.season_version)
    ranks = boards.record_result(uow, entry_lock, played, now, season)
    closed |= {"rank_region": ranks.region, "rank_city": ranks.city}
    # The row is written last and at once; if it is refused, everything is rolled back.
    if not attempt_store.close_paper(uow, sheet.id, closed):
        raise Unavailable(retry_after_seconds=1)
    done = _closed_sheet(sheet, closed)._replace(best=_best_score(played, now.paper))
    participation.record_closed_paper(uow, done, entry_lock)
    return done


def expire_paper(uow: UnitOfWork, sheet: Sheet, paper: Opened, entry_lock: LockedEntry) -> Sheet:
    """Close an overdue paper with the answers saved in time; the caller holds both locks."""
    return close_paper(
        uow, sheet, paper, entry_lock, Ending(AttemptState.EXPIRED, sheet.deadline_at)
    )


def close_overdue(uow: UnitOfWork, attempt_id: int) -> bool:
    """Close a paper if it is open and overdue; return whether this call did it.

    Locks: the entry, the attempt.
    """
    found = attempt_store.find_attempt_by_id(uow, attempt_id)
    if found is None:
        return False
    entry_lock = boards.lock_entry(uow, found.entry_id)
    sheet = attempt_store.find_attempt_by_id(uow, attempt_id, lock=True)
    if sheet is None or not sheet.is_open or not is_over(uow.now, sheet.deadline_at):
        return False
    if sheet.entry_id != found.entry_id:
        return False  # merged into another citizen meanwhile; the next sweep finds it
    expire_paper(uow, sheet, load_paper(uow, sheet), entry_lock)
    return True


def overdue_ids(uow: UnitOfWork, limit: int) -> list[int]:
    """Open papers past deadline and grace."""
    return attempt_store.overdue_ids(uow, uow.now - GRACE, limit)


def result_of(uow: UnitOfWork, sheet: Sheet, rules: RuleSet, slots: Sequence[Slot]) -> Result:
    """The result of a closed paper; rules and questions as returned by `load_paper`."""
    if (
        sheet.score is None
        or sheet.correct_count is None
        or sheet.duration_ms is None
        or sheet.closed_at is None
    ):
        raise ValueError("an open paper has no result")
    voided = _voided_on(uow, sheet)
    return Result(
        state=sheet.state,
        closed_at=sheet.closed_at,
        score=sheet.score,
        max_score=rules.max_score,
        correct_count=sheet.correct_count,
        question_count=rules.question_count,
        duration_ms=sheet.duration_ms,
        personal_best=_best_before(uow, sheet, sheet.closed_at, sheet.score),
        ranks=ranks_to_show(uow, _stored_ranks(sheet)),
        review=[_review_slot(slot, sheet.answers, voided) for slot in slots],
    )


def foretell_result(uow: UnitOfWork, sheet: Sheet, paper: Opened) -> Result:
    """The result that the sweep will store for an overdue paper; writes nothing."""
    ending = Ending(AttemptState.EXPIRED, sheet.deadline_at)
    closed = _closed_sheet(sheet, _closed_columns(uow, sheet, paper, ending))
    if sheet.final_id is None and sheet.freezes_at and sheet.freezes_at <= sheet.deadline_at:
        # The sweep will store it without ranks, because the board is frozen.
        return result_of(uow, closed, *paper)
    season = contests.rules_at(uow, sheet.contest_id, sheet.season_version)
    reached = season_total(
        season.season, [_paper_from_sheet(s) for s in [*_closed_sheets(uow, sheet), closed]]
    )
    if reached is None:
        raise ValueError("a closed paper counts")
    city = sheet.city
    mine = standings_queries.Stand(
        sheet.entry_id,
        reached.points,
        reached.time_ms,
        to_millisecond(reached.reached_at),
        version=0,
    )
    return result_of(
        uow,
        closed._replace(
            rank_region=_rank_on_board(uow, sheet, REGION, mine),
            rank_city=None if city is None else _rank_on_board(uow, sheet, f"city:{city}", mine),
        ),
        *paper,
    )


def _stored_ranks(sheet: Sheet) -> StoredRanks:
    # After a move the stored city rank is that of the earlier city; `ranked_city` is None then.
    at_end = sheet.rank_region is not None
    return StoredRanks(
        contest_id=sheet.contest_id,
        entry_id=sheet.entry_id,
        freezes_at=sheet.freezes_at,
        final_id=sheet.final_id,
        region_rank=sheet.rank_region,
        city_rank=sheet.rank_city,
        city=sheet.ranked_city if at_end else sheet.city,
    )


def _rank_on_board(uow: UnitOfWork, sheet: Sheet, scope: str, mine: standings_queries.Stand) -> int:
    """The rank that a standing would get; the entry's own present standing is not counted."""
    place = standings_queries.place_on(uow, sheet.contest_id, TOTAL, scope, mine)
    now = standings_queries.stand_of(uow, sheet.entry_id, TOTAL, scope)
    return place - 1 if now is not None and rank_key(now) < rank_key(mine) else place


def _closed_sheets(uow: UnitOfWork, sheet: Sheet) -> list[Sheet]:
    return [
        other for other in attempt_store.list_of_entry(uow, sheet.entry_id) if not other.is_open
    ]


def _paper_from_sheet(sheet: Sheet) -> Paper:
    return Paper(
        id=sheet.id,
        on_day=sheet.on_day,
        score=sheet.score or 0,
        time_ms=sheet.duration_ms or 0,
        closed_at=sheet.closed_at or sheet.deadline_at,
    )


def _closed_columns(uow: UnitOfWork, sheet: Sheet, paper: Opened, ending: Ending) -> dict[str, Any]:
    voided = _voided_on(uow, sheet)
    score, correct_count = papers.score_paper(paper.slots, paper.rules, sheet.answers, voided)
    # The grace period is not counted as time used.
    used = min(ending.closed_at, sheet.deadline_at) - sheet.started_at
    return {
        "state": ending.state,
        "answers": sheet.answers,
        "score": score,
        "correct_count": correct_count,
        "duration_ms": whole_milliseconds(used),
        "closed_at": ending.closed_at,
        "marking": sheet.contest_marking,
    }


def _voided_on(uow: UnitOfWork, sheet: Sheet) -> frozenset[int]:
    """The voided question versions that count as right on a paper."""
    if not sheet.contest_marking:
        return frozenset()
    in_force = voids.voids_at(uow, sheet.contest_id, sheet.contest_marking)
    return voids.voided_for(in_force, sheet.started_at)


def _played_from_sheet(sheet: Sheet) -> PlayedOn:
    return PlayedOn(paper=_paper_from_sheet(sheet), periods=periods_of(sheet.on_day, sheet.on_week))


def _best_score(played: Sequence[PlayedOn], now: Paper) -> int:
    """The best score up to and including a paper, as `_best_before` finds it."""
    until = (now.closed_at, now.id)
    papers = (one.paper for one in played)
    return max(paper.score for paper in papers if (paper.closed_at, paper.id) <= until)


def _best_before(uow: UnitOfWork, sheet: Sheet, closed_at: datetime, score: int) -> int:
    if sheet.best is not None:
        return sheet.best
    so_far = {"entry_id": sheet.entry_id, "closed_at": closed_at, "attempt_id": sheet.id}
    return max(score, run_statement(uow, _BEST, so_far).first_value() or 0)


def _closed_sheet(sheet: Sheet, closed: Mapping[str, Any]) -> Sheet:
    return sheet._replace(**{name: closed[name] for name in closed if name in Sheet._fields})


def _review_slot(slot: Slot, answers: dict[str, list[int]], voided: frozenset[int]) -> Reviewed:
    return Reviewed(
        question_ref=slot.item.ref,
        chosen=slot.keys_of(answers.get(slot.item.ref, [])),
        correct=slot.keys_of(slot.item.answer),
        explanation=slot.item.explanation,
        voided=slot.item.id in voided,
    )
