"""Recounts the standings of many entries in a few statements, after papers were scored again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.quiz.leaderboards import service as boards
from server.quiz.leaderboards.service import LockedEntry, PlayedOn
from server.quiz.leaderboards.standings_queries import STAND_COLUMNS, Moved, Stand
from server.quiz.models import Attempt, Entry, Standing
from server.quiz.rules import RuleSet


@dataclass(frozen=True, kw_only=True)
class Recount:
    """A locked entry, all its closed papers, and the periods to compute again."""

    entry: LockedEntry
    played: Sequence[PlayedOn]
    periods: Collection[str]


def lock_entries(uow: UnitOfWork, entry_ids: Collection[int]) -> list[LockedEntry]:
    """Lock entries until commit, in the order of their ids, as `lock_entry` locks one.

    Locks: the entries.
    """
    asked = boards.SELECT_ENTRY.where(Entry.id.in_(entry_ids))
    rows = uow.session.execute(asked.order_by(Entry.id).with_for_update(of=Entry)).all()
    return [boards.entry_from_row(row) for row in rows]


def papers_by_entry(
    uow: UnitOfWork, entry_ids: Collection[int]
) -> defaultdict[int, list[PlayedOn]]:
    """The closed papers of these entries."""
    asked = boards.SELECT_PAPERS.add_columns(Attempt.entry_id).where(
        Attempt.entry_id.in_(entry_ids)
    )
    found: defaultdict[int, list[PlayedOn]] = defaultdict(list)
    for row in uow.session.execute(asked):
        found[row.entry_id].append(boards.paper_from_row(row))
    return found


def recount_entries(uow: UnitOfWork, recounts: Sequence[Recount], rules: RuleSet) -> None:
    """Recompute standings of entries of one contest, as `recount_standings` does for one."""
    rows = [
        row
        for one in recounts
        for row in boards.standing_rows(
            uow, one.entry, one.played, rules, one.periods, boards.hiding_of(uow, one.entry)
        )
    ]
    if not rows:
        return
    fresh = insert_for(uow.session, Standing)
    renewed = fresh.on_conflict_do_update(
        index_elements=["entry_id", "period"],
        set_={
            "version": Standing.version + 1,
            **{name: fresh.excluded[name] for name in boards.RENEWED},
        },
    ).returning(Standing.period, *STAND_COLUMNS)
    places = {one.entry.entry_id: one.entry.place for one in recounts}
    moved = []
    for period, *values in uow.session.execute(renewed, rows):
        stand = Stand(*values)
        moved.append(Moved(period, stand, places[stand.entry_id], [], uow.now))
    boards.bring_after_commit(uow, recounts[0].entry.contest_id, moved)
