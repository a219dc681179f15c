"""Applies stored receipts to the ledger: each finds its send, or waits for it.

A receipt may come before the answer of its call, days later, or for a message of another system.
It moves a recipient forward only: a sent one is delivered or refused, an unknown one becomes known.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select

from server.accounts import service as accounts
from server.announcements.enums import ReceiptKind, ReceiptWord, RecipientState, TryState
from server.announcements.models import Recipient, SendReceipt
from server.announcements.receipts.adopting import adopt_sends
from server.announcements.receipts.mass import (
    apply_mass_receipts,
    changes_rows,
    citizens_of_batches,
)
from server.announcements.receipts.refusing import Changed, tell_changes
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
    """The number of receipts that found their send, and whether more are due."""

    matched: int
    more: bool


class _Due(NamedTuple):
    """Locked receipts, the citizens that are held for them, and whether more are due."""

    receipts: list[SendReceipt]
    held: set[int]
    more: bool


def apply_due(uow: UnitOfWork, limit: int = BATCH) -> Applied:
    """Apply a batch of due receipts, the oldest first.

    Locks: the citizens whose result may change, shared; the receipts, skipping those of another
    worker; then mass batches and recipients in the order of their ids.
    """
    receipts, held, more = _lock_due(uow, limit)
    matched, changes = apply_mass_receipts(
        uow, [one for one in receipts if one.kind is ReceiptKind.MASS]
    )
    sends = _apply_to_sends(uow, [one for one in receipts if one.kind in CHANNELS])
    matched |= sends[0]
    tell_changes(uow, [*changes, *sends[1]], held)
    for one in receipts:
        if one.id in matched:
            one.applied_at, one.due_at = uow.now, None
        else:
            one.due_at = next_look(one.received_at, uow.now)
    uow.session.flush()
    return Applied(len(matched), more)


def _lock_due(uow: UnitOfWork, limit: int) -> _Due:
    """Lock due receipts, after the citizens whose result may change, as an erasure does."""
    found = uow.session.scalars(
        select(SendReceipt)
        .where(SendReceipt.due_at <= uow.now)
        .order_by(SendReceipt.due_at, SendReceipt.id)
        .limit(limit)
    ).all()
    # A statement can name the recipients of one mass message, but not those of several.
    masses = [one for one in found if one.kind is ReceiptKind.MASS and changes_rows(one)]
    due = [one for one in found if one not in masses[1:]]
    changing = _citizens_of(uow, due) | citizens_of_batches(uow, masses[:1])
    held = set(accounts.lock_recipients(uow, changing).values()) if changing else set()
    receipts = uow.session.scalars(
        select(SendReceipt)
        .where(SendReceipt.id.in_([row.id for row in due]), SendReceipt.due_at <= uow.now)
        .order_by(SendReceipt.due_at, SendReceipt.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return _Due(list(receipts), held, len(found) == limit or len(masses) > 1)


def _citizens_of(uow: UnitOfWork, due: Sequence[SendReceipt]) -> set[int]:
    """The citizens of failed messages, and of delivered ones who may have a call in doubt."""
    told = {one.citizen_id: one.word for one in due if one.citizen_id is not None}
    delivered = {who for who, word in told.items() if word is ReceiptWord.DELIVERED}
    failed = {who for who, word in told.items() if word not in (None, ReceiptWord.DELIVERED)}
    doubtful = select(Recipient.citizen_id).where(
        Recipient.citizen_id.in_(delivered), Recipient.state.in_(DOUBTFUL)
    )
    return failed | (set(uow.session.scalars(doubtful)) if delivered else set())


def next_look(received_at: datetime, now: datetime) -> datetime | None:
    """The instant at which the send of an unmatched receipt is looked for again."""
    age = now - received_at
    return next((now + rest for until, rest in _LOOKED_FOR if age < until), None)


def _apply_to_sends(
    uow: UnitOfWork, receipts: Sequence[SendReceipt]
) -> tuple[set[int], list[Changed]]:
    """Apply receipts to single sends; return the ids of those that found theirs, and changes."""
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
    changes = [apply_receipt(uow, send, receipt) for receipt, send in pairs]
    return {receipt.id for receipt, _ in pairs}, [one for one in changes if one is not None]


def apply_receipt(uow: UnitOfWork, send: Send, receipt: SendReceipt) -> Changed | None:
    """Move a recipient forward; return the change of the result, if there is one.

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
    doubted = row.state in DOUBTFUL
    _note_result(uow, send, receipt, word)
    if word is ReceiptWord.DELIVERED and not doubted:
        return None
    return Changed(row.announcement_id, row.citizen_id, row.reason)


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
