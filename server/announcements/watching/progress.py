"""The progress of an announcement, counted from its ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select

from server.announcements.enums import Channel, ReceiptWord, RecipientState
from server.announcements.models import MassBatch, Recipient, SendTry
from server.base.outbox_rows import HELD
from server.base.uow import UnitOfWork

# The rate is measured over this time.
_MEASURED = timedelta(minutes=1)
_LEFT = (RecipientState.QUEUED, RecipientState.CLAIMED, RecipientState.IN_DOUBT)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The counts of one announcement; the states add up to its frozen audience.

    Units: `per_minute` recipients settled in the last minute; `ends_at` is an estimate, None while
    nothing is settled. `delivered` are those of `sent` that WeChat has confirmed. `last_due_at` is
    when the last waiting recipient's turn begins. `held` ones wait for an operator after a restore.
    """

    states: Mapping[RecipientState, int]
    refused: Sequence[tuple[str, int]]
    sent_by: Sequence[tuple[Channel, int]]
    delivered: int
    opened: int
    opened_in_inbox: int
    per_minute: int
    held: int
    last_due_at: datetime | None
    ends_at: datetime | None

    @property
    def audience(self) -> int:
        """All recipients."""
        return sum(self.states.values())

    @property
    def left(self) -> int:
        """Recipients who wait, or whose call has no final result yet."""
        return sum(self.states.get(one, 0) for one in _LEFT)

    def count(self, state: RecipientState) -> int:
        """The recipients in a state."""
        return self.states.get(state, 0)


@dataclass(frozen=True, kw_only=True)
class MassCounts:
    """WeChat's counts of the mass messages of an announcement; None before the receipts."""

    sent: int | None
    error: int | None


def _group_recipients(uow: UnitOfWork, announcement_id: int) -> Sequence[Any]:
    """The ledger of an announcement by state, channel, reason and receipt, with its counts."""
    lately = case((Recipient.settled_at > uow.now - _MEASURED, 1), else_=0)
    due = case((Recipient.state == RecipientState.QUEUED, Recipient.outbox_due_at))
    return uow.session.execute(
        select(
            Recipient.state,
            Recipient.channel,
            Recipient.reason,
            Recipient.receipt,
            func.count().label("people"),
            func.count(Recipient.opened_at).label("opened"),
            func.sum(lately).label("lately"),
            func.max(due).label("last_due"),
            func.sum(case((Recipient.outbox_claim == HELD, 1), else_=0)).label("held"),
        )
        .where(Recipient.announcement_id == announcement_id)
        .group_by(Recipient.state, Recipient.channel, Recipient.reason, Recipient.receipt)
    ).all()


def _count_held_in_mass(uow: UnitOfWork, announcement_id: int) -> int:
    """The recipients of mass messages that are held."""
    held = (
        select(func.count())
        .select_from(MassBatch)
        .join(SendTry, SendTry.mass_batch_id == MassBatch.id)
        .where(MassBatch.announcement_id == announcement_id, MassBatch.outbox_claim == HELD)
    )
    return uow.session.scalar(held) or 0


def read_progress(uow: UnitOfWork, announcement_id: int) -> Progress:
    """Count the ledger of an announcement."""
    rows = _group_recipients(uow, announcement_id)
    states: Counter[RecipientState] = Counter()
    refused: Counter[str] = Counter()
    sent_by: Counter[Channel] = Counter()
    delivered = opened = opened_in_inbox = per_minute = 0
    for row in rows:
        states[row.state] += row.people
        per_minute += row.lately or 0
        if row.state is RecipientState.SENT:
            sent_by[row.channel or Channel.INBOX] += row.people
            delivered += row.people if row.receipt is ReceiptWord.DELIVERED else 0
            opened += row.opened
        else:
            opened_in_inbox += row.opened
        if row.state is RecipientState.REFUSED:
            refused[row.reason or ""] += row.people
    last_due = max((row.last_due for row in rows if row.last_due is not None), default=None)
    left = sum(states[one] for one in _LEFT)
    return Progress(
        states=states,
        refused=refused.most_common(),
        sent_by=sent_by.most_common(),
        delivered=delivered,
        opened=opened,
        opened_in_inbox=opened_in_inbox,
        per_minute=per_minute,
        held=sum(row.held for row in rows) + _count_held_in_mass(uow, announcement_id),
        last_due_at=last_due,
        ends_at=estimate_end(uow.now, left, per_minute, last_due),
    )


def estimate_end(
    now: datetime, left: int, per_minute: int, last_due_at: datetime | None
) -> datetime | None:
    """The instant at which the last recipient is settled at the present rate; None without a rate.

    Never before the last recipient's turn, where the audience is split over days.
    """
    if not left or not per_minute:
        return None
    at_this_rate = now + timedelta(minutes=left / per_minute)
    return at_this_rate if last_due_at is None else max(at_this_rate, last_due_at)


def read_mass_counts(uow: UnitOfWork, announcement_id: int) -> MassCounts | None:
    """The counts of WeChat's receipts; None for an announcement without mass messages."""
    row = uow.session.execute(
        select(func.count(), func.sum(MassBatch.sent_count), func.sum(MassBatch.error_count)).where(
            MassBatch.announcement_id == announcement_id
        )
    ).one()
    return MassCounts(sent=row[1], error=row[2]) if row[0] else None
