"""The locks of a batch: its announcements, shared, then its citizens, then its rows.

Pausing and cancelling change the announcement, so they wait for the claims that run, and no claim
is committed after them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from server.accounts import service as accounts
from server.announcements.models import Announcement
from server.base.outbox_rows import Done, Outcome, Owners
from server.base.sql.many import is_any
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork

_announcement = table_of(Announcement)
# The columns of a recipient that name what is locked before it.
OWNERS = ("announcement_id", "citizen_id")


def lock_owners(uow: UnitOfWork, owners: Owners, outcomes: Sequence[Outcome]) -> None:
    """Lock the announcements and citizens of recipients.

    A message that was accepted changes nothing of its citizen, so that a batch of these holds the
    announcements only. An erased citizen is not locked: a call of before is still settled.
    Raises: Unavailable (503) when a citizen is merged at this moment.
    """
    lock_announcements(uow, {announcement_id for announcement_id, _ in owners})
    if not outcomes or not all(isinstance(one, Done) for one in outcomes):
        accounts.lock_citizens(uow, {citizen_id for _, citizen_id in owners})


def lock_announcements(uow: UnitOfWork, announcement_ids: set[int]) -> None:
    """Keep announcements from being paused or cancelled; many senders hold this at once."""
    held = select(_announcement.c.id).where(is_any(_announcement.c.id, announcement_ids))
    uow.session.execute(held.order_by(_announcement.c.id).with_for_update(read=True)).all()
