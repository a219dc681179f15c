"""The queue of recipients: picked in ranges of their ids, claimed and settled in batches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, select, text

from server.announcements.enums import AnnouncementState
from server.announcements.ledger.claiming import prepare_recipients
from server.announcements.ledger.locking import OWNERS, lock_owners
from server.announcements.ledger.settling import settle_recipients
from server.announcements.models import Announcement, Recipient
from server.base.outbox_batches import pick_due, pick_oldest
from server.base.outbox_rows import Backoff, Queue
from server.base.uow import UnitOfWork

TASK = "announcements.send"
# Spelled out, because a parameter would not match the condition of the index.
_IN_DOUBT: ColumnElement[bool] = text("announcement_recipient.state = 'in_doubt'")  # type: ignore[assignment]

QUEUE = Queue(
    name="announcements",
    task=TASK,
    table=Recipient,
    owners=OWNERS,
    columns=("state", "reason"),
    lock_many=lock_owners,
    prepare_many=prepare_recipients,
    settle_many=settle_recipients,
    lease=timedelta(seconds=30),
    backoff=Backoff(first=timedelta(seconds=2), most=timedelta(seconds=300)),
)


def pick_batch(uow: UnitOfWork, announcement_id: int, limit: int) -> list[int]:
    """Ids of due recipients of one announcement: calls in doubt, the next range of ids, the rest.

    The next range is given to nobody else, so that workers do not wait for each other. What a
    killed worker left of its range is among the rest.
    Nothing for an announcement that is not being sent.
    Locks: the announcement.
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
    doubtful = pick_due(uow, QUEUE, limit, mine, _IN_DOUBT)
    if doubtful:
        return doubtful
    if row.next_row is None:
        return _pick_rest(uow, row, limit)
    picked = pick_due(uow, QUEUE, limit, mine, Recipient.id >= row.next_row)
    row.next_row = picked[-1] + 1 if len(picked) == limit else None
    return picked or _pick_rest(uow, row, limit)


def _pick_rest(uow: UnitOfWork, row: Announcement, limit: int) -> list[int]:
    """The recipients that are due for the longest time; many of them begin a new pass by ranges."""
    picked = sorted(pick_oldest(uow, QUEUE, limit, Recipient.announcement_id == row.id))
    if len(picked) == limit:
        row.next_row = picked[0]
    return picked


def put_back(uow: UnitOfWork, announcement_id: int, row_ids: Sequence[int]) -> None:
    """Let the next range begin with these recipients, which were picked and not claimed.

    Locks: the announcement.
    """
    row = uow.session.get_one(Announcement, announcement_id, with_for_update=True)
    if row.state in (AnnouncementState.SENDING, AnnouncementState.PAUSED):
        row.next_row = min(row.next_row or row_ids[0], row_ids[0])
