"""Applies the receipts of mass messages: counts for the batch, one result for all its rows."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import select, update

from server.announcements.enums import ReceiptWord, RecipientState, TryState
from server.announcements.models import MassBatch, Recipient, SendReceipt, SendTry
from server.announcements.receipts.refusing import Changed
from server.announcements.receipts.sends import DOUBTFUL
from server.announcements.receipts.words import MASS_REFUSED
from server.base.outbox_rows import OutboxState, idle_values
from server.base.uow import UnitOfWork

_log = logging.getLogger(__name__)
_STATUS_LENGTH = 40


def changes_rows(receipt: SendReceipt) -> bool:
    """Whether a receipt says whether the message was sent."""
    return receipt.word is not None


def citizens_of_batches(uow: UnitOfWork, receipts: Sequence[SendReceipt]) -> set[int]:
    """The citizens whose result these receipts change."""
    found: set[int] = set()
    for receipt in receipts:
        asked = (
            select(Recipient.citizen_id)
            .join(SendTry, SendTry.recipient_id == Recipient.id)
            .join(MassBatch, MassBatch.id == SendTry.mass_batch_id)
            .where(
                MassBatch.message_id == receipt.message_id,
                MassBatch.status.is_(None),
                Recipient.state.in_(_changed_states(receipt)),
            )
        )
        found |= set(uow.session.scalars(asked))
    return found


def apply_mass_receipts(
    uow: UnitOfWork, receipts: Sequence[SendReceipt]
) -> tuple[set[int], list[Changed]]:
    """Apply receipts to their batches; return the ids of those that found theirs, and changes.

    WeChat counts a mass message as a whole: when it was sent, nobody knows who the few were that it
    was not delivered to. When it was refused, it reached nobody.
    Locks: the batches in the order of their ids, then their recipients in the order of theirs.
    """
    by_message = {one.message_id: one for one in receipts}
    if not by_message:
        return set(), []
    batches = uow.session.scalars(
        select(MassBatch)
        .where(MassBatch.message_id.in_(by_message))
        .order_by(MassBatch.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    matched: set[int] = set()
    changes: list[Changed] = []
    for batch in batches:
        receipt = by_message[batch.message_id or ""]
        matched.add(receipt.id)
        changes += _apply_to_batch(uow, batch, receipt)
    return matched, changes


def _apply_to_batch(uow: UnitOfWork, batch: MassBatch, receipt: SendReceipt) -> list[Changed]:
    if batch.status is not None:
        return []
    counts = receipt.counts or {}
    batch.status = receipt.status[:_STATUS_LENGTH]
    batch.total_count, batch.filter_count = counts.get("total"), counts.get("filtered")
    batch.sent_count, batch.error_count = counts.get("sent"), counts.get("error")
    if not changes_rows(receipt):
        return []
    _log.info("receipt of a mass message", extra={"outcome": batch.status})
    reason = MASS_REFUSED if receipt.word is ReceiptWord.FAILED else None
    return _settle_rows(uow, batch, _changed_states(receipt), reason)


def _changed_states(receipt: SendReceipt) -> tuple[RecipientState, ...]:
    """The states of recipients that a receipt of their batch changes."""
    failed = receipt.word is ReceiptWord.FAILED
    return (RecipientState.SENT, *DOUBTFUL) if failed else DOUBTFUL


def _settle_rows(
    uow: UnitOfWork, batch: MassBatch, states: Sequence[RecipientState], reason: str | None
) -> list[Changed]:
    """Give all rows of a batch that are in these states its result; return them."""
    in_batch = select(SendTry.recipient_id).where(SendTry.mass_batch_id == batch.id)
    locked = (
        select(Recipient.id, Recipient.citizen_id)
        .where(Recipient.id.in_(in_batch), Recipient.state.in_(states))
        .order_by(Recipient.id)
        .with_for_update()
    )
    rows = uow.session.execute(locked).all()
    ids = [row.id for row in rows]
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
    return [Changed(batch.announcement_id, row.citizen_id, reason) for row in rows]
