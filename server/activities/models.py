"""Tables of activities, their series, and the counters of their seats."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
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

from server.activities.kinds import PUBLIC, ActivityKind, ActivityState
from server.base.kept_pictures import KeptPicture
from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column
from server.console.models import CheckedFile, RememberedHeading


class ActivitySeries(Owned, Base):
    """A series that groups activities, for example a weekly lecture; it has no seats of its own."""

    __tablename__ = "activity_series"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(80))
    programme_slug: Mapped[str | None] = mapped_column(String(60))
    introduction: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    # At most this many places of one person in activities of the series that have not ended.
    most_signups: Mapped[int | None] = mapped_column(SmallInteger)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @classmethod
    def published_condition(cls) -> ColumnElement[bool]:
        """No row is readable from below: only published activities are."""
        return false()


class Activity(Owned, Base):
    """One dated occasion with its own seats.

    draft -> review -> published; an approver publishes or returns it, never its author. A published
    one may be postponed (date unknown, seats stay taken) and published again with a new date, or
    cancelled permanently. It is closed after its end, when attendance is final.

    `audiences` holds slugs between bars (`|youth|elder|`), empty for everybody. Coordinates are
    those of WeChat's map (GCJ-02) in millionths of a degree. With `draw_at` sign-ups until then
    take part in a lottery; `draw_commitment` is published before and is the SHA-256 of `draw_seed`,
    which is published after the draw. `poster` is the name of an `ActivityPoster`. `revision`
    grows with each change that calendar programs must fetch.
    """

    __tablename__ = "activity"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="times"),
        CheckConstraint("signup_opens_at < signup_closes_at", name="signup_window"),
        CheckConstraint("signup_closes_at <= ends_at", name="signup_before_end"),
        CheckConstraint(
            "draw_at IS NULL OR (draw_at > signup_opens_at AND draw_at <= signup_closes_at)",
            name="draw_in_window",
        ),
        CheckConstraint("party_max >= 1", name="party_max"),
        CheckConstraint("offer_minutes >= 0", name="offer_minutes"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="map_point"),
        Index("ix_activity_state_starts_at", "state", "starts_at"),
        Index("ix_activity_state_ends_at", "state", "ends_at"),
        Index("uq_activity_form_key", "form_key", unique=True),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[ActivityKind] = mapped_column(enum_column(ActivityKind, "kind"))
    state: Mapped[ActivityState] = mapped_column(enum_column(ActivityState, "state"))
    title: Mapped[str] = mapped_column(String(80))
    programme_slug: Mapped[str | None] = mapped_column(String(60), index=True)
    series_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("activity_series.id"), index=True
    )
    series_number: Mapped[int | None] = mapped_column(Integer)
    speaker: Mapped[str] = mapped_column(String(60), default="", server_default=text("''"))
    speaker_post: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    speaker_bio: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    abstract: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    audiences: Mapped[str] = mapped_column(String(80), default="", server_default=text("''"))
    city: Mapped[str | None] = mapped_column(String(6), index=True)
    county: Mapped[str | None] = mapped_column(String(6))
    venue: Mapped[str] = mapped_column(String(60))
    address: Mapped[str] = mapped_column(String(120), default="", server_default=text("''"))
    latitude: Mapped[int | None] = mapped_column(Integer)
    longitude: Mapped[int | None] = mapped_column(Integer)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The start before it was moved or dated again; people may still come at that time.
    moved_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    live_link: Mapped[str | None] = mapped_column(String(300))
    office_phone: Mapped[str] = mapped_column(String(40), default="", server_default=text("''"))
    notes: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))
    poster: Mapped[str | None] = mapped_column(String(40), index=True)
    signup_opens_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signup_closes_at: Mapped[datetime] = mapped_column(UtcDateTime)
    party_max: Mapped[int] = mapped_column(SmallInteger, default=1, server_default=text("1"))
    # The longest waitlist, in sign-ups; 0 is none, NULL any length.
    waitlist_most: Mapped[int | None] = mapped_column(Integer)
    # 0: a freed seat is confirmed at once; otherwise it is offered for these minutes.
    offer_minutes: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    phone_needed: Mapped[bool] = mapped_column(default=False, server_default=false())
    questions: Mapped[list[dict[str, Any]]] = mapped_column(
        Json, default=list, server_default=text("'[]'")
    )
    draw_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    draw_commitment: Mapped[str | None] = mapped_column(String(64))
    draw_seed: Mapped[str | None] = mapped_column(String(64))
    drawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # People that the room may hold, with walk-ins; NULL is the number of seats.
    room_limit: Mapped[int | None] = mapped_column(Integer)
    checkout_needed: Mapped[bool] = mapped_column(default=False, server_default=false())
    revision: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The organizer of the draft, who does not publish it; None when a command made it.
    writer_id: Mapped[int | None] = mapped_column(BigId)
    decider_id: Mapped[int | None] = mapped_column(BigId)
    # The reason for the return, the postponement or the cancellation.
    remark: Mapped[str | None] = mapped_column(String(300))
    # The key of the form that made the draft: a form that is sent again finds it.
    form_key: Mapped[str | None] = mapped_column(String(40))

    @classmethod
    def published_condition(cls) -> ColumnElement[bool]:
        """The activities that citizens see."""
        return cls.state.in_(PUBLIC)


class ActivityPoster(KeptPicture, Base):
    """A poster of activities; `small` is a square JPEG of its middle for lists."""

    __tablename__ = "activity_poster"
    __table_args__ = (UniqueConstraint("digest"), Index("ix_activity_poster_used_at", "used_at"))

    small: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class Seating(Base):
    """Seats of an activity and how many are taken, confirmed and offered ones together.

    Locked before the seats or people of the activity are counted. `next_sequence` numbers the
    waitlist; `head_sequence` goes down for people who are put back to its head.
    """

    __tablename__ = "seating"
    __table_args__ = (
        CheckConstraint("taken >= 0 AND taken <= seats", name="taken"),
        CheckConstraint("waiting >= 0 AND entered >= 0 AND offered >= 0", name="waiting"),
    )

    activity_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("activity.id"), primary_key=True, autoincrement=False
    )
    seats: Mapped[int] = mapped_column(Integer)
    taken: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    # Sign-ups on the waitlist, not people.
    waiting: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    # Open offers, whose seats are among the taken ones.
    offered: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    # Sign-ups that take part in the lottery.
    entered: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    next_sequence: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    head_sequence: Mapped[int] = mapped_column(Integer, server_default=text("0"))


class ActivityFile(CheckedFile, Base):
    """A file of activities that an organizer uploaded."""

    __tablename__ = "activity_file"


class ActivityHeading(RememberedHeading, Base):
    """The meaning of a heading as assigned by hand, remembered for later files of this place."""

    __tablename__ = "activity_heading"
