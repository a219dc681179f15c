"""Entries, their standings, and WeChat groups with boards."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, Json, UtcDateTime


class Entry(Base):
    """A citizen's participation in one contest, with the place it counts for.

    `merged_at` marks the entry of a merged citizen, or one from before an erasure and a return; it
    is on no board. `left_scopes` are boards it was once on, so that a lost removal can be repeated.
    """

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("contest_id", "citizen_id"),
        Index("ix_entry_citizen_id", "citizen_id"),
        Index("ix_entry_contest_id_city", "contest_id", "city"),
        Index("ix_entry_contest_id_county", "contest_id", "county"),
        Index("ix_entry_contest_id_unit_id", "contest_id", "unit_id"),
        Index("ix_entry_contest_id_division", "contest_id", "division"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    city: Mapped[str | None] = mapped_column(String(6))
    county: Mapped[str | None] = mapped_column(String(6))
    unit_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("unit.id"))
    audience: Mapped[str | None] = mapped_column(String(40))
    # The group of the contest that the citizen chose before the first paper.
    division: Mapped[str | None] = mapped_column(String(20))
    left_scopes: Mapped[list[str]] = mapped_column(Json, default=list, server_default=text("'[]'"))
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    merged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Since when the entry is held for suspected cheating; it is on no board meanwhile.
    held_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Standing(Base):
    """The standing of one entry in one period: `total`, `day:2026-05-01` or `week:2026-W18`.

    Units: `points` whole points, or 1/10,000 of a point where the season uses a mean.
    """

    __tablename__ = "standing"
    __table_args__ = (
        UniqueConstraint("entry_id", "period"),
        Index("ix_standing_contest_id_changed_at", "contest_id", "changed_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    entry_id: Mapped[int] = mapped_column(BigId, ForeignKey("entry.id"))
    period: Mapped[str] = mapped_column(String(20))
    points: Mapped[int] = mapped_column(BigInteger)
    time_ms: Mapped[int] = mapped_column(BigInteger)
    reached_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


Index(
    "ix_standing_board",
    Standing.contest_id,
    Standing.period,
    Standing.points.desc(),
    Standing.time_ms,
    Standing.reached_at,
    Standing.entry_id,
)


class WeChatGroup(Base):
    """A WeChat group that opened the mini-program; its id is stored as a keyed hash."""

    __tablename__ = "wechat_group"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    opengid_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class GroupMember(Base):
    """A citizen who is on a group's boards, in every contest."""

    __tablename__ = "group_member"
    __table_args__ = (
        UniqueConstraint("group_id", "citizen_id"),
        Index("ix_group_member_citizen_id", "citizen_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    group_id: Mapped[int] = mapped_column(BigId, ForeignKey("wechat_group.id"))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)
