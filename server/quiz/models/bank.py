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
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.base.kept_pictures import KeptPicture
from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column
from server.console.models import CheckedFile, RememberedHeading
from server.quiz.enums import QuestionKind, QuestionState


class Bank(Owned, Base):
    """A pool of questions; `revision` changes with each change, so that caches notice.

    Each place has one without a `title`, and any number of others.
    """

    __tablename__ = "bank"

    slug: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(60), server_default="")

    @classmethod
    def published_condition(cls) -> ColumnElement[bool]:
        """Every bank, because its live questions may be dealt by lower places."""
        return true()


class Question(Owned, Base):
    """One version of a question; answers refer to the version that was seen.

    State machine of a version:
        draft --send--> draft with `sent_at` (in review) --approve--> live --retire--> retired
        draft with `sent_at` --return, with a remark--> draft; draft --retire--> retired
    Approving a version retires the live one of the same `ref`. `writer_id` wrote it and
    `decider_id` decided last: organizers; None for a command. `batch` is the import it came with.
    `picture` is the name of a `QuestionPicture`, `picture_alt` its text for screen readers.
    """

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
        Index("ix_question_batch", "batch"),
        Index("ix_question_sent_at", "sent_at"),
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
    picture: Mapped[str | None] = mapped_column(String(40), index=True)
    picture_alt: Mapped[str] = mapped_column(String(200), server_default=text("''"))
    state: Mapped[QuestionState] = mapped_column(enum_column(QuestionState, "state"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    writer_id: Mapped[int | None] = mapped_column(BigId)
    decider_id: Mapped[int | None] = mapped_column(BigId)
    remark: Mapped[str | None] = mapped_column(String(300))
    batch: Mapped[str | None] = mapped_column(String(40))

    @classmethod
    def published_condition(cls) -> ColumnElement[bool]:
        """Live questions. Callers must not expose `answer` and `explanation`."""
        return cls.state == QuestionState.LIVE


class QuestionPicture(KeptPicture, Base):
    """A picture of questions, named by their versions."""

    __tablename__ = "question_picture"
    __table_args__ = (UniqueConstraint("digest"), Index("ix_question_picture_used_at", "used_at"))


class QuestionImport(CheckedFile, Base):
    """A file of questions that an organizer uploaded; its questions are stored as drafts."""

    __tablename__ = "question_import"


class QuestionHeading(RememberedHeading, Base):
    """The meaning of a heading as assigned by hand, remembered for later files of this place."""

    __tablename__ = "question_heading"
