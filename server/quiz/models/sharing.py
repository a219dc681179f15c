"""Result cards."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
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
