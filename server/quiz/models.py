"""The tables of the contest; rules.py decides what may be in them, the services count.

A closed attempt is held by a trigger of the database: nobody can change its answers or its score.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    event,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column
from server.quiz.enums import AttemptState as AttemptState
from server.quiz.enums import Kind as Kind
from server.quiz.enums import QuestionState as QuestionState
from server.quiz.enums import WordsState as WordsState


class Bank(Owned, Base):
    """A pool of questions; `revision` is a fresh name for each change, so that copies notice."""

    __tablename__ = "bank"

    slug: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision: Mapped[str] = mapped_column(String(40))


class Question(Owned, Base):
    """One version of a question; answers stay tied to the version that was seen."""

    __tablename__ = "question"
    __table_args__ = (
        UniqueConstraint("ref", "version"),
        Index(
            "uq_question_live_ref",
            "ref",
            unique=True,
            sqlite_where=text("state = 'live'"),
            postgresql_where=text("state = 'live'"),
        ),
        Index("ix_question_bank_state", "bank", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(Integer)
    bank: Mapped[str] = mapped_column(String(40), ForeignKey("bank.slug"))
    kind: Mapped[Kind] = mapped_column(enum_column(Kind, "kind"))
    topic: Mapped[str] = mapped_column(String(40))
    benchmark_no: Mapped[int | None] = mapped_column(Integer)
    benchmark: Mapped[str] = mapped_column(String(80))
    difficulty: Mapped[int] = mapped_column(Integer)
    audience: Mapped[str | None] = mapped_column(String(40))
    stem: Mapped[str] = mapped_column(Text)
    options: Mapped[list[str]] = mapped_column(Json)
    answer: Mapped[list[int]] = mapped_column(Json)
    explanation: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    state: Mapped[QuestionState] = mapped_column(enum_column(QuestionState, "state"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @classmethod
    def published(cls) -> ColumnElement[bool]:
        """Live questions, without their keys: a reader leaves out `answer` and `explanation`."""
        return cls.state == QuestionState.LIVE


class Contest(Owned, Base):
    """A contest with its window; its rules are in `rule_set`."""

    __tablename__ = "contest"
    __table_args__ = (CheckConstraint("opens_at < closes_at", name="window"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    programme_slug: Mapped[str | None] = mapped_column(String(60))
    bank: Mapped[str] = mapped_column(String(40), ForeignKey("bank.slug"))
    opens_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Refs of questions of its bank that it never deals: they are there for practice.
    left_out: Mapped[list[str]] = mapped_column(Json, default=list, server_default=text("'[]'"))

    @classmethod
    def published(cls) -> ColumnElement[bool]:
        """Every contest: citizens are shown it from the day it is made."""
        return true()


class RuleSetRow(Base):
    """One version of a contest's rules; the newest `valid_from` is in force."""

    __tablename__ = "rule_set"
    __table_args__ = (UniqueConstraint("contest_id", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    version: Mapped[str] = mapped_column(String(16))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)


class Deck(Base):
    """How often one shard of starts has dealt each question (`counts`: question ref -> times)."""

    __tablename__ = "deck"
    __table_args__ = (UniqueConstraint("contest_id", "shard"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    shard: Mapped[int] = mapped_column(Integer)
    counts: Mapped[dict[str, int]] = mapped_column(Json)


class Entry(Base):
    """A citizen's place in one contest: what its boards count him under.

    `merged_at` marks the double of a person found to be one with another, or what a person had
    before an erasure and a return; it is on no board.
    `left_scopes` names the boards it was once counted on, so that a lost removal can be made good.
    """

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("contest_id", "citizen_id"),
        Index("ix_entry_citizen_id", "citizen_id"),
        Index("ix_entry_contest_id_city", "contest_id", "city"),
        Index("ix_entry_contest_id_county", "contest_id", "county"),
        Index("ix_entry_contest_id_unit_id", "contest_id", "unit_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    city: Mapped[str | None] = mapped_column(String(6))
    county: Mapped[str | None] = mapped_column(String(6))
    unit_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("unit.id"))
    audience: Mapped[str | None] = mapped_column(String(40))
    left_scopes: Mapped[list[str]] = mapped_column(Json, default=list, server_default=text("'[]'"))
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    merged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Attempt(Base):
    """One paper of one citizen: dealt once, answered until closed, never changed after."""

    __tablename__ = "attempt"
    __table_args__ = (
        UniqueConstraint("contest_id", "citizen_id", "on_day", "try_no"),
        CheckConstraint("try_no BETWEEN 1 AND day_limit", name="try_no"),
        CheckConstraint(
            "state = 'open' OR (score IS NOT NULL AND correct_count IS NOT NULL"
            " AND duration_ms IS NOT NULL AND closed_at IS NOT NULL)",
            name="closed",
        ),
        Index(
            "uq_attempt_one_open",
            "contest_id",
            "citizen_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "ix_attempt_open_deadline_at",
            "deadline_at",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_attempt_entry_id", "entry_id"),
        Index("ix_attempt_citizen_id", "citizen_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    entry_id: Mapped[int] = mapped_column(BigId, ForeignKey("entry.id"))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    on_day: Mapped[date]
    on_week: Mapped[str] = mapped_column(String(8))
    try_no: Mapped[int] = mapped_column(Integer)
    day_limit: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deadline_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[AttemptState] = mapped_column(enum_column(AttemptState, "state"))
    rules_version: Mapped[str] = mapped_column(String(16))
    paper: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    answers: Mapped[dict[str, list[int]]] = mapped_column(Json)
    score: Mapped[int | None] = mapped_column(Integer)
    correct_count: Mapped[int | None] = mapped_column(Integer)
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rank_region: Mapped[int | None] = mapped_column(Integer)
    rank_city: Mapped[int | None] = mapped_column(Integer)


class Standing(Base):
    """What one entry has in one period: `total`, `day:2026-05-01` or `week:2026-W18`.

    Units: `points` whole points, or 1/10,000 of a point where the season counts a mean.
    """

    __tablename__ = "standing"
    __table_args__ = (
        UniqueConstraint("entry_id", "period"),
        Index("ix_standing_contest_id_changed_at", "contest_id", "changed_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contest_id: Mapped[int] = mapped_column(BigId, ForeignKey("contest.id"))
    entry_id: Mapped[int] = mapped_column(BigId, ForeignKey("entry.id"))
    period: Mapped[str] = mapped_column(String(20))
    points: Mapped[int] = mapped_column(BigInteger)
    time_ms: Mapped[int] = mapped_column(BigInteger)
    reached_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


Index(
    "ix_standing_board",
    Standing.contest_id,
    Standing.period,
    Standing.points.desc(),
    Standing.time_ms,
    Standing.reached_at,
    Standing.entry_id,
)


class Practice(Base):
    """Questions dealt for practice; it has no clock, no score and no place on any board."""

    __tablename__ = "practice"
    __table_args__ = (Index("ix_practice_citizen_id", "citizen_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    paper: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PracticeAnswer(Base):
    """The first answer to a question of a practice; later ones are told the same."""

    __tablename__ = "practice_answer"
    __table_args__ = (UniqueConstraint("practice_id", "question_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practice.id"))
    question_id: Mapped[int] = mapped_column(BigId, ForeignKey("question.id"))
    chosen: Mapped[list[int]] = mapped_column(Json)
    correct: Mapped[bool]
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime)


class QuestionReport(Base):
    """What a citizen finds wrong with the version of a question that they saw."""

    __tablename__ = "question_report"
    __table_args__ = (
        UniqueConstraint("citizen_id", "question_id"),
        Index("ix_question_report_question_id", "question_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    question_id: Mapped[int] = mapped_column(BigId, ForeignKey("question.id"))
    reason: Mapped[str] = mapped_column(Text)
    # Words that WeChat could not judge in time are shown to an organizer as such.
    words: Mapped[WordsState] = mapped_column(enum_column(WordsState, "words"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Share(Base):
    """A citizen's card of one closed paper. Nothing is ever counted in anybody's favour by it.

    `code_picture` is the mini-program code of its poster; WeChat makes it, so it may come later.
    """

    __tablename__ = "share"
    __table_args__ = (Index("ix_share_citizen_id", "citizen_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(32), unique=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    attempt_id: Mapped[int] = mapped_column(BigId, ForeignKey("attempt.id"), unique=True)
    code_picture: Mapped[bytes | None] = mapped_column(LargeBinary)
    code_after: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Visit(Base):
    """A citizen came by a share or a channel's code: once for each of them and Beijing day."""

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("citizen_id", "scene", "on_day"),
        Index("ix_visit_scene_on_day", "scene", "on_day"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    scene: Mapped[str] = mapped_column(String(64))
    on_day: Mapped[date]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class WeChatGroup(Base):
    """A WeChat group that members opened the mini-program from; its id is kept as a keyed hash."""

    __tablename__ = "wechat_group"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    opengid_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class GroupMember(Base):
    """A citizen is on a group's boards, in every contest."""

    __tablename__ = "group_member"
    __table_args__ = (
        UniqueConstraint("group_id", "citizen_id"),
        Index("ix_group_member_citizen_id", "citizen_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    group_id: Mapped[int] = mapped_column(BigId, ForeignKey("wechat_group.id"))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)


# What a closed attempt keeps for ever. Its owner may change (two citizens found to be one),
# its ranks may be set once. PostgreSQL cannot compare JSON, so its text is compared.
_KEPT = (
    "state", "rules_version", "on_day", "on_week", "started_at", "deadline_at", "score",
    "correct_count", "duration_ms", "closed_at",
)  # fmt: skip
_KEPT_JSON = ("paper", "answers")
_RANKS = ("rank_region", "rank_city")


def _changed(differs: str, json_as: str) -> str:
    kept = [f"NEW.{name} {differs} OLD.{name}" for name in _KEPT]
    kept += [f"NEW.{name}{json_as} {differs} OLD.{name}{json_as}" for name in _KEPT_JSON]
    ranks = [f"NEW.{name} {differs} OLD.{name}" for name in _RANKS]
    return f"{' OR '.join(kept)} OR (OLD.rank_region IS NOT NULL AND ({' OR '.join(ranks)}))"


SQLITE_TRIGGER = (
    "CREATE TRIGGER attempt_closed_stays BEFORE UPDATE ON attempt FOR EACH ROW"
    f" WHEN OLD.state <> 'open' AND ({_changed('IS NOT', '')})"
    " BEGIN SELECT RAISE(ABORT, 'a closed attempt stays as it is'); END"
)
POSTGRESQL_FUNCTION = (
    "CREATE OR REPLACE FUNCTION attempt_closed_stays() RETURNS trigger LANGUAGE plpgsql AS $$"
    f" BEGIN IF {_changed('IS DISTINCT FROM', '::text')} THEN"
    " RAISE EXCEPTION 'a closed attempt stays as it is' USING ERRCODE = 'check_violation';"
    " END IF; RETURN NEW; END $$"
)
POSTGRESQL_TRIGGER = (
    "CREATE TRIGGER attempt_closed_stays BEFORE UPDATE ON attempt FOR EACH ROW"
    " WHEN (OLD.state <> 'open') EXECUTE FUNCTION attempt_closed_stays()"
)

for _dialect, _statement in (
    ("sqlite", SQLITE_TRIGGER),
    ("postgresql", POSTGRESQL_FUNCTION),
    ("postgresql", POSTGRESQL_TRIGGER),
):
    _ddl = DDL(_statement)  # type: ignore[no-untyped-call]  # a gap in SQLAlchemy's own types
    event.listen(Attempt.__table__, "after_create", _ddl.execute_if(dialect=_dialect))
