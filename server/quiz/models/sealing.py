"""Final ranks as signed versions: their rows, their signed bytes, and late changes of results."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column
from server.quiz.enums import SealState


class SealedVersion(Base):
    """One version of a contest's final ranks.

    building → draft → published → replaced by a newer published one; a draft that is not published
    is dropped. A version is built in short transactions: its order is kept in `sealed_order`, then
    its rows and its file are made from it. Before the end it has no document, and
    `sealing_facts` keeps what the document will state: the author's ref and the undecided holds.
    `document` is the signed text, canonical JSON: what the version is, the hash of the rank file,
    and the hash of the previous version's document. Rows and bytes never change; a correction is a
    new version.
    """

    __tablename__ = "sealed_version"
    __table_args__ = (UniqueConstraint("contest_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[SealState] = mapped_column(enum_column(SealState, "state"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The organizer whose act made the version; None for the system.
    author_id: Mapped[int | None] = mapped_column(BigInteger)
    author_name: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(Text)
    rank_count: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(64))
    document: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[str] = mapped_column(String(100))
    public_key: Mapped[str] = mapped_column(String(60))
    publisher_id: Mapped[int | None] = mapped_column(BigInteger)
    publisher_name: Mapped[str | None] = mapped_column(String(80))
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sealing_facts: Mapped[dict[str, Any] | None] = mapped_column(Json)
    # Everybody up to this rank has received the message about the publication.
    told_rank: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))


class SealedRank(Base):
    """One line of a version: an entry with its rank, and its rank on each board it is on.

    Without a name, and without foreign key to the entry, so that sealing waits for no entry. The
    place is that of the sealing.
    """

    __tablename__ = "sealed_rank"
    __table_args__ = (
        UniqueConstraint("version_id", "rank"),
        UniqueConstraint("version_id", "entry_id"),
        Index("ix_sealed_rank_city", "version_id", "city", "city_rank"),
        Index("ix_sealed_rank_county", "version_id", "county", "county_rank"),
        Index("ix_sealed_rank_unit_id", "version_id", "unit_id", "unit_rank"),
        Index("ix_sealed_rank_audience", "version_id", "audience", "audience_rank"),
        Index("ix_sealed_rank_division", "version_id", "division", "division_rank"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version_id: Mapped[int] = mapped_column(BigId, ForeignKey("sealed_version.id"))
    rank: Mapped[int] = mapped_column(Integer)
    entry_id: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    time_ms: Mapped[int] = mapped_column(BigInteger)
    reached_at: Mapped[datetime] = mapped_column(UtcDateTime)
    city: Mapped[str | None] = mapped_column(String(6))
    city_rank: Mapped[int | None] = mapped_column(Integer)
    county: Mapped[str | None] = mapped_column(String(6))
    county_rank: Mapped[int | None] = mapped_column(Integer)
    unit_id: Mapped[int | None] = mapped_column(BigInteger)
    unit_rank: Mapped[int | None] = mapped_column(Integer)
    audience: Mapped[str | None] = mapped_column(String(40))
    audience_rank: Mapped[int | None] = mapped_column(Integer)
    division: Mapped[str | None] = mapped_column(String(20))
    division_rank: Mapped[int | None] = mapped_column(Integer)


class SealedOrder(Base):
    """A part of the ranked entries of a version that is being made, until its rows are stored.

    `content` are the rows of `sealed_rank` as compressed JSON, without names.
    """

    __tablename__ = "sealed_order"
    __table_args__ = (UniqueConstraint("version_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version_id: Mapped[int] = mapped_column(BigId, ForeignKey("sealed_version.id"))
    number: Mapped[int] = mapped_column(Integer)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class SealedPart(Base):
    """A part of a version's rank file; the parts in order are the signed bytes."""

    __tablename__ = "sealed_part"
    __table_args__ = (UniqueConstraint("version_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version_id: Mapped[int] = mapped_column(BigId, ForeignKey("sealed_version.id"))
    number: Mapped[int] = mapped_column(Integer)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class SealChange(Base):
    """A change of results after the sealing; `version_id` is the version that contains it."""

    __tablename__ = "seal_change"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"), index=True)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    organizer_id: Mapped[int | None] = mapped_column(BigInteger)
    organizer_name: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(Text)
    version_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("sealed_version.id"))
