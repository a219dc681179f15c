"""Applies the receipts of mass messages: counts for the batch, one result for all its rows."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import select, update

from server.announcements.enums import ReceiptWord, RecipientState, TryState
from server.announcements.models import MassBatch, Recipient, SendReceipt, SendTry
from server.announcements.receipts.sends import DOUBTFUL
from server.announcements.receipts.words import MASS_REFUSED
from server.base.outbox_rows import OutboxState, idle_values
from server.base.uow import UnitOfWork

_log = logging.getLogger(__name__)
_STATUS_LENGTH = 40


def apply_mass_receipts(uow: UnitOfWork, receipts: Sequence[SendReceipt]) -> set[int]:
    """Apply receipts to their batches; return the ids of those that found theirs.

    WeChat counts a mass message as a whole: when it was sent, nobody knows who the few were that it
    was not delivered to. When it was refused, it reached nobody.
    Locks: the batches in the order of their ids, then their recipients in the order of theirs.
    """
    by_message = {one.message_id: one for one in receipts}
    if not by_message:
        return set()
    batches = uow.session.scalars(
        select(MassBatch)
        .where(MassBatch.message_id.in_(by_message))
        .order_by(MassBatch.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    matched = set()
    for batch in batches:
        receipt = by_message[batch.message_id or ""]
        matched.add(receipt.id)
        _apply_to_batch(uow, batch, receipt)
    return matched


def _apply_to_batch(uow: UnitOfWork, batch: MassBatch, receipt: SendReceipt) -> None:
    if batch.status is not None:
        return
    counts = receipt.counts or {}
    batch.status = receipt.status[:_STATUS_LENGTH]
    batch.total_count, batch.filter_count = counts.get("total"), counts.get("filtered")
    batch.sent_count, batch.error_count = counts.get("sent"), counts.get("error")
    if receipt.word is None:
        return
    if receipt.word is ReceiptWord.FAILED:
        _settle_rows(uow, batch, (RecipientState.SENT, *DOUBTFUL), MASS_REFUSED)
    else:
        _settle_rows(uow, batch, DOUBTFUL, None)
    _log.info("receipt of a mass message", extra={"outcome": batch.status})


def _settle_rows(
    uow: UnitOfWork, batch: MassBatch, states: Sequence[RecipientState], reason: str | None
) -> None:
    """Give all rows of a batch that are in these states its result."""
    in_batch = select(SendTry.recipient_id).where(SendTry.mass_batch_id == batch.id)
    locked = (
        select(Recipient.id)
        .where(Recipient.id.in_(in_batch), Recipient.state.in_(states))
        .order_by(Recipient.id)
        .with_for_update()
    )
    ids = list(uow.session.scalars(locked))
    no_sync = {"synchronize_session": False}
    uow.session.execute(
        update(SendTry)
        .where(SendTry.mass_batch_id == batch.id, SendTry.recipient_id.in_(ids))
        .values(
            state=TryState.ACCEPTED if reason is None else TryState.REFUSED,
            reason=reason,
            settled_at=uow.now,
        )
        .execution_options(**no_sync)
    )
    uow.session.execute(
        update(Recipient)
        .where(Recipient.id.in_(ids))
        .values(
            **idle_values(OutboxState.DONE),
            state=RecipientState.SENT if reason is None else RecipientState.REFUSED,
            reason=reason,
            settled_at=uow.now,
        )
        .execution_options(**no_sync)
    )
