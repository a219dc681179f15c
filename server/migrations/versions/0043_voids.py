"""Voids of questions, the rescoring of papers, and the answers to reports."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WHEN = sa.DateTime(timezone=True)
_OPEN: Any = {
    f"{dialect}_where": sa.text("state IN ('proposed', 'in_force')")
    for dialect in ("sqlite", "postgresql")
}
_UNTOLD: Any = {
    f"{dialect}_where": sa.text("told_at IS NULL") for dialect in ("sqlite", "postgresql")
}
_KEPT = (
    "state", "rules_version", "on_day", "on_week", "started_at", "deadline_at", "duration_ms",
    "closed_at",
)  # fmt: skip
_MARKED = ("score", "correct_count")


def upgrade() -> None:
    """Add the tables and columns; a score may change with a higher marking only."""
    op.add_column("contest", sa.Column("marking", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("attempt", sa.Column("marking", sa.Integer(), nullable=False, server_default="0"))
    _replace_trigger(_changed_condition)
    _add_report_columns()
    _create_void()
    _create_rescoring()
    _create_rescored_paper()
    _create_rank_change()


def downgrade() -> None:
    """Drop the tables and columns."""
    for name in ("rank_change", "rescored_paper", "rescoring", "question_void"):
        op.drop_table(name)
    with op.batch_alter_table("question_report") as report:
        for column in ("told_at", "decided_at", "decider_id", "answer", "decision"):
            report.drop_column(column)
    _replace_trigger(_former_condition)
    op.drop_column("attempt", "marking")
    op.drop_column("contest", "marking")


def _add_report_columns() -> None:
    for name, kind in (
        ("decision", sa.String(40)), ("answer", sa.Text()), ("decider_id", sa.BigInteger()),
        ("decided_at", _WHEN), ("told_at", _WHEN),
    ):  # fmt: skip
        op.add_column("question_report", sa.Column(name, kind, nullable=True))


def _replace_trigger(condition: Any) -> None:
    """The trigger of closed attempts, with another condition."""
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER attempt_closed_stays")
        op.execute(
            "CREATE TRIGGER attempt_closed_stays BEFORE UPDATE ON attempt FOR EACH ROW"
            f" WHEN OLD.state <> 'open' AND ({condition('IS NOT', '')})"
            " BEGIN SELECT RAISE(ABORT, 'a closed attempt stays as it is'); END"
        )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION attempt_closed_stays() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN IF {condition('IS DISTINCT FROM', '::text')} THEN"
        " RAISE EXCEPTION 'a closed attempt stays as it is' USING ERRCODE = 'check_violation';"
        " END IF; RETURN NEW; END $$"
    )


def _compare(names: tuple[str, ...], differs: str, as_text: str = "") -> list[str]:
    return [f"NEW.{name}{as_text} {differs} OLD.{name}{as_text}" for name in names]


def _changed_condition(differs: str, as_text: str) -> str:
    kept = _compare(_KEPT, differs) + _compare(("paper", "answers"), differs, as_text)
    kept.append(f"(NEW.marking <= OLD.marking AND ({' OR '.join(_compare(_MARKED, differs))}))")
    kept.append("NEW.marking < OLD.marking")
    return _with_ranks(kept, differs)


def _former_condition(differs: str, as_text: str) -> str:
    kept = _compare((*_KEPT[:6], *_MARKED, *_KEPT[6:]), differs)
    return _with_ranks(kept + _compare(("paper", "answers"), differs, as_text), differs)


def _with_ranks(kept: list[str], differs: str) -> str:
    ranks = _compare(("rank_region", "rank_city"), differs)
    return f"{' OR '.join(kept)} OR (OLD.rank_region IS NOT NULL AND ({' OR '.join(ranks)}))"


def _refer_to(name: str, column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], name=f"fk_{name}_{column}_{table}")


def _create_void() -> None:
    op.create_table(
        "question_void",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("contest_id", _BIG, nullable=False),
        sa.Column("question_id", _BIG, nullable=False),
        _state("question_void", "state", "proposed", "refused", "in_force", "lifted"),
        sa.Column("since", _WHEN, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposer_id", sa.BigInteger(), nullable=False),
        sa.Column("proposed_at", _WHEN, nullable=False),
        sa.Column("decider_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", _WHEN, nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("from_marking", sa.Integer(), nullable=True),
        sa.Column("until_marking", sa.Integer(), nullable=True),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("owner_city", sa.String(6), nullable=True),
        sa.Column("owner_county", sa.String(6), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_question_void"),
        sa.UniqueConstraint("ref", name="uq_question_void_ref"),
        _refer_to("question_void", "contest_id", "contest"),
        _refer_to("question_void", "question_id", "question"),
    )
    key = ["contest_id", "question_id"]
    op.create_index("uq_question_void_in_force", "question_void", key, unique=True, **_OPEN)
    for column in ("question_id", "owner", "owner_city", "owner_county"):
        op.create_index(f"ix_question_void_{column}", "question_void", [column])


def _state(table: str, name: str, *values: str) -> sa.Column[Any]:
    check = op.f(f"ck_{table}_{name}")
    kind = sa.Enum(*values, name=check, native_enum=False, create_constraint=True, length=40)
    return sa.Column(name, kind, nullable=False)


def _create_rescoring() -> None:
    op.create_table(
        "rescoring",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("contest_id", _BIG, nullable=False),
        sa.Column("void_id", _BIG, nullable=False),
        sa.Column("marking", sa.Integer(), nullable=False),
        _state("rescoring", "stage", "papers", "ranks", "letters", "done"),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("passes", sa.Integer(), nullable=False),
        sa.Column("papers", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.Column("rank_changes", sa.BigInteger(), nullable=False),
        sa.Column("started_at", _WHEN, nullable=False),
        sa.Column("touched_at", _WHEN, nullable=False),
        sa.Column("ended_at", _WHEN, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_rescoring"),
        sa.UniqueConstraint("ref", name="uq_rescoring_ref"),
        sa.UniqueConstraint("contest_id", "marking", name="uq_rescoring_contest_id_marking"),
        _refer_to("rescoring", "contest_id", "contest"),
        _refer_to("rescoring", "void_id", "question_void"),
    )
    op.create_index("ix_rescoring_touched_at", "rescoring", ["touched_at"])


def _create_rescored_paper() -> None:
    op.create_table(
        "rescored_paper",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("rescoring_id", _BIG, nullable=False),
        sa.Column("attempt_id", _BIG, nullable=False),
        sa.Column("old_score", sa.Integer(), nullable=False),
        sa.Column("new_score", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rescored_paper"),
        sa.UniqueConstraint(
            "rescoring_id", "attempt_id", name="uq_rescored_paper_rescoring_id_attempt_id"
        ),
        _refer_to("rescored_paper", "rescoring_id", "rescoring"),
        _refer_to("rescored_paper", "attempt_id", "attempt"),
    )
    op.create_index("ix_rescored_paper_attempt_id", "rescored_paper", ["attempt_id"])


def _create_rank_change() -> None:
    op.create_table(
        "rank_change",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("rescoring_id", _BIG, nullable=False),
        sa.Column("entry_id", _BIG, nullable=False),
        sa.Column("old_rank", sa.Integer(), nullable=False),
        sa.Column("new_rank", sa.Integer(), nullable=False),
        sa.Column("told_at", _WHEN, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_rank_change"),
        sa.UniqueConstraint(
            "rescoring_id", "entry_id", name="uq_rank_change_rescoring_id_entry_id"
        ),
        _refer_to("rank_change", "rescoring_id", "rescoring"),
        _refer_to("rank_change", "entry_id", "entry"),
    )
    op.create_index("ix_rank_change_entry_id", "rank_change", ["entry_id"])
    op.create_index("ix_rank_change_untold", "rank_change", ["rescoring_id", "id"], **_UNTOLD)
