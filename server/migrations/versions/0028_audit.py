"""The audit trail: entries and checkpoints with append-only triggers, readable values, the head."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WHEN = sa.DateTime(timezone=True)
_APPEND_ONLY = ("audit_entry", "audit_checkpoint")
_REFUSAL = "the audit trail is append-only"


def upgrade() -> None:
    """Add the tables and their triggers."""
    _create_entries()
    _create_personal()
    for name in ("audit_head", "audit_checkpoint"):
        op.create_table(
            name,
            *([sa.Column("id", sa.Integer(), nullable=False)] if name == "audit_head" else []),
            sa.Column("number", sa.BigInteger(), nullable=False),
            sa.Column("digest", sa.String(64), nullable=False),
            sa.Column("signature", sa.String(120), nullable=False),
            *([] if name == "audit_head" else [sa.Column("at", _WHEN, nullable=False)]),
            sa.PrimaryKeyConstraint("id" if name == "audit_head" else "number", name=f"pk_{name}"),
        )
    _create_triggers()


def downgrade() -> None:
    """Drop the tables."""
    for name in ("audit_personal", "audit_checkpoint", "audit_head", "audit_entry"):
        op.drop_table(name)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_append_only()")


def _create_entries() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("previous_digest", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("at", _WHEN, nullable=False),
        sa.Column("organizer_id", sa.BigInteger(), nullable=True),
        sa.Column("organizer_name", sa.String(80), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("scope", sa.String(40), nullable=False),
        sa.Column("network", sa.String(60), nullable=False),
        sa.Column("act", sa.String(80), nullable=False),
        sa.Column("subject_kind", sa.String(40), nullable=False),
        sa.Column("subject_ref", sa.String(120), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("personal", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("owner_city", sa.String(6), nullable=True),
        sa.Column("owner_county", sa.String(6), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_audit_entry"),
    )
    subject = ["subject_kind", "subject_ref", "number"]
    op.create_index("ix_audit_entry_subject", "audit_entry", subject)
    op.create_index("ix_audit_entry_organizer_id", "audit_entry", ["organizer_id", "number"])
    for column in ("at", "owner", "owner_city", "owner_county"):
        op.create_index(f"ix_audit_entry_{column}", "audit_entry", [column])


def _create_personal() -> None:
    op.create_table(
        "audit_personal",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("entry_number", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.String(40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("citizen_id", _BIG, nullable=True),
        sa.Column("made_at", _WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_personal"),
        sa.ForeignKeyConstraint(
            ["entry_number"], ["audit_entry.number"],
            name="fk_audit_personal_entry_number_audit_entry",
        ),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_audit_personal_citizen_id_citizen"
        ),
    )  # fmt: skip
    for column in ("entry_number", "citizen_id", "made_at"):
        op.create_index(f"ix_audit_personal_{column}", "audit_personal", [column])


def _create_triggers() -> None:
    if op.get_context().dialect.name == "sqlite":
        for table in _APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                    f" FOR EACH ROW BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
                )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'check_violation'; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
        )
