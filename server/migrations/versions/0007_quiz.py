"""Contest: bank, rules, papers, standings; triggers refuse changes of a closed paper."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True)
OPEN: Any = {
    "sqlite_where": sa.text("state = 'open'"),
    "postgresql_where": sa.text("state = 'open'"),
}
LIVE: Any = {
    "sqlite_where": sa.text("state = 'live'"),
    "postgresql_where": sa.text("state = 'live'"),
}


def upgrade() -> None:
    """Add the tables of the contest."""
    _bank()
    _contest()
    _entry()
    _attempt()
    _attempt_keys()
    _standing()
    _triggers()


def downgrade() -> None:
    """Drop the tables."""
    for name in ("standing", "attempt", "entry", "deck", "rule_set", "contest", "question", "bank"):
        op.drop_table(name)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION attempt_closed_stays()")


def _id() -> sa.Column[Any]:
    return sa.Column("id", BIG, nullable=False)


def _to(table: str, column: str, other: str, key: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.{key}"], name=f"fk_{table}_{column}_{other}"
    )


def _bank() -> None:
    op.create_table(
        "bank",
        sa.Column("slug", sa.String(40), nullable=False),
        sa.Column("revision", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("slug", name="pk_bank"),
    )
    op.create_table(
        "question",
        _id(),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("bank", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("topic", sa.String(40), nullable=False),
        sa.Column("benchmark_no", sa.Integer()),
        sa.Column("benchmark", sa.String(80), nullable=False),
        sa.Column("difficulty", sa.Integer(), nullable=False),
        sa.Column("audience", sa.String(40)),
        sa.Column("stem", sa.Text(), nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("answer", JSON, nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_question"),
        sa.UniqueConstraint("ref", "version", name="uq_question_ref_version"),
        sa.CheckConstraint(
            "kind IN ('single', 'multiple', 'judge')", name=op.f("ck_question_kind")
        ),
        sa.CheckConstraint("state IN ('draft', 'live', 'retired')", name=op.f("ck_question_state")),
        _to("question", "bank", "bank", "slug"),
    )
    op.create_index("uq_question_live_ref", "question", ["ref"], unique=True, **LIVE)
    op.create_index("ix_question_bank_state", "question", ["bank", "state"])


def _contest() -> None:
    op.create_table(
        "contest",
        _id(),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("slug", sa.String(40), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("programme_slug", sa.String(60)),
        sa.Column("bank", sa.String(40), nullable=False),
        sa.Column("opens_at", TIME, nullable=False),
        sa.Column("closes_at", TIME, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contest"),
        sa.UniqueConstraint("ref", name="uq_contest_ref"),
        sa.UniqueConstraint("slug", name="uq_contest_slug"),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_contest_window")),
        _to("contest", "bank", "bank", "slug"),
    )
    op.create_table(
        "rule_set",
        _id(),
        sa.Column("contest_id", BIG, nullable=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("valid_from", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rule_set"),
        sa.UniqueConstraint("contest_id", "version", name="uq_rule_set_contest_id_version"),
        _to("rule_set", "contest_id", "contest"),
    )
    op.create_table(
        "deck",
        _id(),
        sa.Column("contest_id", BIG, nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deck"),
        sa.UniqueConstraint("contest_id", "shard", name="uq_deck_contest_id_shard"),
        _to("deck", "contest_id", "contest"),
    )


def _entry() -> None:
    op.create_table(
        "entry",
        _id(),
        sa.Column("contest_id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("city", sa.String(6)),
        sa.Column("county", sa.String(6)),
        sa.Column("unit_id", BIG),
        sa.Column("audience", sa.String(40)),
        sa.Column("left_scopes", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("erased_at", TIME),
        sa.Column("merged_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_entry"),
        sa.UniqueConstraint("contest_id", "citizen_id", name="uq_entry_contest_id_citizen_id"),
        _to("entry", "contest_id", "contest"),
        _to("entry", "citizen_id", "citizen"),
        _to("entry", "unit_id", "unit"),
    )
    op.create_index("ix_entry_citizen_id", "entry", ["citizen_id"])
    op.create_index("ix_entry_contest_id_city", "entry", ["contest_id", "city"])
    op.create_index("ix_entry_contest_id_county", "entry", ["contest_id", "county"])
    op.create_index("ix_entry_contest_id_unit_id", "entry", ["contest_id", "unit_id"])


def _attempt() -> None:
    op.create_table(
        "attempt",
        _id(),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("contest_id", BIG, nullable=False),
        sa.Column("entry_id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("on_week", sa.String(8), nullable=False),
        sa.Column("try_no", sa.Integer(), nullable=False),
        sa.Column("day_limit", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("deadline_at", TIME, nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("rules_version", sa.String(16), nullable=False),
        sa.Column("paper", JSON, nullable=False),
        sa.Column("answers", JSON, nullable=False),
        sa.Column("score", sa.Integer()),
        sa.Column("correct_count", sa.Integer()),
        sa.Column("duration_ms", sa.Integer()),
        sa.Column("closed_at", TIME),
        sa.Column("rank_region", sa.Integer()),
        sa.Column("rank_city", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
        sa.UniqueConstraint("ref", name="uq_attempt_ref"),
        sa.UniqueConstraint(
            "contest_id",
            "citizen_id",
            "on_day",
            "try_no",
            name="uq_attempt_contest_id_citizen_id_on_day_try_no",
        ),
        sa.CheckConstraint("try_no BETWEEN 1 AND day_limit", name=op.f("ck_attempt_try_no")),
        sa.CheckConstraint(
            "state IN ('open', 'submitted', 'expired')", name=op.f("ck_attempt_state")
        ),
        sa.CheckConstraint(
            "state = 'open' OR (score IS NOT NULL AND correct_count IS NOT NULL"
            " AND duration_ms IS NOT NULL AND closed_at IS NOT NULL)",
            name=op.f("ck_attempt_closed"),
        ),
        _to("attempt", "contest_id", "contest"),
        _to("attempt", "entry_id", "entry"),
        _to("attempt", "citizen_id", "citizen"),
    )


def _attempt_keys() -> None:
    op.create_index(
        "uq_attempt_one_open", "attempt", ["contest_id", "citizen_id"], unique=True, **OPEN
    )
    op.create_index("ix_attempt_open_deadline_at", "attempt", ["deadline_at"], **OPEN)
    op.create_index("ix_attempt_entry_id", "attempt", ["entry_id"])
    op.create_index("ix_attempt_citizen_id", "attempt", ["citizen_id"])


def _standing() -> None:
    op.create_table(
        "standing",
        _id(),
        sa.Column("contest_id", BIG, nullable=False),
        sa.Column("entry_id", BIG, nullable=False),
        sa.Column("period", sa.String(20), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("reached_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_standing"),
        sa.UniqueConstraint("entry_id", "period", name="uq_standing_entry_id_period"),
        _to("standing", "contest_id", "contest"),
        _to("standing", "entry_id", "entry"),
    )
    op.create_index(
        "ix_standing_board",
        "standing",
        ["contest_id", "period", sa.text("points DESC"), "time_ms", "reached_at", "entry_id"],
    )
    op.create_index("ix_standing_contest_id_changed_at", "standing", ["contest_id", "changed_at"])


KEPT = (
    "state", "rules_version", "on_day", "on_week", "started_at", "deadline_at",
    "score", "correct_count", "duration_ms", "closed_at",
)  # fmt: skip


def _changed(differs: str, as_text: str) -> str:
    kept = [f"NEW.{name} {differs} OLD.{name}" for name in KEPT]
    kept += [f"NEW.{name}{as_text} {differs} OLD.{name}{as_text}" for name in ("paper", "answers")]
    ranks = [f"NEW.{name} {differs} OLD.{name}" for name in ("rank_region", "rank_city")]
    return f"{' OR '.join(kept)} OR (OLD.rank_region IS NOT NULL AND ({' OR '.join(ranks)}))"


def _triggers() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER attempt_closed_stays BEFORE UPDATE ON attempt FOR EACH ROW"
            f" WHEN OLD.state <> 'open' AND ({_changed('IS NOT', '')})"
            " BEGIN SELECT RAISE(ABORT, 'a closed attempt stays as it is'); END"
        )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION attempt_closed_stays() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN IF {_changed('IS DISTINCT FROM', '::text')} THEN"
        " RAISE EXCEPTION 'a closed attempt stays as it is' USING ERRCODE = 'check_violation';"
        " END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER attempt_closed_stays BEFORE UPDATE ON attempt FOR EACH ROW"
        " WHEN (OLD.state <> 'open') EXECUTE FUNCTION attempt_closed_stays()"
    )
