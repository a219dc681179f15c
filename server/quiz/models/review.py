"""Citizens' reports about questions, and the statistics of questions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
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
    # A value of `ReportDecision` with the answer to the citizen; None while the report is open.
    decision: Mapped[str | None] = mapped_column(String(40))
    answer: Mapped[str | None] = mapped_column(Text)
    decider_id: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ItemTally(Base):
    """Counts of one question version in the papers of one contest and of one length.

    All numbers are whole, so that sums are exact and a paper can be taken out again. The rest score
    is the number of right answers to the other questions of the same paper: `rest_sum`,
    `rest_squares`, and `rest_right` over those who were right themselves. Units: `time_ms`
    milliseconds.
    """

    __tablename__ = "item_tally"

    question_id: Mapped[int] = mapped_column(BigId, ForeignKey("question.id"), primary_key=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"), primary_key=True)
    paper_size: Mapped[int] = mapped_column(Integer, primary_key=True)
    dealt: Mapped[int] = mapped_column(BigInteger)
    omitted: Mapped[int] = mapped_column(BigInteger)
    correct: Mapped[int] = mapped_column(BigInteger)
    # Papers with a high rest score.
    strong: Mapped[int] = mapped_column(BigInteger)
    rest_sum: Mapped[int] = mapped_column(BigInteger)
    rest_squares: Mapped[int] = mapped_column(BigInteger)
    rest_right: Mapped[int] = mapped_column(BigInteger)
    time_ms: Mapped[int] = mapped_column(BigInteger)


class OptionTally(Base):
    """Counts of one option, as in `ItemTally`; `strong` counts papers with a high rest score."""

    __tablename__ = "option_tally"

    question_id: Mapped[int] = mapped_column(BigId, ForeignKey("question.id"), primary_key=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"), primary_key=True)
    paper_size: Mapped[int] = mapped_column(Integer, primary_key=True)
    option_no: Mapped[int] = mapped_column(Integer, primary_key=True)
    chosen: Mapped[int] = mapped_column(BigInteger)
    strong: Mapped[int] = mapped_column(BigInteger)
    rest_sum: Mapped[int] = mapped_column(BigInteger)


class ItemFigure(Base):
    """The figures of one question version over all contests, for lists.

    `signs` and `accepted` are signs of doubt, joined by commas: found now, and found earlier and
    reviewed as no fault. `doubtful` when there are signs that no organizer has reviewed.
    """

    __tablename__ = "item_figure"
    __table_args__ = (Index("ix_item_figure_doubtful", "doubtful"),)

    question_id: Mapped[int] = mapped_column(BigId, ForeignKey("question.id"), primary_key=True)
    dealt: Mapped[int] = mapped_column(BigInteger)
    facility: Mapped[float | None] = mapped_column(Double)
    discrimination: Mapped[float | None] = mapped_column(Double)
    signs: Mapped[str] = mapped_column(String(120))
    accepted: Mapped[str] = mapped_column(String(120))
    doubtful: Mapped[bool]
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime)
