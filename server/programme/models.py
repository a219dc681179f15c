"""Tables of campaigns, programmes, their organisers and participations.

Dates are stored after moving by the campaign's `shift_weeks`: exact days by these weeks, other
wordings by the corresponding months. Titles and date wordings are written for the moved dates;
`notice_text` keeps the notice's own words.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    DDL,
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    event,
    true,
)
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

    `hour` is the hour of the day in Beijing at which it began, where that is known; `completed` is
    false for a paper that was left to its deadline.

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
    audience: Mapped[str | None] = mapped_column(String(40))
    hour: Mapped[int | None] = mapped_column(SmallInteger)
    completed: Mapped[bool] = mapped_column(default=True, server_default=true())


class ParticipationChange(Base):
    """An added (`sign` 1) or removed (-1) participation that the figures do not contain yet.

    Written by triggers in the transaction of the change, so that no way of writing participations
    can leave one out: an update, such as a merge, removes the old row and adds the new one.
    """

    __tablename__ = "participation_change"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sign: Mapped[int] = mapped_column(SmallInteger)
    citizen_id: Mapped[int] = mapped_column(BigId)
    city: Mapped[str | None] = mapped_column(String(6))
    county: Mapped[str | None] = mapped_column(String(6))
    unit_id: Mapped[int | None] = mapped_column(BigId)
    audience: Mapped[str | None] = mapped_column(String(40))
    on_day: Mapped[date]
    hour: Mapped[int | None] = mapped_column(SmallInteger)


_TOLD = "citizen_id, city, county, unit_id, audience, on_day, hour"


def _note_change(row: str, sign: int) -> str:
    values = ", ".join(f"{row}.{name}" for name in _TOLD.split(", "))
    named = f"participation_change (sign, {_TOLD})"
    return f"INSERT INTO {named} VALUES ({sign}, {values});"  # noqa: S608 - our own names


_NOTED = "participation_{}_noted"
_CHANGES = {
    "INSERT": _note_change("NEW", 1),
    "UPDATE": f"{_note_change('OLD', -1)} {_note_change('NEW', 1)}",
    "DELETE": _note_change("OLD", -1),
}
SQLITE_TRIGGERS = tuple(
    f"CREATE TRIGGER {_NOTED.format(name.lower())} AFTER {name} ON participation"
    f" FOR EACH ROW BEGIN {noting} END"
    for name, noting in _CHANGES.items()
)
POSTGRESQL_TRIGGERS = tuple(
    statement
    for name, noting in _CHANGES.items()
    for statement in (
        f"CREATE OR REPLACE FUNCTION {_NOTED.format(name.lower())}() RETURNS trigger"
        f" LANGUAGE plpgsql AS $$ BEGIN {noting} RETURN NULL; END $$",
        f"CREATE TRIGGER {_NOTED.format(name.lower())} AFTER {name} ON participation"
        f" FOR EACH ROW EXECUTE FUNCTION {_NOTED.format(name.lower())}()",
    )
)

# The triggers are created after the table that they write to, which follows `participation`.
for _dialect, _statements in (
    ("sqlite", SQLITE_TRIGGERS),
    ("postgresql", POSTGRESQL_TRIGGERS),
):
    for _statement in _statements:
        _ddl = DDL(_statement)  # type: ignore[no-untyped-call]  # a gap in SQLAlchemy's own types
        event.listen(
            ParticipationChange.__table__, "after_create", _ddl.execute_if(dialect=_dialect)
        )
