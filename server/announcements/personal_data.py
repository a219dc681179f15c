"""Tables of this slice with personal data."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import aliased

from server.announcements.enums import RecipientState
from server.announcements.models import Recipient, SendTry
from server.announcements.receipts.retention import RECEIPTS
from server.base.outbox_rows import idle_values
from server.base.personal_data import Erase, Personal
from server.base.uow import UnitOfWork

_ERASED = "erased"


def end_recipients(uow: UnitOfWork, citizen_id: int) -> None:
    """Refuse the waiting rows of a citizen; the ledger keeps anonymous rows for its sums."""
    mine = update(Recipient).where(Recipient.citizen_id == citizen_id)
    mine = mine.execution_options(synchronize_session=False)
    uow.session.execute(
        mine.where(Recipient.state == RecipientState.QUEUED).values(
            **idle_values(), state=RecipientState.REFUSED, reason=_ERASED, settled_at=uow.now
        )
    )
    uow.session.execute(mine.values(opened_at=None))


def merge_recipients(uow: UnitOfWork, keep: int, gone: int) -> None:
    """Move the rows of `gone` to `keep`; of two rows of one announcement a waiting one is dropped.

    Otherwise the person could be reached twice. When neither waits, the row of `keep` stays.
    Locks: nothing; both citizens are held.
    """
    mine, other = aliased(Recipient), aliased(Recipient)
    pairs = uow.session.execute(
        select(mine.id, other.id, mine.state, other.state)
        .join(other, other.announcement_id == mine.announcement_id)
        .where(mine.citizen_id == keep, other.citizen_id == gone)
        .with_for_update()
    ).all()
    dropped = [
        kept_id
        if kept_state is RecipientState.QUEUED and gone_state is not RecipientState.QUEUED
        else gone_id
        for kept_id, gone_id, kept_state, gone_state in pairs
    ]
    if dropped:
        uow.session.execute(delete(SendTry).where(SendTry.recipient_id.in_(dropped)))
        uow.session.execute(delete(Recipient).where(Recipient.id.in_(dropped)))
    uow.session.execute(
        update(Recipient)
        .where(Recipient.citizen_id == gone)
        .values(citizen_id=keep)
        .execution_options(synchronize_session=False)
    )


PERSONAL = (
    RECEIPTS,
    Personal(
        SendTry,
        "recipient_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="the calls of an anonymous row of the ledger",
        untold_because="the calls behind a row of the ledger, whose result is told",
    ),
    Personal(
        Recipient,
        "citizen_id",
        erase=end_recipients,
        merge=merge_recipients,
        export={
            "announcements": ("state", "channel", "reason", "receipt", "settled_at", "opened_at")
        },
    ),
)
