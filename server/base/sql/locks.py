"""A lock on a name that has no row yet, held until the transaction ends."""

from __future__ import annotations

import hashlib

from sqlalchemy import func, select

from server.base.uow import UnitOfWork


def lock_name(uow: UnitOfWork, purpose: str, name: str) -> None:
    """Let one transaction at a time deal with this name; others wait before they hold any row.

    SQLite has one writer at a time already.
    """
    if uow.session.get_bind().dialect.name == "sqlite":
        return
    digest = hashlib.sha256(f"{purpose}\0{name}".encode()).digest()
    key = int.from_bytes(digest[:8], signed=True)
    uow.session.execute(select(func.pg_advisory_xact_lock(key)))
