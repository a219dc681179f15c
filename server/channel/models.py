"""Tables of the official account; rules.py decides what they may contain.

No openid is stored here: persons are citizens, and openids are stored only in the accounts slice.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
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
)
from sqlalchemy.orm import Mapped, mapped_column

from server.base.outbox_rows import OutboxState, Outgoing, outbox_index
from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column

SCENE_LENGTH = 64


class UnionidLookup(StrEnum):
    """State of reading a follower's unionid; `none` when WeChat has returned none so far."""

    WANTED = "wanted"
    CLAIMED = "claimed"
    KNOWN = "known"
    NONE = "none"


class Mode(StrEnum):
    """The way in which a rule's words are searched in a text."""

    EXACT = "exact"
    CONTAINS = "contains"


class SceneMode(StrEnum):
    """The way in which a scene is compared."""

    EXACT = "exact"
    PREFIX = "prefix"


class RuleState(StrEnum):
    """State of a rule: active or not."""

    ON = "on"
    OFF = "off"


class LateState(StrEnum):
    """State of a late reply; `unknown` may have been delivered and is never sent again."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SAID = "said"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Follower(Outgoing, Base):
    """A citizen as a follower; `state_at` is the time of the last follow event.

    The columns of the outbox are for requesting the unionid. Without a state WeChat has returned
    none so far; it may be requested again from `ask_at` on.
    """

    __tablename__ = "follower"
    __table_args__ = (
        outbox_index("follower"),
        Index("ix_follower_subscribed_unsubscribed_at", "subscribed", "unsubscribed_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"), unique=True)
    subscribed: Mapped[bool]
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    subscribed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unsubscribed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_scene: Mapped[str | None] = mapped_column(String(SCENE_LENGTH))
    first_scene_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_scene: Mapped[str | None] = mapped_column(String(SCENE_LENGTH))
    last_scene_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_event_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The last message of the follower, and the customer messages sent to them since.
    heard_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    window_used: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    ask_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def asking(self) -> UnionidLookup:
        """State of reading the unionid."""
        states = {
            OutboxState.QUEUED: UnionidLookup.WANTED,
            OutboxState.CLAIMED: UnionidLookup.CLAIMED,
            OutboxState.DONE: UnionidLookup.KNOWN,
        }
        return UnionidLookup.NONE if self.outbox_state is None else states[self.outbox_state]


class FollowerSweep(Base):
    """One row: progress of the sweep through the list of followers, which links known ones.

    `cursor` is WeChat's, sealed because it is an openid; `place` is the position in its page;
    `fence` grows with every claim.
    """

    __tablename__ = "follower_sweep"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    cursor: Mapped[str | None] = mapped_column(Text)
    place: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fence: Mapped[int] = mapped_column(Integer)


class VisitedApp(StrEnum):
    """The app that was opened."""

    OFFICIAL_ACCOUNT = "official_account"
    MINI_PROGRAM = "mini_program"


class SceneVisit(Base):
    """A citizen came with a scene: once per app, scene and Beijing day.

    Scenes are names of codes and refs of cards. Visits are for the report of channels alone.
    """

    __tablename__ = "scene_visit"
    __table_args__ = (
        UniqueConstraint("citizen_id", "app", "scene", "day"),
        Index("ix_scene_visit_scene_day", "scene", "day"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    app: Mapped[VisitedApp] = mapped_column(enum_column(VisitedApp, "app"))
    scene: Mapped[str] = mapped_column(String(SCENE_LENGTH))
    day: Mapped[date] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class KeywordRule(Owned, Base):
    """Keywords, their time window, and the answer: a text, or the name of a live answer.

    Units: `daily_from` and `daily_to` minutes of the Beijing day; the window may span midnight.
    """

    __tablename__ = "keyword_rule"
    __table_args__ = (
        CheckConstraint("(text IS NULL) <> (answer IS NULL)", name="one_reply"),
        CheckConstraint("(daily_from IS NULL) = (daily_to IS NULL)", name="daily_window"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    words: Mapped[list[str]] = mapped_column(Json)
    mode: Mapped[Mode] = mapped_column(enum_column(Mode, "mode"))
    priority: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    daily_from: Mapped[int | None] = mapped_column(SmallInteger)
    daily_to: Mapped[int | None] = mapped_column(SmallInteger)
    text: Mapped[str | None] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(String(60))
    state: Mapped[RuleState] = mapped_column(enum_column(RuleState, "state"))
    # Loading the shipped file no longer updates a rule that an operator edited.
    edited: Mapped[bool] = mapped_column(default=False)
    hits: Mapped[int] = mapped_column(BigInteger, default=0)

    @classmethod
    def published_condition(cls) -> ColumnElement[bool]:
        """Active rules."""
        return cls.state == RuleState.ON


class SceneReply(Base):
    """The reply to somebody who comes with a scene, as a new follower or again."""

    __tablename__ = "scene_reply"
    __table_args__ = (
        UniqueConstraint("scene", "mode"),
        CheckConstraint("(text IS NULL) <> (answer IS NULL)", name="one_reply"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scene: Mapped[str] = mapped_column(String(SCENE_LENGTH))
    mode: Mapped[SceneMode] = mapped_column(enum_column(SceneMode, "mode"))
    text: Mapped[str | None] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(String(60))
    state: Mapped[RuleState] = mapped_column(enum_column(RuleState, "state"))
    edited: Mapped[bool] = mapped_column(default=False)


class KeywordVersion(Base):
    """One row with a version that grows with every change of the replies, so that caches notice."""

    __tablename__ = "keyword_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Integer)


class UnmatchedText(Base):
    """Texts that matched no rule, by frequency; without their senders."""

    __tablename__ = "unmatched_text"
    __table_args__ = (Index("ix_unmatched_text_count", "count"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    text: Mapped[str] = mapped_column(String(64), unique=True)
    count: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SeenMessage(Base):
    """A processed message, written in the same transaction as its effects, with its reply."""

    __tablename__ = "seen_message"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    citizen_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("citizen.id"), index=True)
    reply: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class LateReply(Outgoing, Base):
    """A reply sent as a customer-service message, at most once; its text is deleted afterwards."""

    __tablename__ = "late_reply"
    __table_args__ = (outbox_index("late_reply"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def state(self) -> LateState:
        """The state, in the words of the data export."""
        return _LATE_STATES[self.outbox_state or OutboxState.DONE]

    @property
    def reason(self) -> str | None:
        """The class of WeChat's refusal, or why sending was not attempted."""
        return self.outbox_reason


_LATE_STATES = {
    OutboxState.QUEUED: LateState.QUEUED,
    OutboxState.CLAIMED: LateState.CLAIMED,
    OutboxState.DONE: LateState.SAID,
    OutboxState.GIVEN_UP: LateState.REFUSED,
    OutboxState.IN_DOUBT: LateState.UNKNOWN,
}


class SceneCode(Owned, Base):
    """A permanent code of the official account; one per scene."""

    __tablename__ = "scene_code"

    scene: Mapped[str] = mapped_column(String(SCENE_LENGTH), primary_key=True)
    ticket: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    picture_url: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CodeTarget(StrEnum):
    """The kind of object that a channel's code leads to."""

    ANNOUNCEMENT = "announcement"
    ACTIVITY = "activity"


class ChannelCode(Outgoing, Owned, Base):
    """A code of one channel, such as a poster or a website, that leads to one object.

    `code` stands in the link and is the scene of the mini-program code, whose picture is requested
    from WeChat through the outbox. `target_ref` is the public id of the object. A stopped code
    stays valid, because it may be printed, and its visitors are still counted.
    """

    __tablename__ = "channel_code"
    __table_args__ = (
        outbox_index("channel_code"),
        Index("ix_channel_code_target_ref", "target_ref"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    target: Mapped[CodeTarget] = mapped_column(enum_column(CodeTarget, "target"))
    target_ref: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(20))
    picture: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CodeOpening(Base):
    """Openings of the web page of a code on one Beijing day, repeats included."""

    __tablename__ = "code_opening"

    code_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("channel_code.id"), primary_key=True, autoincrement=False
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    opens: Mapped[int] = mapped_column(Integer)
