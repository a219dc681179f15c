"""The command that verifies final ranks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from server.base.uow import UnitOfWorkFactory
from server.quiz.contests import service as contests
from server.quiz.sealing.verification import SealFault, SealFaultKind, verify_versions

_SAID: Mapping[SealFaultKind, str] = {
    SealFaultKind.KEY: "version {version} was signed with another key (give it with --public-key)",
    SealFaultKind.SIGNATURE: "version {version}: the document or its signature was changed",
    SealFaultKind.DOCUMENT: "version {version}: its row does not fit the signed document",
    SealFaultKind.CHAIN: "version {version}: the version before it was changed or removed",
    SealFaultKind.ROW: "version {version}: rank row {row} was changed (byte {offset} of the file)",
    SealFaultKind.FILE: "version {version}: byte {offset} of the file was changed (row {row})",
    SealFaultKind.BOTH: "version {version}: rows and file were both changed; they differ at"
    " row {row}, byte {offset}",
    SealFaultKind.PLACE: "version {version}: a rank within a place was changed in rank row {row}",
}


def verify_final_ranks(
    uow_factory: UnitOfWorkFactory, contest: str, public_key: str, show: Callable[[str], None]
) -> bool:
    """Verify the versions of a contest, by public id or slug, and print the result.

    Raises: NotFound (404) for an unknown contest.
    """
    with uow_factory.begin(read_only=True) as uow:
        found = contests.find_contest(uow, contest)
        fault = verify_versions(uow, found.id, public_key)
    if fault is not None:
        show(_say_fault(fault))
        return False
    published = "none published" if found.final is None else f"published: {found.final.number}"
    show(f"{found.title}: all versions are whole, {published}")
    return True


def _say_fault(fault: SealFault) -> str:
    offset = "unknown" if fault.offset is None else fault.offset
    row = "unknown" if fault.row is None else fault.row
    return _SAID[fault.kind].format(version=fault.version, offset=offset, row=row)
