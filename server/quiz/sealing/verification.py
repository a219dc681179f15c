"""Verifies sealed versions, and names the first byte and row that was changed.

A version is stored twice: as rows, which boards read, and as the signed bytes. The signed hash
shows which copy is intact, so the first changed byte of the other copy can be named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from server.base.signing import is_signed
from server.base.uow import UnitOfWork
from server.quiz.enums import SealState
from server.quiz.models import SealedRank, SealedVersion
from server.quiz.sealing import rules
from server.quiz.sealing.building import iterate_lines, read_file
from server.quiz.sealing.ranking import SCOPE_COLUMNS
from server.quiz.sealing.rules import ScopeCounter


class SealFaultKind(StrEnum):
    """Kind of a fault of a version."""

    SIGNATURE = "signature"
    KEY = "key"
    DOCUMENT = "document"
    CHAIN = "chain"
    ROW = "row"
    FILE = "file"
    BOTH = "both"
    PLACE = "place"


@dataclass(frozen=True, kw_only=True)
class SealFault:
    """The first fault of a contest's versions; offset from 0 and row from 1, where known."""

    kind: SealFaultKind
    version: int
    offset: int | None = None
    row: int | None = None


def verify_versions(uow: UnitOfWork, contest_id: int, public_key: str = "") -> SealFault | None:
    """Check every version of a contest, the oldest first, against its signature and its rows.

    One that is still being built has no signature yet, and is left out.
    """
    previous = rules.GENESIS
    wanted = select(SealedVersion).where(
        SealedVersion.contest_id == contest_id, SealedVersion.state != SealState.BUILDING
    )
    for version in uow.session.scalars(wanted.order_by(SealedVersion.number)).all():
        fault = _fault_of_document(version, previous, public_key or uow.keys.final_ranks_key)
        fault = fault or _fault_of_content(uow, version) or _fault_of_places(uow, version)
        if fault is not None:
            return fault
        previous = rules.hash_bytes(version.document)
    return None


def _fault_of_document(version: SealedVersion, previous: str, public_key: str) -> SealFault | None:
    def fault(kind: SealFaultKind) -> SealFault:
        return SealFault(kind=kind, version=version.number)

    if version.public_key != public_key:
        return fault(SealFaultKind.KEY)
    if not is_signed(version.document, version.signature, public_key):
        return fault(SealFaultKind.SIGNATURE)
    fields = rules.read_document(version.document)
    known = (
        version.number,
        version.digest,
        version.rank_count,
        rules.spell_instant(version.made_at),
        rules.hash_bytes(version.reason.encode()),
    )
    signed = tuple(fields.get(name) for name in (
        "number", "file_sha256", "rank_count", "made_at", "reason_sha256"
    ))  # fmt: skip
    if signed != known:
        return fault(SealFaultKind.DOCUMENT)
    return fault(SealFaultKind.CHAIN) if fields.get("previous_sha256") != previous else None


def _spell_rows(uow: UnitOfWork, version_id: int) -> Iterator[bytes]:
    """The rank file as the rows spell it, in the same parts."""
    content = rules.HEADING
    for batch in iterate_lines(uow, version_id):
        yield content + rules.spell_lines(line for _, line in batch)
        content = b""
    if content:
        yield content


def _fault_of_content(uow: UnitOfWork, version: SealedVersion) -> SealFault | None:
    of_rows, of_file = hashlib.sha256(), hashlib.sha256()
    offset, row, first = 0, 0, None
    rows, stored = _spell_rows(uow, version.id), read_file(uow, version.id)
    while True:
        spelled, kept = next(rows, b""), next(stored, b"")
        if not spelled and not kept:
            break
        of_rows.update(spelled)
        of_file.update(kept)
        differs = rules.first_difference(spelled, kept)
        if differs is not None and first is None:
            # The heading is line 0, so the number of line feeds before is that of the row.
            first = (offset + differs, row + spelled[:differs].count(b"\n"))
        offset, row = offset + len(spelled), row + spelled.count(b"\n")
    rows_whole, file_whole = (one.hexdigest() == version.digest for one in (of_rows, of_file))
    if rows_whole and file_whole:
        return None
    kind = SealFaultKind.ROW if file_whole else SealFaultKind.BOTH
    kind = SealFaultKind.FILE if rows_whole else kind
    at = first or (None, None)
    return SealFault(kind=kind, version=version.number, offset=at[0], row=at[1])


def _fault_of_places(uow: UnitOfWork, version: SealedVersion) -> SealFault | None:
    """Check the rank within each scope, which follows from the signed order."""
    counter = ScopeCounter()
    for batch in iterate_lines(uow, version.id):
        for row, _ in batch:
            expected = counter.count_places([(name, getattr(row, name)) for name in SCOPE_COLUMNS])
            if _places_of(row) != expected:
                return SealFault(kind=SealFaultKind.PLACE, version=version.number, row=row.rank)
    return None


def _places_of(row: SealedRank) -> list[int | None]:
    return [getattr(row, rank) for rank in SCOPE_COLUMNS.values()]
