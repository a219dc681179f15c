"""Check-in: scanner grants, halls, attendance and scans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WAYS = ("scan", "self", "manual", "walk_in")


def _one_of(table: str, column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Add the tables."""
    _add_grants()
    _add_halls()
    _add_scans()


def _add_grants() -> None:
    op.create_table(
        "scanner_grant",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("activity_id", BIG, nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("gate", sa.String(20), nullable=False),
        sa.Column("made_by", BIG, nullable=True),
        _instant("made_at"),
        _instant("expires_at"),
        _instant("revoked_at", nullable=True),
        sa.Column("revoked_by", BIG, nullable=True),
        sa.Column("taken_by", BIG, nullable=True),
        _instant("taken_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name="fk_scanner_grant_activity_id_activity"
        ),
        sa.ForeignKeyConstraint(
            ["taken_by"], ["citizen.id"], name="fk_scanner_grant_taken_by_citizen"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_scanner_grant"),
        sa.UniqueConstraint("ref", name="uq_scanner_grant_ref"),
        sa.UniqueConstraint("code_hash", name="uq_scanner_grant_code_hash"),
    )
    op.create_index("ix_scanner_grant_activity_id", "scanner_grant", ["activity_id"])
    op.create_index(
        "ix_scanner_grant_taken_by_activity_id", "scanner_grant", ["taken_by", "activity_id"]
    )


def _add_halls() -> None:
    op.create_table(
        "hall",
        sa.Column("activity_id", BIG, nullable=False, autoincrement=False),
        sa.Column("admitted", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("inside", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("walk_ins", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.CheckConstraint("inside >= 0 AND inside <= admitted", name=op.f("ck_hall_inside")),
        sa.CheckConstraint("walk_ins >= 0 AND walk_ins <= admitted", name=op.f("ck_hall_walk_ins")),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name="fk_hall_activity_id_activity"
        ),
        sa.PrimaryKeyConstraint("activity_id", name="pk_hall"),
    )
    op.create_table(
        "attendance",
        sa.Column("id", BIG, nullable=False),
        sa.Column("signup_id", BIG, nullable=False),
        sa.Column("activity_id", BIG, nullable=False),
        sa.Column("people", sa.SmallInteger(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("way", sa.String(40), nullable=False),
        sa.Column("gate", sa.String(20), nullable=False),
        _instant("first_in_at"),
        _instant("device_at"),
        _instant("inside_since", nullable=True),
        _instant("last_out_at", nullable=True),
        sa.Column("stayed_seconds", sa.Integer(), nullable=False),
        _instant("undone_at", nullable=True),
        sa.Column("undo_reason", sa.String(300), nullable=True),
        sa.CheckConstraint("people >= 1", name=op.f("ck_attendance_people")),
        sa.CheckConstraint("stayed_seconds >= 0", name=op.f("ck_attendance_stayed_seconds")),
        _one_of("attendance", "way", *_WAYS),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["hall.activity_id"], name="fk_attendance_activity_id_hall"
        ),
        sa.ForeignKeyConstraint(
            ["signup_id"], ["signup.id"], name="fk_attendance_signup_id_signup"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attendance"),
        sa.UniqueConstraint("signup_id", name="uq_attendance_signup_id"),
    )
    op.create_index(
        "ix_attendance_activity_id_first_in_at", "attendance", ["activity_id", "first_in_at"]
    )


def _add_scans() -> None:
    op.create_table(
        "scan",
        sa.Column("id", BIG, nullable=False),
        sa.Column("activity_id", BIG, nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("signup_id", BIG, nullable=True),
        sa.Column("grant_id", BIG, nullable=True),
        sa.Column("organizer_id", BIG, nullable=True),
        sa.Column("gate", sa.String(20), nullable=False),
        sa.Column("way", sa.String(40), nullable=False),
        sa.Column("direction", sa.String(40), nullable=False),
        sa.Column("result", sa.String(40), nullable=False),
        _instant("said_at", nullable=True),
        sa.Column("said_gate", sa.String(20), nullable=False),
        _instant("at"),
        _instant("device_at"),
        _instant("arrived_at"),
        sa.Column("is_passage", sa.Boolean(), nullable=False),
        sa.Column("is_conflict", sa.Boolean(), nullable=False),
        _one_of("scan", "way", *_WAYS),
        _one_of("scan", "direction", "in", "out"),
        _one_of(
            "scan",
            "result",
            "OK",
            "ALREADY",
            "WRONG_SESSION",
            "CANCELLED",
            "WAITLISTED",
            "TOO_EARLY",
            "BAD_SIGNATURE",
            "NOT_FOUND",
        ),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["hall.activity_id"], name="fk_scan_activity_id_hall"
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["scanner_grant.id"], name="fk_scan_grant_id_scanner_grant"
        ),
        sa.ForeignKeyConstraint(["signup_id"], ["signup.id"], name="fk_scan_signup_id_signup"),
        sa.PrimaryKeyConstraint("id", name="pk_scan"),
    )
    op.create_index("ix_scan_signup_id", "scan", ["signup_id"])
    op.create_index(
        "ix_scan_conflict_activity_id",
        "scan",
        ["activity_id"],
        sqlite_where=sa.text("is_conflict"),
        postgresql_where=sa.text("is_conflict"),
    )
    op.create_index("uq_scan_activity_id_nonce", "scan", ["activity_id", "nonce"], unique=True)


def downgrade() -> None:
    """Drop the tables."""
    for table in ("scan", "attendance", "hall", "scanner_grant"):
        op.drop_table(table)
