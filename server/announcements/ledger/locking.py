"""The locks of a batch: its announcements, shared, then its citizens, then its rows.

Pausing and cancelling change the announcement, so they wait for the claims that run, and no claim
is committed after them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from server.accounts import service as accounts
from server.announcements.models import Announcement, Recipient
from server.base.uow import UnitOfWork


def lock_owners(uow: UnitOfWork, row_ids: Sequence[int]) -> set[int]:
    """Lock the announcements and citizens of recipients; return the ids that may be processed.

    Rows of erased citizens are among them: a call of before is still settled. A row that was given
    to another citizen by a merge meanwhile is left to the next run.
    Raises: Unavailable (503) when a citizen is merged at this moment.
    """
    before = _read_owners(uow, row_ids)
    announcement_ids = {announcement_id for announcement_id, _ in before.values()}
    lock_announcements(uow, announcement_ids)
    citizen_ids = {citizen_id for _, citizen_id in before.values()}
    accounts.lock_citizens(uow, citizen_ids)
    now = _read_owners(uow, row_ids)
    return {row_id for row_id, owners in now.items() if owners == before.get(row_id)}


def lock_announcements(uow: UnitOfWork, announcement_ids: set[int]) -> None:
    """Keep announcements from being paused or cancelled; many senders hold this at once."""
    uow.session.scalars(
        select(Announcement)
        .where(Announcement.id.in_(announcement_ids))
        .order_by(Announcement.id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    ).all()


def _read_owners(uow: UnitOfWork, row_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    rows = uow.session.execute(
        select(Recipient.id, Recipient.announcement_id, Recipient.citizen_id).where(
            Recipient.id.in_(row_ids)
        )
    )
    return {row.id: (row.announcement_id, row.citizen_id) for row in rows}
