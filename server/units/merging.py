"""Merges one unit row into another; hooks of higher slices move the rows that refer to it."""

from __future__ import annotations

from sqlalchemy import select, update

from server.base.access import Scope
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.units.directory import close_unit, find_in_scope
from server.units.models import Unit

_ENDED_AT_ONCE = 20


def lock_pair(uow: UnitOfWork, scope: Scope, old_ref: str, new_ref: str) -> tuple[Unit, Unit]:
    """Two units of a place.

    Locks: both units, in the order of their ids; waits for citizens who are joining one of them.
    Raises: NotFound (404).
    """
    ids = sorted(find_in_scope(uow, scope, ref).id for ref in (old_ref, new_ref))
    both = select(Unit).where(Unit.id.in_(ids)).order_by(Unit.id)
    locked = both.with_for_update().execution_options(populate_existing=True)
    found = {unit.ref: unit for unit in uow.session.scalars(locked)}
    if len(found) != len({old_ref, new_ref}):
        raise NotFound
    return found[old_ref], found[new_ref]


def merge_unit(uow: UnitOfWork, old: Unit, new: Unit) -> None:
    """Close `old`; set `merged_into` of it, and of all units merged into it before, to `new`."""
    close_unit(uow, old)
    old.merged_into, old.merge_ended_at = new.id, None
    earlier = update(Unit).where(Unit.merged_into == old.id)
    uow.session.execute(earlier.values(merged_into=new.id))
    uow.session.flush()


def find_successor(uow: UnitOfWork, unit_id: int) -> int | None:
    """The row id of the unit that this one was merged into."""
    return uow.session.scalar(select(Unit.merged_into).where(Unit.id == unit_id))


def unended_merges(uow: UnitOfWork) -> list[int]:
    """The row ids of merged units that something may still refer to, the oldest first."""
    rows = select(Unit.id).where(Unit.merged_into.is_not(None), Unit.merge_ended_at.is_(None))
    return list(uow.session.scalars(rows.order_by(Unit.id).limit(_ENDED_AT_ONCE)))


def end_merge(uow: UnitOfWork, unit_id: int) -> bool:
    """Record that no row refers to a merged unit any more; False when recorded before."""
    ended = update(Unit).where(Unit.id == unit_id, Unit.merge_ended_at.is_(None))
    done = uow.session.execute(ended.values(merge_ended_at=uow.now).returning(Unit.id))
    return done.first() is not None
