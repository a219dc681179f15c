"""The boards as the database knows them: the truth that Redis only repeats.

Every order here is the one of board_keys.py: points, then less time, then the earlier finish,
then the older entry. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from server.base.work import Work
from server.quiz.board_keys import GONE, REGION, TOTAL, Kept, Place
from server.quiz.models import (
    Attempt,
    AttemptState,
    Contest,
    Entry,
    GroupMember,
    Question,
    Standing,
)

Chosen = TypeVar("Chosen", bound=Select[*tuple[Any, ...]])
CHUNK = 2000

STAND_COLUMNS = (
    Standing.entry_id,
    Standing.points,
    Standing.time_ms,
    Standing.reached_at,
    Standing.version,
)
_BEST_FIRST = (
    Standing.points.desc(),
    Standing.time_ms,
    Standing.reached_at,
    Standing.entry_id,
)
_WORST_FIRST = (
    Standing.points,
    Standing.time_ms.desc(),
    Standing.reached_at.desc(),
    Standing.entry_id.desc(),
)


class Stand(NamedTuple):
    """What an entry has in one period, complete enough to be compared."""

    entry_id: int
    points: int
    time_ms: int
    reached_at: datetime
    version: int

    @property
    def kept(self) -> Kept:
        """Points and time."""
        return Kept(self.points, self.time_ms)


class Player(NamedTuple):
    """Who is behind an entry, and the city he is counted in."""

    citizen_id: int
    city: str | None


class Moved(NamedTuple):
    """A standing with all boards that it is on and was on."""

    period: str
    stand: Stand
    place: Place
    left_scopes: list[str]
    changed_at: datetime


class Around(NamedTuple):
    """Neighbours on a board, in order; `above` are better."""

    above: list[Stand]
    below: list[Stand]


def place_columns() -> tuple[Any, ...]:
    """The columns that make a `Place`, in its order."""
    return (Entry.city, Entry.county, Entry.unit_id, Entry.audience)


def top(work: Work, contest_id: int, period: str, scope: str, limit: int) -> list[Stand]:
    """The best of a board in order."""
    asked = _stands(contest_id, period, scope).order_by(*_BEST_FIRST).limit(limit)
    return _read(work.session, asked)


def size(work: Work, contest_id: int, period: str, scope: str) -> int:
    """How many entries are on a board."""
    return work.session.scalar(_counted(contest_id, period, scope)) or 0


def stand_of(work: Work, entry_id: int, period: str, scope: str) -> Stand | None:
    """What an entry has on a board, None when it is not on it."""
    asked = _scoped(select(*STAND_COLUMNS), scope).where(
        Standing.entry_id == entry_id, Standing.period == period
    )
    row = work.session.execute(asked).one_or_none()
    return None if row is None else Stand(*row)


def place_on(work: Work, contest_id: int, period: str, scope: str, mine: Stand) -> int:
    """The place of a standing: one more than those that are better.  Units: from 1."""
    asked = _counted(contest_id, period, scope).where(_better(mine))
    return (work.session.scalar(asked) or 0) + 1


def around(work: Work, contest_id: int, period: str, scope: str, mine: Stand, span: int) -> Around:
    """Up to `span` neighbours on either side."""
    board = _stands(contest_id, period, scope)
    above = board.where(_better(mine)).order_by(*_WORST_FIRST).limit(span)
    below = board.where(_worse(mine)).order_by(*_BEST_FIRST).limit(span)
    return Around(_read(work.session, above)[::-1], _read(work.session, below))


def ahead(work: Work, contest_id: int, city: str | None, mine: Stand) -> tuple[int, int]:
    """How many are better in the whole contest, in the region and in a city."""
    return _two_counts(work, contest_id, city, _better(mine))


def ties_ahead(work: Work, contest_id: int, city: str | None, mine: Stand) -> tuple[int, int]:
    """How many were earlier with the same points and time, in the region and in a city."""
    same = and_(Standing.points == mine.points, _same_time(mine), _earlier(mine))
    return _two_counts(work, contest_id, city, same)


def board_rows(work: Work, contest_id: int, period: str, scope: str) -> Iterator[Stand]:
    """All of a board in no order, read in pieces by the entry's number."""
    after = 0
    while True:
        asked = (
            select(*STAND_COLUMNS)
            .join(Entry, Entry.id == Standing.entry_id)
            .where(Standing.period == period, Entry.contest_id == contest_id, Entry.id > after)
            .order_by(Entry.id)
            .limit(CHUNK)
        )
        rows = _read(work.session, asked.where(_of_scope(scope)))
        yield from rows
        if len(rows) < CHUNK:
            return
        after = rows[-1].entry_id


def changed_since(
    work: Work, contest_id: int, since: datetime, after_id: int
) -> list[tuple[int, Moved]]:
    """Standings changed from an instant on, a piece in the order of (instant, id)."""
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
        (row[0], Moved(row[1], Stand(*row[3:8]), Place(*row[8:12]), row[12], row[2]))
        for row in work.session.execute(asked)
    ]


def boards_held(work: Work, contest_id: int) -> list[tuple[str, str]]:
    """Every (period, scope) of a contest that holds anybody."""
    found: set[tuple[str, str]] = set()
    for column in place_columns():
        asked = (
            select(Standing.period, column)
            .join(Entry, Entry.id == Standing.entry_id)
            .where(Standing.contest_id == contest_id, Standing.period.not_like(f"{GONE}%"))
            .distinct()
        )
        for period, value in work.session.execute(asked):
            found.add((period, REGION))
            if value:
                kind = column.key
                found.add((period, f"{'unit' if kind == 'unit_id' else kind}:{value}"))
    return sorted(found)


def players(work: Work, entry_ids: Sequence[int]) -> dict[int, Player]:
    """Who is behind these entries."""
    asked = select(Entry.id, Entry.citizen_id, Entry.city).where(Entry.id.in_(entry_ids))
    return {row[0]: Player(row[1], row[2]) for row in work.session.execute(asked)}


def entry_of(work: Work, contest_id: int, citizen_id: int) -> int | None:
    """The entry of a citizen in a contest."""
    return work.session.scalar(
        select(Entry.id).where(Entry.contest_id == contest_id, Entry.citizen_id == citizen_id)
    )


def has_open_paper(work: Work, contest_id: int) -> bool:
    """Whether some paper of a contest may still be handed in or closed."""
    asked = select(Attempt.id).where(
        Attempt.state == AttemptState.OPEN, Attempt.contest_id == contest_id
    )
    return work.session.scalar(asked.limit(1)) is not None


def questions(work: Work, ids: Collection[int]) -> dict[int, Question]:
    """Versions of questions by their number."""
    found = work.session.scalars(select(Question).where(Question.id.in_(ids)))
    return {question.id: question for question in found}


def contests(work: Work) -> list[Contest]:
    """All contests, the oldest first."""
    return list(work.session.scalars(select(Contest).order_by(Contest.id)))


def _stands(contest_id: int, period: str, scope: str) -> Select[int, int, int, datetime, int]:
    chosen = select(*STAND_COLUMNS).where(
        Standing.contest_id == contest_id, Standing.period == period
    )
    return _scoped(chosen, scope)


def _counted(contest_id: int, period: str, scope: str) -> Select[int]:
    chosen = select(func.count()).select_from(Standing)
    return _scoped(
        chosen.where(Standing.contest_id == contest_id, Standing.period == period), scope
    )


def _scoped(chosen: Chosen, scope: str) -> Chosen:
    if scope == REGION:
        return chosen
    return chosen.join(Entry, Entry.id == Standing.entry_id).where(_of_scope(scope))


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
        case "group":
            members = select(GroupMember.citizen_id).where(GroupMember.group_id == int(value))
            return Entry.citizen_id.in_(members)
    return Entry.id > 0


def _two_counts(
    work: Work, contest_id: int, city: str | None, which: ColumnElement[bool]
) -> tuple[int, int]:
    asked = (
        select(func.count(), func.sum(case((Entry.city == city, 1), else_=0)))
        .select_from(Standing)
        .join(Entry, Entry.id == Standing.entry_id)
        .where(Standing.contest_id == contest_id, Standing.period == TOTAL, which)
    )
    everywhere, here = work.session.execute(asked).one()
    return everywhere, int(here or 0)


def _better(mine: Stand) -> ColumnElement[bool]:
    less_time = and_(
        Standing.points == mine.points,
        or_(Standing.time_ms < mine.time_ms, _same_time(mine) & _earlier(mine)),
    )
    # The first condition says nothing new; it is the range that the index can walk.
    return and_(Standing.points >= mine.points, or_(Standing.points > mine.points, less_time))


def _worse(mine: Stand) -> ColumnElement[bool]:
    more_time = and_(
        Standing.points == mine.points,
        or_(Standing.time_ms > mine.time_ms, _same_time(mine) & _later(mine)),
    )
    return and_(Standing.points <= mine.points, or_(Standing.points < mine.points, more_time))


def _same_time(mine: Stand) -> ColumnElement[bool]:
    return Standing.time_ms == mine.time_ms


def _earlier(mine: Stand) -> ColumnElement[bool]:
    same_instant = and_(Standing.reached_at == mine.reached_at, Standing.entry_id < mine.entry_id)
    return or_(Standing.reached_at < mine.reached_at, same_instant)


def _later(mine: Stand) -> ColumnElement[bool]:
    same_instant = and_(Standing.reached_at == mine.reached_at, Standing.entry_id > mine.entry_id)
    return or_(Standing.reached_at > mine.reached_at, same_instant)


def _read(session: Session, asked: Select[int, int, int, datetime, int]) -> list[Stand]:
    return [Stand(*row) for row in session.execute(asked)]
