"""Voids of questions, and the rescoring of papers that each one brings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, UtcDateTime, enum_column
from server.quiz.enums import RescoringStage, VoidState


class QuestionVoid(Owned, Base):
    """One question version that is void in one contest; owned by the contest's owner.

    proposed → in force → lifted; a proposal may be refused. A voided question counts as right in
    papers begun since `since`, or in all. It is in force at the contest's markings from
    `from_marking` on, before `until_marking`.
    """

    __tablename__ = "question_void"
    __table_args__ = (
        Index(
            "uq_question_void_in_force",
            "contest_id",
            "question_id",
            unique=True,
            sqlite_where=text("state IN ('proposed', 'in_force')"),
            postgresql_where=text("state IN ('proposed', 'in_force')"),
        ),
        Index("ix_question_void_question_id", "question_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    question_id: Mapped[int] = mapped_column(BigId, ForeignKey("question.id"))
    state: Mapped[VoidState] = mapped_column(enum_column(VoidState, "state"))
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)
    proposer_id: Mapped[int] = mapped_column(BigInteger)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decider_id: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_reason: Mapped[str | None] = mapped_column(Text)
    from_marking: Mapped[int | None] = mapped_column(Integer)
    until_marking: Mapped[int | None] = mapped_column(Integer)


class Rescoring(Base):
    """The work that follows a void or its lifting: papers → ranks → letters → done.

    `marking` is the contest's marking that papers get; LETTERS sends the messages to citizens.
    `cursor` is the last paper that was read; `passes` counts complete passes over the papers,
    `found` the papers rescored in the present one. An
    interrupted run is continued from these values.
    """

    __tablename__ = "rescoring"
    __table_args__ = (UniqueConstraint("contest_id", "marking"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    void_id: Mapped[int] = mapped_column(BigId, ForeignKey("question_void.id"))
    marking: Mapped[int] = mapped_column(Integer)
    stage: Mapped[RescoringStage] = mapped_column(enum_column(RescoringStage, "stage"))
    cursor: Mapped[int] = mapped_column(BigInteger)
    passes: Mapped[int] = mapped_column(Integer)
    papers: Mapped[int] = mapped_column(BigInteger)
    found: Mapped[int] = mapped_column(BigInteger)
    rank_changes: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RescoredPaper(Base):
    """A paper whose score a rescoring computed again, once.  Units: points."""

    __tablename__ = "rescored_paper"
    __table_args__ = (
        UniqueConstraint("rescoring_id", "attempt_id"),
        Index("ix_rescored_paper_attempt_id", "attempt_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    rescoring_id: Mapped[int] = mapped_column(BigId, ForeignKey("rescoring.id"))
    attempt_id: Mapped[int] = mapped_column(BigId, ForeignKey("attempt.id"))
    old_score: Mapped[int] = mapped_column(Integer)
    new_score: Mapped[int] = mapped_column(Integer)


class RankChange(Base):
    """A rank in the whole contest that a rescoring changed, and when the citizen got a message."""

    __tablename__ = "rank_change"
    __table_args__ = (
        UniqueConstraint("rescoring_id", "entry_id"),
        Index("ix_rank_change_entry_id", "entry_id"),
        Index(
            "ix_rank_change_untold",
            "rescoring_id",
            "id",
            sqlite_where=text("told_at IS NULL"),
            postgresql_where=text("told_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    rescoring_id: Mapped[int] = mapped_column(BigId, ForeignKey("rescoring.id"))
    entry_id: Mapped[int] = mapped_column(BigId, ForeignKey("entry.id"))
    old_rank: Mapped[int] = mapped_column(Integer)
    new_rank: Mapped[int] = mapped_column(Integer)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
