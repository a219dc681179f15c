"""Tables of announcements: content, approvals, the ledger of recipients, receipts, quotas."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.announcements.enums import (
    FROZEN,
    AnnouncementState,
    Channel,
    Purpose,
    ReceiptKind,
    ReceiptWord,
    RecipientState,
    TryState,
)
from server.base.outbox_rows import Outgoing, outbox_index
from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column


class Announcement(Owned, Base):
    """One message of an organizer to an audience.

    draft -> review -> scheduled, when all approvals are there and the recipients are frozen ->
    sending, from `starts_at` on, <-> paused -> done; cancelled from scheduled, sending and paused,
    returned from review to draft. A large audience is frozen in the background: review -> freezing
    -> scheduled, or back to review. An edit before the start makes it a draft again and deletes the
    approvals and the frozen recipients. `withdrawn_at` marks one that citizens should not act on.

    `ladder` has the channels in their order, `contents` the content of each by its name,
    `audience` the rule of the audience (see `audience/`). `version` grows with each edit.
    `content_hash` and `counted` are those of the version in review. `next_row` is the row id from
    which recipients are leased next.
    """

    __tablename__ = "announcement"
    __table_args__ = (
        CheckConstraint("per_day IS NULL OR per_day >= 1", name="per_day"),
        Index("ix_announcement_state_starts_at", "state", "starts_at"),
        Index("uq_announcement_form_key", "form_key", unique=True),
        Index(
            "ix_announcement_rows_left",
            "id",
            sqlite_where=text("rows_left"),
            postgresql_where=text("rows_left"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[AnnouncementState] = mapped_column(enum_column(AnnouncementState, "state"))
    purpose: Mapped[Purpose] = mapped_column(enum_column(Purpose, "purpose"))
    title: Mapped[str] = mapped_column(String(80))
    body: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    # The page of the mini-program to open, without a leading slash.
    page: Mapped[str | None] = mapped_column(String(200))
    # The name of the stored picture.
    picture: Mapped[str | None] = mapped_column(String(40))
    topic: Mapped[str | None] = mapped_column(String(20), index=True)
    # The activity that a change is about, and the announcement that a correction corrects.
    activity_ref: Mapped[str | None] = mapped_column(String(40))
    corrects_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("announcement.id"), index=True
    )
    ladder: Mapped[list[str]] = mapped_column(Json, default=list, server_default=text("'[]'"))
    contents: Mapped[dict[str, Any]] = mapped_column(
        Json, default=dict, server_default=text("'{}'")
    )
    audience: Mapped[dict[str, Any]] = mapped_column(
        Json, default=dict, server_default=text("'{}'")
    )
    # NULL: as soon as it is approved.
    send_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The most recipients on one day; NULL for all on the first.
    per_day: Mapped[int | None] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default=text("1"))
    content_hash: Mapped[str | None] = mapped_column(String(64))
    counted: Mapped[int | None] = mapped_column(Integer)
    approvals_needed: Mapped[int] = mapped_column(SmallInteger, default=1, server_default=text("1"))
    # The frozen number of recipients, and the shared letter of their inbox copies.
    audience_size: Mapped[int | None] = mapped_column(Integer)
    # While a large audience is frozen: how many recipients there are, and the last of them.
    frozen_count: Mapped[int | None] = mapped_column(Integer)
    frozen_to: Mapped[int | None] = mapped_column(BigId)
    # Rows of the ledger wait for the background: a cancelled announcement's to be cancelled, those
    # of an earlier approval to be deleted.
    rows_left: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    letter_id: Mapped[int | None] = mapped_column(BigId)
    next_row: Mapped[int | None] = mapped_column(BigId)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    began_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The reason for the pause, and the field or errcode it is about.
    pause_reason: Mapped[str | None] = mapped_column(String(40))
    pause_detail: Mapped[str | None] = mapped_column(String(80))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The organizer of the last edit, who does not approve it.
    writer_id: Mapped[int | None] = mapped_column(BigId)
    # The reason for the return, the cancellation or the withdrawal.
    remark: Mapped[str | None] = mapped_column(String(300))
    # The key of the form that made the draft: a form that is sent again finds it.
    form_key: Mapped[str | None] = mapped_column(String(40))

    @classmethod
    def published_condition(cls) -> ColumnElement[bool]:
        """The announcements that organizers below the owner may read."""
        return cls.state.in_(FROZEN)


class AnnouncementApproval(Base):
    """One approval, bound to the hash of what will be sent and to the confirmed count."""

    __tablename__ = "announcement_approval"
    __table_args__ = (UniqueConstraint("announcement_id", "organizer_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    announcement_id: Mapped[int] = mapped_column(BigId, ForeignKey("announcement.id"))
    organizer_id: Mapped[int] = mapped_column(BigId)
    content_hash: Mapped[str] = mapped_column(String(64))
    counted: Mapped[int] = mapped_column(Integer)
    approved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AnnouncementPicture(Base):
    """A picture of announcements, converted and without metadata; equal contents are stored once.

    `name` is random and a part of its address; `digest` is the SHA-256 of `content`. `used_at` is
    when an announcement last got it: a week later it is deleted unless one refers to it.
    """

    __tablename__ = "announcement_picture"
    __table_args__ = (
        UniqueConstraint("digest"),
        Index("ix_announcement_picture_used_at", "used_at"),
    )

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Recipient(Outgoing, Base):
    """The ledger: one citizen of one announcement, reached at most once.

    queued -> claimed, committed before the call -> sent | refused | in_doubt -> unknown; back to
    queued when the call certainly had no effect or the next channel of the ladder is tried;
    cancelled with the announcement. `state` is that of the person, the columns of the outbox are
    those of the job. `channel` is the last one tried, `reason` why the last one refused.
    `receipt` is WeChat's later report.
    """

    __tablename__ = "announcement_recipient"
    __table_args__ = (
        UniqueConstraint("announcement_id", "citizen_id"),
        outbox_index("announcement_recipient"),
        Index("ix_announcement_recipient_citizen_id", "citizen_id"),
        # Calls in doubt are repeated before others: WeChat recognises them for ten minutes.
        Index(
            "ix_announcement_recipient_in_doubt",
            "announcement_id",
            sqlite_where=text("state = 'in_doubt'"),
            postgresql_where=text("state = 'in_doubt'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    announcement_id: Mapped[int] = mapped_column(BigId, ForeignKey("announcement.id"))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    state: Mapped[RecipientState] = mapped_column(enum_column(RecipientState, "state"))
    channel: Mapped[Channel | None] = mapped_column(enum_column(Channel, "channel"))
    reason: Mapped[str | None] = mapped_column(String(40))
    receipt: Mapped[ReceiptWord | None] = mapped_column(enum_column(ReceiptWord, "receipt"))
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SendTry(Base):
    """One call to WeChat for one recipient; the next channel follows only a refused one.

    `client_msg_id` is fixed when the row is made, so that a repeated call is recognised by WeChat.
    """

    __tablename__ = "send_try"
    __table_args__ = (
        UniqueConstraint("client_msg_id"),
        UniqueConstraint("recipient_id", "channel"),
        Index("ix_send_try_message_id", "message_id"),
        Index("ix_send_try_mass_batch_id", "mass_batch_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recipient_id: Mapped[int] = mapped_column(BigId, ForeignKey("announcement_recipient.id"))
    channel: Mapped[Channel] = mapped_column(enum_column(Channel, "channel"))
    state: Mapped[TryState] = mapped_column(enum_column(TryState, "state"))
    client_msg_id: Mapped[str] = mapped_column(String(32))
    grant_id: Mapped[int | None] = mapped_column(BigId)
    mass_batch_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("mass_batch.id"))
    message_id: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(String(40))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MassBatch(Outgoing, Base):
    """One mass call for 2 to 10,000 recipients, repeated only with the same `client_msg_id`.

    The counts are those of WeChat's receipt.
    """

    __tablename__ = "mass_batch"
    __table_args__ = (
        UniqueConstraint("client_msg_id"),
        outbox_index("mass_batch"),
        Index("ix_mass_batch_announcement_id", "announcement_id"),
        Index("ix_mass_batch_message_id", "message_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    announcement_id: Mapped[int] = mapped_column(BigId, ForeignKey("announcement.id"))
    client_msg_id: Mapped[str] = mapped_column(String(64))
    # The draft of the article at WeChat.
    media_id: Mapped[str | None] = mapped_column(String(128))
    message_id: Mapped[str | None] = mapped_column(String(40))
    size: Mapped[int] = mapped_column(Integer)
    status: Mapped[str | None] = mapped_column(String(40))
    total_count: Mapped[int | None] = mapped_column(Integer)
    filter_count: Mapped[int | None] = mapped_column(Integer)
    sent_count: Mapped[int | None] = mapped_column(Integer)
    error_count: Mapped[int | None] = mapped_column(Integer)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SendReceipt(Base):
    """A receipt as WeChat sent it; the first one of a message counts.

    `citizen_id` is empty for an openid that belongs to nobody. `applied_at` is empty while no send
    with this message id is known: it is looked for at `due_at`, and no more when that is empty.
    """

    __tablename__ = "send_receipt"
    __table_args__ = (
        UniqueConstraint("kind", "message_id"),
        Index("ix_send_receipt_applied_at_received_at", "applied_at", "received_at"),
        Index(
            "ix_send_receipt_due_at",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[ReceiptKind] = mapped_column(enum_column(ReceiptKind, "kind"))
    message_id: Mapped[str] = mapped_column(String(40))
    citizen_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("citizen.id"), index=True)
    # NULL for a word of WeChat that we do not know.
    word: Mapped[ReceiptWord | None] = mapped_column(enum_column(ReceiptWord, "word"))
    # WeChat's own word, the template of a subscription message, the counts of a mass message.
    status: Mapped[str] = mapped_column(String(60))
    template_id: Mapped[str | None] = mapped_column(String(64))
    counts: Mapped[dict[str, int] | None] = mapped_column(Json)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChannelUse(Base):
    """The calls of a channel on one Beijing day, for its quota at WeChat."""

    __tablename__ = "channel_use"

    on_day: Mapped[date] = mapped_column(Date, primary_key=True)
    channel: Mapped[Channel] = mapped_column(enum_column(Channel, "channel"), primary_key=True)
    calls: Mapped[int] = mapped_column(Integer)
