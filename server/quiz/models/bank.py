"""Questions and the banks they belong to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column
from server.quiz.enums import QuestionKind, QuestionState


class Bank(Owned, Base):
    """A pool of questions; `revision` changes with each change, so that caches notice."""

    __tablename__ = "bank"

    slug: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision: Mapped[str] = mapped_column(String(40))


class Question(Owned, Base):
    """One version of a question; answers refer to the version that was seen."""

    __tablename__ = "question"
    __table_args__ = (
        UniqueConstraint("ref", "version"),
        Index(
            "uq_question_live_ref",
            "ref",
            unique=True,
            sqlite_where=text("state = 'live'"),
            postgresql_where=text("state = 'live'"),
        ),
        Index("ix_question_bank_state", "bank", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(Integer)
    bank: Mapped[str] = mapped_column(String(40), ForeignKey("bank.slug"))
    kind: Mapped[QuestionKind] = mapped_column(enum_column(QuestionKind, "kind"))
    topic: Mapped[str] = mapped_column(String(40))
    benchmark_no: Mapped[int | None] = mapped_column(Integer)
    benchmark: Mapped[str] = mapped_column(String(80))
    difficulty: Mapped[int] = mapped_column(Integer)
    audience: Mapped[str | None] = mapped_column(String(40))
    stem: Mapped[str] = mapped_column(Text)
    options: Mapped[list[str]] = mapped_column(Json)
    answer: Mapped[list[int]] = mapped_column(Json)
    explanation: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    state: Mapped[QuestionState] = mapped_column(enum_column(QuestionState, "state"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @classmethod
    def published_condition(cls) -> ColumnElement[bool]:
        """Live questions. Callers must not expose `answer` and `explanation`."""
        return cls.state == QuestionState.LIVE
