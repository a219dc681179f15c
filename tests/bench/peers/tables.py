"""The product's tables as the ORM of the peers maps them: the columns that they read and write."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, ForeignKey, Integer
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

Id = BigInteger().with_variant(Integer(), "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware instant; SQLite keeps it in UTC without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """An instant on its way into the database."""
        if value is not None and dialect.name == "sqlite":
            return value.replace(tzinfo=None)
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """An instant on its way out of the database."""
        if value is not None and dialect.name == "sqlite":
            return value.replace(tzinfo=UTC)
        return value


class Base(DeclarativeBase):
    """The root of the peers' tables."""

    type_annotation_map = {
        datetime: Instant, dict[str, Any]: JSON, list[Any]: JSON, int: Integer,
    }  # fmt: skip


class Citizen(Base):
    """A person."""

    __tablename__ = "citizen"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ref: Mapped[str]
    nickname: Mapped[str | None]
    avatar_url: Mapped[str | None]
    city: Mapped[str | None]
    county: Mapped[str | None]
    unit_id: Mapped[int | None] = mapped_column(Id)
    audience: Mapped[str | None]
    public_rank: Mapped[bool]
    under_14: Mapped[bool | None]
    erased_at: Mapped[datetime | None]
    merged_into: Mapped[int | None] = mapped_column(Id)


class SessionToken(Base):
    """A session by the hash of its token."""

    __tablename__ = "session_token"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str]
    citizen_id: Mapped[int] = mapped_column(ForeignKey("citizen.id"))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Consent(Base):
    """One consent to a version of the privacy policy."""

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    citizen_id: Mapped[int] = mapped_column(ForeignKey("citizen.id"))
    policy_version: Mapped[str]
    given_at: Mapped[datetime]


class KeptAnswer(Base):
    """What a request with an Idempotency-Key was answered."""

    __tablename__ = "kept_answer"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    caller: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int | None]
    body: Mapped[str | None]
    claimed_at: Mapped[datetime]


class Bank(Base):
    """A pool of questions and the name of its present state."""

    __tablename__ = "bank"

    slug: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[str]


class Question(Base):
    """One version of a question."""

    __tablename__ = "question"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ref: Mapped[str]
    bank: Mapped[str]
    kind: Mapped[str]
    topic: Mapped[str]
    stem: Mapped[str]
    options: Mapped[list[Any]]
    answer: Mapped[list[Any]]
    explanation: Mapped[str]
    state: Mapped[str]


class RuleSet(Base):
    """One version of a contest's rules."""

    __tablename__ = "rule_set"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contest_id: Mapped[int] = mapped_column(ForeignKey("contest.id"))
    version: Mapped[str]
    body: Mapped[dict[str, Any]]
    valid_from: Mapped[datetime]


class Contest(Base):
    """A contest with its window."""

    __tablename__ = "contest"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ref: Mapped[str]
    slug: Mapped[str]
    programme_slug: Mapped[str | None]
    bank: Mapped[str] = mapped_column(ForeignKey("bank.slug"))
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    pool: Mapped[Bank] = relationship()


class Deck(Base):
    """How often one shard of starts has dealt each question."""

    __tablename__ = "deck"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contest_id: Mapped[int] = mapped_column(ForeignKey("contest.id"))
    shard: Mapped[int]
    counts: Mapped[dict[str, Any]]


class Entry(Base):
    """A citizen's place in one contest."""

    __tablename__ = "entry"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contest_id: Mapped[int] = mapped_column(ForeignKey("contest.id"))
    citizen_id: Mapped[int] = mapped_column(ForeignKey("citizen.id"))
    city: Mapped[str | None]
    county: Mapped[str | None]
    unit_id: Mapped[int | None] = mapped_column(Id)
    audience: Mapped[str | None]
    left_scopes: Mapped[list[Any]]
    citizen: Mapped[Citizen] = relationship()


class Attempt(Base):
    """One paper of one citizen."""

    __tablename__ = "attempt"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ref: Mapped[str]
    contest_id: Mapped[int] = mapped_column(ForeignKey("contest.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    citizen_id: Mapped[int] = mapped_column(ForeignKey("citizen.id"))
    on_day: Mapped[date]
    on_week: Mapped[str]
    try_no: Mapped[int]
    day_limit: Mapped[int]
    started_at: Mapped[datetime]
    deadline_at: Mapped[datetime]
    state: Mapped[str]
    rules_version: Mapped[str]
    paper: Mapped[list[Any]]
    answers: Mapped[dict[str, Any]]
    score: Mapped[int | None]
    correct_count: Mapped[int | None]
    duration_ms: Mapped[int | None]
    closed_at: Mapped[datetime | None]
    rank_region: Mapped[int | None]
    rank_city: Mapped[int | None]
    entry: Mapped[Entry] = relationship()
    contest: Mapped[Contest] = relationship()


class Standing(Base):
    """What one entry has in one period."""

    __tablename__ = "standing"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contest_id: Mapped[int] = mapped_column(ForeignKey("contest.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    period: Mapped[str]
    points: Mapped[int] = mapped_column(BigInteger)
    time_ms: Mapped[int] = mapped_column(BigInteger)
    reached_at: Mapped[datetime]
    version: Mapped[int]
    changed_at: Mapped[datetime]


class Participation(Base):
    """One fact by which a citizen took part."""

    __tablename__ = "participation"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    citizen_id: Mapped[int] = mapped_column(Id)
    kind: Mapped[str]
    source_ref: Mapped[str]
    programme: Mapped[str | None]
    city: Mapped[str | None]
    county: Mapped[str | None]
    unit_id: Mapped[int | None] = mapped_column(Id)
    on_day: Mapped[date]
