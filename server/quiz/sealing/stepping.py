"""Makes versions of final ranks in short transactions, and drafts of late changes.

The entries are ranked first, without a lock. Each step then locks the contest and continues where
the stored parts end, so a run can be interrupted anywhere and continued, also by several workers at
once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from server.audit.service import record_change
from server.base.access import System
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.contests import service as contests
from server.quiz.enums import SealState
from server.quiz.models import Contest, SealChange, SealedVersion
from server.quiz.sealing import building, ranking
from server.quiz.sealing import service as sealing
from server.quiz.sealing.building import SealOrder

# The sweep continues a version that was begun this long ago.
ABANDONED = timedelta(minutes=2)
SYSTEM = System(name="quiz")


@dataclass(frozen=True, kw_only=True)
class BuildProgress:
    """The entries that were stored, and all entries; no total before they are ranked.

    Each entry is stored twice, as a row and as a line of the file: `done` is half of the sum.
    """

    done: int
    total: int


def finish_version(
    uow_factory: UnitOfWorkFactory, version_id: int, report: Callable[[int, int], None]
) -> bool:
    """Take every step of a version that is left; False when it equals the published one.

    `report(done, total)` is called between transactions; an exception from it ends this run.
    """
    _rank_version(uow_factory, version_id)
    while True:
        with uow_factory.begin() as uow:
            progress = _take_step(uow, version_id)
            state = sealing.version_by_id(uow, version_id).state
        if progress is None:
            return state is SealState.DRAFT
        report(progress.done, progress.total)


def read_progress(uow: UnitOfWork, version: SealedVersion) -> BuildProgress:
    """The progress of a version that is being made."""
    total, size = version.rank_count, building.PART_LINES
    lines = min(building.count_parts(uow, version.id) * size, total)
    rows = max(total - ranking.count_kept_parts(uow, version.id) * size, 0)
    return BuildProgress(done=(rows + lines) // 2, total=total)


def begin_correction(uow: UnitOfWork, contest_id: int) -> int | None:
    """Begin a version with the changes noted for a sealed contest; None when there is none to make.

    None too while another version of the contest is being made.
    Raises: SealWaits (409) while standings of a freeze are still hidden.
    Locks: the contest.
    """
    sealing.lock_contest_row(uow, contest_id)
    changes = sealing.find_pending_changes(uow, contest_id)
    if not changes or sealing.find_building(uow, contest_id) is not None:
        return None
    view = contests.contest_by_id(uow, contest_id)
    sealing.refuse_hidden(uow, view)
    reasons = "；".join(dict.fromkeys(change.reason for change in changes))
    cases = sealing.find_open_cases(uow, contest_id)
    order = SealOrder(author=SYSTEM, reason=reasons, open_cases=cases)
    version = building.begin_version(uow, view, order)
    for change in changes:
        change.version_id = version.id
    return version.id


def list_abandoned(uow: UnitOfWork) -> list[int]:
    """The versions that were begun some time ago and are not finished."""
    begun = select(SealedVersion.id).where(
        SealedVersion.state == SealState.BUILDING, SealedVersion.made_at <= uow.now - ABANDONED
    )
    return list(uow.session.scalars(begun.order_by(SealedVersion.id)))


def _rank_version(uow_factory: UnitOfWorkFactory, version_id: int) -> None:
    """Rank the entries of a version in a reading transaction, and keep the order in a short one.

    Results that change meanwhile were noted by their services, because the version is begun: it
    may contain them or not, and a correction follows. Locks: the contest.
    """
    with uow_factory.begin(read_only=True) as uow:
        contest_id = sealing.version_by_id(uow, version_id).contest_id
        if not _lacks_order(uow, version_id):
            return
        order = ranking.rank_entries(uow, contest_id, building.PART_LINES)
    with uow_factory.begin() as uow:
        sealing.lock_contest_row(uow, contest_id)
        # Another worker may have kept an order meanwhile.
        if _lacks_order(uow, version_id):
            ranking.keep_order(uow, sealing.version_by_id(uow, version_id), order)


def _lacks_order(uow: UnitOfWork, version_id: int) -> bool:
    state = sealing.version_by_id(uow, version_id).state
    return state is SealState.BUILDING and not ranking.is_order_kept(uow, version_id)


def _take_step(uow: UnitOfWork, version_id: int) -> BuildProgress | None:
    """Take the next step of a version; None when it is finished. Locks: the contest."""
    contest_id = sealing.version_by_id(uow, version_id).contest_id
    contest = sealing.lock_contest_row(uow, contest_id)
    wanted = select(SealedVersion).where(SealedVersion.id == version_id)
    # Read after the lock, because another worker may have finished it meanwhile.
    version = uow.session.scalars(wanted.execution_options(populate_existing=True)).one()
    if version.state is not SealState.BUILDING:
        return None
    if building.take_step(uow, version):
        return read_progress(uow, version)
    _complete_version(uow, contest, version)
    return None


def _complete_version(uow: UnitOfWork, contest: Contest, version: SealedVersion) -> None:
    """Sign a version; it replaces an older draft, and is dropped if it equals the published one."""
    building.sign_version(uow, contests.contest_by_id(uow, contest.id), version)
    drafts = select(SealedVersion).where(
        SealedVersion.contest_id == contest.id,
        SealedVersion.state == SealState.DRAFT,
        SealedVersion.id != version.id,
    )
    for older in uow.session.scalars(drafts).all():
        older.state = SealState.DROPPED
        carried = select(SealChange).where(SealChange.version_id == older.id)
        for change in uow.session.scalars(carried).all():
            change.version_id = version.id
    if contest.final_id is not None:
        published = sealing.version_by_id(uow, contest.final_id)
        if published.digest == version.digest:
            version.state = SealState.DROPPED
    if version.author_id is None:
        record_change(
            uow, SYSTEM, "quiz.draft_final_ranks", sealing.subject_of(contest),
            after=sealing.facts_of(version), reason=version.reason,
        )  # fmt: skip
