"""Sends everybody with a final rank a message about it, in batches that can be repeated."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import aliased

from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices import service as notices
from server.notices.service import Letter
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.enums import SealState
from server.quiz.leaderboards import figures
from server.quiz.models import Entry, SealedRank, SealedVersion
from server.units import service as units

# Messages per transaction, which locks as many citizens; about a tenth of a second.
BATCH = 500
_PAGE = "packages/quiz/board/index"


def send_rank_letters(context: TaskContext, *_ids: int) -> int:
    """Send messages to people with ranks in published versions; return how many were sent.

    After a correction only those with a changed rank or points get one.
    """
    with context.uow_factory.begin(read_only=True) as uow:
        untold = select(SealedVersion.id).where(
            SealedVersion.state == SealState.PUBLISHED,
            SealedVersion.told_rank < SealedVersion.rank_count,
        )
        found = list(uow.session.scalars(untold.order_by(SealedVersion.id)))
    return sum(_tell_version(context.uow_factory, version_id) for version_id in found)


def _tell_version(uow_factory: UnitOfWorkFactory, version_id: int) -> int:
    total = 0
    while True:
        with uow_factory.begin() as uow:
            version = uow.session.get_one(SealedVersion, version_id)
            if version.state is not SealState.PUBLISHED:
                return total
            rows = uow.session.execute(_select_untold(uow, version)).all()
            contest = contests.contest_by_id(uow, version.contest_id)
            composed = (_compose_letter(uow, contest, version, row) for row in rows)
            written = [
                (row.citizen_id, one) for row, one in zip(rows, composed, strict=True) if one
            ]
            total += notices.post_messages(uow, written)
            last = rows[-1].rank if rows else version.rank_count
            told = update(SealedVersion).where(
                SealedVersion.id == version_id, SealedVersion.told_rank < last
            )
            uow.session.execute(told.values(told_rank=last))
        if len(rows) < BATCH:
            return total


def _select_untold(uow: UnitOfWork, version: SealedVersion) -> Select[Any]:
    """The next ranks without a message, with those of the version published before."""
    old = aliased(SealedRank)
    before = uow.session.scalar(
        select(SealedVersion)
        .where(
            SealedVersion.contest_id == version.contest_id,
            SealedVersion.number < version.number,
            SealedVersion.published_at.is_not(None),
        )
        .order_by(SealedVersion.number.desc())
        .limit(1)
    )
    # Old ranks count only if their message was sent, so the others get the message of a first
    # version. Without an earlier version the id is 0: with NULL SQLite would read every rank of
    # every version.
    known = (old.entry_id == SealedRank.entry_id) & (old.version_id == (before.id if before else 0))
    known &= old.rank <= (0 if before is None else before.told_rank)
    rows: Select[*tuple[Any, ...]] = select(
        SealedRank.rank,
        SealedRank.points,
        SealedRank.city,
        SealedRank.city_rank,
        Entry.citizen_id,
        old.rank.label("old_rank"),
        old.points.label("old_points"),
    )
    return (
        rows.join(Entry, Entry.id == SealedRank.entry_id)
        .outerjoin(old, known)
        .where(SealedRank.version_id == version.id, SealedRank.rank > version.told_rank)
        .order_by(SealedRank.rank)
        .limit(BATCH)
    )


def _compose_letter(
    uow: UnitOfWork, contest: ContestView, version: SealedVersion, row: Any
) -> Letter | None:
    """The message about a rank, None when nothing changed; its key makes it unique per version."""
    if (row.old_rank, row.old_points) == (row.rank, row.points):
        return None
    what = "changed"
    if row.old_rank is None:
        what = "first"
    elif row.old_rank == row.rank:
        what = "rescored"
    said = uow.texts.fill_text
    city = units.load_regions().find_city(row.city or "")
    in_city = said("quiz.final_letter.city", city=city.name, rank=row.city_rank) if city else ""
    scale = contest.rules.points_scale
    return Letter(
        key=f"{version.ref}:rank",
        title=said(f"quiz.final_letter.{'title' if what == 'first' else 'corrected_title'}"),
        body=said(
            f"quiz.final_letter.{what}",
            title=contest.title,
            number=version.number,
            old=row.old_rank or 0,
            rank=row.rank,
            total=version.rank_count,
            city=in_city,
            score=figures.say_score(row.points if scale == 1 else row.points / scale),
        ),
        page=f"{_PAGE}?id={contest.ref}",
    )
