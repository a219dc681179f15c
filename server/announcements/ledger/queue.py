"""The queue of recipients: leased in ranges of their ids, claimed and settled in batches."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, select, text

from server.announcements.enums import AnnouncementState
from server.announcements.ledger.claiming import prepare_recipients
from server.announcements.ledger.locking import lock_owners
from server.announcements.ledger.settling import settle_recipients
from server.announcements.models import Announcement, Recipient
from server.base.outbox import lease_due, lease_range
from server.base.outbox_rows import Backoff, Claim, Queue
from server.base.uow import UnitOfWork

TASK = "announcements.send"
# Spelled out, because a parameter would not match the condition of the index.
_IN_DOUBT: ColumnElement[bool] = text("announcement_recipient.state = 'in_doubt'")  # type: ignore[assignment]

QUEUE = Queue(
    name="announcements",
    task=TASK,
    table=Recipient,
    lock_many=lock_owners,
    prepare_many=prepare_recipients,
    settle_many=settle_recipients,
    lease=timedelta(seconds=30),
    backoff=Backoff(first=timedelta(seconds=2), most=timedelta(seconds=300)),
)


def lease_batch(uow: UnitOfWork, announcement_id: int, limit: int) -> list[Claim]:
    """Lease due recipients of one announcement: calls in doubt, the next range of ids, the rest.

    Nothing for an announcement that is not being sent.
    Locks: the announcement, then the rows, skipping those locked by others.
    """
    row = uow.session.scalar(
        select(Announcement)
        .where(Announcement.id == announcement_id, Announcement.state == AnnouncementState.SENDING)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        return []
    mine = Recipient.announcement_id == announcement_id
    doubtful = lease_range(uow, QUEUE, limit, mine, _IN_DOUBT)
    if doubtful:
        return doubtful
    if row.next_row is not None:
        leased = lease_range(uow, QUEUE, limit, mine, Recipient.id >= row.next_row)
        row.next_row = leased[-1].row_id + 1 if len(leased) == limit else None
        if leased:
            return leased
    return lease_due(uow, QUEUE, limit, mine)
