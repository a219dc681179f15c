"""Finds the call of a receipt when the message id of the call is not known.

The answer of a call in doubt was lost; the answer to a subscription notice of the official account
never has an id. A receipt with an unknown id belongs to such a call of the same citizen,
channel and template, when there is exactly one and no other answer can still arrive.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select

from server.announcements.enums import Channel, RecipientState, TryState
from server.announcements.models import Announcement, Recipient, SendReceipt, SendTry
from server.announcements.receipts.sends import CHANNELS, DOUBTFUL, Send, sends_of_tries
from server.base.templates import all_templates
from server.base.uow import UnitOfWork

# The longest time between a call and its receipt for an adoption.
WINDOW = timedelta(hours=1)
# Until then an answer that is under way brings the message id, and the receipt needs no guess.
ANSWERED_WITHIN = timedelta(minutes=2)
_LOST = (TryState.IN_DOUBT, TryState.UNKNOWN)


def adopt_sends(uow: UnitOfWork, receipts: Sequence[SendReceipt]) -> list[tuple[SendReceipt, Send]]:
    """The receipts among these that belong to a call without a message id, each with it.

    Locks: their recipients, in the order of their ids.
    """
    old = [
        one
        for one in receipts
        if one.citizen_id is not None and one.received_at <= uow.now - ANSWERED_WITHIN
    ]
    chosen = _choose_tries(old, _tries_of(uow, old)) if old else {}
    sends = {one.attempt.id: one for one in sends_of_tries(uow, chosen.keys())}
    return [
        (receipt, sends[try_id])
        for try_id, receipt in chosen.items()
        if try_id in sends and _still_without_id(sends[try_id])
    ]


class _Call(NamedTuple):
    """A call, and WeChat's id of its template; None for a channel without, or one unknown today."""

    attempt: SendTry
    template_id: str | None


def _tries_of(uow: UnitOfWork, receipts: Sequence[SendReceipt]) -> dict[int, list[_Call]]:
    """The calls of these citizens, by citizen, without a message id or without an answer yet."""
    earliest = min(one.received_at for one in receipts) - WINDOW
    rows = uow.session.execute(
        select(Recipient.citizen_id, SendTry, Announcement.contents)
        .join(Recipient, Recipient.id == SendTry.recipient_id)
        .join(Announcement, Announcement.id == Recipient.announcement_id)
        .where(
            Recipient.citizen_id.in_({one.citizen_id for one in receipts}),
            SendTry.message_id.is_(None),
            SendTry.state.in_((*_LOST, TryState.ACCEPTED, TryState.CLAIMED)),
            SendTry.made_at >= earliest,
        )
    )
    ids = {one.slug: one.id for one in all_templates()}
    found: dict[int, list[_Call]] = defaultdict(list)
    for citizen_id, attempt, contents in rows:
        content = contents.get(attempt.channel.value) or {}
        found[citizen_id].append(_Call(attempt, ids.get(content.get("template", ""))))
    return found


def _choose_tries(
    receipts: Sequence[SendReceipt], tries: dict[int, list[_Call]]
) -> dict[int, SendReceipt]:
    """For each receipt the only call that it can belong to; of two receipts the earlier one."""
    chosen: dict[int, SendReceipt] = {}
    for receipt in sorted(receipts, key=lambda one: (one.received_at, one.id)):
        possible = [
            attempt
            for attempt, template_id in tries.get(receipt.citizen_id or 0, ())
            if attempt.channel is CHANNELS[receipt.kind]
            and (template_id is None or receipt.template_id in (None, template_id))
            and attempt.made_at <= receipt.received_at <= attempt.made_at + WINDOW
            and attempt.id not in chosen
        ]
        if len(possible) == 1 and _lacks_id(possible[0]):
            chosen[possible[0].id] = receipt
    return chosen


def _lacks_id(attempt: SendTry) -> bool:
    """Whether the call is over and has no message id. Source: bizsend answers without one."""
    notice = attempt.channel is Channel.OFFICIAL_SUBSCRIPTION
    return attempt.state in _LOST or (notice and attempt.state is TryState.ACCEPTED)


def _still_without_id(send: Send) -> bool:
    """Whether nothing else has settled the recipient, or found the id, before the lock."""
    state: RecipientState = send.recipient.state
    settled = state is RecipientState.SENT and send.attempt.state is TryState.ACCEPTED
    return (settled or state in DOUBTFUL) and send.attempt.message_id is None
