"""Appends the entries of a transaction to the chain, as its last step.

Lock order: the head is the last lock of every transaction (`UnitOfWork.before_commit`), so that it
is held only for the inserts and the commit, and cannot deadlock with any other lock.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from sqlalchemy import Connection, Table, insert, select, update

from server.audit.models import AuditHead, AuditPersonal, AuditRecord
from server.audit.rules import GENESIS, Link, canonical_json, head_message, storable_text
from server.base.sql.tables import insert_of
from server.base.uow import UnitOfWork

_HEAD_ID = 1
_VALUE_LENGTH = 2000
_HEAD, _ENTRY, _PERSONAL = (
    cast(Table, model.__table__) for model in (AuditHead, AuditRecord, AuditPersonal)
)


@dataclass(frozen=True)
class PersonalValues:
    """Readable personal values of a change by field name, and the citizen they belong to, if any.

    Only salted hashes of them enter the chain.
    """

    values: Mapping[str, str]
    citizen_id: int | None = None


@dataclass(eq=False, kw_only=True)
class PendingEntry:
    """An entry that gets its number at the end of its transaction; called before the commit."""

    uow: UnitOfWork
    facts: Mapping[str, Any]
    personal: PersonalValues | None
    written: bool = False

    def __call__(self) -> None:
        """Append all pending entries of the transaction at once, this one included."""
        pending = [one for one in pending_entries(self.uow) if not one.written]
        if pending:
            _append_entries(self.uow, pending)


def pending_entries(uow: UnitOfWork) -> list[PendingEntry]:
    """The entries recorded in this transaction so far."""
    return [call for call in uow.before_commit_calls if isinstance(call, PendingEntry)]


def hash_personal(salt: str, value: str) -> str:
    """The hash of a personal value in the chain; the salt is stored beside the value only."""
    return hmac.new(bytes.fromhex(salt), value.encode(), hashlib.sha256).hexdigest()


def lock_head(connection: Connection) -> tuple[int, str]:
    """Lock the end of the chain until the commit; return its number and digest.

    Locks: the row of the head; SQLite has only one writer.
    """
    wanted = select(_HEAD.c.number, _HEAD.c.digest).where(_HEAD.c.id == _HEAD_ID).with_for_update()
    found = connection.execute(wanted).one_or_none()
    if found is None:
        first = {"id": _HEAD_ID, "number": 0, "digest": GENESIS, "signature": ""}
        made = insert_of(connection.dialect.name, _HEAD).values(first).on_conflict_do_nothing()
        connection.execute(made)
        found = connection.execute(wanted).one()
    return found.number, found.digest


def _append_entries(uow: UnitOfWork, pending: list[PendingEntry]) -> None:
    # Every other lock of this transaction is taken before the head's.
    uow.session.flush()
    # The ORM is avoided, because its guard of owned rows is only meant for statements of views.
    connection = uow.session.connection()
    number, digest = lock_head(connection)
    entries, values = [], []
    for one in pending:
        number += 1
        rows, hashes = _personal_rows(uow, one.personal, number)
        link = Link(number=number, previous_digest=digest, personal=hashes, **one.facts)
        digest = link.digest()
        entries.append({f.name: getattr(link, f.name) for f in fields(link)} | {"digest": digest})
        values += rows
        one.written = True
    connection.execute(insert(_ENTRY), entries)
    if values:
        connection.execute(insert(_PERSONAL), values)
    signature = uow.keys.sign_message(head_message(number, digest))
    moved = {"number": number, "digest": digest, "signature": signature}
    connection.execute(update(_HEAD).where(_HEAD.c.id == _HEAD_ID).values(moved))


def _personal_rows(
    uow: UnitOfWork, personal: PersonalValues | None, number: int
) -> tuple[list[dict[str, object]], str]:
    """The rows of the side table, and the JSON text of their hashes for the chain."""
    if personal is None or not personal.values:
        return [], ""
    rows: list[dict[str, object]] = []
    hashes: dict[str, object] = {}
    for field, given in personal.values.items():
        value = storable_text(given, _VALUE_LENGTH)
        salt = uow.random.randbytes(16).hex()
        hashes[field] = hash_personal(salt, value)
        rows.append(
            {
                "entry_number": number,
                "field": field,
                "value": value,
                "salt": salt,
                "citizen_id": personal.citizen_id,
                "made_at": uow.now,
            }
        )
    return rows, canonical_json(hashes)
