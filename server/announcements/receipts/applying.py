"""Applies stored receipts to the ledger: each finds its send, or waits for it.

A receipt may come before the answer of its call, days later, or for a message of another system.
It moves a recipient forward only: a sent one is delivered or refused, an unknown one becomes known.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select

from server.accounts import service as accounts
from server.announcements.enums import ReceiptKind, ReceiptWord, RecipientState, TryState
from server.announcements.models import Recipient, SendReceipt
from server.announcements.receipts.adopting import adopt_sends
from server.announcements.receipts.mass import apply_mass_receipts
from server.announcements.receipts.refusing import mark_copies
from server.announcements.receipts.sends import CHANNELS, DOUBTFUL, Send, is_about, sends_with_ids
from server.announcements.receipts.words import refusal_reason
from server.base.outbox_rows import OutboxState
from server.base.uow import UnitOfWork

_log = logging.getLogger(__name__)

BATCH = 500
# How often a send is looked for, by the age of its receipt: for longer than an hour, so that a
# receipt survives a worker that stands still. Then it is only kept.
_LOOKED_FOR = (
    (timedelta(minutes=1), timedelta(seconds=10)),
    (timedelta(minutes=10), timedelta(minutes=1)),
    (timedelta(hours=2), timedelta(minutes=5)),
)


class Applied(NamedTuple):
    """The number of receipts of a batch, and of those that found their send."""

    seen: int
    matched: int


def apply_due(uow: UnitOfWork, limit: int = BATCH) -> Applied:
    """Apply a batch of due receipts, the oldest first.

    Locks: the citizens of failed messages, shared; the receipts, skipping those of another worker;
    then recipients in the order of their ids.
    """
    receipts, held = _lock_due(uow, limit)
    matched = apply_mass_receipts(uow, [one for one in receipts if one.kind is ReceiptKind.MASS])
    matched |= _apply_to_sends(uow, [one for one in receipts if one.kind in CHANNELS], held)
    for one in receipts:
        if one.id in matched:
            one.applied_at, one.due_at = uow.now, None
        else:
            one.due_at = next_look(one.received_at, uow.now)
    uow.session.flush()
    return Applied(len(receipts), len(matched))


def _lock_due(uow: UnitOfWork, limit: int) -> tuple[list[SendReceipt], set[int]]:
    """Lock due receipts, after the citizens of failed messages, as an erasure does; return both."""
    due = uow.session.execute(
        select(SendReceipt.id, SendReceipt.citizen_id, SendReceipt.word)
        .where(SendReceipt.due_at <= uow.now)
        .order_by(SendReceipt.due_at, SendReceipt.id)
        .limit(limit)
    ).all()
    failed = {
        row.citizen_id
        for row in due
        if row.citizen_id is not None and row.word not in (None, ReceiptWord.DELIVERED)
    }
    held = set(accounts.lock_recipients(uow, failed).values()) if failed else set()
    receipts = uow.session.scalars(
        select(SendReceipt)
        .where(SendReceipt.id.in_([row.id for row in due]), SendReceipt.due_at <= uow.now)
        .order_by(SendReceipt.due_at, SendReceipt.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return list(receipts), held


def next_look(received_at: datetime, now: datetime) -> datetime | None:
    """The instant at which the send of an unmatched receipt is looked for again."""
    age = now - received_at
    return next((now + rest for until, rest in _LOOKED_FOR if age < until), None)


def _apply_to_sends(
    uow: UnitOfWork, receipts: Sequence[SendReceipt], held: Collection[int]
) -> set[int]:
    """Apply receipts to single sends; return the ids of those that found theirs.

    `held` are the citizens that are locked: their inbox copies are marked.
    """
    known = sends_with_ids(uow, {one.message_id for one in receipts})
    pairs: list[tuple[SendReceipt, Send]] = []
    unmatched: list[SendReceipt] = []
    for receipt in receipts:
        send = known.get((CHANNELS[receipt.kind], receipt.message_id))
        if send is not None and is_about(receipt, send):
            pairs.append((receipt, send))
        else:
            unmatched.append(receipt)
    pairs += adopt_sends(uow, unmatched)
    refused = [apply_receipt(uow, send, receipt) for receipt, send in pairs]
    mark_copies(uow, [row for row in refused if row is not None and row.citizen_id in held])
    return {receipt.id for receipt, _ in pairs}


def apply_receipt(uow: UnitOfWork, send: Send, receipt: SendReceipt) -> Recipient | None:
    """Move a recipient forward; return it when this receipt refused it.

    The first receipt of a recipient counts. One for a channel that the ladder has left, or with a
    word that we do not know, moves nothing.
    """
    row, word = send.recipient, receipt.word
    if word is None or row.channel is not send.attempt.channel:
        return None
    if row.receipt is not None:
        _log.warning(
            "a second receipt of one recipient; the first counts",
            extra={"path": receipt.kind.value, "outcome": receipt.status},
        )
        return None
    if row.state is not RecipientState.SENT and row.state not in DOUBTFUL:
        return None
    _note_result(uow, send, receipt, word)
    return None if word is ReceiptWord.DELIVERED else row


def _note_result(uow: UnitOfWork, send: Send, receipt: SendReceipt, word: ReceiptWord) -> None:
    row, attempt = send.recipient, send.attempt
    delivered = word is ReceiptWord.DELIVERED
    if row.state in DOUBTFUL:
        # The job is over: a repeat of the call that still waits is void.
        row.leave_outbox(OutboxState.DONE)
        row.settled_at = attempt.settled_at = uow.now
    attempt.message_id = attempt.message_id or receipt.message_id
    attempt.state = TryState.ACCEPTED if delivered else TryState.REFUSED
    row.state = RecipientState.SENT if delivered else RecipientState.REFUSED
    row.reason = attempt.reason = None if delivered else refusal_reason(word, receipt.status)
    row.receipt = word
