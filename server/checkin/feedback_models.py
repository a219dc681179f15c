"""Tables for the time after an activity: feedback, and the noted attendance."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Integer, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, UtcDateTime, enum_column

MOST_WORDS = 500
BEST, WORST = 5, 1


class WordsCheck(StrEnum):
    """Verdict of WeChat's content check on the words; refused ones are not stored."""

    PASSED = "passed"
    REVIEW = "review"
    UNCHECKED = "unchecked"


class ActivityFeedback(Base):
    """The feedback of one citizen who attended an activity; `words` may be empty."""

    __tablename__ = "activity_feedback"
    __table_args__ = (
        UniqueConstraint("activity_id", "citizen_id"),
        CheckConstraint(f"rating >= {WORST} AND rating <= {BEST}", name="rating"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    activity_id: Mapped[int] = mapped_column(BigId, ForeignKey("activity.id"))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"), index=True)
    rating: Mapped[int] = mapped_column(SmallInteger)
    words: Mapped[str] = mapped_column(String(MOST_WORDS))
    words_check: Mapped[WordsCheck] = mapped_column(enum_column(WordsCheck, "words_check"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class NotedAttendance(Base):
    """The attendance of a closed activity by which its absences were noted.

    While `admitted` and `last_scan_id` are those of the hall, nothing has changed since.
    """

    __tablename__ = "noted_attendance"

    activity_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("hall.activity_id"), primary_key=True, autoincrement=False
    )
    admitted: Mapped[int] = mapped_column(Integer)
    last_scan_id: Mapped[int] = mapped_column(BigId)
    noted_at: Mapped[datetime] = mapped_column(UtcDateTime)
