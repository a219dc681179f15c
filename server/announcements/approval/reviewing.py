"""The review of an announcement: sent, approved or returned; the last approval freezes it.

Approvals are bound to a hash of the content, the channels, the rule of the audience and the
schedule, and to the count that the approver typed. The author never approves.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, and_, exists, not_, select

from server.announcements.approval.hashing import hash_content
from server.announcements.audience.forecast import require_plan
from server.announcements.audience.freezing import (
    FREEZE_TASK,
    freeze_audience,
    freezes_at_once,
)
from server.announcements.audience.selecting import count_recipients
from server.announcements.compose.correcting import find_unchanged
from server.announcements.compose.drafts import (
    ContentRefused,
    check_draft,
    lock_announcement,
    read_draft,
    subject_of,
    void_approvals,
)
from server.announcements.compose.urgency import ignores_quiet_hours
from server.announcements.enums import AnnouncementState, Channel
from server.announcements.errors import (
    AlreadyApproved,
    AudienceMoved,
    ContentChanged,
    MassNeedsRegion,
    OwnAnnouncement,
)
from server.announcements.models import Announcement, AnnouncementApproval
from server.announcements.rules.schedule import CANCEL_WINDOW, has_moved, is_quiet, plan_start
from server.audit.service import record_change
from server.base.access import REGION, Organizer
from server.base.uow import UnitOfWork


def send_to_review(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Send a draft to review.

    Raises: NotFound (404), WrongAnnouncementState, SplitNeeded, NoGroundForTemplate (409),
    ContentRefused.
    Locks: the announcement.
    """
    row = lock_announcement(uow, organizer, ref, AnnouncementState.DRAFT)
    faults = [*check_draft(read_draft(row)), *find_unchanged(uow, row)]
    if faults:
        raise ContentRefused(faults)
    row.counted = require_plan(uow, organizer, row).people
    row.content_hash = hash_content(row)
    row.approvals_needed = approvals_for(uow, row.counted)
    row.state, row.changed_at, row.remark = AnnouncementState.REVIEW, uow.now, None
    record_change(
        uow,
        organizer,
        "announcements.send_announcement",
        subject_of(row),
        before={"state": AnnouncementState.DRAFT.value},
        after={
            "state": row.state.value,
            "counted": row.counted,
            "content_hash": row.content_hash,
        },
    )


def approve_announcement(
    uow: UnitOfWork, organizer: Organizer, ref: str, content_hash: str, counted: int
) -> bool:
    """Approve what the organizer has seen; True when it was the last approval needed.

    `content_hash` and `counted` are those of the page that the organizer confirmed. The last
    approval sets the start and freezes the recipients in this transaction, a large audience in the
    background (`preparing.py`).
    Raises: NotFound (404), WrongAnnouncementState, OwnAnnouncement, AlreadyApproved,
    ContentChanged, MassNeedsRegion, AudienceMoved (409).
    Locks: the announcement.
    """
    row = lock_announcement(uow, organizer, ref, AnnouncementState.REVIEW)
    _refuse_approver(uow, organizer, row)
    if hash_content(row) != content_hash:
        raise ContentChanged(ref=ref)
    now_counted = count_recipients(uow, row)
    if has_moved(counted, now_counted):
        raise AudienceMoved(counted=counted, now=now_counted)
    given = _add_approval(uow, organizer, row, counted)
    row.approvals_needed = max(row.approvals_needed, approvals_for(uow, now_counted))
    last = len(given) >= row.approvals_needed
    if last and freezes_at_once(uow, row, now_counted):
        require_plan(uow, organizer, row)
        _schedule(uow, row, [one.counted for one in given])
    elif last:
        _begin_freezing(uow, row, counted)
    after = {
        "state": row.state.value,
        "counted": counted,
        "content_hash": content_hash,
        "starts_at": "" if row.starts_at is None else row.starts_at.isoformat(),
    }
    record_change(
        uow, organizer, "announcements.approve_announcement", subject_of(row),
        before={"state": AnnouncementState.REVIEW.value}, after=after,
    )  # fmt: skip
    return last


def _add_approval(
    uow: UnitOfWork, organizer: Organizer, row: Announcement, counted: int
) -> list[AnnouncementApproval]:
    """Add the approval of the content as it is; return all approvals of the announcement."""
    uow.session.add(
        AnnouncementApproval(
            announcement_id=row.id,
            organizer_id=organizer.id,
            content_hash=hash_content(row),
            counted=counted,
            approved_at=uow.now,
        )
    )
    uow.session.flush()
    return given_approvals(uow, row)


def return_announcement(uow: UnitOfWork, organizer: Organizer, ref: str, remark: str) -> None:
    """Return an announcement to its author with a remark; approvals are deleted.

    Raises: NotFound (404), WrongAnnouncementState (409).
    Locks: the announcement.
    """
    row = lock_announcement(uow, organizer, ref, AnnouncementState.REVIEW)
    void_approvals(uow, row)
    row.remark = remark
    record_change(
        uow,
        organizer,
        "announcements.return_announcement",
        subject_of(row),
        before={"state": AnnouncementState.REVIEW.value},
        after={"state": row.state.value},
        reason=remark,
    )


def approvals_for(uow: UnitOfWork, counted: int) -> int:
    """The number of approvals that a number of recipients needs."""
    return 2 if counted > uow.settings.announcements.two_approvers_above else 1


def planned_start(uow: UnitOfWork, row: Announcement) -> datetime:
    """The start of an announcement if its last approval came now."""
    return plan_start(row.send_at, uow.now, partial(ignores_quiet_hours, uow, row))


def moves_start(uow: UnitOfWork, row: Announcement) -> bool:
    """Whether quiet hours put the start off, if the last approval came now."""
    return is_quiet(max(row.send_at or uow.now, uow.now + CANCEL_WINDOW)) and not is_quiet(
        planned_start(uow, row)
    )


def approvers_of(uow: UnitOfWork, row: Announcement) -> list[int]:
    """Row ids of the organizers whose approval is there, in order."""
    return [one.organizer_id for one in given_approvals(uow, row)]


def given_approvals(uow: UnitOfWork, row: Announcement) -> list[AnnouncementApproval]:
    """The approvals of an announcement, in their order."""
    mine = select(AnnouncementApproval).where(AnnouncementApproval.announcement_id == row.id)
    return list(uow.session.scalars(mine.order_by(AnnouncementApproval.id)))


def waits_for(organizer: Organizer) -> ColumnElement[bool]:
    """Announcements in review that this organizer may approve."""
    own = and_(Announcement.writer_id.is_not(None), Announcement.writer_id == organizer.id)
    approved = exists().where(
        AnnouncementApproval.announcement_id == Announcement.id,
        AnnouncementApproval.organizer_id == organizer.id,
    )
    return and_(Announcement.state == AnnouncementState.REVIEW, not_(own), not_(approved))


def may_approve(uow: UnitOfWork, organizer: Organizer, row: Announcement) -> bool:
    """Whether this organizer's approval of an announcement in review is still missing."""
    try:
        _refuse_approver(uow, organizer, row)
    except (OwnAnnouncement, AlreadyApproved, MassNeedsRegion):
        return False
    return True


def _refuse_approver(uow: UnitOfWork, organizer: Organizer, row: Announcement) -> None:
    if row.writer_id == organizer.id:
        raise OwnAnnouncement(ref=row.ref)
    if Channel.MASS.value in row.ladder and organizer.scope != REGION:
        raise MassNeedsRegion(ref=row.ref)
    if organizer.id in approvers_of(uow, row):
        raise AlreadyApproved(ref=row.ref)


def _begin_freezing(uow: UnitOfWork, row: Announcement, counted: int) -> None:
    """Let the recipients be frozen in the background, which checks the count and the plan."""
    row.state, row.approved_at, row.changed_at = AnnouncementState.FREEZING, uow.now, uow.now
    row.starts_at, row.remark = planned_start(uow, row), None
    row.counted, row.content_hash = counted, hash_content(row)
    uow.session.flush()
    uow.enqueue_after_commit(FREEZE_TASK, row.ref)


def _schedule(uow: UnitOfWork, row: Announcement, counts: list[int]) -> None:
    """Freeze the recipients and set the start.

    Raises: AudienceMoved (409), which undoes the approval too.
    """
    row.state, row.approved_at, row.changed_at = AnnouncementState.SCHEDULED, uow.now, uow.now
    row.starts_at, row.remark = planned_start(uow, row), None
    frozen = freeze_audience(uow, row)
    for counted in counts:
        if has_moved(counted, frozen):
            raise AudienceMoved(counted=counted, now=frozen)
    row.counted, row.content_hash = counts[-1], hash_content(row)
    uow.session.flush()
