"""What the console hands to the audit trail for every change, and the writer of today: the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from server.base.access import Organizer
from server.base.uow import UnitOfWork

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One change: who made it, from where, by which page, to which object.

    `places` are the variable parts of the page's address; form fields may hold personal data and
    are not here.
    """

    organizer: Organizer
    at: datetime
    network: str
    page: str
    places: Mapping[str, str]


# Called inside the transaction of the change, so that there is never one without the other.
AuditWriter = Callable[[UnitOfWork, AuditEntry], None]


def log_change(uow: UnitOfWork, entry: AuditEntry) -> None:
    """Write the change to the log once it is committed."""
    facts = {"rule": entry.page, "outcome": entry.organizer.role.value}
    facts["person"] = f"organizer:{entry.organizer.id}"
    uow.after_commit(lambda: _log.info("console change", extra=facts))
