"""Effects of each message once: its unique row is written in the same transaction.

A concurrent repeat waits for the row and then finds the reply on it.
"""

from __future__ import annotations

from sqlalchemy import select, update

from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.channel.models import SeenMessage
from server.wechat.callback.replies import Reply

NOTHING = Reply().to_bytes().decode()


def claim_message(uow: UnitOfWork, key: str) -> Reply | None:
    """Claim a message; None when this transaction is the first with it, else the stored reply.

    Locks: the row of this message.
    """
    made = uow.session.scalar(
        insert_for(uow.session, SeenMessage)
        .values(key=key, reply=NOTHING, at=uow.now)
        .on_conflict_do_nothing()
        .returning(SeenMessage.key)
    )
    if made is not None:
        return None
    stored = uow.session.scalar(select(SeenMessage.reply).where(SeenMessage.key == key))
    return Reply.from_bytes((stored or NOTHING).encode())


def store_reply(uow: UnitOfWork, key: str, reply: Reply, citizen_id: int | None) -> None:
    """Store the reply for repeats, and its citizen, so that an erasure finds it."""
    uow.session.execute(
        update(SeenMessage)
        .where(SeenMessage.key == key)
        .values(reply=reply.to_bytes().decode(), citizen_id=citizen_id)
    )


def tell_replies(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """Replies of the last two days, for the export."""
    rows = uow.session.execute(
        select(SeenMessage.at, SeenMessage.reply)
        .where(SeenMessage.citizen_id == citizen_id)
        .order_by(SeenMessage.at, SeenMessage.key)
    )
    kept = [(row.at, Reply.from_bytes(row.reply.encode())) for row in rows]
    return [{"at": at.isoformat(), "text": reply.text} for at, reply in kept if reply.text]
