"""Contests with the rules in force: found by their public id, opened and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from server.base.errors import NotFound
from server.base.work import Work
from server.quiz.models import Contest, RuleSetRow
from server.quiz.rule_check import read_rule_set
from server.quiz.rules import LATE_START, RuleSet


@dataclass(frozen=True, kw_only=True)
class ContestView:
    """A contest and the rules in force."""

    id: int
    ref: str
    slug: str
    title: str
    programme_slug: str | None
    bank: str
    opens_at: datetime
    closes_at: datetime
    rules: RuleSet
    valid_from: datetime

    def state(self, now: datetime) -> str:
        """Where the contest stands: `upcoming`, `open`, `closed`."""
        if now < self.opens_at:
            return "upcoming"
        return "open" if now < self.closes_at else "closed"

    def takes_starts(self, now: datetime) -> bool:
        """Whether a paper may be begun; a start that the network held up still counts."""
        return self.opens_at <= now < self.closes_at + LATE_START


# Rules are named by their content, so what was read once stays right.
_read: dict[str, RuleSet] = {}


def rules_from(version: str, body: Mapping[str, Any]) -> RuleSet:
    """The rule set of a stored version."""
    found = _read.get(version)
    if found is None:
        found = _read[version] = read_rule_set(body)
    return found


def contest(work: Work, name: str) -> ContestView:
    """A contest by its public id or its slug.

    Raises: NotFound (404).
    """
    found = _one(work, or_(Contest.ref == name, Contest.slug == name))
    if found is None:
        raise NotFound
    return found


def by_slug(work: Work, slug: str) -> ContestView | None:
    """A contest by its slug, if there is one."""
    return _one(work, Contest.slug == slug)


def contest_by_id(work: Work, contest_id: int) -> ContestView:
    """A contest by its number.

    Raises: NotFound (404).
    """
    found = _one(work, Contest.id == contest_id)
    if found is None:
        raise NotFound
    return found


def contests(work: Work, limit: int, before_id: int | None) -> list[ContestView]:
    """Contests, the youngest first."""
    asked = _contests().order_by(Contest.id.desc()).limit(limit)
    if before_id is not None:
        asked = asked.where(Contest.id < before_id)
    return [_view(row) for row in work.session.execute(asked)]


def rules_at(work: Work, contest_id: int, version: str) -> RuleSet:
    """The rules that a paper was begun under."""
    if version in _read:
        return _read[version]
    body = work.session.execute(
        select(RuleSetRow.body).where(
            RuleSetRow.contest_id == contest_id, RuleSetRow.version == version
        )
    ).scalar_one()
    return rules_from(version, body)


def _one(work: Work, which: Any) -> ContestView | None:
    row = work.session.execute(_contests().where(which)).one_or_none()
    return None if row is None else _view(row)


def _contests() -> Select[Any]:
    newest = (
        select(
            RuleSetRow.contest_id,
            RuleSetRow.version,
            RuleSetRow.body,
            RuleSetRow.valid_from,
            func.row_number()
            .over(
                partition_by=RuleSetRow.contest_id,
                order_by=(RuleSetRow.valid_from.desc(), RuleSetRow.id.desc()),
            )
            .label("age"),
        )
    ).subquery()
    return select(
        Contest.id,
        Contest.ref,
        Contest.slug,
        Contest.title,
        Contest.programme_slug,
        Contest.bank,
        Contest.opens_at,
        Contest.closes_at,
        newest.c.version,
        newest.c.body,
        newest.c.valid_from,
    ).join(newest, and_(newest.c.contest_id == Contest.id, newest.c.age == 1))


def _view(row: Any) -> ContestView:
    return ContestView(
        id=row.id,
        ref=row.ref,
        slug=row.slug,
        title=row.title,
        programme_slug=row.programme_slug,
        bank=row.bank,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        rules=rules_from(row.version, row.body),
        valid_from=row.valid_from,
    )
