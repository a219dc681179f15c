"""Checks the chain from its first entry to its signed end, and names the first fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum

import msgspec
from sqlalchemy import select

from server.audit.appending import hash_personal
from server.audit.models import AuditCheckpoint, AuditHead, AuditPersonal, AuditRecord
from server.audit.rules import GENESIS, Link, head_message
from server.base.uow import UnitOfWork

_BATCH = 1000
# A renumbered row had a higher number before; at most this many numbers are tried.
_SHIFT_LOOKED_FOR = 10_000
_LINK_FIELDS = tuple(one.name for one in fields(Link))


class FaultKind(StrEnum):
    """Kind of a fault in an entry, or at the end of the chain."""

    EDITED = "edited"
    MISSING = "missing"
    REORDERED = "reordered"
    HEAD_EDITED = "head_edited"
    CHECKPOINT_EDITED = "checkpoint_edited"
    NOTED_DIFFERS = "noted_differs"
    VALUE_EDITED = "value_edited"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The first fault; `number` is that of the entry."""

    kind: FaultKind
    number: int


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A head that was noted elsewhere earlier, for example in the log."""

    number: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class ChainVerdict:
    """The end of the verified part of the chain, and the first fault, if any."""

    number: int
    digest: str
    fault: Fault | None = None


def verify_chain(uow: UnitOfWork, noted: Noted | None = None) -> ChainVerdict:
    """Check entries, head, checkpoints, readable values, and a head that was noted earlier."""
    number, digest = 0, GENESIS
    known: dict[int, str] = {0: GENESIS}
    watched = {one.number for one in uow.session.scalars(select(AuditCheckpoint))}
    watched |= {noted.number} if noted else set()
    for row in _rows_in_order(uow):
        fault = _fault_of(uow, row, number + 1, digest)
        if fault is not None:
            return ChainVerdict(number=number, digest=digest, fault=fault)
        number, digest = row.number, row.digest
        if number in watched:
            known[number] = digest
    known[number] = digest
    fault = _fault_of_head(uow, number, digest) or _fault_of_checkpoints(uow, number, known)
    if fault is None and noted is not None and known.get(noted.number) != noted.digest:
        kind = FaultKind.MISSING if noted.number > number else FaultKind.NOTED_DIFFERS
        fault = Fault(kind=kind, number=min(noted.number, number + 1))
    return ChainVerdict(number=number, digest=digest, fault=fault or _fault_of_values(uow))


def _rows_in_order(uow: UnitOfWork) -> Iterator[AuditRecord]:
    after = -1
    while True:
        wanted = select(AuditRecord).where(AuditRecord.number > after)
        rows = uow.session.scalars(wanted.order_by(AuditRecord.number).limit(_BATCH)).all()
        yield from rows
        if len(rows) < _BATCH:
            return
        after = rows[-1].number
        uow.session.expunge_all()


def _link_of(row: AuditRecord, number: int | None = None) -> Link:
    facts = {name: getattr(row, name) for name in _LINK_FIELDS}
    return Link(**facts | ({} if number is None else {"number": number}))


def _fault_of(uow: UnitOfWork, row: AuditRecord, expected: int, previous: str) -> Fault | None:
    if row.number == expected and row.previous_digest == previous:
        edited = _link_of(row).digest() != row.digest
        return Fault(kind=FaultKind.EDITED, number=expected) if edited else None
    # The true successor contains the previous entry's digest, whatever its present number.
    place = uow.session.scalar(
        select(AuditRecord.number)
        .where(AuditRecord.previous_digest == previous, AuditRecord.number != expected)
        .order_by(AuditRecord.number)
    )
    if place is not None:
        return Fault(kind=FaultKind.REORDERED, number=place)
    if row.number != expected or _was_renumbered(row, expected):
        return Fault(kind=FaultKind.MISSING, number=expected)
    return Fault(kind=FaultKind.EDITED, number=expected)


def _was_renumbered(row: AuditRecord, expected: int) -> bool:
    """Whether the row is a later entry that was moved up over a deleted one."""
    numbers = range(expected + 1, expected + _SHIFT_LOOKED_FOR)
    return any(_link_of(row, number).digest() == row.digest for number in numbers)


def _fault_of_head(uow: UnitOfWork, number: int, digest: str) -> Fault | None:
    head = uow.session.scalars(select(AuditHead)).one_or_none()
    if head is None:
        return None if number == 0 else Fault(kind=FaultKind.HEAD_EDITED, number=number)
    signed = uow.keys.sign_message(head_message(head.number, head.digest))
    if head.number > 0 and head.signature != signed:
        return Fault(kind=FaultKind.HEAD_EDITED, number=head.number)
    if head.number > number:
        return Fault(kind=FaultKind.MISSING, number=number + 1)
    if (head.number, head.digest) != (number, digest):
        return Fault(kind=FaultKind.HEAD_EDITED, number=head.number)
    return None


def _fault_of_checkpoints(uow: UnitOfWork, last: int, known: dict[int, str]) -> Fault | None:
    for one in uow.session.scalars(select(AuditCheckpoint).order_by(AuditCheckpoint.number)):
        if one.signature != uow.keys.sign_message(head_message(one.number, one.digest)):
            return Fault(kind=FaultKind.CHECKPOINT_EDITED, number=one.number)
        if one.number > last:
            return Fault(kind=FaultKind.MISSING, number=last + 1)
        if known[one.number] != one.digest:
            return Fault(kind=FaultKind.CHECKPOINT_EDITED, number=one.number)
    return None


def _fault_of_values(uow: UnitOfWork) -> Fault | None:
    """The first entry with a readable value that differs from its hash; deleted ones are fine."""
    wanted = (
        select(AuditPersonal, AuditRecord.personal)
        .join(AuditRecord, AuditRecord.number == AuditPersonal.entry_number)
        .order_by(AuditPersonal.entry_number)
    )
    for value, hashes in uow.session.execute(wanted):
        known = msgspec.json.decode(hashes) if hashes else {}
        if known.get(value.field) != hash_personal(value.salt, value.value):
            return Fault(kind=FaultKind.VALUE_EDITED, number=value.entry_number)
    return None
