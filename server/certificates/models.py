"""The table of certificates."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column

_IS_LIVE = text("ended IS NULL")


class CertificateEnd(StrEnum):
    """The way in which a certificate became invalid.

    `revoked` by an organizer, `doubled` when two citizens with one each became one, `erased` with
    the data of its holder.
    """

    REVOKED = "revoked"
    DOUBLED = "doubled"
    ERASED = "erased"


class Certificate(Owned, Base):
    """A certificate of one citizen for one source; at most one of them is valid.

    Valid from its issue until it has ended; while the right of its holder is withheld, for example
    because a check-in was undone, it does not verify, but keeps its number.

    `source_id` is the row of what is certified, in a table of the slice of its `kind`. `claim` is
    its last content (see `Attestation`), for the time after its rows were deleted. `name` is sealed
    to the serial. The owner is that of the source.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        Index(
            "uq_certificate_live_citizen_id_kind_source_id",
            "citizen_id",
            "kind",
            "source_id",
            unique=True,
            sqlite_where=_IS_LIVE,
            postgresql_where=_IS_LIVE,
        ),
        Index("ix_certificate_citizen_id", "citizen_id"),
        CheckConstraint("(ended IS NULL) = (ended_at IS NULL)", name="ended_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    serial: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    source_id: Mapped[int] = mapped_column(BigId)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    name: Mapped[str | None] = mapped_column(String(400))
    title: Mapped[str] = mapped_column(String(120))
    claim: Mapped[dict[str, Any]] = mapped_column(Json)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended: Mapped[CertificateEnd | None] = mapped_column(enum_column(CertificateEnd, "ended"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The organizer's words, and whether the holder may ask for another one.
    end_reason: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    may_reissue: Mapped[bool] = mapped_column(default=False, server_default=false())
