"""Tables of push grants, inbox messages and queued pushes."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.base.outbox_rows import OutboxState, Outgoing, outbox_index
from server.base.sql.tables import Base, BigId, Json, UtcDateTime


class MessageGrant(Base):
    """One grant for one message; reported by the client, by WeChat's event, or by both."""

    __tablename__ = "message_grant"
    __table_args__ = (
        CheckConstraint("client_at IS NOT NULL OR event_at IS NOT NULL", name="told"),
        Index("ix_message_grant_citizen_id_template_id", "citizen_id", "template_id"),
        Index(
            "ix_message_grant_open_template_id_citizen_id",
            "template_id",
            "citizen_id",
            sqlite_where=text("used_at IS NULL AND revoked_at IS NULL"),
            postgresql_where=text("used_at IS NULL AND revoked_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    template_id: Mapped[str] = mapped_column(String(64))
    client_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    event_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LetterText(Base):
    """A text in the inboxes of many citizens, stored once; `key` prevents duplicates.

    `page` is the mini-program page to open, without a leading slash. Withdrawn, its copies show
    `withdrawn_reason` in place of the text and open no page.
    """

    __tablename__ = "shared_letter"
    __table_args__ = (UniqueConstraint("key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
    page: Mapped[str | None] = mapped_column(String(200))
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_reason: Mapped[str | None] = mapped_column(String(200))


class InboxMessage(Base):
    """One message in a citizen's inbox; `key` prevents duplicates.

    A copy of a shared letter refers to it and has no text of its own. `page` is the mini-program
    page to open, without a leading slash.
    """

    __tablename__ = "inbox_message"
    __table_args__ = (
        UniqueConstraint("ref"),
        UniqueConstraint("citizen_id", "key"),
        CheckConstraint(
            "letter_id IS NOT NULL OR (title IS NOT NULL AND body IS NOT NULL)", name="has_text"
        ),
        Index("ix_inbox_message_citizen_id_posted_at_ref", "citizen_id", "posted_at", "ref"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    key: Mapped[str] = mapped_column(String(100))
    page: Mapped[str | None] = mapped_column(String(200))
    letter_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("shared_letter.id"))
    title: Mapped[str | None] = mapped_column(String(100))
    body: Mapped[str | None] = mapped_column(Text)
    not_pushed_reason: Mapped[str | None] = mapped_column(String(40))
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Outreach(Base):
    """A citizen was written to, unasked, on a Beijing day; `key` names the message.

    Rows are counted for the limit over all senders, and released when the message was refused.
    """

    __tablename__ = "outreach"
    __table_args__ = (
        UniqueConstraint("citizen_id", "key"),
        Index("ix_outreach_citizen_id_day", "citizen_id", "day"),
        Index("ix_outreach_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    key: Mapped[str] = mapped_column(String(100))
    day: Mapped[date] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class PushState(StrEnum):
    """State of a push; see `Push`."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Push(Outgoing, Base):
    """One subscription message to one citizen, sent at most once.

    A push and the grant that it uses are claimed together. When WeChat certainly did not accept it,
    it is queued again and the grant is restored. A claim of a dead worker, or one without a
    response, ends as unknown. A `counted` push is unasked: the limit over all senders holds for it.
    An `urgent` one ignores quiet hours.
    """

    __tablename__ = "push"
    __table_args__ = (
        UniqueConstraint("citizen_id", "key"),
        outbox_index("push"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    key: Mapped[str] = mapped_column(String(100))
    template_id: Mapped[str] = mapped_column(String(64))
    page: Mapped[str] = mapped_column(String(200))
    fields: Mapped[dict[str, Any]] = mapped_column(Json)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    counted: Mapped[bool] = mapped_column(default=False, server_default=false())
    urgent: Mapped[bool] = mapped_column(default=False, server_default=false())
    grant_id: Mapped[int | None] = mapped_column(BigId)
    message_id: Mapped[str | None] = mapped_column(String(40))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def state(self) -> PushState:
        """The state, in the words of the export."""
        return _PUSH_STATES[self.outbox_state or OutboxState.DONE]

    @property
    def reason(self) -> str | None:
        """The reason why it was not sent or is unknown; None while it waits for a retry."""
        return None if self.state is PushState.QUEUED else self.outbox_reason


_PUSH_STATES = {
    OutboxState.QUEUED: PushState.QUEUED,
    OutboxState.CLAIMED: PushState.CLAIMED,
    OutboxState.DONE: PushState.SENT,
    OutboxState.GIVEN_UP: PushState.REFUSED,
    OutboxState.IN_DOUBT: PushState.UNKNOWN,
}
