"""Tables of requests for units."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, UtcDateTime, enum_column


class RequestState(StrEnum):
    """State of a request: WAITING → CREATED, POINTED (to an existing unit) or REFUSED."""

    WAITING = "waiting"
    CREATED = "created"
    POINTED = "pointed"
    REFUSED = "refused"


class NameCheck(StrEnum):
    """Verdict of WeChat's content check on the name."""

    PASSED = "passed"
    REVIEW = "review"
    UNCHECKED = "unchecked"


class UnitRequest(Owned, Base):
    """A unit that is missing for citizens of a place: one row, however many of them request it.

    The owner is the county, or the city without one. `name_key` is the normalised name, unique
    among the waiting requests of a place. `decider_id` is the organizer who answered.
    """

    __tablename__ = "unit_request"
    __table_args__ = (
        UniqueConstraint("ref"),
        Index(
            "uq_unit_request_waiting",
            "owner",
            "name_key",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(100))
    name_check: Mapped[NameCheck] = mapped_column(enum_column(NameCheck, "name_check"))
    state: Mapped[RequestState] = mapped_column(enum_column(RequestState, "state"))
    unit_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("unit.id"))
    sentence: Mapped[str] = mapped_column(String(300), default="")
    decider_id: Mapped[int | None] = mapped_column(BigId)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UnitRequester(Base):
    """A citizen who sent the request; `told_at` is set when the answer is in the inbox."""

    __tablename__ = "unit_requester"
    __table_args__ = (
        UniqueConstraint("citizen_id", "request_id"),
        Index("ix_unit_requester_request_id", "request_id"),
        Index("ix_unit_requester_told_at", "told_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[int] = mapped_column(BigId, ForeignKey("unit_request.id"))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
