"""Inspects closed papers in the background, and stores the signs that it finds.

A minute's run reads the papers closed since the last one, in pages; once a day the papers of three
days are read again, because a paper that a late sweep closes carries an earlier instant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import delete, exists, func, select, tuple_, update

from server.base.clock import beijing_day
from server.base.jobs import Task, TaskContext
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.quiz.contests import service as contests
from server.quiz.contests.voids import voided_for, voids_at
from server.quiz.enums import AttemptState
from server.quiz.integrity.rules import InspectedPaper, SignalFinding, find_signals
from server.quiz.models import (
    Attempt,
    Contest,
    DeviceUse,
    Entry,
    IntegrityFlag,
    IntegrityMark,
    Question,
)
from server.quiz.rules import is_right

_OVERLAP = timedelta(minutes=15)
_DAILY = timedelta(days=3)
# At most this many papers of a contest are read and compared together.
_MOST = 20_000
_CHUNK = 500
# The instant at which a paper was closed, and the id of its row.
_Position: TypeAlias = tuple[datetime, int]


def inspect_contests(context: TaskContext, *_ids: int) -> int:
    """Inspect every contest with new papers; return the number of new flags."""
    with context.uow_factory.begin(read_only=True) as uow:
        found = list(uow.session.scalars(select(Contest.id).order_by(Contest.id)))
    return sum(inspect_contest(context, contest_id) for contest_id in found)


def inspect_contest(context: TaskContext, contest_id: int) -> int:
    """Inspect the papers closed since the last inspection; return the number of new flags.

    An interrupted run is repeated from its beginning; flags that exist are not stored again.
    """
    new_flags, after = 0, None
    while True:
        with context.uow_factory.begin(read_only=True) as uow:
            since = _begin_of_window(uow, uow.session.get(IntegrityMark, contest_id))
            read = _closed_papers(uow, contest_id, since, after)
            papers = [paper for _, paper in read]
            findings = find_signals(papers, _citizens_on_devices(uow, papers))
            until = uow.now
        if not papers:
            return new_flags
        is_last = len(read) < _MOST
        with context.uow_factory.begin() as uow:
            if is_last:
                _move_mark(uow, contest_id, until)
            new_flags += _store_findings(uow, findings)
        if is_last:
            return new_flags
        # Pages overlap by half, so that papers closed one soon after the other are compared.
        after = read[len(read) // 2][0]


def _move_mark(uow: UnitOfWork, contest_id: int, until: datetime) -> None:
    made = insert_for(uow.session, IntegrityMark).values(
        contest_id=contest_id, inspected_until=until
    )
    uow.session.execute(
        made.on_conflict_do_update(index_elements=["contest_id"], set_={"inspected_until": until})
    )


def _begin_of_window(uow: UnitOfWork, mark: IntegrityMark | None) -> datetime | None:
    if mark is None:
        return None
    new_day = beijing_day(mark.inspected_until) != beijing_day(uow.now)
    return mark.inspected_until - (_DAILY if new_day else _OVERLAP)


def _closed_papers(
    uow: UnitOfWork, contest_id: int, since: datetime | None, after: _Position | None
) -> list[tuple[_Position, InspectedPaper]]:
    """A page of closed papers in the order of their closing, each with its position."""
    wanted = (
        select(Attempt)
        .join(Entry, Entry.id == Attempt.entry_id)
        .where(
            Attempt.contest_id == contest_id,
            Attempt.state != AttemptState.OPEN,
            Entry.merged_at.is_(None),
            Entry.erased_at.is_(None),
        )
        .order_by(Attempt.closed_at, Attempt.id)
        .limit(_MOST)
        # A whole page of rows with their papers and answers would need much memory.
        .execution_options(yield_per=_CHUNK)
    )
    if since is not None:
        wanted = wanted.where(Attempt.closed_at >= since)
    if after is not None:
        wanted = wanted.where(tuple_(Attempt.closed_at, Attempt.id) > after)
    found = []
    for row in uow.session.scalars(wanted):
        paper = _inspect_paper(uow, row)
        found.append(((paper.closed_at, row.id), paper))
    return found


def _inspect_paper(uow: UnitOfWork, row: Attempt) -> InspectedPaper:
    rules = contests.rules_at(uow, row.contest_id, row.rules_version)
    # The answers of a closed paper are stored in the options' order of the bank, which is the same
    # for all citizens whatever order their paper showed.
    vector = sorted((str(ref), tuple(sorted(chosen))) for ref, chosen in row.answers.items())
    return InspectedPaper(
        ref=row.ref,
        entry_id=row.entry_id,
        citizen_id=row.citizen_id,
        question_count=len(row.paper),
        answered=sum(1 for chosen in row.answers.values() if chosen),
        # Voided questions that were answered wrongly count as right on the paper, but not here.
        correct_count=(row.correct_count or 0) - _count_gifts(uow, row),
        score=row.score or 0,
        max_score=rules.max_score,
        duration_ms=row.duration_ms or 0,
        closed_at=row.closed_at or row.deadline_at,
        vector=str(vector),
    )


def _count_gifts(uow: UnitOfWork, row: Attempt) -> int:
    """How many voided questions of a paper count as right without a right answer."""
    voided = voided_for(voids_at(uow, row.contest_id, row.marking), row.started_at)
    given = [one["q"] for one in row.paper if one["q"] in voided]
    found = uow.session.scalars(select(Question).where(Question.id.in_(given))) if given else ()
    return sum(not is_right(one.answer, row.answers.get(one.ref, ())) for one in found)


def _citizens_on_devices(
    uow: UnitOfWork, papers: Sequence[InspectedPaper]
) -> dict[str, frozenset[int]]:
    """The citizens of each device that citizens of these papers use."""
    citizens = sorted({one.citizen_id for one in papers})
    devices: set[str] = set()
    for at in range(0, len(citizens), _CHUNK):
        part = citizens[at : at + _CHUNK]
        devices |= set(
            uow.session.scalars(select(DeviceUse.device).where(DeviceUse.citizen_id.in_(part)))
        )
    found: dict[str, set[int]] = defaultdict(set)
    names = sorted(devices)
    for at in range(0, len(names), _CHUNK):
        wanted = select(DeviceUse.device, DeviceUse.citizen_id)
        part_of = names[at : at + _CHUNK]
        for device, citizen_id in uow.session.execute(wanted.where(DeviceUse.device.in_(part_of))):
            found[device].add(citizen_id)
    return {device: frozenset(whose) for device, whose in found.items()}


def _store_findings(uow: UnitOfWork, findings: Sequence[SignalFinding]) -> int:
    """Store new flags; an entry has each signal once, with the first evidence not yet cleared."""
    rows: list[dict[str, Any]] = [
        {
            "ref": uow.new_ref("flg"),
            "entry_id": one.entry_id,
            "signal": one.signal,
            "evidence": dict(one.evidence),
            "found_at": uow.now,
        }
        for one in findings
    ]
    return sum(_store_rows(uow, rows[at : at + _CHUNK]) for at in range(0, len(rows), _CHUNK))


def _store_rows(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> int:
    """Store new flags, and open cleared ones again; return how many."""
    fresh = insert_for(uow.session, IntegrityFlag).values(rows)
    made = fresh.on_conflict_do_nothing(index_elements=["entry_id", "signal"])
    returned = made.returning(IntegrityFlag.entry_id, IntegrityFlag.signal)
    new = {tuple(row) for row in uow.session.execute(returned)}
    cleared = select(IntegrityFlag.entry_id, IntegrityFlag.signal).where(
        IntegrityFlag.entry_id.in_([row["entry_id"] for row in rows]),
        IntegrityFlag.cleared_at.is_not(None),
    )
    again = {tuple(row) for row in uow.session.execute(cleared)}
    old = [row for row in rows if (row["entry_id"], row["signal"]) in again]
    return len(new) + sum(_reopen_flag(uow, row) for row in old)


def _reopen_flag(uow: UnitOfWork, row: dict[str, Any]) -> int:
    """Open a cleared flag again when its entry has a paper with the signal from afterwards."""
    later = exists().where(
        Attempt.entry_id == row["entry_id"],
        Attempt.ref.in_(row["evidence"]["papers"]),
        Attempt.closed_at > IntegrityFlag.cleared_at,
    )
    cleared = update(IntegrityFlag).where(
        IntegrityFlag.entry_id == row["entry_id"], IntegrityFlag.signal == row["signal"], later
    )
    again = {"cleared_at": None, "cleared_by": None, "cleared_reason": None}
    facts = {**again, "evidence": row["evidence"], "found_at": row["found_at"]}
    opened = cleared.values(**facts).returning(IntegrityFlag.id)
    return len(uow.session.execute(opened).all())


def inspect_from_beginning(uow: UnitOfWork) -> None:
    """Make the next run read every closed paper again, after papers of the past were added."""
    uow.session.execute(delete(IntegrityMark))


def list_flags(uow: UnitOfWork, contest_id: int) -> list[str]:
    """The refs of a contest's flags, one for each flagged entry."""
    first = (
        select(func.min(IntegrityFlag.id))
        .join(Entry, Entry.id == IntegrityFlag.entry_id)
        .where(Entry.contest_id == contest_id)
        .group_by(IntegrityFlag.entry_id)
    )
    wanted = select(IntegrityFlag.ref).where(IntegrityFlag.id.in_(first))
    return list(uow.session.scalars(wanted.order_by(IntegrityFlag.id)))


INTEGRITY_TASKS = (Task(name="quiz.inspect_papers", step=inspect_contests, every_seconds=60),)
