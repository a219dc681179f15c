"""Certificates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LIVE = sa.text("ended IS NULL")
_ENDED = sa.Enum(
    "revoked", "doubled", "erased", name="ck_certificate_ended", native_enum=False,
    create_constraint=True, length=40,
)  # fmt: skip


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "certificate",
        sa.Column("id", BIG, nullable=False),
        sa.Column("serial", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("source_id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("name", sa.String(400), nullable=True),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("claim", sa.JSON(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", _ENDED, nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(300), server_default=sa.text("''"), nullable=False),
        sa.Column("may_reissue", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("owner_city", sa.String(6), nullable=True),
        sa.Column("owner_county", sa.String(6), nullable=True),
        sa.CheckConstraint("(ended IS NULL) = (ended_at IS NULL)", name="ck_certificate_ended_at"),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_certificate_citizen_id_citizen"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_certificate"),
        sa.UniqueConstraint("serial", name="uq_certificate_serial"),
    )
    for column in ("citizen_id", "issued_at", "owner", "owner_city", "owner_county"):
        op.create_index(f"ix_certificate_{column}", "certificate", [column])
    op.create_index(
        "uq_certificate_live_citizen_id_kind_source_id", "certificate",
        ["citizen_id", "kind", "source_id"], unique=True, sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )  # fmt: skip


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("certificate")
