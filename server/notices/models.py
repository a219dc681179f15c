"""Tables of permissions to push and of the inbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.base.tables import Base, BigId, UtcDateTime


class MessageGrant(Base):
    """One permission for one message; told by the client, by WeChat's event, or by both."""

    __tablename__ = "message_grant"
    __table_args__ = (
        CheckConstraint("client_at IS NOT NULL OR event_at IS NOT NULL", name="told"),
        Index("ix_message_grant_citizen_id_template_id", "citizen_id", "template_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    template_id: Mapped[str] = mapped_column(String(64))
    client_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    event_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InboxMessage(Base):
    """One message in a citizen's inbox; `key` keeps a repeated post from showing twice."""

    __tablename__ = "inbox_message"
    __table_args__ = (
        UniqueConstraint("ref"),
        UniqueConstraint("citizen_id", "key"),
        Index("ix_inbox_message_citizen_id_posted_at_ref", "citizen_id", "posted_at", "ref"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    key: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
    not_pushed_reason: Mapped[str | None] = mapped_column(String(40))
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)
