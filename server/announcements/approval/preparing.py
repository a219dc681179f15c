"""Prepares the recipients of large announcements in the background, in short transactions.

The last approval of a large audience leaves the announcement in the state `freezing`. Each step
here freezes some people under the lock of the announcement, so that an edit or a recall between two
steps ends it, and a step of a killed worker is simply missing: the next one continues behind the
last committed person. An audience that moved meanwhile is put back to review.

The same steps delete recipients of an approval that was voided, and cancel those of a cancelled
announcement.
"""

from __future__ import annotations

from sqlalchemy import or_, select

from server.announcements.approval.hashing import hash_content
from server.announcements.approval.reviewing import given_approvals, planned_start
from server.announcements.audience.forecast import require_good_plan
from server.announcements.audience.freezing import (
    FREEZE_TASK,
    freeze_next,
    require_few_days,
    thaw_next,
)
from server.announcements.audience.selecting import count_recipients
from server.announcements.compose.drafts import subject_of, void_approvals
from server.announcements.enums import AnnouncementState
from server.announcements.errors import AudienceMoved, ContentChanged
from server.announcements.ledger.control import cancel_next
from server.announcements.models import Announcement
from server.announcements.rules.schedule import has_moved
from server.audit.service import record_change
from server.base.access import System
from server.base.errors import AppError
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork

# Rows in one transaction: far below half a second, for which SQLite keeps other writers waiting.
_AT_ONCE = 20_000
# One run of the sweep is short, because all sweeps share a thread.
_OF_SWEEP = 3
_BY = System(name="announcements")


def prepare_recipients(context: TaskContext, *keys: int | str) -> int:
    """Freeze, delete and cancel recipients that wait for it; return the number of steps."""
    steps = 0
    for announcement_id in _find_waiting(context):
        while _take_step(context, announcement_id):
            steps += 1
            if not keys and steps >= _OF_SWEEP:
                context.uow_factory.dependencies.enqueue(FREEZE_TASK, "more")
                return steps
    return steps


def _find_waiting(context: TaskContext) -> list[int]:
    freezing = Announcement.state == AnnouncementState.FREEZING
    asked = select(Announcement.id).where(or_(freezing, Announcement.rows_left))
    with context.uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(asked.order_by(Announcement.id)))


def _take_step(context: TaskContext, announcement_id: int) -> bool:
    """Take one step for an announcement; False when none is left, or another worker takes it."""
    with context.uow_factory.begin(read_only=True) as uow:
        # The plan takes the longest, so it is made without the lock.
        seen = uow.session.get(Announcement, announcement_id)
        if seen is None:
            return False
        fresh = seen.state is AnnouncementState.FREEZING and seen.frozen_count is None
        refusal = _find_refusal(uow, seen) if fresh and not seen.rows_left else None
        approved_at = seen.approved_at
    with context.uow_factory.begin() as uow:
        row = _lock_waiting(uow, announcement_id)
        if row is None:
            return False
        if row.rows_left:
            _end_rows(uow, row)
        elif row.frozen_count is not None:
            _freeze_more(uow, row)
        elif row.approved_at == approved_at and fresh:
            _begin(uow, row, refusal)
    return True


def _lock_waiting(uow: UnitOfWork, announcement_id: int) -> Announcement | None:
    freezing = Announcement.state == AnnouncementState.FREEZING
    return uow.session.scalar(
        select(Announcement)
        .where(Announcement.id == announcement_id, or_(freezing, Announcement.rows_left))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _find_refusal(uow: UnitOfWork, row: Announcement) -> AppError | None:
    """The reason against freezing the audience as it is now; None when it is what was confirmed."""
    try:
        if hash_content(row) != row.content_hash:
            raise ContentChanged
        size = count_recipients(uow, row)
        _require_unmoved(uow, row, size)
        require_few_days(row, size)
        require_good_plan(uow, row)
    except AppError as refusal:
        return refusal
    return None


def _require_unmoved(uow: UnitOfWork, row: Announcement, size: int) -> None:
    for given in given_approvals(uow, row):
        if has_moved(given.counted, size):
            raise AudienceMoved(counted=given.counted, now=size)


def _begin(uow: UnitOfWork, row: Announcement, refusal: AppError | None) -> None:
    if refusal is not None:
        _put_back(uow, row, refusal)
        return
    row.frozen_count, row.frozen_to = 0, None
    _leave_past(uow, row)


def _leave_past(uow: UnitOfWork, row: Announcement) -> None:
    """Move a start that has passed meanwhile, because no worker ran; there is time to cancel."""
    if row.starts_at is None or row.starts_at <= uow.now:
        row.starts_at = planned_start(uow, row)


def _freeze_more(uow: UnitOfWork, row: Announcement) -> None:
    if freeze_next(uow, row, _AT_ONCE):
        return
    size = row.frozen_count or 0
    try:
        _require_unmoved(uow, row, size)
    except AudienceMoved as refusal:
        _put_back(uow, row, refusal)
        return
    row.audience_size, row.frozen_count, row.frozen_to = size, None, None
    row.state = AnnouncementState.SCHEDULED
    _leave_past(uow, row)
    after = {"state": row.state.value, "counted": size}
    record_change(
        uow, _BY, "announcements.freeze_recipients", subject_of(row),
        before={"state": AnnouncementState.FREEZING.value}, after=after,
    )  # fmt: skip


def _put_back(uow: UnitOfWork, row: Announcement, refusal: AppError) -> None:
    """Put an announcement back to review with a sentence; it needs new approvals."""
    counted, content_hash = row.counted, hash_content(row)
    if isinstance(refusal, AudienceMoved):
        counted = int(str(refusal.facts["now"]))
    void_approvals(uow, row)
    row.state, row.counted, row.content_hash = AnnouncementState.REVIEW, counted, content_hash
    row.remark = uow.texts.error_text(refusal.code, refusal.facts)
    record_change(
        uow, _BY, "announcements.refuse_recipients", subject_of(row),
        before={"state": AnnouncementState.FREEZING.value}, after={"state": row.state.value},
        reason=row.remark,
    )  # fmt: skip


def _end_rows(uow: UnitOfWork, row: Announcement) -> None:
    """End some rows that are left of an earlier approval, or of a cancelled announcement."""
    end_next = cancel_next if row.state is AnnouncementState.CANCELLED else thaw_next
    row.rows_left = end_next(uow, row, _AT_ONCE)
