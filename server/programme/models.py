"""Tables of campaigns, programmes, their organisers and participations.

Dates are stored after moving by the campaign's `shift_weeks`: exact days by these weeks, other
wordings by the corresponding months. Titles and date wordings are written for the moved dates;
`notice_text` keeps the notice's own words.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column
from server.programme.kinds import Kind, Precision, Role


class Campaign(Base):
    """A campaign as its notice describes it."""

    __tablename__ = "campaign"
    __table_args__ = (CheckConstraint("start_on <= end_on", name="window"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[str] = mapped_column(String(100))
    title_za: Mapped[str | None] = mapped_column(String(200))
    theme: Mapped[str] = mapped_column(String(100))
    region_code: Mapped[str] = mapped_column(String(6))
    date_text: Mapped[str] = mapped_column(String(60))
    start_on: Mapped[date]
    end_on: Mapped[date]
    precision: Mapped[Precision] = mapped_column(enum_column(Precision, "precision"))
    shift_weeks: Mapped[int]
    notice_year: Mapped[int]
    notice_text: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(40))
    target: Mapped[dict[str, Any]] = mapped_column(Json)
    summary: Mapped[dict[str, Any]] = mapped_column(Json)
    summary_on: Mapped[date]
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CampaignHost(Base):
    """A hosting unit of the campaign, in the notice's order."""

    __tablename__ = "campaign_host"
    __table_args__ = (UniqueConstraint("campaign_id", "unit_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    position: Mapped[int]


class Programme(Base):
    """A theme activity or a joint action; it may end after its campaign or have no dates."""

    __tablename__ = "programme"
    __table_args__ = (
        UniqueConstraint("campaign_id", "slug"),
        CheckConstraint("start_on <= end_on", name="window"),
        CheckConstraint(
            "(start_on IS NULL) = (end_on IS NULL)"
            " AND (start_on IS NULL) = (precision IS NULL)"
            " AND (start_on IS NULL) = (date_text IS NULL)",
            name="dates_together",
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    position: Mapped[int]
    kind: Mapped[Kind] = mapped_column(enum_column(Kind, "kind"))
    form: Mapped[str | None] = mapped_column(String(40))
    slug: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(100))
    date_text: Mapped[str | None] = mapped_column(String(60))
    start_on: Mapped[date | None]
    end_on: Mapped[date | None]
    precision: Mapped[Precision | None] = mapped_column(enum_column(Precision, "precision"))
    place: Mapped[str | None] = mapped_column(String(100))
    notice_text: Mapped[str] = mapped_column(String(200))
    place_code: Mapped[str | None] = mapped_column(String(6))
    owner_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    owner_assumed: Mapped[bool]
    open_list: Mapped[bool]
    content: Mapped[dict[str, Any]] = mapped_column(Json)


class ProgrammeOrganiser(Base):
    """A hosting or undertaking unit of a programme, in the notice's order."""

    __tablename__ = "programme_organiser"
    __table_args__ = (UniqueConstraint("programme_id", "unit_id", "role"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    role: Mapped[Role] = mapped_column(enum_column(Role, "role"))
    position: Mapped[int]


class Participation(Base):
    """One participation of a citizen, such as a closed paper; written with its cause.

    `kind` and `source_ref` identify the cause, in terms of its slice. City, county and unit are the
    citizen's place at that time and do not follow a later move; without a place it counts only for
    the region. Without a programme it belongs to the whole campaign. Undoing the cause deletes the
    row, a merge re-points it, an erasure makes it anonymous.
    """

    __tablename__ = "participation"
    __table_args__ = (
        UniqueConstraint("kind", "source_ref"),
        Index("ix_participation_citizen_id_on_day", "citizen_id", "on_day"),
        Index("ix_participation_place", "programme", "city", "county", "on_day"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # No foreign keys: PostgreSQL would lock the citizen's row at the insert, after the entry, which
    # is the wrong order (docs/architecture.md). Rows of citizens and units are never deleted.
    citizen_id: Mapped[int] = mapped_column(BigId)
    kind: Mapped[str] = mapped_column(String(20))
    source_ref: Mapped[str] = mapped_column(String(40))
    programme: Mapped[str | None] = mapped_column(String(60))
    city: Mapped[str | None] = mapped_column(String(6))
    county: Mapped[str | None] = mapped_column(String(6))
    unit_id: Mapped[int | None] = mapped_column(BigId)
    on_day: Mapped[date]
