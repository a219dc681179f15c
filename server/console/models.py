"""Tables of the frame: each organizer's column choices and saved filters."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, Json, UtcDateTime


class ConsoleView(Base):
    """How one organizer wants to see one list.

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
