"""Locks on names without a row, and on batches of rows; held until the transaction ends."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Select, String, bindparam, cast, func, select

from server.base.sql.prepared import run_statement
from server.base.uow import UnitOfWork

# The function returns `void`, which has no Python type, so its result is read as a text.
_LOCK_NAME = select(
    cast(func.pg_advisory_xact_lock(bindparam("key", type_=BigInteger)), String).label("done")
)


def lock_name(uow: UnitOfWork, purpose: str, name: str) -> None:
    """Lock a name; other transactions that lock it wait here, before they lock any row.

    SQLite needs no lock, because it has only one writer.
    """
    if uow.transaction.dialect.name == "sqlite":
        return
    digest = hashlib.sha256(f"{purpose}\0{name}".encode()).digest()
    key = int.from_bytes(digest[:8], signed=True)
    run_statement(uow, _LOCK_NAME, {"key": key})


def lock_batch(uow: UnitOfWork, wanted: Select[Any], limit: int) -> Sequence[Any]:
    """Lock up to `limit` rows of a select of ids; return the ids.

    Rows that others hold are skipped, because two transactions that lock many rows would wait for
    each other; when all are held, it waits for one of them and holds no other lock.
    Locks: the rows.
    """
    free = uow.session.scalars(wanted.limit(limit).with_for_update(skip_locked=True)).all()
    return free or uow.session.scalars(wanted.limit(1).with_for_update()).all()
