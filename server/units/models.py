"""The table of units: organisers, associations, members; places are codes of the data file."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, UtcDateTime, enum_column
from server.units.kinds import Level


class Unit(Base):
    """An organisation that organises, reports or has members.

    A merged unit is closed; `merged_into` is the id of the open unit that replaces it.
    `merge_ended_at` is set when no row refers to the merged unit any more.
    """

    __tablename__ = "unit"
    __table_args__ = (
        CheckConstraint("county IS NULL OR city IS NOT NULL", name="county_in_city"),
        CheckConstraint(
            "valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to", name="validity"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    full_name: Mapped[str | None] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(40))
    level: Mapped[Level] = mapped_column(enum_column(Level, "level"))
    city: Mapped[str | None] = mapped_column(String(6), index=True)
    county: Mapped[str | None] = mapped_column(String(6), index=True)
    assumed: Mapped[bool]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    merged_into: Mapped[int | None] = mapped_column(BigId, ForeignKey("unit.id"), index=True)
    merge_ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
