"""Visits of the official account and of the mini-program in one table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OLD = "uq_scene_visit_citizen_id_scene_day"
_NEW = "uq_scene_visit_citizen_id_app_scene_day"


def upgrade() -> None:
    """Add the app to each visit, and move the mini-program's visits."""
    with op.batch_alter_table("scene_visit") as table:
        table.add_column(
            sa.Column("app", sa.String(40), nullable=False, server_default="official_account")
        )
        table.drop_constraint(_OLD, type_="unique")
        table.create_unique_constraint(_NEW, ["citizen_id", "app", "scene", "day"])
        table.create_check_constraint(
            op.f("ck_scene_visit_app"), "app IN ('official_account', 'mini_program')"
        )
    with op.batch_alter_table("scene_visit") as table:
        table.alter_column("app", server_default=None)
    op.execute(
        sa.text(
            "INSERT INTO scene_visit (citizen_id, app, scene, day, at) "
            "SELECT citizen_id, 'mini_program', scene, on_day, at FROM visit ORDER BY id"
        )
    )
    op.drop_table("visit")


def downgrade() -> None:
    """Move them back."""
    op.create_table(
        "visit",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("citizen_id", _BIG, nullable=False),
        sa.Column("scene", sa.String(64), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_visit"),
        sa.UniqueConstraint(
            "citizen_id", "scene", "on_day", name="uq_visit_citizen_id_scene_on_day"
        ),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizen.id"], name="fk_visit_citizen_id_citizen"),
    )
    op.create_index("ix_visit_scene_on_day", "visit", ["scene", "on_day"])
    op.execute(
        sa.text(
            "INSERT INTO visit (citizen_id, scene, on_day, at) "
            "SELECT citizen_id, scene, day, at FROM scene_visit WHERE app = 'mini_program' "
            "ORDER BY id"
        )
    )
    op.execute(sa.text("DELETE FROM scene_visit WHERE app = 'mini_program'"))
    with op.batch_alter_table("scene_visit") as table:
        table.drop_constraint(_NEW, type_="unique")
        table.drop_constraint(op.f("ck_scene_visit_app"), type_="check")
        table.create_unique_constraint(_OLD, ["citizen_id", "scene", "day"])
        table.drop_column("app")
