"""Closed papers as participations; see `server/programme/participation.py`.

The row is written with the paper. A command recomputes all rows from closed papers, for earlier
ones and as a check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select

from server.accounts import service as accounts
from server.base.clock import beijing_hour
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.programme import service as programmes
from server.programme.service import Fact
from server.quiz.attempts.attempt_store import Sheet
from server.quiz.enums import AttemptState
from server.quiz.leaderboards.service import LockedEntry
from server.quiz.models import Attempt, Contest, Entry

PAPER = "paper"
BATCH = 500
# Papers of citizens locked by others are skipped and processed in the next pass.
_PASSES = 5


@dataclass(frozen=True, kw_only=True)
class RebuiltParticipation:
    """Result of the command; `busy` papers belong to citizens who stayed locked by others."""

    papers: int
    added: int
    removed: int
    busy: int


def record_closed_paper(uow: UnitOfWork, sheet: Sheet, entry: LockedEntry) -> None:
    """Record the participation of a closed sheet, on its day and at the place it counts for.

    Locks: the caller holds the entry, so that a merge waits and then re-points the row.
    """
    citizen_id = sheet.citizen_id
    if not entry.on_board:
        # A merged citizen's open paper counts for the survivor.
        citizen_id = accounts.survivors_of(uow, [citizen_id])[citizen_id]
    place = entry.place
    programmes.record_participation(
        uow,
        Fact(
            citizen_id=citizen_id,
            kind=PAPER,
            source_ref=sheet.ref,
            programme=sheet.programme_slug,
            city=place.city,
            county=place.county,
            unit_id=place.unit_id,
            on_day=sheet.on_day,
            audience=place.audience,
            hour=beijing_hour(sheet.started_at),
            completed=sheet.state is AttemptState.SUBMITTED,
        ),
    )


def rebuild_participation(
    uow_factory: UnitOfWorkFactory, progress: Callable[[int, int], None]
) -> RebuiltParticipation:
    """Insert missing rows of closed papers and delete rows without one, in batches.

    Can be repeated, also while papers are being closed. Existing rows keep their place; rows of
    earlier papers get their entry's present place.
    """
    with uow_factory.begin(read_only=True) as uow:
        papers = uow.session.scalar(_only_closed(select(func.count()))) or 0
    added, busy = 0, 0
    for _ in range(_PASSES):
        came, busy = _add_missing(uow_factory, lambda done: progress(done, papers))
        added += came
        if not busy:
            break
    return RebuiltParticipation(
        papers=papers, added=added, removed=_remove_undone(uow_factory), busy=busy
    )


def _only_closed(asked: Any) -> Any:
    return asked.select_from(Attempt).where(Attempt.state != AttemptState.OPEN)


def _add_missing(
    uow_factory: UnitOfWorkFactory, progress: Callable[[int], None]
) -> tuple[int, int]:
    last, done, added, busy = 0, 0, 0, 0
    while True:
        with uow_factory.begin() as uow:
            rows = _papers_after(uow, last)
            if not rows:
                return added, busy
            missing = _without_row(uow, rows)
            owners = accounts.lock_survivors(uow, {row.citizen_id for row in missing})
            facts = [
                _fact_of_paper(row, owners[row.citizen_id])
                for row in _papers_of_owners(uow, missing, owners)
            ]
            added += programmes.record_missing(uow, facts)
        busy += len(missing) - len(facts)
        last, done = rows[-1].id, done + len(rows)
        progress(done)


def _papers_after(uow: UnitOfWork, last_id: int) -> list[Row[Any]]:
    asked = select(Attempt.id, Attempt.ref, Attempt.citizen_id).order_by(Attempt.id).limit(BATCH)
    return list(uow.session.execute(_only_closed(asked).where(Attempt.id > last_id)))


def _without_row(uow: UnitOfWork, rows: list[Row[Any]]) -> list[Row[Any]]:
    there = programmes.recorded_refs(uow, PAPER, [row.ref for row in rows])
    return [row for row in rows if row.ref not in there]


def _papers_of_owners(
    uow: UnitOfWork, rows: list[Row[Any]], owners: dict[int, int]
) -> list[Row[Any]]:
    """The papers of the now locked citizens, with the place they count for."""
    asked = (
        select(
            Attempt.ref,
            Attempt.citizen_id,
            Attempt.on_day,
            Attempt.started_at,
            Attempt.state,
            Contest.programme_slug,
            Entry.city,
            Entry.county,
            Entry.unit_id,
            Entry.audience,
        )
        .join(Contest, Contest.id == Attempt.contest_id)
        .join(Entry, Entry.id == Attempt.entry_id)
        .where(Attempt.id.in_([row.id for row in rows]), Attempt.citizen_id.in_(owners))
        .order_by(Attempt.id)
    )
    return list(uow.session.execute(asked))


def _fact_of_paper(row: Row[Any], citizen_id: int) -> Fact:
    return Fact(
        citizen_id=citizen_id,
        kind=PAPER,
        source_ref=row.ref,
        programme=row.programme_slug,
        city=row.city,
        county=row.county,
        unit_id=row.unit_id,
        on_day=row.on_day,
        audience=row.audience,
        hour=beijing_hour(row.started_at),
        completed=row.state is AttemptState.SUBMITTED,
    )


def _remove_undone(uow_factory: UnitOfWorkFactory) -> int:
    last, removed = 0, 0
    while True:
        with uow_factory.begin() as uow:
            recorded = programmes.refs_after(uow, PAPER, last, BATCH)
            if not recorded:
                return removed
            # A row is visible together with its paper, because one transaction wrote both.
            closed = _only_closed(select(Attempt.ref)).where(
                Attempt.ref.in_([r for _, r in recorded])
            )
            undone = {ref for _, ref in recorded} - set(uow.session.scalars(closed))
            if undone:
                removed += programmes.withdraw_participation(uow, PAPER, undone)
        last = recorded[-1][0]
