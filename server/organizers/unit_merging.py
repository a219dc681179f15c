"""Merging a unit into another one: preview, the change itself, and the long job that follows.

The change closes the old unit and sets its `merged_into`; from then on no citizen can join it.
Then members, results and everything else follow in batches, each in its own transaction. A batch
that is repeated changes nothing, so a lost job is finished by a sweep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import UniqueConstraint, and_, delete, func, select, update
from sqlalchemy.orm import aliased

from server.audit.service import Subject, record_change
from server.base.access import Organizer, Scope, System
from server.base.jobs import TaskContext
from server.base.ownership import Owned, owned_by, serving_found_row
from server.base.sql.tables import Base
from server.base.uow import UnitMove, UnitOfWork, UnitOfWorkFactory
from server.base.web.page import FieldRefused
from server.console.long_jobs import JobResult, JobRun, LongJob, start_job
from server.organizers.errors import UnitClosed
from server.organizers.unit_directory import UnitEntry, show_unit
from server.units import service as units

_SWEEP = System(name="finish-merges")
_OFFERED = 20


@dataclass(frozen=True, kw_only=True)
class MergePreview:
    """Two units, and the numbers of rows that would be moved from the first, by text key."""

    old: UnitEntry
    new: UnitEntry
    moves: list[tuple[str, int]]

    @property
    def elsewhere(self) -> bool:
        """Whether the units are in different places."""
        return self.old.place != self.new.place


def offer_targets(uow: UnitOfWork, organizer: Organizer, ref: str, words: str) -> list[UnitEntry]:
    """Open units of the organizer's place with these words in the name, without this one."""
    rows = units.select_directory(uow, organizer.scope, q=words, is_open=True)
    others = rows.where(units.Unit.ref != ref).order_by(units.Unit.name).limit(_OFFERED)
    return [show_unit(uow, organizer, one.ref) for one in uow.session.scalars(others)]


def preview_merge(uow: UnitOfWork, organizer: Organizer, ref: str, into: str) -> MergePreview:
    """The numbers of rows that a merge would move now.

    Raises: NotFound (404), FieldRefused for a unit that cannot be merged.
    """
    old, new = show_unit(uow, organizer, ref), show_unit(uow, organizer, into)
    _check_pair(old.open, new.open, same=ref == into)
    unit_id = units.find_in_scope(uow, organizer.scope, ref).id
    # The counted rows are about this unit, which was found in the organizer's place.
    with serving_found_row(uow.session):
        counted = [(one.said, one.count(uow, unit_id)) for one in _list_moves(uow)]
    return MergePreview(old=old, new=new, moves=[(said, count) for said, count in counted if count])


def begin_merge(uow: UnitOfWork, organizer: Organizer, ref: str, into: str, reason: str) -> str:
    """Merge a unit into another one; return the ref of the job that moves what refers to it.

    Locks: both units. Raises: NotFound (404), UnitClosed (409), FieldRefused for a unit that cannot
    be merged.
    """
    old, new = units.lock_pair(uow, organizer.scope, ref, into)
    if not units.is_open(uow, old):
        raise UnitClosed
    _check_pair(True, units.is_open(uow, new), same=ref == into)
    place, _ = units.resolve_scope(uow, f"unit:{old.id}")
    units.merge_unit(uow, old, new)
    record_change(
        uow,
        organizer,
        "organizers.merge_unit",
        Subject("unit", ref, place),
        before={"name": old.name},
        after={"into": new.ref, "name": new.name},
        reason=reason,
    )
    facts = {"old": old.name, "new": new.name}
    given = {"unit": old.id, **facts}
    return start_job(uow, organizer, MERGE_JOB, given, title_facts=facts)


def _check_pair(old_open: bool, new_open: bool, *, same: bool) -> None:
    if same:
        raise FieldRefused("into", "organizers.units.merge_same")
    if not old_open or not new_open:
        raise FieldRefused("into", "organizers.units.merge_closed")


def run_merge(context: TaskContext, job: JobRun) -> JobResult:
    """Move everything that refers to a merged unit, and settle the job with the audit entry."""
    unit_id = job.arguments["unit"]
    with context.uow_factory.begin(read_only=True) as uow:
        total = sum(one.count(uow, unit_id) for one in _list_moves(uow))
    moved = move_references(
        context.uow_factory, unit_id, lambda done: job.report_progress(min(done, total), total)
    )
    result = JobResult(
        said="organizers.units.merge_done", facts={"count": sum(moved.values()), **_name_units(job)}
    )
    with context.uow_factory.begin(job.organizer) as uow:
        _note_end(uow, job.organizer, unit_id, moved)
        job.settle_in(uow, result)
    return result


def _name_units(job: JobRun) -> dict[str, str]:
    return {"old": job.arguments["old"], "new": job.arguments["new"]}


def finish_merges(context: TaskContext, *_ids: int) -> int:
    """Finish merges whose job was lost or cancelled; return how many."""
    with context.uow_factory.begin(read_only=True) as uow:
        left = units.unended_merges(uow)
    for unit_id in left:
        moved = move_references(context.uow_factory, unit_id, lambda _done: None)
        with context.uow_factory.begin(_SWEEP) as uow:
            _note_end(uow, _SWEEP, unit_id, moved)
    return len(left)


def move_references(
    uow_factory: UnitOfWorkFactory, unit_id: int, report: Callable[[int], None]
) -> Counter[str]:
    """Move batch after batch until nothing refers to the unit; return how many rows of each kind.

    A paper submitted during the move counts for the old unit until its entry is moved, so a later
    kind can add rows of an earlier one: all kinds are repeated until none has rows.
    """
    moved: Counter[str] = Counter()
    while True:
        for said, count in _move_once(uow_factory, unit_id):
            moved[said] += count
            report(sum(moved.values()))
        with uow_factory.begin(read_only=True) as uow:
            if not any(one.count(uow, unit_id) for one in _list_moves(uow)):
                return moved


def _move_once(uow_factory: UnitOfWorkFactory, unit_id: int) -> Iterator[tuple[str, int]]:
    for one in (OWNED_MOVE, *uow_factory.dependencies.hooks.follow_unit):
        count = 1
        while count:
            with uow_factory.begin() as uow:
                # Read each time, because the new unit may be merged meanwhile too.
                new = units.find_successor(uow, unit_id)
                count = 0 if new is None else one.move(uow, unit_id, new)
            yield one.said, count


def _note_end(
    uow: UnitOfWork, organizer: Organizer | System, unit_id: int, moved: Counter[str]
) -> None:
    if not units.end_merge(uow, unit_id):
        return
    unit = units.unit_by_id(uow, unit_id)
    assert unit is not None  # noqa: S101 - units are never deleted
    subject = Subject("unit", unit.ref, Scope(city=unit.city, county=unit.county, unit_id=unit_id))
    record_change(uow, organizer, "organizers.end_merge", subject, after={"moved": dict(+moved)})


def _list_moves(uow: UnitOfWork) -> tuple[UnitMove, ...]:
    return (OWNED_MOVE, *uow.dependencies.hooks.follow_unit)


def _owned_tables() -> list[Any]:
    found: list[Any] = [one.class_ for one in Base.registry.mappers]
    return [table for table in found if issubclass(table, Owned) and table.follows_unit]


def count_owned(uow: UnitOfWork, unit_id: int) -> int:
    """How many accounts, questions, contests and other rows belong to a unit."""
    mine = [
        select(func.count()).select_from(table).where(table.owner == f"unit:{unit_id}")
        for table in _owned_tables()
    ]
    return sum(uow.session.scalar(one) or 0 for one in mine)


def move_owned(uow: UnitOfWork, old: int, new: int) -> int:
    """Change the owner of a unit's rows to another unit; of two equal rows one is kept."""
    scope, _ = units.resolve_scope(uow, f"unit:{new}")
    moved = 0
    for table in _owned_tables():
        mine = table.owner == f"unit:{old}"
        moved += _drop_doubles(uow, table, mine, scope)
        changed = update(table).where(mine).values(**owned_by(scope))
        changed = changed.returning(table.owner)
        options = {"synchronize_session": False}
        moved += len(uow.session.execute(changed.execution_options(**options)).all())
    return moved


def _drop_doubles(uow: UnitOfWork, table: Any, mine: Any, scope: Scope) -> int:
    keys = [
        [column.key for column in one.columns if column.key != "owner"]
        for one in table.__table__.constraints
        if isinstance(one, UniqueConstraint) and "owner" in one.columns
    ]
    count = 0
    for key in keys:
        kept: Any = aliased(table)
        same = [getattr(kept, name) == getattr(table, name) for name in key]
        twice = select(kept.owner).where(kept.owner == scope.spelled, *same).exists()
        gone = delete(table).where(and_(mine, twice)).returning(table.owner)
        count += len(uow.session.execute(gone.execution_options(synchronize_session=False)).all())
    return count


OWNED_MOVE = UnitMove(said="organizers.units.owned", count=count_owned, move=move_owned)
MERGE_JOB = LongJob(name="organizers.merge_unit", title="organizers.units.merge_job", run=run_merge)
