"""Contests with the rules in force: lookups and lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, or_, select

from server.base.errors import NotFound
from server.base.sql.prepared import run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork
from server.quiz.models import Attempt, Bank, Contest, Entry, RuleSetRow, SealedVersion
from server.quiz.rule_check import read_rule_set
from server.quiz.rules import LATE_START, RuleSet, deadline_of_paper, is_over


@dataclass(frozen=True, kw_only=True)
class FinalRanks:
    """The published version of a contest's final ranks."""

    id: int
    number: int
    published_at: datetime


@dataclass(frozen=True, kw_only=True)
class ContestView:
    """A contest with the rules in force.

    `freezes_at` is when its public boards freeze, `final` its published final ranks.
    """

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
    paused: bool = False
    left_out: frozenset[str] = frozenset()
    bank_revision: str | None = None
    marking: int = 0
    freezes_at: datetime | None = None
    final: FinalRanks | None = None

    def is_frozen_at(self, now: datetime) -> bool:
        """Whether citizens see a frozen board; the published final ranks end the freeze."""
        return self.for_board.is_frozen_at(now)

    @property
    def for_board(self) -> BoardContest:
        """The facts of this contest that its boards show."""
        return BoardContest(self.id, self.closes_at, self.freezes_at, self.rules, self.final)

    def state_at(self, now: datetime) -> str:
        """The state of the contest: `upcoming`, `open`, `closed`."""
        if now < self.opens_at:
            return "upcoming"
        return "open" if now < self.closes_at else "closed"

    def takes_starts(self, now: datetime) -> bool:
        """Whether a paper may be started; a start delayed by the network still counts."""
        return not self.paused and self.opens_at <= now < self.closes_at + LATE_START


class BoardContest(NamedTuple):
    """The facts of a contest that its boards show, with the rules in force; see `ContestView`."""

    id: int
    closes_at: datetime
    freezes_at: datetime | None
    rules: RuleSet
    final: FinalRanks | None

    def is_frozen_at(self, now: datetime) -> bool:
        """Whether citizens see a frozen board; the published final ranks end the freeze."""
        return self.final is None and self.freezes_at is not None and self.freezes_at <= now


_contest, _rules, _bank = table_of(Contest), table_of(RuleSetRow), table_of(Bank)
_attempt, _sealed, _entry = table_of(Attempt), table_of(SealedVersion), table_of(Entry)
_other = _rules.alias()
_in_force = (
    select(_other.c.id)
    .where(_other.c.contest_id == _contest.c.id)
    .order_by(_other.c.valid_from.desc(), _other.c.id.desc())
    .limit(1)
    .correlate(_contest)
    .scalar_subquery()
)
_FINAL = (
    _sealed.c.id.label("final_id"),
    _sealed.c.number.label("final_number"),
    _sealed.c.published_at.label("final_at"),
)
_PUBLISHED = (
    select()
    .select_from(_contest)
    .join(_rules, _rules.c.id == _in_force)
    .outerjoin(_sealed, _sealed.c.id == _contest.c.final_id)
    .where(_contest.c.published_at.is_not(None))
)
_CONTESTS = _PUBLISHED.outerjoin(_bank, _bank.c.slug == _contest.c.bank).add_columns(
    _contest.c.id,
    _contest.c.ref,
    _contest.c.slug,
    _contest.c.title,
    _contest.c.programme_slug,
    _contest.c.bank,
    _contest.c.opens_at,
    _contest.c.closes_at,
    _contest.c.paused_at,
    _contest.c.left_out,
    _contest.c.freezes_at,
    *_FINAL,
    _contest.c.marking,
    _bank.c.revision.label("bank_revision"),
    _rules.c.version,
    _rules.c.valid_from,
)
_NAMED = or_(_contest.c.ref == bindparam("name"), _contest.c.slug == bindparam("name"))
_BY_NAME = _CONTESTS.where(_NAMED)
_FOR_BOARD = (
    _PUBLISHED.add_columns(
        _contest.c.id,
        _contest.c.closes_at,
        _contest.c.freezes_at,
        _rules.c.version,
        *_FINAL,
        _entry.c.id.label("entry_id"),
    )
    .outerjoin(
        _entry,
        and_(_entry.c.contest_id == _contest.c.id, _entry.c.citizen_id == bindparam("citizen_id")),
    )
    .where(_NAMED)
)
_BY_SLUG = _CONTESTS.where(_contest.c.slug == bindparam("name"))
_BY_ID = _CONTESTS.where(_contest.c.id == bindparam("contest_id"))
_YOUNGEST = (
    _CONTESTS.where(_contest.c.id < bindparam("before"))
    .order_by(_contest.c.id.desc())
    .limit(bindparam("most"))
)
_BODY = select(_rules.c.body).where(
    _rules.c.contest_id == bindparam("contest_id"), _rules.c.version == bindparam("of_version")
)
# Reads only whether any paper exists, in any place; no personal data.
_ANY_PAPER = select(_attempt.c.id).where(_attempt.c.contest_id == bindparam("contest_id")).limit(1)
_MOST_ID = 2**63 - 1

# Rules are named by the hash of their content, so cached rules never become stale.
_read: dict[str, RuleSet] = {}


def rules_from(version: str, body: Mapping[str, Any]) -> RuleSet:
    """The rule set of a stored version."""
    found = _read.get(version)
    if found is None:
        found = _read[version] = read_rule_set(body)
    return found


def find_contest(uow: UnitOfWork, name: str) -> ContestView:
    """A contest by its public id or its slug.

    Raises: NotFound (404).
    """
    found = _find_one(uow, _BY_NAME, {"name": name})
    if found is None:
        raise NotFound
    return found


def find_for_board(
    uow: UnitOfWork, name: str, citizen_id: int | None
) -> tuple[BoardContest, int | None]:
    """A contest as `find_contest` finds it, with the row id of a citizen's entry in it.

    Every reader of a board runs this, so it reads only what a board shows.
    Raises: NotFound (404).
    """
    values = {"name": name, "citizen_id": citizen_id}
    row = run_statement(uow, _FOR_BOARD, values).one_or_none()
    if row is None:
        raise NotFound
    contest_id, closes_at, freezes_at, version, final_id, number, published_at, entry_id = row
    final = None
    if final_id is not None:
        final = FinalRanks(id=final_id, number=number, published_at=published_at)
    rules = rules_at(uow, contest_id, version)
    return BoardContest(contest_id, closes_at, freezes_at, rules, final), entry_id


def find_by_slug(uow: UnitOfWork, slug: str) -> ContestView | None:
    """The contest with this slug, or None."""
    return _find_one(uow, _BY_SLUG, {"name": slug})


def contest_by_id(uow: UnitOfWork, contest_id: int) -> ContestView:
    """A contest by its row id.

    Raises: NotFound (404).
    """
    found = _find_one(uow, _BY_ID, {"contest_id": contest_id})
    if found is None:
        raise NotFound
    return found


def list_contests(uow: UnitOfWork, limit: int, before_id: int | None) -> list[ContestView]:
    """Contests, the newest first."""
    rows = run_statement(uow, _YOUNGEST, {"before": before_id or _MOST_ID, "most": limit})
    return [_view_from_row(uow, row) for row in rows]


def has_papers(uow: UnitOfWork, contest_id: int) -> bool:
    """Whether a paper of a contest has been dealt."""
    return run_statement(uow, _ANY_PAPER, {"contest_id": contest_id}).first_value() is not None


def unfinished_contests(uow: UnitOfWork) -> list[ContestView]:
    """Contests that deal papers now or later, or whose last papers may still be answered."""
    found = [_view_from_row(uow, row) for row in run_statement(uow, _CONTESTS, {})]
    return [one for one in found if not is_over(uow.now, last_deadline(one))]


def last_deadline(found: ContestView) -> datetime:
    """The deadline of the last paper that can be started in a contest."""
    return deadline_of_paper(found.rules, found.closes_at + LATE_START)


def rules_at(uow: UnitOfWork, contest_id: int, version: str) -> RuleSet:
    """A version of a contest's rules."""
    if version in _read:
        return _read[version]
    body = run_statement(uow, _BODY, {"contest_id": contest_id, "of_version": version}).scalar_one()
    return rules_from(version, body)


def _find_one(uow: UnitOfWork, asked: Select[Any], values: dict[str, Any]) -> ContestView | None:
    row = run_statement(uow, asked, values).one_or_none()
    return None if row is None else _view_from_row(uow, row)


def _view_from_row(uow: UnitOfWork, row: Any) -> ContestView:
    return ContestView(
        id=row.id,
        ref=row.ref,
        slug=row.slug,
        title=row.title,
        programme_slug=row.programme_slug,
        bank=row.bank,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        rules=rules_at(uow, row.id, row.version),
        valid_from=row.valid_from,
        paused=row.paused_at is not None,
        left_out=frozenset(row.left_out),
        bank_revision=row.bank_revision,
        freezes_at=row.freezes_at,
        final=None
        if row.final_id is None
        else FinalRanks(id=row.final_id, number=row.final_number, published_at=row.final_at),
        marking=row.marking,
    )
