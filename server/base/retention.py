"""Retention: deletes rows about persons after their declared time.

Sweeps delete such rows continuously; the command shows overdue rows, and deletes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, delete, func, select, tuple_

from server.base.personal_data import Keep, Personal
from server.base.uow import UnitOfWork, UnitOfWorkFactory

BATCH = 2000
# Rows overdue for longer are a fault, because the slowest sweep runs every ten minutes.
_SWEPT_WITHIN = timedelta(hours=1)


def count_overdue(uow: UnitOfWork, one: Personal, at: datetime) -> int:
    """Number of overdue rows of a declared table at an instant; 0 without a limit."""
    if one.keep is None:
        return 0
    if one.keep.count is not None:
        return one.keep.count(uow, at)
    counted = (
        select(func.count()).select_from(one.table).where(_overdue_condition(one, one.keep, at))
    )
    return uow.session.scalar(counted) or 0


def drop_overdue(uow: UnitOfWork, one: Personal, limit: int = BATCH) -> int:
    """Delete overdue rows of a declared table, the oldest first; return how many.

    Locks: those rows, skipping those locked by an erasure, because waiting could deadlock with it.
    """
    if one.keep is None:
        return 0
    if one.keep.drop is not None:
        return one.keep.drop(uow)
    key = cast(Table, one.table.__table__).primary_key.columns
    old = (
        select(*key)
        .where(_overdue_condition(one, one.keep, uow.now))
        .order_by(getattr(one.table, one.keep.since))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone: Any = uow.session.execute(
        delete(one.table).where(tuple_(*key).in_(old)).execution_options(synchronize_session=False)
    )
    return int(gone.rowcount)


def apply_retention(
    uow_factory: UnitOfWorkFactory, declared: Iterable[Personal], *, dry_run: bool
) -> dict[str, int]:
    """Delete all overdue rows, in batches; return how many per table.

    With `dry_run` nothing is deleted; the figures are the rows that would be deleted.
    """
    limited = [one for one in declared if one.keep is not None]
    if dry_run:
        with uow_factory.begin(read_only=True) as uow:
            return {one.name: count_overdue(uow, one, uow.now) for one in limited}
    return {one.name: drop_all_overdue(uow_factory, one) for one in limited}


def drop_all_overdue(uow_factory: UnitOfWorkFactory, one: Personal) -> int:
    """Delete all overdue rows of a table, one batch per transaction; return how many."""
    total = 0
    while True:
        with uow_factory.begin() as uow:
            dropped = drop_overdue(uow, one)
        total += dropped
        if not dropped:
            return total


def count_neglected(uow: UnitOfWork, declared: Iterable[Personal]) -> int:
    """Number of rows that sweeps should have deleted an hour ago; anything but 0 is a fault."""
    at = uow.now - _SWEPT_WITHIN
    return sum(count_overdue(uow, one, at) for one in declared)


def _overdue_condition(one: Personal, keep: Keep, at: datetime) -> ColumnElement[bool]:
    since: ColumnElement[bool] = getattr(one.table, keep.since) <= at - keep.longest
    return since
