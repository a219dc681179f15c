"""Scores the papers of a contest again after a void or its lifting, and reports changed ranks.

Every step is one short transaction that also updates the row of the rescoring, so that a run may
end anywhere and be continued, also by several workers at once. A paper's score follows from its
answers, the keys and the voids in force at a marking; the paper gets that marking with it, and only
a lower one is raised, so each rescoring changes a paper at most once.

A paper that closes meanwhile is not missed: its closing fails when the contest's marking has grown
(`attempt_store.CLOSE`), and the first pass locks the entries of open papers too, so that it waits
for closings that began earlier. Passes are repeated until one finds nothing, because a merge may
move a paper to an entry that was read before. Lock order: entries by id, the row of the rescoring,
the contest. Rescorings of one contest run in the order of their markings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update

from server.base.access import Organizer, System
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.attempts import papers
from server.quiz.bank.service import bank_of
from server.quiz.contests import service as contests
from server.quiz.contests.voids import voided_for, voids_at
from server.quiz.enums import AttemptState, RescoringStage
from server.quiz.leaderboards import recounting
from server.quiz.leaderboards.recounting import Recount
from server.quiz.leaderboards.service import LockedEntry
from server.quiz.models import Attempt, Contest, QuestionVoid, RescoredPaper, Rescoring
from server.quiz.review import rank_changes
from server.quiz.sealing import service as sealing

# Papers read per step, and entries locked per step; the latter for about a tenth of a second.
READ, LOCKED = 1000, 100
# The sweep continues a rescoring without progress for this long.
ABANDONED = timedelta(minutes=3)

Author = Organizer | System
Report = Callable[[int, int], None]
SYSTEM = System(name="quiz")


@dataclass(frozen=True, kw_only=True)
class _Progress:
    """The progress of a rescoring."""

    id: int
    contest_id: int
    question_id: int
    marking: int
    stage: RescoringStage
    cursor: int
    passes: int


def begin_rescoring(uow: UnitOfWork, void: QuestionVoid, marking: int) -> Rescoring:
    """Store the rescoring that a void or its lifting requires."""
    row = Rescoring(
        ref=uow.new_ref("rsc"), contest_id=void.contest_id, void_id=void.id, marking=marking,
        stage=RescoringStage.PAPERS, cursor=0, passes=0, papers=0, found=0, rank_changes=0,
        started_at=uow.now, touched_at=uow.now,
    )  # fmt: skip
    uow.session.add(row)
    uow.session.flush()
    return row


def finish_rescoring(
    uow_factory: UnitOfWorkFactory, ref: str, report: Report, author: Author = SYSTEM
) -> Rescoring:
    """Finish a rescoring, and earlier ones of the same contest first.

    `author` decided on the void. `report(done, total)` is called between transactions; an exception
    from it ends this run.
    """
    while True:
        with uow_factory.begin(read_only=True) as uow:
            place = _next_place(uow, ref)
            total = _count_papers(uow, place) if place else 0
            if place is None:
                return uow.session.scalars(select(Rescoring).where(Rescoring.ref == ref)).one()
        done = _read_share(place, total)
        report(done, max(total, done))
        take_step(uow_factory, place, author)


def list_abandoned(uow: UnitOfWork) -> list[str]:
    """Rescorings without recent progress."""
    abandoned = select(Rescoring.ref).where(
        Rescoring.stage != RescoringStage.DONE, Rescoring.touched_at < uow.now - ABANDONED
    )
    return list(uow.session.scalars(abandoned.order_by(Rescoring.marking, Rescoring.id)))


def take_step(uow_factory: UnitOfWorkFactory, place: _Progress, author: Author = SYSTEM) -> None:
    """Do the next step of a rescoring."""
    if place.stage is RescoringStage.PAPERS:
        _rescore_papers(uow_factory, place, author)
    elif place.stage is RescoringStage.RANKS:
        rank_changes.compare_ranks(uow_factory, place.id)
    else:
        rank_changes.tell_citizens(uow_factory, place.id)


def _next_place(uow: UnitOfWork, ref: str) -> _Progress | None:
    """The first unfinished rescoring of the contest up to this one; None when all are done."""
    mine = uow.session.scalars(select(Rescoring).where(Rescoring.ref == ref)).one()
    found = uow.session.execute(
        select(Rescoring, QuestionVoid.question_id)
        .join(QuestionVoid, QuestionVoid.id == Rescoring.void_id)
        .where(
            Rescoring.contest_id == mine.contest_id,
            Rescoring.marking <= mine.marking,
            Rescoring.stage != RescoringStage.DONE,
        )
        .order_by(Rescoring.marking)
        .limit(1)
    ).first()
    if found is None:
        return None
    row, question_id = found
    return _Progress(
        id=row.id, contest_id=row.contest_id, question_id=question_id, marking=row.marking,
        stage=row.stage, cursor=row.cursor, passes=row.passes,
    )  # fmt: skip


def _count_papers(uow: UnitOfWork, place: _Progress) -> int:
    """About how many papers there are; ids are dense enough for a bar of progress."""
    last = select(Attempt.id).where(Attempt.contest_id == place.contest_id)
    return uow.session.scalar(last.order_by(Attempt.id.desc()).limit(1)) or 0


def _read_share(place: _Progress, total: int) -> int:
    return place.cursor if place.stage is RescoringStage.PAPERS and not place.passes else total


def _rescore_papers(uow_factory: UnitOfWorkFactory, place: _Progress, author: Author) -> None:
    """Read some papers, and rescore the entries of those that have the question."""
    with uow_factory.begin(read_only=True) as uow:
        rows = _read_papers(uow, place)
    concerned = [row for row in rows if any(one["q"] == place.question_id for one in row.paper)]
    entries = sorted({row.entry_id for row in concerned})
    for at in range(0, len(entries), LOCKED):
        with uow_factory.begin() as uow:
            rescore_entries(uow, place, entries[at : at + LOCKED])
    with uow_factory.begin() as uow:
        _move_on(uow, place, rows, author)


def _read_papers(uow: UnitOfWork, place: _Progress) -> Sequence[Row[Any]]:
    asked = select(Attempt.id, Attempt.entry_id, Attempt.paper).where(
        # Without the 0 SQLite would read and sort all papers of the contest for every step.
        Attempt.contest_id + 0 == place.contest_id,
        Attempt.id > place.cursor,
        Attempt.marking < place.marking,
    )
    if place.passes:
        asked = asked.where(Attempt.state != AttemptState.OPEN)
    return uow.session.execute(asked.order_by(Attempt.id).limit(READ)).all()


def rescore_entries(uow: UnitOfWork, place: _Progress, entry_ids: Sequence[int]) -> int:
    """Rescore the closed papers of these entries that are due; return how many.

    Locks: the entries in the order of their ids, then the row of the rescoring.
    """
    locked = recounting.lock_entries(uow, entry_ids)
    rescored = _rescore_due_papers(uow, place, [one.entry_id for one in locked])
    if rescored:
        _recount_entries(uow, place, [one for one in locked if one.entry_id in rescored], rescored)
    found = sum(map(len, rescored.values()))
    counted = update(Rescoring).where(Rescoring.id == place.id)
    uow.session.execute(
        counted.values(
            papers=Rescoring.papers + found, found=Rescoring.found + found, touched_at=uow.now
        )
    )
    return found


def _recount_entries(
    uow: UnitOfWork,
    place: _Progress,
    entries: Sequence[LockedEntry],
    rescored: Mapping[int, set[int]],
) -> None:
    """Recount the standings in the periods of the rescored papers."""
    played = recounting.papers_by_entry(uow, list(rescored))
    recounts = [
        Recount(
            entry=one,
            played=played[one.entry_id],
            periods={
                name
                for paper in played[one.entry_id]
                if paper.paper.id in rescored[one.entry_id]
                for name in paper.periods
            },
        )
        for one in entries
    ]
    rules = contests.contest_by_id(uow, place.contest_id).rules
    recounting.recount_entries(uow, recounts, rules)


def _rescore_due_papers(
    uow: UnitOfWork, place: _Progress, entry_ids: Sequence[int]
) -> dict[int, set[int]]:
    """Score the due papers of locked entries at the marking; their ids by entry.

    Only a holder of the entry's lock changes a marking, so the papers read here are still due.
    """
    due = _due_papers(uow, place, entry_ids)
    if not due:
        return {}
    in_force = voids_at(uow, place.contest_id, place.marking)
    rescored: dict[int, set[int]] = {}
    scores, changes = [], []
    for paper in due:
        voided = voided_for(in_force, paper.started_at)
        score, correct_count = _score_paper(uow, place, paper, voided)
        scores.append({"id": paper.id, "score": score, "correct_count": correct_count,
                       "marking": place.marking})  # fmt: skip
        changes.append({"rescoring_id": place.id, "attempt_id": paper.id,
                        "old_score": paper.score, "new_score": score})  # fmt: skip
        rescored.setdefault(paper.entry_id, set()).add(paper.id)
    uow.session.execute(update(Attempt), scores)
    uow.session.execute(insert(RescoredPaper), changes)
    return rescored


def _due_papers(uow: UnitOfWork, place: _Progress, entry_ids: Sequence[int]) -> list[Row[Any]]:
    """The closed papers of locked entries that have the question and a lower marking."""
    asked = select(
        Attempt.id, Attempt.entry_id, Attempt.paper, Attempt.answers, Attempt.started_at,
        Attempt.deadline_at, Attempt.rules_version, Attempt.score, Contest.bank,
    ).join(Contest, Contest.id == Attempt.contest_id)  # fmt: skip
    asked = asked.where(
        Attempt.entry_id.in_(entry_ids),
        Attempt.state != AttemptState.OPEN,
        Attempt.marking < place.marking,
    )
    rows = uow.session.execute(asked.order_by(Attempt.id))
    return [row for row in rows if any(one["q"] == place.question_id for one in row.paper)]


def _score_paper(
    uow: UnitOfWork, place: _Progress, paper: Row[Any], voided: frozenset[int]
) -> tuple[int, int]:
    """Points and number of right answers of a paper at the marking."""
    rules = contests.rules_at(uow, place.contest_id, paper.rules_version)
    by_id = bank_of(uow, paper.bank).by_id
    slots = papers.slots_of_paper(
        paper.paper, by_id, rules.timer, paper.started_at, paper.deadline_at
    )
    return papers.score_paper(slots, rules, paper.answers, voided)


def _move_on(uow: UnitOfWork, place: _Progress, rows: Sequence[Row[Any]], author: Author) -> None:
    """Store how far the papers were read, unless another worker has done so."""
    row = _locked_row(uow, place.id)
    if (row.stage, row.passes, row.cursor) != (place.stage, place.passes, place.cursor):
        return
    row.touched_at = uow.now
    if len(rows) == READ:
        row.cursor = rows[-1].id
    elif place.passes and not row.found:
        row.stage, row.cursor = RescoringStage.RANKS, 0
        _correct_sealed_ranks(uow, row, author)
    else:
        row.passes, row.cursor, row.found = row.passes + 1, 0, 0


def _correct_sealed_ranks(uow: UnitOfWork, row: Rescoring, author: Author) -> None:
    """Sealed ranks stay as they are; a draft of a new version is made with the reason."""
    void = uow.session.get_one(QuestionVoid, row.void_id)
    reason = uow.texts.fill_text("quiz.rescore.sealed", reason=void.decision_reason or void.reason)
    uow.session.flush()
    sealing.note_late_change(uow, row.contest_id, author, reason)


def _locked_row(uow: UnitOfWork, rescoring_id: int) -> Rescoring:
    asked = select(Rescoring).where(Rescoring.id == rescoring_id).with_for_update()
    return uow.session.scalars(asked).one()
