"""Citizens, their WeChat identities, sessions and consents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WHEN = sa.DateTime(timezone=True)

APPS = ("official_account", "mini_program")
NICKNAME_STATES = ("none", "shown", "checking", "review", "refused", "unchecked")
AUDIENCES = ("youth", "farmer", "worker", "official", "elder")
SCHOOLINGS = ("none", "primary", "junior", "senior", "college", "bachelor")


def upgrade() -> None:
    """Create the four tables."""
    _citizen()
    op.create_table(
        "identity",
        sa.Column("id", BIG, nullable=False),
        sa.Column("app", sa.String(40), nullable=False),
        sa.Column("openid", sa.String(128), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("made_at", WHEN, nullable=False),
        _check("identity", "app", APPS),
        sa.PrimaryKeyConstraint("id", name="pk_identity"),
        sa.UniqueConstraint("app", "openid", name="uq_identity_app_openid"),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_identity_citizen_id_citizen"
        ),
    )
    op.create_index("ix_identity_citizen_id", "identity", ["citizen_id"])
    op.create_table(
        "session_token",
        sa.Column("id", BIG, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("made_at", WHEN, nullable=False),
        sa.Column("expires_at", WHEN, nullable=False),
        sa.Column("revoked_at", WHEN, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_session_token"),
        sa.UniqueConstraint("token_hash", name="uq_session_token_token_hash"),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_session_token_citizen_id_citizen"
        ),
    )
    op.create_index("ix_session_token_citizen_id", "session_token", ["citizen_id"])
    _consent()


def _citizen() -> None:
    op.create_table(
        "citizen",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("unionid", sa.String(128), nullable=True),
        sa.Column("nickname", sa.String(100), nullable=True),
        sa.Column("nickname_state", sa.String(40), nullable=False),
        sa.Column("pending_nickname", sa.String(100), nullable=True),
        sa.Column("pending_since", WHEN, nullable=True),
        sa.Column("check_after", WHEN, nullable=True),
        sa.Column("avatar_url", sa.String(500), nullable=True),
        sa.Column("city", sa.String(6), nullable=True),
        sa.Column("county", sa.String(6), nullable=True),
        sa.Column("unit_id", BIG, nullable=True),
        sa.Column("audience", sa.String(40), nullable=True),
        sa.Column("sex", sa.String(40), nullable=True),
        sa.Column("birth_band", sa.String(4), nullable=True),
        sa.Column("schooling", sa.String(40), nullable=True),
        sa.Column("residence", sa.String(40), nullable=True),
        sa.Column("language", sa.String(40), nullable=False),
        sa.Column("elder_mode", sa.Boolean(), nullable=False),
        sa.Column("public_rank", sa.Boolean(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("quiet_from", sa.String(5), nullable=True),
        sa.Column("quiet_to", sa.String(5), nullable=True),
        sa.Column("under_14", sa.Boolean(), nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("erased_at", WHEN, nullable=True),
        sa.Column("merged_into", BIG, nullable=True),
        _check("citizen", "nickname_state", NICKNAME_STATES),
        _check("citizen", "audience", AUDIENCES),
        _check("citizen", "sex", ("male", "female")),
        _check("citizen", "schooling", SCHOOLINGS),
        _check("citizen", "residence", ("urban", "rural")),
        _check("citizen", "language", ("zh", "za")),
        sa.PrimaryKeyConstraint("id", name="pk_citizen"),
        sa.UniqueConstraint("ref", name="uq_citizen_ref"),
        sa.UniqueConstraint("unionid", name="uq_citizen_unionid"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_citizen_unit_id_unit"),
        sa.ForeignKeyConstraint(
            ["merged_into"], ["citizen.id"], name="fk_citizen_merged_into_citizen"
        ),
    )
    op.create_index(
        "ix_citizen_nickname_state_check_after", "citizen", ["nickname_state", "check_after"]
    )


def _consent() -> None:
    op.create_table(
        "consent",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("policy_version", sa.String(40), nullable=False),
        sa.Column("guardian", sa.Boolean(), nullable=False),
        sa.Column("guardian_name", sa.Text(), nullable=True),
        sa.Column("guardian_relation", sa.Text(), nullable=True),
        sa.Column("under_14", sa.Boolean(), nullable=False),
        sa.Column("given_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
        sa.UniqueConstraint("ref", name="uq_consent_ref"),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_consent_citizen_id_citizen"
        ),
    )
    op.create_index("ix_consent_citizen_id_given_at", "consent", ["citizen_id", "given_at"])


def downgrade() -> None:
    """Drop the four tables."""
    for table in ("consent", "session_token", "identity", "citizen"):
        op.drop_table(table)


def _check(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))
