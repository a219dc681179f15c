"""Activities with their seats, sign-ups and messages about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _one_of(column: str, name: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(name))


def upgrade() -> None:
    """Add the tables."""
    _add_activities()
    _add_signups()


def _add_activities() -> None:
    op.create_table(
        "activity_series",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("programme_slug", sa.String(60), nullable=True),
        sa.Column("introduction", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("most_signups", sa.SmallInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("owner_city", sa.String(6), nullable=True),
        sa.Column("owner_county", sa.String(6), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_activity_series"),
        sa.UniqueConstraint("ref", name="uq_activity_series_ref"),
    )
    op.create_index("ix_activity_series_owner", "activity_series", ["owner"])
    op.create_index("ix_activity_series_owner_city", "activity_series", ["owner_city"])
    op.create_index("ix_activity_series_owner_county", "activity_series", ["owner_county"])
    op.create_table(
        "activity",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("programme_slug", sa.String(60), nullable=True),
        sa.Column("series_id", BIG, nullable=True),
        sa.Column("series_number", sa.Integer(), nullable=True),
        sa.Column("speaker", sa.String(60), nullable=False, server_default=sa.text("''")),
        sa.Column("speaker_post", sa.String(100), nullable=False, server_default=sa.text("''")),
        sa.Column("speaker_bio", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("abstract", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("audiences", sa.String(80), nullable=False, server_default=sa.text("''")),
        sa.Column("city", sa.String(6), nullable=True),
        sa.Column("county", sa.String(6), nullable=True),
        sa.Column("venue", sa.String(60), nullable=False),
        sa.Column("address", sa.String(120), nullable=False, server_default=sa.text("''")),
        sa.Column("latitude", sa.Integer(), nullable=True),
        sa.Column("longitude", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("live_link", sa.String(300), nullable=True),
        sa.Column("office_phone", sa.String(40), nullable=False, server_default=sa.text("''")),
        sa.Column("notes", sa.String(500), nullable=False, server_default=sa.text("''")),
        sa.Column("poster", sa.String(40), nullable=True),
        sa.Column("signup_opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signup_closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("party_max", sa.SmallInteger(), nullable=False, server_default=sa.text("1")),
        sa.Column("waitlist_most", sa.Integer(), nullable=True),
        sa.Column("offer_minutes", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("phone_needed", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("questions", sa.JSON(), nullable=False, server_default=sa.text("'[]'")),
        sa.Column("draw_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("draw_commitment", sa.String(64), nullable=True),
        sa.Column("draw_seed", sa.String(64), nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("room_limit", sa.Integer(), nullable=True),
        sa.Column("checkout_needed", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("writer_id", BIG, nullable=True),
        sa.Column("decider_id", BIG, nullable=True),
        sa.Column("remark", sa.String(300), nullable=True),
        sa.Column("form_key", sa.String(40), nullable=True),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("owner_city", sa.String(6), nullable=True),
        sa.Column("owner_county", sa.String(6), nullable=True),
        sa.CheckConstraint(
            "draw_at IS NULL OR (draw_at > signup_opens_at AND draw_at <= signup_closes_at)",
            name=op.f("ck_activity_draw_in_window"),
        ),
        _one_of(
            "kind",
            "ck_activity_kind",
            "lecture",
            "open_day",
            "campus_day",
            "caravan_stop",
            "volunteer_shift",
            "other",
        ),
        sa.CheckConstraint(
            "(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_activity_map_point")
        ),
        sa.CheckConstraint("offer_minutes >= 0", name=op.f("ck_activity_offer_minutes")),
        sa.CheckConstraint("party_max >= 1", name=op.f("ck_activity_party_max")),
        sa.CheckConstraint(
            "signup_closes_at <= ends_at", name=op.f("ck_activity_signup_before_end")
        ),
        sa.CheckConstraint(
            "signup_opens_at < signup_closes_at", name=op.f("ck_activity_signup_window")
        ),
        _one_of(
            "state",
            "ck_activity_state",
            "draft",
            "review",
            "published",
            "postponed",
            "cancelled",
            "closed",
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_activity_times")),
        sa.ForeignKeyConstraint(
            ["series_id"], ["activity_series.id"], name="fk_activity_series_id_activity_series"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_activity"),
        sa.UniqueConstraint("ref", name="uq_activity_ref"),
    )
    op.create_index("ix_activity_city", "activity", ["city"])
    op.create_index("ix_activity_owner", "activity", ["owner"])
    op.create_index("ix_activity_owner_city", "activity", ["owner_city"])
    op.create_index("ix_activity_owner_county", "activity", ["owner_county"])
    op.create_index("ix_activity_programme_slug", "activity", ["programme_slug"])
    op.create_index("ix_activity_series_id", "activity", ["series_id"])
    op.create_index("ix_activity_state_ends_at", "activity", ["state", "ends_at"])
    op.create_index("ix_activity_state_starts_at", "activity", ["state", "starts_at"])
    op.create_index("uq_activity_form_key", "activity", ["form_key"], unique=True)
    op.create_table(
        "seating",
        sa.Column("activity_id", BIG, nullable=False, autoincrement=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("waiting", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("offered", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("entered", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("next_sequence", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("head_sequence", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.CheckConstraint("taken >= 0 AND taken <= seats", name=op.f("ck_seating_taken")),
        sa.CheckConstraint(
            "waiting >= 0 AND entered >= 0 AND offered >= 0", name=op.f("ck_seating_waiting")
        ),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name="fk_seating_activity_id_activity"
        ),
        sa.PrimaryKeyConstraint("activity_id", name="pk_seating"),
    )


def _add_signups() -> None:
    op.create_table(
        "signup",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("activity_id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("party_size", sa.SmallInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("passed", sa.SmallInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("offer_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("name", sa.String(400), nullable=True),
        sa.Column("phone", sa.String(200), nullable=True),
        sa.Column("phone_blind", sa.String(64), nullable=True),
        sa.Column("phone_tail", sa.String(4), nullable=True),
        sa.Column("entered_by", BIG, nullable=True),
        sa.Column("group_label", sa.String(60), nullable=True),
        sa.Column("absent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'offered') = (offer_expires_at IS NOT NULL)",
            name=op.f("ck_signup_offer_has_end"),
        ),
        sa.CheckConstraint("party_size >= 1", name=op.f("ck_signup_party_size")),
        _one_of(
            "state",
            "ck_signup_state",
            "confirmed",
            "offered",
            "waitlisted",
            "entered",
            "withdrawn",
            "declined",
            "expired",
            "removed",
            "called_off",
        ),
        sa.CheckConstraint(
            "state != 'waitlisted' OR sequence IS NOT NULL",
            name=op.f("ck_signup_waiting_has_place"),
        ),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name="fk_signup_activity_id_activity"
        ),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_signup_citizen_id_citizen"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_signup"),
        sa.UniqueConstraint("ref", name="uq_signup_ref"),
    )
    op.create_index("ix_signup_activity_id_state", "signup", ["activity_id", "state"])
    op.create_index("ix_signup_citizen_id", "signup", ["citizen_id"])
    op.create_index(
        "ix_signup_offer_expires_at",
        "signup",
        ["offer_expires_at"],
        sqlite_where=sa.text("state = 'offered'"),
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.create_index("ix_signup_phone_blind", "signup", ["phone_blind"])
    op.create_index(
        "ix_signup_waiting_activity_id_sequence",
        "signup",
        ["activity_id", "sequence"],
        sqlite_where=sa.text("state = 'waitlisted'"),
        postgresql_where=sa.text("state = 'waitlisted'"),
    )
    op.create_index(
        "uq_signup_live_activity_id_citizen_id",
        "signup",
        ["activity_id", "citizen_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('confirmed', 'offered', 'waitlisted', 'entered')"),
        postgresql_where=sa.text("state IN ('confirmed', 'offered', 'waitlisted', 'entered')"),
    )
    op.create_table(
        "signup_notice",
        sa.Column("id", BIG, nullable=False),
        sa.Column("signup_id", BIG, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        _one_of(
            "kind",
            "ck_signup_notice_kind",
            "confirmed",
            "waitlisted",
            "entered",
            "promoted",
            "offered",
            "expired",
            "drawn",
            "not_drawn",
            "tomorrow",
            "soon",
            "changed",
            "cancelled",
            "removed",
            "put_back",
        ),
        sa.ForeignKeyConstraint(
            ["signup_id"], ["signup.id"], name="fk_signup_notice_signup_id_signup"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_signup_notice"),
    )
    op.create_index(
        "ix_signup_notice_due_at",
        "signup_notice",
        ["due_at"],
        sqlite_where=sa.text("told_at IS NULL"),
        postgresql_where=sa.text("told_at IS NULL"),
    )
    op.create_index(
        "uq_signup_notice_once_signup_id_kind_number",
        "signup_notice",
        ["signup_id", "kind", "number"],
        unique=True,
        sqlite_where=sa.text("kind IN ('tomorrow', 'soon', 'changed')"),
        postgresql_where=sa.text("kind IN ('tomorrow', 'soon', 'changed')"),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("signup_notice", "signup", "seating", "activity", "activity_series"):
        op.drop_table(table)
