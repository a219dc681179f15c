"""Organizers: accounts, sessions, one-time links, recovery codes, log-in tries, browsers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT = sa.DateTime(timezone=True)


def _organizer_key(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_organizer_id_organizer"
    return sa.ForeignKeyConstraint(["organizer_id"], ["organizer.id"], name=name)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "organizer",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("username", sa.String(32), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=True),
        sa.Column("totp_secret", sa.String(200), nullable=True),
        sa.Column("totp_step", _BIG, nullable=True),
        sa.Column("no_approvals_until", _AT, nullable=True),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("closed_at", _AT, nullable=True),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("owner_city", sa.String(6), nullable=True),
        sa.Column("owner_county", sa.String(6), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_organizer"),
        sa.UniqueConstraint("ref", name="uq_organizer_ref"),
        sa.UniqueConstraint("username", name="uq_organizer_username"),
        sa.CheckConstraint(
            "role IN ('editor', 'approver', 'auditor', 'system_admin')",
            name=op.f("ck_organizer_role"),
        ),
        sa.CheckConstraint(
            "state IN ('invited', 'active', 'closed')", name=op.f("ck_organizer_state")
        ),
    )
    for column in ("owner", "owner_city", "owner_county"):
        op.create_index(f"ix_organizer_{column}", "organizer", [column])
    op.create_table(
        "organizer_session",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("organizer_id", _BIG, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("started_at", _AT, nullable=False),
        sa.Column("seen_at", _AT, nullable=False),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizer_session"),
        sa.UniqueConstraint("ref", name="uq_organizer_session_ref"),
        sa.UniqueConstraint("token_hash", name="uq_organizer_session_token_hash"),
        _organizer_key("organizer_session"),
    )
    op.create_index("ix_organizer_session_organizer_id", "organizer_session", ["organizer_id"])
    op.create_table(
        "organizer_link",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("organizer_id", _BIG, nullable=False),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizer_link"),
        sa.UniqueConstraint("token_hash", name="uq_organizer_link_token_hash"),
        sa.UniqueConstraint(
            "organizer_id", "purpose", name="uq_organizer_link_organizer_id_purpose"
        ),
        _organizer_key("organizer_link"),
        sa.CheckConstraint(
            "purpose IN ('invite', 'recover', 'wechat')", name=op.f("ck_organizer_link_purpose")
        ),
    )
    _add_codes_and_tries()


def _add_codes_and_tries() -> None:
    op.create_table(
        "organizer_recovery_code",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("organizer_id", _BIG, nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizer_recovery_code"),
        sa.UniqueConstraint(
            "organizer_id", "code_hash", name="uq_organizer_recovery_code_organizer_id_code_hash"
        ),
        _organizer_key("organizer_recovery_code"),
    )
    op.create_table(
        "organizer_login_tries",
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_at", _AT, nullable=False),
        sa.Column("barred_until", _AT, nullable=True),
        sa.PrimaryKeyConstraint("key_hash", name="pk_organizer_login_tries"),
    )
    op.create_index("ix_organizer_login_tries_last_at", "organizer_login_tries", ["last_at"])
    op.create_table(
        "organizer_browser",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("organizer_id", _BIG, nullable=False),
        sa.Column("browser_hash", sa.String(64), nullable=False),
        sa.Column("used_at", _AT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizer_browser"),
        sa.UniqueConstraint(
            "organizer_id", "browser_hash", name="uq_organizer_browser_organizer_id_browser_hash"
        ),
        _organizer_key("organizer_browser"),
    )
    op.create_table(
        "organizer_wechat",
        sa.Column("organizer_id", _BIG, autoincrement=False, nullable=False),
        sa.Column("openid", sa.String(300), nullable=False),
        sa.Column("openid_hash", sa.String(64), nullable=False),
        sa.Column("bound_at", _AT, nullable=False),
        sa.Column("told_at", _AT, nullable=True),
        sa.PrimaryKeyConstraint("organizer_id", name="pk_organizer_wechat"),
        sa.UniqueConstraint("openid_hash", name="uq_organizer_wechat_openid_hash"),
        _organizer_key("organizer_wechat"),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("wechat", "browser", "login_tries", "recovery_code", "link", "session"):
        op.drop_table(f"organizer_{table}")
    op.drop_table("organizer")
