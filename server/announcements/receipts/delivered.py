"""Applies the receipts of delivered messages by a few statements, however many there are.

Most receipts of a storm say that a sent message was delivered: nothing but the ledger changes. They
are applied without loading their rows, so that other writers wait only shortly; every other receipt
is applied one by one.
"""

from __future__ import annotations

from sqlalchemy import and_, or_, select, update

from server.announcements.enums import ReceiptWord, RecipientState
from server.announcements.models import Recipient, SendReceipt, SendTry
from server.announcements.receipts.sends import CHANNELS
from server.base.uow import UnitOfWork

_NO_SYNC = {"synchronize_session": False}
_OF_KIND = or_(
    *(and_(SendReceipt.kind == kind, SendTry.channel == one) for kind, one in CHANNELS.items())
)


def apply_delivered(uow: UnitOfWork, limit: int) -> int:
    """Mark the recipients of delivered messages, and their receipts as applied; return how many.

    Only for messages whose recipient is sent by the same channel and has no receipt yet.
    Locks: the receipts and the recipients, skipping those of others. Citizens are not locked, so
    that it needs a transaction of its own.
    """
    found = uow.session.execute(
        select(SendReceipt.id, Recipient.id.label("recipient_id"))
        .join(SendTry, and_(SendTry.message_id == SendReceipt.message_id, _OF_KIND))
        .join(Recipient, Recipient.id == SendTry.recipient_id)
        .where(
            SendReceipt.due_at <= uow.now,
            SendReceipt.word == ReceiptWord.DELIVERED,
            or_(SendReceipt.citizen_id.is_(None), SendReceipt.citizen_id == Recipient.citizen_id),
            Recipient.channel == SendTry.channel,
            Recipient.state == RecipientState.SENT,
            Recipient.receipt.is_(None),
        )
        .order_by(SendReceipt.due_at, SendReceipt.id)
        .limit(limit)
        .with_for_update(of=(SendReceipt, Recipient), skip_locked=True)
    ).all()
    if not found:
        return 0
    uow.session.execute(
        update(Recipient)
        .where(Recipient.id.in_([row.recipient_id for row in found]))
        .values(receipt=ReceiptWord.DELIVERED)
        .execution_options(**_NO_SYNC)
    )
    uow.session.execute(
        update(SendReceipt)
        .where(SendReceipt.id.in_([row.id for row in found]))
        .values(applied_at=uow.now, due_at=None)
        .execution_options(**_NO_SYNC)
    )
    return len(found)
