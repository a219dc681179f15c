"""Compares the ranks before and after a rescoring, records them and informs the citizens.

The ranks before are computed from the present papers with their old scores, so that papers
submitted during the rescoring do not change the comparison.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select, update

from server.accounts import service as accounts
from server.audit.service import Subject, record_change
from server.base.access import System
from server.base.ownership import scope_of
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices import service as notices
from server.notices.service import Letter
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.enums import RescoringStage
from server.quiz.leaderboards.rank_order import MOST_TIME_MS, rank_key, to_millisecond
from server.quiz.leaderboards.recounting import papers_by_entry
from server.quiz.leaderboards.service import PlayedOn
from server.quiz.leaderboards.standings_queries import STAND_COLUMNS, Stand
from server.quiz.models import Attempt, Entry, QuestionVoid, RankChange, RescoredPaper, Rescoring
from server.quiz.rules import RuleSet, season_total
from server.quiz.sealing.ranking import select_live_stands

PAGE = "packages/quiz/records/index"
SYSTEM = System(name="quiz")
# Ranks per entry of the audit trail, messages per step, and entries read per statement.
CHUNK, LETTERS, READ = 200, 500, 500


class Compared(NamedTuple):
    """The two ranks of an entry."""

    entry_id: int
    old_rank: int
    new_rank: int


def compare_ranks(uow_factory: UnitOfWorkFactory, rescoring_id: int) -> None:
    """Store every rank in the whole contest that the rescoring changed."""
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.get_one(Rescoring, rescoring_id)
        known = select(RankChange.entry_id).where(RankChange.rescoring_id == rescoring_id)
        stored = set(uow.session.scalars(known))
        changes = [one for one in find_rank_changes(uow, row) if one.entry_id not in stored]
    for at in range(0, len(changes), CHUNK):
        with uow_factory.begin() as uow:
            _store_changes(uow, rescoring_id, changes[at : at + CHUNK])
    with uow_factory.begin() as uow:
        _enter_stage(uow, rescoring_id, RescoringStage.LETTERS)


def find_rank_changes(uow: UnitOfWork, row: Rescoring) -> list[Compared]:
    """The entries on the board of the contest whose rank a rescoring changed, by their id."""
    rules = contests.contest_by_id(uow, row.contest_id).rules
    now = {one.entry_id: one for one in _board_of(uow, row.contest_id)}
    before = now | _former_stands(uow, row.id, rules, now)
    old, new = _rank_stands(before), _rank_stands(now)
    return [
        Compared(entry_id, old[entry_id], new[entry_id])
        for entry_id in sorted(now)
        if old[entry_id] != new[entry_id]
    ]


def _board_of(uow: UnitOfWork, contest_id: int) -> list[Stand]:
    """The present standings, those included that a freeze hides."""
    rows = select_live_stands(contest_id).with_only_columns(*STAND_COLUMNS)
    return [Stand(*row) for row in uow.session.execute(rows)]


def _rank_stands(stands: dict[int, Stand]) -> dict[int, int]:
    ordered = sorted(stands.values(), key=rank_key)
    return {one.entry_id: rank for rank, one in enumerate(ordered, start=1)}


def _former_stands(
    uow: UnitOfWork, rescoring_id: int, rules: RuleSet, now: dict[int, Stand]
) -> dict[int, Stand]:
    """The standings that the rescored papers would give with their old scores."""
    asked = (
        select(Attempt.entry_id, RescoredPaper.attempt_id, RescoredPaper.old_score)
        .join(Attempt, Attempt.id == RescoredPaper.attempt_id)
        .where(
            RescoredPaper.rescoring_id == rescoring_id,
            RescoredPaper.old_score != RescoredPaper.new_score,
        )
    )
    old: dict[int, dict[int, int]] = defaultdict(dict)
    for entry_id, attempt_id, score in uow.session.execute(asked):
        old[entry_id][attempt_id] = score
    ranked = [entry_id for entry_id in old if entry_id in now]
    former = {}
    for at in range(0, len(ranked), READ):
        played = papers_by_entry(uow, ranked[at : at + READ])
        for entry_id, papers in played.items():
            former[entry_id] = _former_stand(now[entry_id], rules, papers, old[entry_id])
    return former


def _former_stand(
    now: Stand, rules: RuleSet, papers: Sequence[PlayedOn], scores: dict[int, int]
) -> Stand:
    marked = [replace(one.paper, score=scores.get(one.paper.id, one.paper.score)) for one in papers]
    total = season_total(rules.season, marked)
    if total is None:
        return now
    return now._replace(
        points=total.points,
        time_ms=min(total.time_ms, MOST_TIME_MS),
        reached_at=to_millisecond(total.reached_at),
    )


def _store_changes(uow: UnitOfWork, rescoring_id: int, changes: Sequence[Compared]) -> None:
    """Store the changes that are not stored yet, and record these in the audit trail."""
    fresh = insert_for(uow.session, RankChange).on_conflict_do_nothing()
    rows = [{"rescoring_id": rescoring_id, **one._asdict()} for one in changes]
    made = set(uow.session.scalars(fresh.values(rows).returning(RankChange.entry_id)))
    stored = [one for one in changes if one.entry_id in made]
    if not stored:
        return
    refs = _citizen_refs(uow, [one.entry_id for one in stored])
    void = _void_of(uow, rescoring_id)
    record_change(
        uow, SYSTEM, "quiz.change_ranks", Subject("question_void", void.ref, scope_of(void)),
        before={"ranks": {refs[one.entry_id]: one.old_rank for one in stored}},
        after={"ranks": {refs[one.entry_id]: one.new_rank for one in stored}},
    )  # fmt: skip
    counted = update(Rescoring).where(Rescoring.id == rescoring_id)
    uow.session.execute(
        counted.values(rank_changes=Rescoring.rank_changes + len(stored), touched_at=uow.now)
    )


def _citizen_refs(uow: UnitOfWork, entry_ids: Sequence[int]) -> dict[int, str]:
    asked = select(Entry.id, Entry.citizen_id).where(Entry.id.in_(entry_ids))
    citizens = {row.id: row.citizen_id for row in uow.session.execute(asked)}
    refs = accounts.refs_by_id(uow, set(citizens.values()))
    return {entry_id: refs[citizen_id] for entry_id, citizen_id in citizens.items()}


def _void_of(uow: UnitOfWork, rescoring_id: int) -> QuestionVoid:
    asked = select(QuestionVoid).join(Rescoring, Rescoring.void_id == QuestionVoid.id)
    return uow.session.scalars(asked.where(Rescoring.id == rescoring_id)).one()


def _enter_stage(uow: UnitOfWork, rescoring_id: int, stage: RescoringStage) -> None:
    ended = {"ended_at": uow.now} if stage is RescoringStage.DONE else {}
    moved = update(Rescoring).where(
        Rescoring.id == rescoring_id, Rescoring.stage != RescoringStage.DONE
    )
    uow.session.execute(moved.values(stage=stage, touched_at=uow.now, **ended))


def tell_citizens(uow_factory: UnitOfWorkFactory, rescoring_id: int) -> None:
    """Send one batch of messages about changed ranks; after the last one the rescoring is done."""
    with uow_factory.begin() as uow:
        asked = (
            select(RankChange.id, RankChange.old_rank, RankChange.new_rank, Entry.citizen_id)
            .join(Entry, Entry.id == RankChange.entry_id)
            .where(RankChange.rescoring_id == rescoring_id, RankChange.told_at.is_(None))
            .order_by(RankChange.id)
            .limit(LETTERS)
        )
        untold = uow.session.execute(asked).all()
        if untold:
            _send_letters(uow, rescoring_id, untold)
        if len(untold) < LETTERS:
            _enter_stage(uow, rescoring_id, RescoringStage.DONE)


def _spell_board_state(contest: ContestView, now: datetime) -> str:
    """The last part of a text key: a message names no rank that is not on the public board yet.

    Published final ranks change with the publication of the next version, which has its own
    message.
    """
    if contest.final is not None:
        return "_final"
    return "_frozen" if contest.is_frozen_at(now) else ""


def _send_letters(uow: UnitOfWork, rescoring_id: int, changes: Sequence[Any]) -> None:
    """Send each citizen one message; its key makes it unique per rescoring.

    Locks: the citizens in the order of their ids, then the rows of the changes.
    """
    rescoring = uow.session.get_one(Rescoring, rescoring_id)
    void = _void_of(uow, rescoring_id)
    contest = contests.contest_by_id(uow, void.contest_id)
    said = uow.texts.fill_text
    lifted = void.until_marking is not None and void.until_marking <= rescoring.marking
    key = f"{'lifted' if lifted else 'voided'}{_spell_board_state(contest, uow.now)}"
    letters = [
        (
            change.citizen_id,
            Letter(
                key=f"{rescoring.ref}:rank",
                title=said("quiz.rescore_letter.title"),
                body=said(
                    f"quiz.rescore_letter.{key}",
                    title=contest.title,
                    old=change.old_rank,
                    new=change.new_rank,
                    reason=void.decision_reason or void.reason,
                ),
                page=f"{PAGE}?id={contest.ref}",
            ),
        )
        for change in changes
    ]
    notices.post_messages(uow, letters)
    told = update(RankChange).where(
        RankChange.id.in_([change.id for change in changes]), RankChange.told_at.is_(None)
    )
    uow.session.execute(told.values(told_at=uow.now))
