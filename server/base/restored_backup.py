"""Recognises a database that was restored from a backup, and holds back its due calls.

The rows of a backup say that calls are still to be made which were made after it was taken. The
worker counts up in the database every few seconds and reports the count outside of it: to Redis and
to a file in `var`. A restored database has a smaller count than was reported. The same holds for a
database that was counted in while nothing outside reports anything: it came to a new machine.

The calls due at that moment are held by a lease that nobody else can take, until an operator says
whether they are made or given up. Later ones cannot have been made, and are made as usual.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from server.base.outbox_rows import DROPPED, HELD, Lost, OutboxState, Queue
from server.base.redis.client import RedisUnavailable
from server.base.sql.tables import Base, BigId, insert_for
from server.base.uow import UnitOfWork, UnitOfWorkFactory

_log = logging.getLogger(__name__)
_NAME = "outbox"
_FILE = "outbox-mark"
# Later than any lease.
_UNTIL_TOLD = datetime(9000, 1, 1, tzinfo=UTC)


class OutboxMark(Base):
    """The number of times that workers counted up in this database; one row."""

    __tablename__ = "outbox_mark"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    count: Mapped[int] = mapped_column(BigId)


def watch_restores(uow_factory: UnitOfWorkFactory, queues: Sequence[Queue]) -> int:
    """Hold back due calls when the database is a restored one; return how many were held.

    Called before a worker makes its first call, and every few seconds from then on.
    Raises: DBAPIError, when the database is not available; OSError for the file.
    """
    # Reads the reported count first: another worker may count up meanwhile.
    outside = _read_reported(uow_factory)
    with uow_factory.begin() as uow:
        count = uow.session.scalar(select(OutboxMark.count).with_for_update()) or 0
        restored = count > 0 if outside is None else count < outside
        held = sum(hold_calls(uow, queue) for queue in queues) if restored else 0
        count = _count_on(uow, max(count, outside or 0) + 1)
    _report_count(uow_factory, count)
    if restored:
        _log.warning("restored database: due calls are held back", extra={"count": held})
    return held


def hold_calls(uow: UnitOfWork, queue: Queue) -> int:
    """Hold back the calls of a queue that are due now; return how many.

    Claims without a call in this database's life are taken from their workers: a call that may be
    repeated is held, any other one is left to end in doubt.
    """
    table = queue.table
    held = table.outbox_state == OutboxState.QUEUED
    if queue.lost is Lost.QUEUED:
        held = table.outbox_state.in_((OutboxState.QUEUED, OutboxState.CLAIMED))
    return _change_rows(
        uow,
        queue,
        and_(held, table.outbox_due_at <= uow.now),
        outbox_state=OutboxState.QUEUED,
        outbox_claim=HELD,
        outbox_until=_UNTIL_TOLD,
    )


def release_calls(uow: UnitOfWork, queue: Queue) -> int:
    """Make held calls due again; return how many."""
    released = _change_rows(
        uow, queue, queue.table.outbox_claim == HELD, outbox_claim=None, outbox_until=None
    )
    uow.enqueue_after_commit(queue.task)
    return released


def drop_calls(uow: UnitOfWork, queue: Queue) -> int:
    """Let the next run of a queue give up its held calls; return how many."""
    dropped = _change_rows(uow, queue, queue.table.outbox_claim == HELD, outbox_claim=DROPPED)
    uow.enqueue_after_commit(queue.task)
    return dropped


def count_held(uow: UnitOfWork, queue: Queue) -> int:
    """The number of held calls of a queue."""
    table = queue.table
    held = and_(table.outbox_state == OutboxState.QUEUED, table.outbox_claim == HELD)
    return int(uow.session.scalar(select(func.count()).where(held)) or 0)


def _change_rows(uow: UnitOfWork, queue: Queue, which: ColumnElement[bool], **values: Any) -> int:
    made = uow.session.execute(
        update(queue.table)
        .where(which)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(made, "rowcount", 0))


def _count_on(uow: UnitOfWork, count: int) -> int:
    uow.session.execute(
        insert_for(uow.session, OutboxMark)
        .values(id=1, count=count)
        .on_conflict_do_update(index_elements=["id"], set_={"count": count})
    )
    return count


def _read_reported(uow_factory: UnitOfWorkFactory) -> int | None:
    """The greatest count that is reported outside of the database, None when there is none."""
    found = [_read_file(_file_of(uow_factory))]
    with suppress(RedisUnavailable):
        found.append(uow_factory.dependencies.kv.high_mark.read_mark(_NAME))
    return max((one for one in found if one is not None), default=None)


def _report_count(uow_factory: UnitOfWorkFactory, count: int) -> None:
    file = _file_of(uow_factory)
    if count > (_read_file(file) or 0):
        fresh = file.with_name(f"{file.name}.{os.getpid()}")
        fresh.write_text(str(count), "ascii")
        fresh.replace(file)
    with suppress(RedisUnavailable):
        uow_factory.dependencies.kv.high_mark.raise_mark(_NAME, count)


def _file_of(uow_factory: UnitOfWorkFactory) -> Path:
    return uow_factory.dependencies.settings.var / _FILE


def _read_file(file: Path) -> int | None:
    try:
        kept = file.read_text("ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    return int(kept) if kept.isascii() and kept.isdigit() else None
