"""Tables of the frame: organizers' column choices and saved filters, and their long work.

`CheckedFile` and `RememberedHeading` are the columns of tables that slices keep for their files.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from server.base.outbox_rows import Outgoing, outbox_index
from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column


class FileState(StrEnum):
    """State of an uploaded file: to be checked, checked, to be stored, stored, or discarded."""

    WAITING = "waiting"
    CHECKED = "checked"
    CONFIRMED = "confirmed"
    STORED = "stored"
    DROPPED = "dropped"


class CheckedFile(Owned):
    """Columns of a table of uploaded files (checked_files.py); long jobs check and store them.

    State machine:
    waiting --check--> checked --confirm--> confirmed --store--> stored
    checked --assign columns--> waiting
    confirmed --the second comparison has another result--> checked
    waiting, checked, confirmed --drop--> dropped
    `content` is deleted in both final states, stored and dropped. `said` has the organizer's
    settings for reading the file, and the running job; `report` has the last check's result.
    """

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    file_name: Mapped[str] = mapped_column(String(200))
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    said: Mapped[dict[str, Any]] = mapped_column(Json)
    report: Mapped[dict[str, Any] | None] = mapped_column(Json)
    state: Mapped[FileState] = mapped_column(enum_column(FileState, "state"))
    writer_id: Mapped[int] = mapped_column(BigId)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RememberedHeading(Owned):
    """Columns of a table of headings that a place assigned by hand, for its later files."""

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[UniqueConstraint, ...]:
        """One meaning per heading and place."""
        return (UniqueConstraint("owner", "title"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    title: Mapped[str] = mapped_column(String(80))
    meaning: Mapped[str] = mapped_column(String(20))


class ConsoleView(Base):
    """One organizer's view of one list.

    The row without a `title` holds the chosen columns; each other row is a saved filter.
    `organizer` is the id of the organizer's account, which a higher slice keeps.
    """

    __tablename__ = "console_view"
    __table_args__ = (UniqueConstraint("organizer", "list_slug", "title"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    organizer: Mapped[int] = mapped_column(Integer)
    list_slug: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(40), default="")
    columns: Mapped[list[str]] = mapped_column(Json, default=list)
    filter_query: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ConsoleJob(Outgoing, Base):
    """Long work that an organizer started: an import, an export, a new scoring.

    The outbox columns say when it runs: queued -> claimed -> done | given_up; a claim of a dead
    worker is queued again, at most `MOST_TRIES` times (long_jobs.py). `settled` is set in the
    transaction of the job's own effect, so that a repeated run does not make it again. `organizer`
    is the id of the account, `acts_as` its role and scope when the job began; nobody else sees the
    row. `said` and `facts` are the outcome in words. Input and result are deleted with the row,
    `KEPT` after the end.
    """

    __tablename__ = "console_job"
    __table_args__ = (outbox_index("console_job"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    job: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(80))
    title_facts: Mapped[dict[str, Any]] = mapped_column(Json)
    organizer: Mapped[int] = mapped_column(Integer, index=True)
    acts_as: Mapped[dict[str, Any]] = mapped_column(Json)
    arguments: Mapped[dict[str, Any]] = mapped_column(Json)
    input_file: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    cancellable: Mapped[bool] = mapped_column(Boolean)
    cancel_asked: Mapped[bool] = mapped_column(Boolean, default=False)
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    settled: Mapped[bool] = mapped_column(Boolean, default=False)
    failed: Mapped[bool] = mapped_column(Boolean, default=False)
    said: Mapped[str] = mapped_column(String(80), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    result_file: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    result_title: Mapped[str] = mapped_column(String(120), default="")
    result_media: Mapped[str] = mapped_column(String(100), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
