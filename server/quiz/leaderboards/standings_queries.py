"""Boards computed by the database, the source of truth; Redis only caches them.

Every query uses the order of rank_order.py. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)

from server.accounts import service as accounts
from server.accounts.service import Name
from server.base.sql.prepared import run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork
from server.quiz.enums import AttemptState
from server.quiz.leaderboards import rank_order
from server.quiz.leaderboards.board_keys import GONE, HIDDEN, REGION, TOTAL, CountedPlace
from server.quiz.leaderboards.rank_order import Kept
from server.quiz.models import Attempt, Contest, Entry, GroupMember, Question, Standing

CHUNK = 2000
Asked: TypeAlias = Select[*tuple[Any, ...]]

STAND_COLUMNS = (
    Standing.entry_id,
    Standing.points,
    Standing.time_ms,
    Standing.reached_at,
    Standing.version,
)


class Stand(NamedTuple):
    """The standing of an entry in one period, with all fields for comparison."""

    entry_id: int
    points: int
    time_ms: int
    reached_at: datetime
    version: int

    @property
    def kept(self) -> Kept:
        """Points and time."""
        return Kept(self.points, self.time_ms)


class BoardPlayer(NamedTuple):
    """The citizen of an entry with the public name, and the city it counts for."""

    citizen_id: int
    city: str | None
    name: Name


class Moved(NamedTuple):
    """A standing with all boards that it is on and was on."""

    period: str
    stand: Stand
    place: CountedPlace
    left_scopes: list[str]
    changed_at: datetime


class Around(NamedTuple):
    """Neighbours on a board, in order; `above` rank higher."""

    above: list[Stand]
    below: list[Stand]


_entry, _standing, _member = table_of(Entry), table_of(Standing), table_of(GroupMember)
_contest = table_of(Contest)
_BEST_FIRST, _WORST_FIRST = rank_order.best_first(_standing), rank_order.worst_first(_standing)
_BETTER = rank_order.is_better(_standing.c, rank_order.GIVEN)
_WORSE = rank_order.is_worse(_standing.c, rank_order.GIVEN)
_EARLIER_TIE = rank_order.is_earlier_tie(_standing.c, rank_order.GIVEN)
_SCOPES: Mapping[str, ColumnElement[bool] | None] = {
    REGION: None,
    "city": _entry.c.city == bindparam("scope"),
    "county": _entry.c.county == bindparam("scope"),
    "unit": _entry.c.unit_id == bindparam("scope"),
    "audience": _entry.c.audience == bindparam("scope"),
    "division": _entry.c.division == bindparam("scope"),
    "group": _entry.c.citizen_id.in_(
        select(_member.c.citizen_id).where(_member.c.group_id == bindparam("scope"))
    ),
}


def _by_kind(asked: Asked) -> dict[str, Asked]:
    """One statement about standings per kind of scope."""
    joined = asked.join(_entry, _entry.c.id == _standing.c.entry_id)
    return {
        kind: asked if condition is None else joined.where(condition)
        for kind, condition in _SCOPES.items()
    }


_IN_PERIOD = _standing.c.period == bindparam("period")
_ON_BOARD = and_(_standing.c.contest_id == bindparam("contest_id"), _IN_PERIOD)
_STANDS = select(*STAND_COLUMNS).where(_ON_BOARD)
_COUNT = select(func.count()).select_from(_standing).where(_ON_BOARD)
_MOST: BindParameter[int] = bindparam("most")
_TOP = _by_kind(_STANDS.order_by(*_BEST_FIRST).limit(_MOST))
_ABOVE = _by_kind(_STANDS.where(_BETTER).order_by(*_WORST_FIRST).limit(_MOST))
_BELOW = _by_kind(_STANDS.where(_WORSE).order_by(*_BEST_FIRST).limit(_MOST))
_SIZE = _by_kind(_COUNT)
_BETTER_COUNT = _by_kind(_COUNT.where(_BETTER))
_MINE = _by_kind(
    select(*STAND_COLUMNS).where(_standing.c.entry_id == bindparam("entry_id"), _IN_PERIOD)
)
_TWO_COUNTS = (
    select(func.count(), func.sum(case((_entry.c.city == bindparam("city"), 1), else_=0)))
    .select_from(_standing)
    .join(_entry, _entry.c.id == _standing.c.entry_id)
    .where(_ON_BOARD)
)
_AHEAD = _TWO_COUNTS.where(_BETTER)
_TIES_AHEAD = _TWO_COUNTS.where(_EARLIER_TIE)
_PLAYERS = accounts.join_names(
    select(_entry.c.id, _entry.c.citizen_id, _entry.c.city).where(
        _entry.c.id.in_(bindparam("entry_ids", expanding=True))
    ),
    _entry.c.citizen_id,
)
_ENTRY_OF = select(_entry.c.id).where(
    _entry.c.contest_id == bindparam("contest_id"),
    _entry.c.citizen_id == bindparam("citizen_id"),
)


def place_columns() -> tuple[Any, ...]:
    """The columns of a `CountedPlace`, in its order."""
    return (Entry.city, Entry.county, Entry.unit_id, Entry.audience, Entry.division)


def freeze_of_contest(contest_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """The instant since which a contest's boards are frozen, as a column; ended by final ranks."""
    frozen = select(_contest.c.freezes_at).where(
        _contest.c.id == contest_id, _contest.c.final_id.is_(None)
    )
    return frozen.scalar_subquery()


def top_stands(
    uow: UnitOfWork, contest_id: int, period: str, scope: str, limit: int
) -> list[Stand]:
    """The best of a board in order."""
    return _read_stands(uow, _TOP, _board_parameters(contest_id, period, scope), limit=limit)


def board_size(uow: UnitOfWork, contest_id: int, period: str, scope: str) -> int:
    """Number of entries on a board."""
    where = _board_parameters(contest_id, period, scope)
    return int(run_statement(uow, _SIZE[where["kind"]], where).scalar_one())


def stand_of(uow: UnitOfWork, entry_id: int, period: str, scope: str) -> Stand | None:
    """An entry's standing on a board, None when it is not on it."""
    where = _board_parameters(0, period, scope)
    row = run_statement(uow, _MINE[where["kind"]], {**where, "entry_id": entry_id}).one_or_none()
    return None if row is None else Stand(*row)


def place_on(uow: UnitOfWork, contest_id: int, period: str, scope: str, mine: Stand) -> int:
    """The rank of a standing: one more than the number of better standings."""
    where = _board_parameters(contest_id, period, scope)
    better = run_statement(uow, _BETTER_COUNT[where["kind"]], {**where, **mine._asdict()})
    return int(better.scalar_one()) + 1


def stands_around(
    uow: UnitOfWork, contest_id: int, period: str, scope: str, mine: Stand, span: int
) -> Around:
    """Up to `span` better and `span` worse standings, the neighbours of one."""
    where = _board_parameters(contest_id, period, scope) | mine._asdict()
    above = _read_stands(uow, _ABOVE, where, limit=span)
    return Around(above[::-1], _read_stands(uow, _BELOW, where, limit=span))


def count_ahead(uow: UnitOfWork, contest_id: int, city: str | None, mine: Stand) -> tuple[int, int]:
    """How many standings of the whole contest are better, in the region and in a city."""
    return _two_counts(uow, _AHEAD, contest_id, city, mine)


def ties_ahead(uow: UnitOfWork, contest_id: int, city: str | None, mine: Stand) -> tuple[int, int]:
    """How many finished earlier with the same points and time, in the region and in a city."""
    return _two_counts(uow, _TIES_AHEAD, contest_id, city, mine)


def board_rows(uow: UnitOfWork, contest_id: int, period: str, scope: str) -> Iterator[Stand]:
    """All of a board, unordered, from one statement whose rows are fetched in batches.

    A statement for each batch, continued after the last entry, would read the whole contest again
    for every batch on SQLite, which has no index of a contest's entries in their order.
    """
    asked = (
        select(*STAND_COLUMNS)
        .join(Entry, Entry.id == Standing.entry_id)
        .where(Standing.period == period, Entry.contest_id == contest_id, _of_scope(scope))
        .execution_options(yield_per=CHUNK)
    )
    with uow.session.execute(asked) as found:
        for row in found:
            yield Stand(*row)


def changed_since(
    uow: UnitOfWork, contest_id: int, since: datetime, after_id: int
) -> list[tuple[int, Moved]]:
    """Standings changed since an instant, one batch in the order of (instant, id)."""
    asked = (
        select(
            Standing.id, Standing.period, Standing.changed_at, *STAND_COLUMNS,
            *place_columns(), Entry.left_scopes,
        )
        .join(Entry, Entry.id == Standing.entry_id)
        .where(
            Standing.contest_id == contest_id,
            Standing.changed_at >= since,
            or_(Standing.changed_at > since, Standing.id > after_id),
        )
        .order_by(Standing.changed_at, Standing.id)
        .limit(CHUNK)
    )  # fmt: skip
    return [
        (row[0], Moved(row[1], Stand(*row[3:8]), CountedPlace(*row[8:13]), row[13], row[2]))
        for row in uow.session.execute(asked)
    ]


def boards_held(uow: UnitOfWork, contest_id: int) -> list[tuple[str, str]]:
    """Every (period, scope) of a contest for which there are standings."""
    found: set[tuple[str, str]] = set()
    for column in place_columns():
        asked = (
            select(Standing.period, column)
            .join(Entry, Entry.id == Standing.entry_id)
            .where(
                Standing.contest_id == contest_id,
                Standing.period.not_like(f"{GONE}%"),
                Standing.period.not_like(f"{HIDDEN}%"),
            )
            .distinct()
        )
        for period, value in uow.session.execute(asked):
            found.add((period, REGION))
            if value:
                kind = column.key
                found.add((period, f"{'unit' if kind == 'unit_id' else kind}:{value}"))
    return sorted(found)


def players_by_entry(uow: UnitOfWork, entry_ids: Sequence[int]) -> dict[int, BoardPlayer]:
    """The citizens of these entries, with their names."""
    if not entry_ids:
        return {}
    return {
        row[0]: BoardPlayer(row[1], row[2], accounts.name_from_row(uow, row))
        for row in run_statement(uow, _PLAYERS, {"entry_ids": list(entry_ids)})
    }


def entry_of(uow: UnitOfWork, contest_id: int, citizen_id: int) -> int | None:
    """The entry of a citizen in a contest."""
    whose = {"contest_id": contest_id, "citizen_id": citizen_id}
    found: int | None = run_statement(uow, _ENTRY_OF, whose).first_value()
    return found


def has_open_paper(uow: UnitOfWork, contest_id: int) -> bool:
    """Whether a paper of a contest may still be submitted or closed."""
    asked = select(Attempt.id).where(
        Attempt.state == AttemptState.OPEN, Attempt.contest_id == contest_id
    )
    return uow.session.scalar(asked.limit(1)) is not None


def questions_by_id(uow: UnitOfWork, ids: Collection[int]) -> dict[int, Question]:
    """Versions of questions by their row id."""
    found = uow.session.scalars(select(Question).where(Question.id.in_(ids)))
    return {question.id: question for question in found}


def all_contests(uow: UnitOfWork) -> list[Contest]:
    """All contests, the oldest first."""
    return list(uow.session.scalars(select(Contest).order_by(Contest.id)))


def _read_stands(
    uow: UnitOfWork, asked: Mapping[str, Asked], where: Mapping[str, Any], *, limit: int
) -> list[Stand]:
    found = run_statement(uow, asked[where["kind"]], {**where, "most": limit})
    return [Stand(*row) for row in found]


def _two_counts(
    uow: UnitOfWork, asked: Asked, contest_id: int, city: str | None, mine: Stand
) -> tuple[int, int]:
    facts = {"contest_id": contest_id, "period": TOTAL, "city": city, **mine._asdict()}
    everywhere, here = run_statement(uow, asked, facts).only_row()
    return everywhere, int(here or 0)


def _board_parameters(contest_id: int, period: str, scope: str) -> dict[str, Any]:
    """The parameters of the statements for a board."""
    kind, _, value = scope.partition(":")
    number = int(value) if kind in ("unit", "group") else value
    return {"kind": kind, "contest_id": contest_id, "period": period, "scope": number}


def _of_scope(scope: str) -> ColumnElement[bool]:
    kind, _, value = scope.partition(":")
    match kind:
        case "city":
            return Entry.city == value
        case "county":
            return Entry.county == value
        case "unit":
            return Entry.unit_id == int(value)
        case "audience":
            return Entry.audience == value
        case "division":
            return Entry.division == value
        case "group":
            members = select(GroupMember.citizen_id).where(GroupMember.group_id == int(value))
            return Entry.citizen_id.in_(members)
    return Entry.id > 0
