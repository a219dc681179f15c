"""Counts participations into the figures: each noted change once, exactly, in batches.

One transaction reads some changes, adds them up, computes the people concerned again from their
participations, and deletes the changes. So a run that is repeated or interrupted counts nothing
twice, and late or undone participations correct the figures of their own day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, cast

from sqlalchemy import Table, delete, insert, select
from sqlalchemy.orm import InstrumentedAttribute

from server.base.access import REGION
from server.base.sql.locks import lock_name
from server.base.sql.tables import Base, insert_for
from server.base.uow import UnitOfWork
from server.dashboard.models import (
    FigureDay,
    FigureGroup,
    FigureHour,
    FigureState,
    Participant,
)
from server.programme import service as programmes
from server.programme.service import NotedParticipation, PersonSum

# Changes per transaction, which takes some tenths of a second.
BATCH = 1000
PARTICIPATION = "participation"
# The interval at which the instant of complete figures is renewed while there are no changes.
NOTED_EVERY = timedelta(seconds=30)


class Located(Protocol):
    """Anything with the codes of a place."""

    @property
    def city(self) -> str | None: ...
    @property
    def county(self) -> str | None: ...
    @property
    def unit_id(self) -> int | None: ...


Key = tuple[str, Any]


@dataclass(kw_only=True)
class Sums:
    """Differences to add to the figures, each by place and day, hour or group."""

    day_times: Counter[Key] = field(default_factory=Counter)
    newcomers: Counter[Key] = field(default_factory=Counter)
    hour_times: Counter[Key] = field(default_factory=Counter)
    group_times: Counter[Key] = field(default_factory=Counter)
    people: Counter[Key] = field(default_factory=Counter)
    returned: Counter[Key] = field(default_factory=Counter)

    def add_change(self, one: NotedParticipation) -> None:
        """Add one participation, or subtract it."""
        for place in places_of(one):
            self.day_times[place, one.on_day] += one.sign
            self.group_times[place, one.audience or ""] += one.sign
            if one.hour is not None:
                self.hour_times[place, one.hour] += one.sign

    def add_person(self, one: PersonSum | Participant, sign: int) -> None:
        """Add one person, or subtract one."""
        for place in places_of(one):
            group = (place, one.audience or "")
            self.people[group] += sign
            self.newcomers[place, one.first_day] += sign
            if one.days > 1:
                self.returned[group] += sign


def places_of(one: Located) -> list[str]:
    """Every place that something counts for, in the spelling of boards, the region first."""
    named = {"city": one.city, "county": one.county, "unit": one.unit_id}
    return [REGION.spelled, *(f"{kind}:{value}" for kind, value in named.items() if value)]


def lock_figures(uow: UnitOfWork) -> None:
    """Let one transaction at a time change the figures.

    Locks: the name of the figures.
    """
    lock_name(uow, "figures", PARTICIPATION)


def is_complete(uow: UnitOfWork) -> bool:
    """Whether no change is pending and completeness was recorded within `NOTED_EVERY`."""
    last = uow.session.scalar(
        select(FigureState.counted_at).where(FigureState.kind == PARTICIPATION)
    )
    recent = last is not None and timedelta(0) <= uow.now - last < NOTED_EVERY
    return recent and not programmes.pending_changes(uow, 1)


def count_batch(uow: UnitOfWork) -> int:
    """Count the oldest changes; return how many. The figures are complete when none is left.

    Locks: the name of the figures.
    """
    lock_figures(uow)
    changes = programmes.pending_changes(uow, BATCH)
    if changes:
        sums = Sums()
        for one in changes:
            sums.add_change(one)
        _renew_people(uow, sums, {one.citizen_id for one in changes})
        add_sums(uow, sums)
        programmes.drop_changes(uow, changes)
    if len(changes) < BATCH:
        note_counted(uow, PARTICIPATION)
    return len(changes)


def _renew_people(uow: UnitOfWork, sums: Sums, citizen_ids: set[int]) -> None:
    """Compute these people again, and add what that changes to the sums."""
    mine = Participant.citizen_id.in_(citizen_ids)
    columns = [getattr(Participant, name) for name in PersonSum._fields]
    for row in uow.session.execute(select(*columns).where(mine)):
        sums.add_person(PersonSum(**row._mapping), -1)
    uow.session.execute(delete(Participant).where(mine))
    fresh = programmes.sum_by_person(uow, citizen_ids)
    for one in fresh.values():
        sums.add_person(one, 1)
    add_people(uow, fresh.values())


def add_people(uow: UnitOfWork, people: Iterable[PersonSum]) -> None:
    """Insert the rows of participants."""
    rows = [one._asdict() for one in people]
    if rows:
        # Through the table, because the ORM sends a statement for each set of empty columns.
        # RETURNING makes SQLAlchemy write many rows in one statement; without it PostgreSQL gets
        # one for each row.
        table = _table_of(Participant)
        uow.session.execute(insert(table).returning(table.c.id), rows)


def add_sums(uow: UnitOfWork, sums: Sums) -> None:
    """Add differences to the stored figures."""
    day, hour, group = FigureDay, FigureHour, FigureGroup
    _add_counts(uow, day, day.on_day, {"times": sums.day_times, "newcomers": sums.newcomers})
    _add_counts(uow, hour, hour.hour, {"times": sums.hour_times})
    people = {"times": sums.group_times, "people": sums.people, "returned": sums.returned}
    _add_counts(uow, group, group.audience, people)


def _add_counts(
    uow: UnitOfWork,
    model: type[Base],
    key: InstrumentedAttribute[Any],
    counts: Mapping[str, Counter[Key]],
) -> None:
    rows = list(_rows_of(key.key, counts))
    if not rows:
        return
    table = _table_of(model)
    fresh = insert_for(uow.session, table)
    added = {name: table.c[name] + fresh.excluded[name] for name in counts}
    renewed = fresh.on_conflict_do_update(index_elements=["place", key.key], set_=added)
    uow.session.execute(renewed.returning(table.c.place), rows)
    # Rows whose counts are all zero are deleted, as a rebuild would not create them.
    places: set[str] = {row["place"] for row in rows}
    empty = [table.c[name] == 0 for name in counts]
    uow.session.execute(delete(model).where(table.c.place.in_(places), *empty))


def _table_of(model: type[Base]) -> Table:
    return cast(Table, model.__table__)


def _rows_of(key: str, counts: Mapping[str, Counter[Key]]) -> Iterator[dict[str, Any]]:
    """The rows with a difference, in the order of their keys."""
    changed = {one for some in counts.values() for one, number in some.items() if number}
    for place, value in sorted(changed):
        numbers = {name: some[place, value] for name, some in counts.items()}
        yield {"place": place, key: value, **numbers}


def note_counted(uow: UnitOfWork, kind: str) -> None:
    """Record that figures are complete up to now."""
    fresh = insert_for(uow.session, FigureState).values(kind=kind, counted_at=uow.now)
    uow.session.execute(
        fresh.on_conflict_do_update(
            index_elements=["kind"], set_={"counted_at": fresh.excluded.counted_at}
        )
    )


def recounted_sums(uow: UnitOfWork) -> Sums:
    """The participations of all figures, counted again from the recorded ones.

    Pending changes are left out, because they will be counted.
    """
    sums = Sums()
    levels: Sequence[tuple[str, str | None]] = (
        ("region", None), ("city", "city"), ("county", "county"), ("unit", "unit_id"),
    )  # fmt: skip
    for kind, column in levels:
        for name, into in (
            ("on_day", sums.day_times),
            ("hour", sums.hour_times),
            ("audience", sums.group_times),
        ):
            columns = [name] if column is None else [column, name]
            for row in map(tuple, programmes.sum_counted(uow, *columns)):
                code, value = (None if column is None else row[0]), row[-2]
                key = (value or "") if name == "audience" else value
                if key is not None and (column is None or code):
                    into[kind if column is None else f"{kind}:{code}", key] += int(row[-1])
    return sums
