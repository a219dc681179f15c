"""The command that verifies the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from server.audit.verification import FaultKind, Noted, verify_chain
from server.base.errors import Invalid
from server.base.uow import UnitOfWorkFactory

_SAID: Mapping[FaultKind, str] = {
    FaultKind.EDITED: "entry {number} was edited",
    FaultKind.MISSING: "entry {number} is missing",
    FaultKind.REORDERED: "entry {number} stands in the wrong place",
    FaultKind.HEAD_EDITED: "the head was edited: it does not fit entry {number}",
    FaultKind.CHECKPOINT_EDITED: "the checkpoint of entry {number} was edited, or its entries were",
    FaultKind.NOTED_DIFFERS: "entry {number} is not the one of the noted head",
    FaultKind.VALUE_EDITED: "a readable value of entry {number} was edited",
}


def verify_audit(uow_factory: UnitOfWorkFactory, head: str, show: Callable[[str], None]) -> bool:
    """Verify the chain and print the result; `head` is empty, or NUMBER:DIGEST as noted earlier.

    Raises: Invalid (422) for a head that cannot be read.
    """
    noted = _read_noted(head) if head else None
    with uow_factory.begin(read_only=True) as uow:
        verdict = verify_chain(uow, noted)
    if verdict.fault is None:
        show(f"{verdict.number} entries, head {verdict.number}:{verdict.digest}")
        return True
    show(_SAID[verdict.fault.kind].format(number=verdict.fault.number))
    show(f"whole up to entry {verdict.number}")
    return False


def _read_noted(head: str) -> Noted:
    number, _, digest = head.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise Invalid((("head",), "NUMBER:DIGEST, as the log or an earlier run said it"))
    return Noted(number=int(number), digest=digest)
