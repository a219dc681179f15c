"""Tables of sign-ups, of their messages, and of calendar feeds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column
from server.signups.kinds import LIVE, NoticeKind, SignUpState

_IS_LIVE = text("state IN ({})".format(", ".join(f"'{state.value}'" for state in LIVE)))
_IS_WAITING = text(f"state = '{SignUpState.WAITLISTED.value}'")
_HAS_CONTACTS = text("contacts_erased_at IS NULL")
_IS_OFFERED = text(f"state = '{SignUpState.OFFERED.value}'")

# Kinds of messages that a task adds when they are due; the others are added with the change that
# causes them.
_IS_ONCE = text("kind IN ('tomorrow', 'soon', 'changed')")


class SignUp(Base):
    """The place of one citizen, or of a guest without an account, in one activity.

    A new one is confirmed while seats are free, else it waits; before a lottery it is entered. From
    the waitlist it is confirmed or, with an offer time, offered; an offer holds its seats until it
    is accepted, declined or expired. All other states are final, and the person may sign up again.

    `sequence` orders the waitlist: smaller comes first. `passed` counts
    how often somebody behind got seats while this party did not fit.

    A guest, who telephoned or is on a group's list, has no citizen. `name` and `phone` are sealed;
    `phone_blind` finds a number, `phone_tail` its last four digits.
    """

    __tablename__ = "signup"
    __table_args__ = (
        Index(
            "uq_signup_live_activity_id_citizen_id",
            "activity_id",
            "citizen_id",
            unique=True,
            sqlite_where=_IS_LIVE,
            postgresql_where=_IS_LIVE,
        ),
        Index(
            "ix_signup_waiting_activity_id_sequence",
            "activity_id",
            "sequence",
            sqlite_where=_IS_WAITING,
            postgresql_where=_IS_WAITING,
        ),
        Index(
            "ix_signup_offer_expires_at",
            "offer_expires_at",
            sqlite_where=_IS_OFFERED,
            postgresql_where=_IS_OFFERED,
        ),
        Index("ix_signup_citizen_id", "citizen_id"),
        Index(
            "ix_signup_contacts_activity_id",
            "activity_id",
            sqlite_where=_HAS_CONTACTS,
            postgresql_where=_HAS_CONTACTS,
        ),
        Index("ix_signup_activity_id_state", "activity_id", "state"),
        CheckConstraint("party_size >= 1", name="party_size"),
        CheckConstraint(
            "(state = 'offered') = (offer_expires_at IS NOT NULL)", name="offer_has_end"
        ),
        CheckConstraint("state != 'waitlisted' OR sequence IS NOT NULL", name="waiting_has_place"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    activity_id: Mapped[int] = mapped_column(BigId, ForeignKey("activity.id"))
    citizen_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("citizen.id"))
    state: Mapped[SignUpState] = mapped_column(enum_column(SignUpState, "state"))
    party_size: Mapped[int] = mapped_column(SmallInteger)
    sequence: Mapped[int | None] = mapped_column(Integer)
    passed: Mapped[int] = mapped_column(SmallInteger, default=0, server_default=text("0"))
    offer_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answers: Mapped[dict[str, Any]] = mapped_column(Json)
    name: Mapped[str | None] = mapped_column(String(400))
    phone: Mapped[str | None] = mapped_column(String(200))
    phone_blind: Mapped[str | None] = mapped_column(String(64), index=True)
    phone_tail: Mapped[str | None] = mapped_column(String(4))
    # The organizer who entered a guest.
    entered_by: Mapped[int | None] = mapped_column(BigId)
    group_label: Mapped[str | None] = mapped_column(String(60))
    # The instant of closing an activity that this person did not attend; else None.
    absent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The instant at which name, number and answers were erased, some time after the activity.
    contacts_erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SignUpNotice(Base):
    """One message about a sign-up; `number` tells apart several changes of one activity.

    Written in the transaction of its cause; a task posts it to the inbox and queues its push when
    it is due. `facts` are those of its text. `told_at` is also set for a message that was dropped
    because it is no longer true.
    """

    __tablename__ = "signup_notice"
    __table_args__ = (
        Index(
            "uq_signup_notice_once_signup_id_kind_number",
            "signup_id",
            "kind",
            "number",
            unique=True,
            sqlite_where=_IS_ONCE,
            postgresql_where=_IS_ONCE,
        ),
        Index(
            "ix_signup_notice_due_at",
            "due_at",
            sqlite_where=text("told_at IS NULL"),
            postgresql_where=text("told_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    signup_id: Mapped[int] = mapped_column(BigId, ForeignKey("signup.id"))
    kind: Mapped[NoticeKind] = mapped_column(enum_column(NoticeKind, "kind"))
    number: Mapped[int] = mapped_column(Integer)
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CalendarFeed(Base):
    """The calendar feed of a citizen; its key is made from `ref`, and a new ref makes a new key."""

    __tablename__ = "calendar_feed"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"), unique=True)
