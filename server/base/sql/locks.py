"""A lock on a name that has no row yet, held until the end of the transaction."""

from __future__ import annotations

import hashlib

from sqlalchemy import func, select

from server.base.uow import UnitOfWork


def lock_name(uow: UnitOfWork, purpose: str, name: str) -> None:
    """Lock a name; other transactions wait before they lock any row.

    SQLite needs no lock, because it has only one writer.
    """
    if uow.session.get_bind().dialect.name == "sqlite":
        return
    digest = hashlib.sha256(f"{purpose}\0{name}".encode()).digest()
    key = int.from_bytes(digest[:8], signed=True)
    uow.session.execute(select(func.pg_advisory_xact_lock(key)))
