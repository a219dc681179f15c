"""Signals of cheating, holds of entries, and devices as keyed hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column
from server.quiz.enums import CaseState, Signal, WordsState


class DeviceUse(Base):
    """A citizen began papers on a device; `device` is a keyed hash of a random id.

    Without foreign key, so that starting a paper takes no further lock.
    """

    __tablename__ = "device_use"
    __table_args__ = (UniqueConstraint("citizen_id", "device"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    citizen_id: Mapped[int] = mapped_column(BigId)
    device: Mapped[str] = mapped_column(String(64), index=True)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class IntegrityFlag(Base):
    """A signal about an entry, with its evidence. A flag alone changes nothing."""

    __tablename__ = "integrity_flag"
    __table_args__ = (UniqueConstraint("entry_id", "signal"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    entry_id: Mapped[int] = mapped_column(BigId, ForeignKey("entry.id"))
    signal: Mapped[Signal] = mapped_column(enum_column(Signal, "signal"))
    evidence: Mapped[dict[str, Any]] = mapped_column(Json)
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Set when an organizer found no fault; emptied when a later paper has the same signal.
    cleared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cleared_by: Mapped[int | None] = mapped_column(BigInteger)
    cleared_reason: Mapped[str | None] = mapped_column(String(300))


class IntegrityCase(Base):
    """One hold of an entry: held → (appealed) → upheld or released.

    While `held`, `appealed` or `upheld` the entry is on no board. Only one case of an entry is not
    released.
    """

    __tablename__ = "integrity_case"
    __table_args__ = (
        Index(
            "uq_integrity_case_in_force",
            "entry_id",
            unique=True,
            sqlite_where=text("state <> 'released'"),
            postgresql_where=text("state <> 'released'"),
        ),
        Index("ix_integrity_case_entry_id", "entry_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    entry_id: Mapped[int] = mapped_column(BigId, ForeignKey("entry.id"))
    state: Mapped[CaseState] = mapped_column(enum_column(CaseState, "state"))
    hold_reason: Mapped[str] = mapped_column(Text)
    holder_id: Mapped[int] = mapped_column(BigInteger)
    held_at: Mapped[datetime] = mapped_column(UtcDateTime)
    appeal: Mapped[str | None] = mapped_column(Text)
    appeal_words: Mapped[WordsState | None] = mapped_column(enum_column(WordsState, "appeal_words"))
    appealed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_reason: Mapped[str | None] = mapped_column(Text)
    decider_id: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class IntegrityMark(Base):
    """Up to when the closed papers of a contest were inspected."""

    __tablename__ = "integrity_mark"

    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"), primary_key=True)
    inspected_until: Mapped[datetime] = mapped_column(UtcDateTime)
