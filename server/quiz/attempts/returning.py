"""Ensures that a person who was erased and returns in the same season is on each board only once.

The erased entry stays on the boards anonymously until the person starts another paper. Then it
leaves the boards and only new results count, so that an erasure never brings an advantage. Where
dropping papers could improve the season total, the erased entry stays instead and the new one is on
no board. Limits per day and season count both, see `attempts.start_paper`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from server.base.uow import UnitOfWork
from server.quiz.attempts import attempt_store
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards import service as boards
from server.quiz.models import Entry
from server.quiz.rules import BETTER_WITH_FEWER_PAPERS


def keep_one_line(
    uow: UnitOfWork, contest: ContestView, citizen_id: int, former_ids: Sequence[int]
) -> None:
    """Take former entries off the boards, or keep the new one off them.

    Locks: the former entries; also the new entry when that is the one kept off.
    """
    if not former_ids:
        return
    former = uow.session.scalars(
        select(Entry.id)
        .where(
            Entry.contest_id == contest.id,
            Entry.citizen_id.in_(former_ids),
            Entry.merged_at.is_(None),
        )
        .order_by(Entry.id)
    ).all()
    if former and contest.rules.season in BETTER_WITH_FEWER_PAPERS:
        own = attempt_store.entry_for(uow, contest.id, citizen_id)
        uow.session.execute(
            update(Entry)
            .where(Entry.id == own, Entry.merged_at.is_(None))
            .values(merged_at=uow.now)
        )
        return
    for entry_id in former:
        boards.take_off(uow, entry_id)


def former_entries(uow: UnitOfWork, contest_id: int, former_ids: Sequence[int]) -> list[int]:
    """Entries of the same person from before an erasure, whose papers still count as started."""
    found = select(Entry.id).where(Entry.contest_id == contest_id, Entry.citizen_id.in_(former_ids))
    return list(uow.session.scalars(found.order_by(Entry.id)))
