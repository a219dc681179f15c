"""Owners of rows, and the only functions that add a scope to a query.

An organizer reads, and with a writing role changes, the rows of the organizer's place and below.
Published rows of higher places can be read, but not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar, cast

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Delete,
    Insert,
    Select,
    String,
    Update,
    and_,
    event,
    false,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column
from sqlalchemy.sql.util import find_tables

from server.base.access import Organizer, Scope
from server.base.sql.tables import Base

Filtered = TypeVar("Filtered", Select[Any], Update, Delete)
Statement = TypeVar("Statement", Select[Any], Update, Delete, Insert)
_SCOPED, _FOUND = "kepu_scope", "kepu_found_row"
_UNIT = "unit:"
_REMEDY = "put the select through visible_to, writable_by or people_of"


class ScopeMissing(Exception):
    """A page used owned rows without the organizer's scope: a bug, reported as an exception."""


class Owned:
    """Columns of a table whose rows belong to a place; see `owned_by`.

    `owner` is the scope in the spelling of boards. The codes of the levels above are stored beside
    it, so that all rows of a city are found without a tree. Rows of the region have no codes.
    """

    # Whether a merge of units moves these rows to the new unit; audit entries are not moved.
    follows_unit: ClassVar[bool] = True

    owner: Mapped[str] = mapped_column(String(40), index=True)
    owner_city: Mapped[str | None] = mapped_column(String(6), index=True)
    owner_county: Mapped[str | None] = mapped_column(String(6), index=True)

    @classmethod
    def published_condition(cls) -> ColumnElement[bool]:
        """Rows that organizers below the owner may read; none unless the model overrides this."""
        return false()


class Placed(Protocol):
    """A table of people or their results, with the place of each."""

    city: Mapped[str | None]
    county: Mapped[str | None]
    unit_id: Mapped[int | None]


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """Rows with a responsible organizer, which are handed over to a successor.

    `said` is the text key of a sentence with `count`; `column` holds the row id of the account;
    `unfinished` restricts to rows with work left to do, because finished ones keep the author
    they had.
    """

    said: str
    table: type[Any]
    column: str
    unfinished: Callable[[], ColumnElement[bool]] = true


def count_handed(session: Session, organizer: Organizer, kind: HandOver, leaving: int) -> int:
    """How many rows in the organizer's place name this account."""
    asked = select(func.count()).select_from(kind.table).where(_names_account(kind, leaving))
    if issubclass(kind.table, Owned):
        asked = writable_by(asked, organizer, kind.table)
    return session.scalar(asked) or 0


def hand_over_rows(
    session: Session, organizer: Organizer, kind: HandOver, leaving: int, successor: int
) -> int:
    """Name the successor in these rows; return how many."""
    moved = update(kind.table).where(_names_account(kind, leaving)).values({kind.column: successor})
    if issubclass(kind.table, Owned):
        moved = writable_by(moved, organizer, kind.table)
    moved = moved.execution_options(synchronize_session=False)
    done = session.execute(moved.returning(getattr(kind.table, kind.column)))
    return len(done.all())


def _names_account(kind: HandOver, account: int) -> ColumnElement[bool]:
    return and_(getattr(kind.table, kind.column) == account, kind.unfinished())


def owned_by(scope: Scope) -> dict[str, str | None]:
    """The values of the owner columns for a row of this scope."""
    return {"owner": scope.spelled, "owner_city": scope.city, "owner_county": scope.county}


def scope_of(row: Owned) -> Scope:
    """The scope of a row."""
    return scope_from_columns(row.owner, row.owner_city, row.owner_county)


def scope_from_columns(owner: str, city: str | None, county: str | None) -> Scope:
    """The scope of a row by its owner columns."""
    unit = owner.removeprefix(_UNIT) if owner.startswith(_UNIT) else None
    return Scope(city=city, county=county, unit_id=None if unit is None else int(unit))


def visible_to(statement: Select[Any], organizer: Organizer, model: type[Owned]) -> Select[Any]:
    """Restrict a query to the rows of `model` that the organizer may read."""
    above = and_(model.owner.in_(organizer.scope.above), model.published_condition())
    return _limit_to_scope(
        statement.where(or_(_inside_condition(organizer.scope, model), above)), organizer
    )


def writable_by(statement: Filtered, organizer: Organizer, model: type[Owned]) -> Filtered:
    """Restrict a statement to rows in the organizer's scope; the role is checked elsewhere."""
    return _limit_to_scope(statement.where(_inside_condition(organizer.scope, model)), organizer)


def people_of(statement: Select[Any], organizer: Organizer, model: type[Any]) -> Select[Any]:
    """Restrict to people and results of the organizer's own place, in any owner's contest.

    `model` is a table with the place of each: columns `city`, `county` and `unit_id`.
    """
    return people_within(statement, organizer.scope, model)


def people_within(statement: Select[Any], scope: Scope, model: type[Any]) -> Select[Any]:
    """Restrict to people of a place, as `people_of` does."""
    kept: ColumnElement[bool] = true()
    if scope.unit_id is not None:
        kept = model.unit_id == scope.unit_id
    elif scope.county is not None:
        kept = model.county == scope.county
    elif scope.city is not None:
        kept = model.city == scope.city
    return statement.where(kept).execution_options(**{_SCOPED: scope.spelled})


def owned_insert(statement: Insert, organizer: Organizer, owner: Scope) -> Insert:
    """Allow a bulk insert whose rows all have the owner columns of `owner`.

    Raises: ScopeMissing when that is outside the organizer's scope.
    """
    if not organizer.scope.covers_scope(owner):
        raise ScopeMissing(f"{statement.table.name}: {owner.spelled} is only readable")
    return _limit_to_scope(statement, organizer)


@contextmanager
def serving_found_row(session: Session) -> Iterator[None]:
    """Let services of lower layers use the person of a row that was found within the scope.

    For example to send that citizen a message. Every statement in the block must concern that row.
    """
    outer = session.info.get(_FOUND, False)
    session.info[_FOUND] = True
    try:
        yield
        session.flush()
    finally:
        if not outer:
            del session.info[_FOUND]


def guard_session(
    session: Session, organizer: Organizer, personal: Collection[str] = frozenset()
) -> None:
    """Make this session refuse access to owned rows and persons without the organizer's scope.

    `personal` names the tables with personal data. A safety net behind the static checks. Raises:
    ScopeMissing from the offending statement or flush.
    """
    owned = {m.local_table for m in Base.registry.mappers if issubclass(m.class_, Owned)}
    # `sorted_tables` would sort again at each call, a millisecond of every page.
    guarded = [t for t in Base.metadata.tables.values() if t in owned or t.name in personal]

    def check_statement(state: ORMExecuteState) -> None:
        if _FOUND in state.session.info:
            return
        if state.is_column_load or _SCOPED in state.statement.get_execution_options():
            return
        touched = find_tables(
            cast("ClauseElement", state.statement),
            check_columns=True,
            include_aliases=True,
            include_joins=True,
            include_selects=True,
            include_crud=True,
        )
        missing = [table.name for table in guarded if table in touched]
        if missing:
            raise ScopeMissing(f"{', '.join(missing)}: {_REMEDY}")

    def check_flush(flushed: Session, *_given: Any) -> None:
        for row in (*flushed.new, *flushed.dirty, *flushed.deleted):
            if isinstance(row, Owned) and not organizer.scope.covers_scope(scope_of(row)):
                raise ScopeMissing(f"{type(row).__name__}: a row of {row.owner} is only readable")

    event.listen(session, "do_orm_execute", check_statement)
    event.listen(session, "before_flush", check_flush)


def _limit_to_scope(statement: Statement, organizer: Organizer) -> Statement:
    return statement.execution_options(**{_SCOPED: organizer.scope.spelled})


def _inside_condition(scope: Scope, model: type[Owned]) -> ColumnElement[bool]:
    if scope.unit_id is not None:
        return model.owner == scope.spelled
    if scope.county is not None:
        return model.owner_county == scope.county
    return true() if scope.city is None else model.owner_city == scope.city
