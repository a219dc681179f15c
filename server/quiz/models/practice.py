"""Practice and its answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, Json, UtcDateTime


class Practice(Base):
    """Questions dealt for practice; without clock, score or board."""

    __tablename__ = "practice"
    __table_args__ = (Index("ix_practice_citizen_id", "citizen_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    paper: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PracticeAnswer(Base):
    """The first answer to a question of a practice; later ones return its result."""

    __tablename__ = "practice_answer"
    __table_args__ = (UniqueConstraint("practice_id", "question_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practice.id"))
    question_id: Mapped[int] = mapped_column(BigId, ForeignKey("question.id"))
    chosen: Mapped[list[int]] = mapped_column(Json)
    correct: Mapped[bool]
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime)
