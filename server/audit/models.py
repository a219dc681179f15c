"""Tables of the audit trail. Triggers refuse to change or delete entries and checkpoints."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DDL, BigInteger, ForeignKey, Index, Integer, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, UtcDateTime

REASON_LENGTH = 500


class AuditRecord(Owned, Base):
    """One change, append-only; `number` has no gaps, `digest` covers the row and the previous one.

    `owner` is the place of the changed object, `scope` that of the organizer. `before`, `after` and
    `personal` are JSON texts, empty for none; `personal` holds a salted hash per readable value in
    `audit_personal`.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject", "subject_kind", "subject_ref", "number"),
        Index("ix_audit_entry_organizer_id", "organizer_id", "number"),
        Index("ix_audit_entry_at", "at"),
    )

    follows_unit = False

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    previous_digest: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    organizer_id: Mapped[int | None] = mapped_column(BigInteger)
    organizer_name: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(20))
    scope: Mapped[str] = mapped_column(String(40))
    network: Mapped[str] = mapped_column(String(60))
    act: Mapped[str] = mapped_column(String(80))
    subject_kind: Mapped[str] = mapped_column(String(40))
    subject_ref: Mapped[str] = mapped_column(String(120))
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    personal: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(REASON_LENGTH))


class AuditPersonal(Base):
    """A readable personal value of an entry. Deleting it leaves the chain intact.

    The entry has only `SHA-256 HMAC(salt, value)`; without this row nobody can test a guess.
    """

    __tablename__ = "audit_personal"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entry_number: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("audit_entry.number"), index=True
    )
    field: Mapped[str] = mapped_column(String(40))
    value: Mapped[str] = mapped_column(Text)
    salt: Mapped[str] = mapped_column(String(32))
    citizen_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("citizen.id"), index=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class AuditHead(Base):
    """The end of the chain, one row: locked by each transaction that appends, signed each time."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(120))


class AuditCheckpoint(Base):
    """A day's signed head, append-only: a truncated chain with a new head does not contain it."""

    __tablename__ = "audit_checkpoint"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


_REFUSAL = "the audit trail is append-only"


def sqlite_trigger(table: str, verb: str) -> str:
    """The trigger that refuses UPDATE or DELETE of a table, on SQLite."""
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} FOR EACH ROW"
        f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    )


POSTGRESQL_FUNCTION = (
    "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$"
    f" BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'check_violation'; END $$"
)


def postgresql_trigger(table: str) -> str:
    """The trigger that refuses UPDATE, DELETE and TRUNCATE of a table, on PostgreSQL."""
    return (
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
    )


for _model in (AuditRecord, AuditCheckpoint):
    for _dialect, _statement in (
        ("sqlite", sqlite_trigger(_model.__tablename__, "UPDATE")),
        ("sqlite", sqlite_trigger(_model.__tablename__, "DELETE")),
        ("postgresql", POSTGRESQL_FUNCTION),
        ("postgresql", postgresql_trigger(_model.__tablename__)),
    ):
        _ddl = DDL(_statement)  # type: ignore[no-untyped-call]  # a gap in SQLAlchemy's own types
        event.listen(_model.__table__, "after_create", _ddl.execute_if(dialect=_dialect))
