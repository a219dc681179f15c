"""Contests, their rules, and the decks that spread the use of questions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, Json, UtcDateTime


class Contest(Owned, Base):
    """A contest with its window; its rules are in `rule_set`.

    A draft has no `published_at`, and citizens do not see it. While `paused_at` is set no paper
    starts; open ones can be finished.
    """

    __tablename__ = "contest"
    __table_args__ = (
        CheckConstraint("opens_at < closes_at", name="window"),
        Index("uq_contest_form_key", "form_key", unique=True),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    programme_slug: Mapped[str | None] = mapped_column(String(60))
    bank: Mapped[str] = mapped_column(String(40), ForeignKey("bank.slug"))
    opens_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Refs of questions that are never dealt, so that they can be used for practice.
    left_out: Mapped[list[str]] = mapped_column(Json, default=list, server_default=text("'[]'"))
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Citizens see a frozen board from this instant on; later papers count for the final ranks only.
    freezes_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The instant of the first sealing of final ranks; the window cannot change any more.
    sealed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The published version of the final ranks; without foreign key, because it refers back.
    final_id: Mapped[int | None] = mapped_column(BigId)
    # The organizer of the draft, who does not publish it; None when a command made it.
    drafted_by: Mapped[int | None] = mapped_column(BigId)
    # The form that made the draft: sent again, it finds the draft.
    form_key: Mapped[str | None] = mapped_column(String(40))
    # The reason for a return to the author; None again when the author has changed the draft.
    returned_reason: Mapped[str | None] = mapped_column(String(300))
    # Grows with each void of a question and each lifting of one; a paper is marked at one number.
    marking: Mapped[int] = mapped_column(Integer, server_default=text("0"))

    @classmethod
    def published_condition(cls) -> ColumnElement[bool]:
        """The contests that citizens see."""
        return cls.published_at.is_not(None)


class RuleSetRow(Base):
    """One version of a contest's rules; the newest `valid_from` is in force."""

    __tablename__ = "rule_set"
    __table_args__ = (UniqueConstraint("contest_id", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    version: Mapped[str] = mapped_column(String(16))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)


class Deck(Base):
    """Counts of the questions that one shard has dealt (`counts`: question ref -> times)."""

    __tablename__ = "deck"
    __table_args__ = (UniqueConstraint("contest_id", "shard"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    shard: Mapped[int] = mapped_column(Integer)
    counts: Mapped[dict[str, int]] = mapped_column(Json)
