"""Frozen boards, and final ranks as signed versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WHEN = sa.DateTime(timezone=True)
_SCOPES = (
    ("city", sa.String(6), "city_rank"),
    ("county", sa.String(6), "county_rank"),
    ("unit_id", sa.BigInteger(), "unit_rank"),
    ("audience", sa.String(40), "audience_rank"),
    ("division", sa.String(20), "division_rank"),
)


def upgrade() -> None:
    """Add the tables, and the columns of the contest."""
    op.add_column("contest", sa.Column("freezes_at", _WHEN, nullable=True))
    op.add_column("contest", sa.Column("sealed_at", _WHEN, nullable=True))
    op.add_column("contest", sa.Column("final_id", _BIG, nullable=True))
    _create_versions()
    _create_ranks()


def downgrade() -> None:
    """Drop the tables and the columns."""
    for name in ("seal_change", "sealed_part", "sealed_rank", "sealed_version"):
        op.drop_table(name)
    for column in ("final_id", "sealed_at", "freezes_at"):
        op.drop_column("contest", column)


def _create_versions() -> None:
    op.create_table(
        "sealed_version",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("contest_id", _BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("made_at", _WHEN, nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("author_name", sa.String(80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rank_count", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.String(100), nullable=False),
        sa.Column("public_key", sa.String(60), nullable=False),
        sa.Column("publisher_id", sa.BigInteger(), nullable=True),
        sa.Column("publisher_name", sa.String(80), nullable=True),
        sa.Column("published_at", _WHEN, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sealed_version"),
        sa.UniqueConstraint("ref", name="uq_sealed_version_ref"),
        sa.UniqueConstraint("contest_id", "number", name="uq_sealed_version_contest_id_number"),
        sa.ForeignKeyConstraint(
            ["contest_id"], ["contest.id"], name="fk_sealed_version_contest_id_contest"
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'published', 'replaced', 'dropped')",
            name=op.f("ck_sealed_version_state"),
        ),
    )
    op.create_table(
        "seal_change",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("contest_id", _BIG, nullable=False),
        sa.Column("changed_at", _WHEN, nullable=False),
        sa.Column("organizer_id", sa.BigInteger(), nullable=True),
        sa.Column("organizer_name", sa.String(80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version_id", _BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_seal_change"),
        sa.ForeignKeyConstraint(
            ["contest_id"], ["contest.id"], name="fk_seal_change_contest_id_contest"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["sealed_version.id"], name="fk_seal_change_version_id_sealed_version"
        ),
    )
    op.create_index("ix_seal_change_contest_id", "seal_change", ["contest_id"])


def _create_ranks() -> None:
    op.create_table(
        "sealed_rank",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("version_id", _BIG, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("reached_at", _WHEN, nullable=False),
        *(
            column
            for name, kind, rank in _SCOPES
            for column in (
                sa.Column(name, kind, nullable=True),
                sa.Column(rank, sa.Integer(), nullable=True),
            )
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sealed_rank"),
        sa.UniqueConstraint("version_id", "rank", name="uq_sealed_rank_version_id_rank"),
        sa.UniqueConstraint("version_id", "entry_id", name="uq_sealed_rank_version_id_entry_id"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["sealed_version.id"], name="fk_sealed_rank_version_id_sealed_version"
        ),
    )
    for name, _, rank in _SCOPES:
        op.create_index(f"ix_sealed_rank_{name}", "sealed_rank", ["version_id", name, rank])
    op.create_table(
        "sealed_part",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("version_id", _BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sealed_part"),
        sa.UniqueConstraint("version_id", "number", name="uq_sealed_part_version_id_number"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["sealed_version.id"], name="fk_sealed_part_version_id_sealed_version"
        ),
    )
