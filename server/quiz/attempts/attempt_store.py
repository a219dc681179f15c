"""Reads and writes the rows of attempts, entries and decks; contains no rules.

Lock order: citizen, entry, attempt, deck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.accounts import service as accounts
from server.base.sql.prepared import run_by_commit, run_statement
from server.base.sql.tables import insert_of, table_of
from server.base.uow import UnitOfWork
from server.quiz.enums import AttemptState
from server.quiz.leaderboards.board_keys import CountedPlace
from server.quiz.leaderboards.service import LockedEntry
from server.quiz.leaderboards.standings_queries import place_columns
from server.quiz.models import (
    Attempt,
    Bank,
    Contest,
    Deck,
    Entry,
    Practice,
    PracticeAnswer,
    RuleSetRow,
)


class Sheet(NamedTuple):
    """An attempt's row, with its questions' bank and the current season rules.

    Units: `best` is in points, the citizen's best score up to this paper; only the closing
    transaction knows it.
    """

    # A tuple, because every request about a paper creates and changes one.

    id: int
    ref: str
    contest_id: int
    contest_ref: str
    entry_id: int
    citizen_id: int
    on_day: date
    on_week: str
    try_no: int
    day_limit: int
    started_at: datetime
    deadline_at: datetime
    state: AttemptState
    rules_version: str
    paper: list[dict[str, Any]]
    answers: dict[str, list[int]]
    bank: str
    bank_revision: str
    programme_slug: str | None
    season_version: str
    contest_marking: int
    score: int | None = None
    correct_count: int | None = None
    duration_ms: int | None = None
    closed_at: datetime | None = None
    rank_region: int | None = None
    rank_city: int | None = None
    city: str | None = None
    left_scopes: Sequence[str] = ()
    freezes_at: datetime | None = None
    final_id: int | None = None
    best: int | None = None

    @property
    def ranked_city(self) -> str | None:
        """The city of `rank_city`; None when the entry has moved to another place."""
        moved = any(scope.startswith("city:") for scope in self.left_scopes)
        return None if self.rank_city is None or moved else self.city

    @property
    def is_open(self) -> bool:
        """Whether it has not been closed yet."""
        return self.state is AttemptState.OPEN


@dataclass(frozen=True, kw_only=True)
class Try:
    """An attempt without its paper; `held_at` is since when the results are held."""

    ref: str
    citizen_id: int
    on_day: date
    state: AttemptState
    deadline_at: datetime
    score: int | None
    held_at: datetime | None


_attempt, _contest, _bank = table_of(Attempt), table_of(Contest), table_of(Bank)
_entry, _deck, _rules = table_of(Entry), table_of(Deck), table_of(RuleSetRow)
_practice, _answer = table_of(Practice), table_of(PracticeAnswer)
_in_force = (
    select(_rules.c.version)
    .where(_rules.c.contest_id == _attempt.c.contest_id)
    .order_by(_rules.c.valid_from.desc(), _rules.c.id.desc())
    .limit(1)
    .correlate(_attempt)
    .scalar_subquery()
)
_whose = _entry.alias()


def _of_entry(column: ColumnElement[Any]) -> ColumnElement[Any]:
    # No join, so that an attempt moved to another entry during the lock wait is still found.
    found = select(column).where(_whose.c.id == _attempt.c.entry_id).correlate(_attempt)
    return found.scalar_subquery()


_COLUMNS: dict[str, ColumnElement[Any]] = {
    **dict(_attempt.c),
    "contest_ref": _contest.c.ref,
    "bank": _contest.c.bank,
    "bank_revision": _bank.c.revision,
    "programme_slug": _contest.c.programme_slug,
    "contest_marking": _contest.c.marking,
    "season_version": _in_force,
    "freezes_at": _contest.c.freezes_at,
    "final_id": _contest.c.final_id,
    "city": _of_entry(_whose.c.city),
    "left_scopes": _of_entry(_whose.c.left_scopes),
}
# The columns are in the order of Sheet's fields; the last field is not in the database.
_SHEETS = (
    select(*(_COLUMNS[name].label(name) for name in Sheet._fields[:-1]))
    .select_from(_attempt)
    .join(_contest, _contest.c.id == _attempt.c.contest_id)
    .join(_bank, _bank.c.slug == _contest.c.bank)
)
_OF_CITIZEN = _SHEETS.where(
    _attempt.c.ref == bindparam("ref"), _attempt.c.citizen_id == bindparam("citizen_id")
)
_BY_ID = _SHEETS.where(_attempt.c.id == bindparam("attempt_id"))
# PostgreSQL locks tables in the order they are named: the entry before the attempt.
_LOCKED_WITH_ENTRY = (
    _OF_CITIZEN.add_columns(_entry.c.merged_at, _entry.c.held_at, *place_columns())
    .join(_entry, _entry.c.id == _attempt.c.entry_id)
    .with_for_update(of=[_entry, _attempt])
)
_LOCKED_OF_CITIZEN = _OF_CITIZEN.with_for_update(of=_attempt)
_LOCKED_BY_ID = _BY_ID.with_for_update(of=_attempt)
_IN_CONTEST = _SHEETS.where(
    _attempt.c.contest_id == bindparam("contest_id"),
    _attempt.c.citizen_id.in_(bindparam("citizen_ids", expanding=True)),
).order_by(_attempt.c.started_at, _attempt.c.id)
_OF_ENTRY = _SHEETS.where(_attempt.c.entry_id == bindparam("entry_id")).order_by(
    _attempt.c.started_at, _attempt.c.id
)
_TRY_COLUMNS = "contest_id", "ref", "citizen_id", "on_day", "state", "deadline_at", "score"
_TRIES = (
    select(
        *(_attempt.c[name] for name in _TRY_COLUMNS),
        _entry.c.held_at,
    )
    .join(_entry, _entry.c.id == _attempt.c.entry_id)
    .where(
        _attempt.c.citizen_id.in_(bindparam("citizen_ids", expanding=True)),
        _attempt.c.contest_id.in_(bindparam("contest_ids", expanding=True)),
    )
)
_OVERDUE = (
    select(_attempt.c.id)
    .where(_attempt.c.state == AttemptState.OPEN, _attempt.c.deadline_at < bindparam("before"))
    .order_by(_attempt.c.deadline_at)
    .limit(bindparam("most"))
)
_ADD = insert(_attempt).returning(_attempt.c.id)
_KEEP = update(_attempt).where(_attempt.c.id == bindparam("attempt_id"))
# A paper closes only at the contest's present marking, so no void decided meanwhile is missed.
_present_marking = select(_contest.c.marking).where(_contest.c.id == _attempt.c.contest_id)
CLOSE = _KEEP.where(
    _attempt.c.state == AttemptState.OPEN,
    _present_marking.correlate(_attempt).scalar_subquery() == bindparam("seen_marking"),
)
_ENTRY_OF = (
    select(_entry.c.id, _entry.c.division)
    .where(
        _entry.c.contest_id == bindparam("contest_id"),
        _entry.c.citizen_id == bindparam("citizen_id"),
    )
    .with_for_update()
)
_DIVISIONS = select(_entry.c.contest_id, _entry.c.division).where(
    _entry.c.citizen_id == bindparam("citizen_id"),
    _entry.c.contest_id.in_(bindparam("contest_ids", expanding=True)),
)
_practised = (
    select(_answer.c.id)
    .join(_practice, _practice.c.id == _answer.c.practice_id)
    .where(_practice.c.citizen_id == bindparam("citizen_id"))
    .limit(bindparam("most"))
    .subquery()
)
_PRACTISED = select(func.count()).select_from(_practised)
_DECK = (
    select(_deck.c.id, _deck.c.counts)
    .where(_deck.c.contest_id == bindparam("contest_id"), _deck.c.shard == bindparam("of_shard"))
    .with_for_update()
)
_KEEP_DECK = update(_deck).where(_deck.c.id == bindparam("deck_id"))


def _entry_made_or_held(dialect: str) -> Any:
    fresh = insert_of(dialect, Entry)
    return fresh.on_conflict_do_update(
        index_elements=["contest_id", "citizen_id"],
        # Changes nothing, but locks an existing row and returns its id.
        set_={"citizen_id": fresh.excluded.citizen_id},
    ).returning(_entry.c.id)


_ENTRY_MADE_OR_HELD = {name: _entry_made_or_held(name) for name in ("sqlite", "postgresql")}
# An insert that ignores an existing row, for either dialect.
_NEW_DECK = {
    "sqlite": sqlite.insert(_deck).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_deck).on_conflict_do_nothing(),
}


def find_attempt(uow: UnitOfWork, ref: str, citizen_id: int, *, lock: bool = False) -> Sheet | None:
    """A citizen's own attempt; None for another citizen's.

    Locks: the attempt, when `lock` is set.
    """
    asked = _LOCKED_OF_CITIZEN if lock else _OF_CITIZEN
    row = run_statement(uow, asked, {"ref": ref, "citizen_id": citizen_id}).one_or_none()
    return None if row is None else Sheet(*row)


def locked_with_entry(
    uow: UnitOfWork, ref: str, citizen_id: int
) -> tuple[Sheet, LockedEntry] | None:
    """A citizen's own attempt and its entry, in one statement.

    None also when the attempt was moved to another entry while waiting for its lock.
    Locks: the entry, the attempt.
    """
    row = run_statement(
        uow, _LOCKED_WITH_ENTRY, {"ref": ref, "citizen_id": citizen_id}
    ).one_or_none()
    if row is None:
        return None
    *facts, merged_at, held_at, city, county, unit_id, audience, division = row
    sheet = Sheet(*facts)
    entry = LockedEntry(
        contest_id=sheet.contest_id,
        entry_id=sheet.entry_id,
        place=CountedPlace(city, county, unit_id, audience, division),
        on_board=merged_at is None and held_at is None,
        freezes_at=sheet.freezes_at if sheet.final_id is None else None,
    )
    return sheet, entry


def find_attempt_by_id(uow: UnitOfWork, attempt_id: int, *, lock: bool = False) -> Sheet | None:
    """An attempt by its row id.

    Locks: the attempt, when `lock` is set.
    """
    asked = _LOCKED_BY_ID if lock else _BY_ID
    row = run_statement(uow, asked, {"attempt_id": attempt_id}).one_or_none()
    return None if row is None else Sheet(*row)


def list_in_contest(uow: UnitOfWork, contest_id: int, citizen_ids: Sequence[int]) -> list[Sheet]:
    """All attempts of a citizen, under any of these ids, in a contest, the oldest first."""
    rows = run_statement(
        uow, _IN_CONTEST, {"contest_id": contest_id, "citizen_ids": list(citizen_ids)}
    )
    return [Sheet(*row) for row in rows]


def list_of_entry(uow: UnitOfWork, entry_id: int) -> list[Sheet]:
    """All attempts that count for an entry, the oldest first."""
    return [Sheet(*row) for row in run_statement(uow, _OF_ENTRY, {"entry_id": entry_id})]


def tries_by_contest(
    uow: UnitOfWork, contest_ids: Sequence[int], citizen_ids: Sequence[int]
) -> dict[int, list[Try]]:
    """Attempts of a citizen, under any of these ids, by contest and without their papers."""
    found: dict[int, list[Try]] = {}
    asked = {"citizen_ids": list(citizen_ids), "contest_ids": list(contest_ids)}
    for row in run_statement(uow, _TRIES, asked):
        facts = row._asdict()
        found.setdefault(facts.pop("contest_id"), []).append(Try(**facts))
    return found


def divisions_of(
    uow: UnitOfWork, contest_ids: Sequence[int], citizen_id: int
) -> dict[int, str | None]:
    """The division of a citizen's entry, by contest; reads nothing for no contest."""
    if not contest_ids:
        return {}
    asked = {"contest_ids": list(contest_ids), "citizen_id": citizen_id}
    return {row.contest_id: row.division for row in run_statement(uow, _DIVISIONS, asked)}


def count_practised(uow: UnitOfWork, citizen_id: int, most: int) -> int:
    """How many questions a citizen has answered in practice, counted up to `most`."""
    asked = {"citizen_id": citizen_id, "most": most}
    return int(run_statement(uow, _PRACTISED, asked).scalar_one())


def overdue_ids(uow: UnitOfWork, before: datetime, limit: int) -> list[int]:
    """Open attempts with a deadline before an instant, the longest overdue first."""
    return run_statement(uow, _OVERDUE, {"before": before, "most": limit}).first_values()


def insert_attempt(uow: UnitOfWork, sheet: Mapping[str, Any]) -> int:
    """Insert an attempt; return its id."""
    return int(run_statement(uow, _ADD, dict(sheet)).scalar_one())


def keep_answers(uow: UnitOfWork, attempt_id: int, answers: Mapping[str, list[int]]) -> None:
    """Update the answers of an open attempt."""
    run_by_commit(uow, _KEEP, {"attempt_id": attempt_id, "answers": dict(answers)})


def keep_paper(uow: UnitOfWork, attempt_id: int, paper: list[dict[str, Any]]) -> None:
    """Update the paper of an open attempt."""
    run_statement(uow, _KEEP, {"attempt_id": attempt_id, "paper": paper})


def close_paper(uow: UnitOfWork, attempt_id: int, closed: Mapping[str, Any]) -> bool:
    """Close an attempt; False when it is closed already, or a void was decided meanwhile."""
    which = {"attempt_id": attempt_id, "seen_marking": closed["marking"]}
    return run_statement(uow, CLOSE, {**which, **closed}).rowcount == 1


def entry_for(
    uow: UnitOfWork,
    contest_id: int,
    citizen_id: int,
    place: accounts.Place | None = None,
    division: str | None = None,
) -> int:
    """The entry of a citizen in a contest, created at the first paper with the present place.

    Locks: the entry.
    """
    place = place or accounts.place_of(uow, citizen_id)
    fresh: dict[str, Any] = {
        "contest_id": contest_id,
        "citizen_id": citizen_id,
        "city": place.city,
        "county": place.county,
        "unit_id": place.unit_id,
        "audience": place.audience,
        "division": division,
        "left_scopes": [],
    }
    return int(run_statement(uow, _ENTRY_MADE_OR_HELD[_dialect_name(uow)], fresh).scalar_one())


def hold_entry(uow: UnitOfWork, contest_id: int, citizen_id: int) -> tuple[int, str | None] | None:
    """Lock and return the entry of a citizen in a contest with its division, or None.

    Locks: the entry.
    """
    whose = {"contest_id": contest_id, "citizen_id": citizen_id}
    found = run_statement(uow, _ENTRY_OF, whose).one_or_none()
    return None if found is None else (found.id, found.division)


def lock_deck(uow: UnitOfWork, contest_id: int, shard: int) -> tuple[int, dict[str, int]]:
    """Lock one shard's deck; return its id and how often each question was dealt from it.

    Locks: the deck.
    """
    which = {"contest_id": contest_id, "of_shard": shard}
    found = run_statement(uow, _DECK, which).one_or_none()
    if found is None:
        fresh: dict[str, Any] = {"contest_id": contest_id, "shard": shard, "counts": {}}
        run_statement(uow, _NEW_DECK[_dialect_name(uow)], fresh)
        found = run_statement(uow, _DECK, which).only_row()
    return found.id, dict(found.counts)


def keep_deck(uow: UnitOfWork, deck_id: int, counts: Mapping[str, int]) -> None:
    """Update a deck's counters."""
    run_statement(uow, _KEEP_DECK, {"deck_id": deck_id, "counts": dict(counts)})


def _dialect_name(uow: UnitOfWork) -> str:
    return uow.transaction.dialect.name
