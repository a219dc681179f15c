"""Papers. A database trigger protects answers and score of a closed one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    DDL,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column
from server.quiz.enums import AttemptState

# Closed papers still to be added to the statistics, or to be removed from them.
TALLY_DUE = "state <> 'open' AND tally IN (0, 2)"


class Attempt(Base):
    """One paper of one citizen: dealt once, answered until closed, then unchangeable."""

    __tablename__ = "attempt"
    __table_args__ = (
        UniqueConstraint("contest_id", "citizen_id", "on_day", "try_no"),
        CheckConstraint("try_no BETWEEN 1 AND day_limit", name="try_no"),
        CheckConstraint(
            "state = 'open' OR (score IS NOT NULL AND correct_count IS NOT NULL"
            " AND duration_ms IS NOT NULL AND closed_at IS NOT NULL)",
            name="closed",
        ),
        Index(
            "uq_attempt_one_open",
            "contest_id",
            "citizen_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "ix_attempt_open_deadline_at",
            "deadline_at",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_attempt_entry_id", "entry_id"),
        Index("ix_attempt_citizen_id", "citizen_id"),
        Index("ix_attempt_contest_id_closed_at", "contest_id", "closed_at"),
        Index(
            "ix_attempt_tally_due",
            "id",
            sqlite_where=text(TALLY_DUE),
            postgresql_where=text(TALLY_DUE),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    entry_id: Mapped[int] = mapped_column(BigId, ForeignKey("entry.id"))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    on_day: Mapped[date]
    on_week: Mapped[str] = mapped_column(String(8))
    try_no: Mapped[int] = mapped_column(Integer)
    day_limit: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deadline_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[AttemptState] = mapped_column(enum_column(AttemptState, "state"))
    rules_version: Mapped[str] = mapped_column(String(16))
    paper: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    answers: Mapped[dict[str, list[int]]] = mapped_column(Json)
    score: Mapped[int | None] = mapped_column(Integer)
    correct_count: Mapped[int | None] = mapped_column(Integer)
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rank_region: Mapped[int | None] = mapped_column(Integer)
    rank_city: Mapped[int | None] = mapped_column(Integer)
    # The contest's `marking` under which the score was computed.
    marking: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    # Whether the statistics of its questions include it: a value of `Tally`.
    tally: Mapped[int] = mapped_column(Integer, server_default=text("0"))


# Columns of a closed attempt that never change. Its owner may change (merge), its ranks may be set
# once; its score may change with a higher `marking` only. PostgreSQL cannot compare JSON, so its
# text is compared.
_KEPT = (
    "state", "rules_version", "on_day", "on_week", "started_at", "deadline_at", "duration_ms",
    "closed_at",
)  # fmt: skip
_MARKED = ("score", "correct_count")
_KEPT_JSON = ("paper", "answers")
_RANKS = ("rank_region", "rank_city")


def _changed_condition(differs: str, json_as: str) -> str:
    kept = [f"NEW.{name} {differs} OLD.{name}" for name in _KEPT]
    kept += [f"NEW.{name}{json_as} {differs} OLD.{name}{json_as}" for name in _KEPT_JSON]
    ranks = [f"NEW.{name} {differs} OLD.{name}" for name in _RANKS]
    marked = [f"NEW.{name} {differs} OLD.{name}" for name in _MARKED]
    kept.append(f"(NEW.marking <= OLD.marking AND ({' OR '.join(marked)}))")
    kept.append("NEW.marking < OLD.marking")
    return f"{' OR '.join(kept)} OR (OLD.rank_region IS NOT NULL AND ({' OR '.join(ranks)}))"


SQLITE_TRIGGER = (
    "CREATE TRIGGER attempt_closed_stays BEFORE UPDATE ON attempt FOR EACH ROW"
    f" WHEN OLD.state <> 'open' AND ({_changed_condition('IS NOT', '')})"
    " BEGIN SELECT RAISE(ABORT, 'a closed attempt stays as it is'); END"
)
POSTGRESQL_FUNCTION = (
    "CREATE OR REPLACE FUNCTION attempt_closed_stays() RETURNS trigger LANGUAGE plpgsql AS $$"
    f" BEGIN IF {_changed_condition('IS DISTINCT FROM', '::text')} THEN"
    " RAISE EXCEPTION 'a closed attempt stays as it is' USING ERRCODE = 'check_violation';"
    " END IF; RETURN NEW; END $$"
)
POSTGRESQL_TRIGGER = (
    "CREATE TRIGGER attempt_closed_stays BEFORE UPDATE ON attempt FOR EACH ROW"
    " WHEN (OLD.state <> 'open') EXECUTE FUNCTION attempt_closed_stays()"
)

for _dialect, _statement in (
    ("sqlite", SQLITE_TRIGGER),
    ("postgresql", POSTGRESQL_FUNCTION),
    ("postgresql", POSTGRESQL_TRIGGER),
):
    _ddl = DDL(_statement)  # type: ignore[no-untyped-call]  # a gap in SQLAlchemy's own types
    event.listen(Attempt.__table__, "after_create", _ddl.execute_if(dialect=_dialect))
