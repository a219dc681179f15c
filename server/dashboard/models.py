"""The tables of counted figures.

`place` is a scope in the spelling of boards. Figures of a place include everything below it, and
each participation or person counts once on each level.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, Integer, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, UtcDateTime

PLACE_LENGTH = 40


class Participant(Base):
    """A citizen who took part, at the place and in the group of the latest participation.

    Units: `times` participations on `days` different days, `completed` of them to the end.
    """

    __tablename__ = "participant"
    __table_args__ = (
        Index("ix_participant_city", "city", "id"),
        Index("ix_participant_county", "county", "id"),
        Index("ix_participant_unit_id", "unit_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # No foreign key, as in `participation`.
    citizen_id: Mapped[int] = mapped_column(BigId, unique=True)
    city: Mapped[str | None] = mapped_column(String(6))
    county: Mapped[str | None] = mapped_column(String(6))
    unit_id: Mapped[int | None] = mapped_column(BigId)
    audience: Mapped[str | None] = mapped_column(String(40))
    first_day: Mapped[date]
    last_day: Mapped[date]
    days: Mapped[int]
    times: Mapped[int]
    completed: Mapped[int]


class FigureDay(Base):
    """Participations and first-time participants of a day."""

    __tablename__ = "figure_day"

    place: Mapped[str] = mapped_column(String(PLACE_LENGTH), primary_key=True)
    on_day: Mapped[date] = mapped_column(primary_key=True)
    times: Mapped[int]
    newcomers: Mapped[int]


class FigureHour(Base):
    """Participations by the hour of the day in Beijing."""

    __tablename__ = "figure_hour"

    place: Mapped[str] = mapped_column(String(PLACE_LENGTH), primary_key=True)
    hour: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    times: Mapped[int]


class FigureGroup(Base):
    """Participations and people of an audience group; an empty `audience` for none stated.

    Units: `returned` people took part on at least two days.
    """

    __tablename__ = "figure_group"

    place: Mapped[str] = mapped_column(String(PLACE_LENGTH), primary_key=True)
    audience: Mapped[str] = mapped_column(String(40), primary_key=True)
    times: Mapped[int]
    people: Mapped[int]
    returned: Mapped[int]


class FigureFunnel(Base):
    """Numbers of people who reached each funnel step, by the place in their present profile."""

    __tablename__ = "figure_funnel"

    place: Mapped[str] = mapped_column(String(PLACE_LENGTH), primary_key=True)
    followed: Mapped[int] = mapped_column(Integer)
    logged_in: Mapped[int] = mapped_column(Integer)
    started: Mapped[int] = mapped_column(Integer)
    handed_in: Mapped[int] = mapped_column(Integer)
    came_again: Mapped[int] = mapped_column(Integer)


class FigureState(Base):
    """Up to which instant figures are complete: `participation` and `funnel`."""

    __tablename__ = "figure_state"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime)
