"""The calls that receipts are about, with their recipients."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Select, select

from server.announcements.enums import Channel, ReceiptKind, RecipientState
from server.announcements.models import Recipient, SendReceipt, SendTry
from server.base.uow import UnitOfWork

CHANNELS = {
    ReceiptKind.TEMPLATE: Channel.TEMPLATE,
    ReceiptKind.SUBSCRIPTION: Channel.MINI_SUBSCRIPTION,
    ReceiptKind.OFFICIAL_SUBSCRIPTION: Channel.OFFICIAL_SUBSCRIPTION,
}
# A recipient in one of these states may have been reached.
DOUBTFUL = (RecipientState.IN_DOUBT, RecipientState.UNKNOWN)


class Send(NamedTuple):
    """A call and the recipient it was made for."""

    attempt: SendTry
    recipient: Recipient


def sends_with_ids(
    uow: UnitOfWork, message_ids: Collection[str]
) -> dict[tuple[Channel, str], Send]:
    """The sends with these message ids, of the channels with a receipt for each person.

    Locks: their recipients, in the order of their ids.
    """
    if not message_ids:
        return {}
    sends = _lock_sends(
        uow,
        select_sends().where(
            SendTry.message_id.in_(message_ids), SendTry.channel.in_(CHANNELS.values())
        ),
    )
    return {(one.attempt.channel, one.attempt.message_id or ""): one for one in sends}


def sends_of_tries(uow: UnitOfWork, try_ids: Collection[int]) -> list[Send]:
    """The sends with these row ids. Locks: their recipients, in the order of their ids."""
    return _lock_sends(uow, select_sends().where(SendTry.id.in_(try_ids))) if try_ids else []


def select_sends() -> Select[SendTry, Recipient]:
    """Calls with their recipients."""
    return select(SendTry, Recipient).join(Recipient, Recipient.id == SendTry.recipient_id)


def is_about(receipt: SendReceipt, send: Send) -> bool:
    """Whether a receipt names the recipient's citizen, or nobody because of an erasure."""
    return receipt.citizen_id in (None, send.recipient.citizen_id)


def _lock_sends(uow: UnitOfWork, wanted: Select[SendTry, Recipient]) -> list[Send]:
    rows = uow.session.execute(
        wanted.order_by(Recipient.id)
        .with_for_update(of=Recipient)
        .execution_options(populate_existing=True)
    )
    return [Send(row[0], row[1]) for row in rows]
