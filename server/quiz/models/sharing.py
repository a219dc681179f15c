"""Result cards, and the visits that come by them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.base.outbox_rows import Outgoing, outbox_index
from server.base.sql.tables import Base, BigId, UtcDateTime


class Share(Outgoing, Base):
    """A citizen's card of one closed paper. It never brings any advantage.

    `code_picture` is the mini-program code on its poster, which may arrive from WeChat later.
    """

    __tablename__ = "share"
    __table_args__ = (Index("ix_share_citizen_id", "citizen_id"), outbox_index("share"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(32), unique=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    attempt_id: Mapped[int] = mapped_column(BigId, ForeignKey("attempt.id"), unique=True)
    code_picture: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Visit(Base):
    """A citizen came by a share or a channel's code: once per code and Beijing day."""

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("citizen_id", "scene", "on_day"),
        Index("ix_visit_scene_on_day", "scene", "on_day"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    scene: Mapped[str] = mapped_column(String(64))
    on_day: Mapped[date]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
