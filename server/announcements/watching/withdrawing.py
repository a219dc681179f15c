"""Withdrawing an announcement: recipients read the reason, the mass article is deleted at WeChat.

A message that was pushed stays on the phone; its page and its inbox copy show the reason.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import select, update

from server.announcements.enums import OVER
from server.announcements.errors import WrongAnnouncementState
from server.announcements.models import Announcement, MassBatch
from server.announcements.watching.desk import read_own
from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.jobs import TaskContext
from server.base.ownership import scope_of, writable_by
from server.base.uow import UnitOfWork
from server.notices import service as notices
from server.wechat.errors import WeChatError

_log = logging.getLogger(__name__)
SUBJECT = "announcement"
TASK = "announcements.delete_mass"
# A deletion that WeChat refuses is repeated for this long; the article may be gone already.
_REPEATED_FOR = timedelta(days=1)
_TOGETHER = 20


def withdraw_announcement(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """Withdraw an announcement that is over; citizens read the reason in their inbox.

    One that still sends is cancelled first, so that nobody gets it after the withdrawal.

    Raises: NotFound (404); WrongAnnouncementState (409) while it is not over, or when it was
    withdrawn before.
    Locks: the announcement.
    """
    found = writable_by(select(Announcement), organizer, Announcement)
    row = uow.session.scalar(found.where(Announcement.ref == ref).with_for_update())
    if row is None:
        read_own(uow, organizer, ref)
    if row is None or row.state not in OVER or row.withdrawn_at is not None:
        raise WrongAnnouncementState(ref=ref)
    row.withdrawn_at, row.remark = uow.now, reason
    if row.letter_id is not None:
        notices.withdraw_shared_letter(uow, row.letter_id, reason)
    uow.session.flush()
    record_change(
        uow,
        organizer,
        "announcements.withdraw_announcement",
        Subject(SUBJECT, row.ref, scope_of(row)),
        before={"withdrawn_at": ""},
        after={"withdrawn_at": uow.now.isoformat()},
        reason=reason,
    )
    uow.enqueue_after_commit(TASK, row.ref)


def delete_mass_articles(context: TaskContext, *_keys: str) -> int:
    """Delete the articles of withdrawn mass messages at WeChat; return how many.

    A repeated deletion changes nothing at WeChat, so that no claim is needed.
    """
    with context.uow_factory.begin(read_only=True) as uow:
        rows = uow.session.execute(
            select(MassBatch.id, MassBatch.message_id)
            .join(Announcement, Announcement.id == MassBatch.announcement_id)
            .where(
                Announcement.withdrawn_at > uow.now - _REPEATED_FOR,
                MassBatch.message_id.is_not(None),
                MassBatch.deleted_at.is_(None),
            )
            .order_by(MassBatch.id)
            .limit(_TOGETHER)
        ).all()
    return sum(_delete_article(context, row.id, row.message_id) for row in rows)


def _delete_article(context: TaskContext, batch_id: int, message_id: str) -> int:
    try:
        context.gateway.delete_mass(message_id)
    except WeChatError as trouble:
        _log.warning("mass article not deleted", extra={"outcome": trouble.kind})
        return 0
    with context.uow_factory.begin() as uow:
        uow.session.execute(
            update(MassBatch)
            .where(MassBatch.id == batch_id, MassBatch.deleted_at.is_(None))
            .values(deleted_at=uow.now)
            .execution_options(synchronize_session=False)
        )
    return 1
