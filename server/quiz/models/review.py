"""Citizens' reports about questions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, UtcDateTime, enum_column
from server.quiz.enums import WordsState


class QuestionReport(Base):
    """A citizen's report about the version of a question that they saw."""

    __tablename__ = "question_report"
    __table_args__ = (
        UniqueConstraint("citizen_id", "question_id"),
        Index("ix_question_report_question_id", "question_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    question_id: Mapped[int] = mapped_column(BigId, ForeignKey("question.id"))
    reason: Mapped[str] = mapped_column(Text)
    # Texts that WeChat could not check in time are marked for the organizer.
    words: Mapped[WordsState] = mapped_column(enum_column(WordsState, "words"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
