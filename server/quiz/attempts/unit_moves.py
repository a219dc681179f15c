"""Moves entries and their standings from a merged unit to the unit it was merged into."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import func, select

from server.base.sql.locks import lock_batch
from server.base.uow import UnitMove, UnitOfWork
from server.quiz.attempts.personal_data import relocate_entry
from server.quiz.leaderboards import standings_queries
from server.quiz.leaderboards.board_keys import CountedPlace
from server.quiz.models import Entry

# Entries per transaction, which takes some tenths of a second.
_BATCH = 50


def count_entries(uow: UnitOfWork, unit_id: int) -> int:
    """How many entries count for a unit, in running and in past contests."""
    mine = select(func.count()).select_from(Entry).where(Entry.unit_id == unit_id)
    return uow.session.scalar(mine) or 0


def move_entries(uow: UnitOfWork, old: int, new: int) -> int:
    """Move one batch of entries with their standings; return how many.

    Locks: the entries.
    """
    ids = lock_batch(uow, select(Entry.id).where(Entry.unit_id == old), _BATCH)
    asked = select(
        Entry.id, Entry.contest_id, Entry.left_scopes, *standings_queries.place_columns()
    ).where(Entry.id.in_(ids))
    for entry_id, contest_id, left_scopes, *columns in uow.session.execute(asked).all():
        before = CountedPlace(*columns)
        place = replace(before, unit_id=new)
        left = sorted({*left_scopes, *before.scopes} - set(place.scopes))
        relocate_entry(uow, (contest_id, entry_id), place, left)
    return len(ids)


UNIT_MOVE = UnitMove(said="quiz.unit.entries", count=count_entries, move=move_entries)
