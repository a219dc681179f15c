"""Citizens' requests for units that are missing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WAITING = sa.text("state = 'waiting'")


def _check(column: str, *values: str) -> sa.Enum:
    name = f"ck_unit_request_{column}"
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "unit_request",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("name_key", sa.String(100), nullable=False),
        sa.Column("name_check", _check("name_check", "passed", "review", "unchecked"),
                  nullable=False),
        sa.Column("state", _check("state", "waiting", "created", "pointed", "refused"),
                  nullable=False),
        sa.Column("unit_id", BIG, nullable=True),
        sa.Column("sentence", sa.String(300), nullable=False),
        sa.Column("decider_id", BIG, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("owner_city", sa.String(6), nullable=True),
        sa.Column("owner_county", sa.String(6), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_unit_request_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_unit_request"),
        sa.UniqueConstraint("ref", name="uq_unit_request_ref"),
    )  # fmt: skip
    for column in ("owner", "owner_city", "owner_county"):
        op.create_index(f"ix_unit_request_{column}", "unit_request", [column])
    op.create_index(
        "uq_unit_request_waiting", "unit_request", ["owner", "name_key"], unique=True,
        sqlite_where=_WAITING, postgresql_where=_WAITING,
    )  # fmt: skip
    op.create_table(
        "unit_requester",
        sa.Column("id", BIG, nullable=False),
        sa.Column("request_id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"], ["unit_request.id"], name="fk_unit_requester_request_id_unit_request"
        ),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_unit_requester_citizen_id_citizen"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_unit_requester"),
        sa.UniqueConstraint(
            "citizen_id", "request_id", name="uq_unit_requester_citizen_id_request_id"
        ),
    )
    for column in ("request_id", "told_at"):
        op.create_index(f"ix_unit_requester_{column}", "unit_requester", [column])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("unit_requester")
    op.drop_table("unit_request")
