"""The console's audit entries, and their current writer: the log."""

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
    """One change: its author, origin, page and object.

    `places` are the variable parts of the page's path. Form fields are left out, because they may
    contain personal data.
    """

    organizer: Organizer
    at: datetime
    network: str
    page: str
    places: Mapping[str, str]


# Called inside the transaction of the change, so that neither exists without the other.
AuditWriter = Callable[[UnitOfWork, AuditEntry], None]


def log_change(uow: UnitOfWork, entry: AuditEntry) -> None:
    """Log the change after commit."""
    facts = {"rule": entry.page, "outcome": entry.organizer.role.value}
    facts["person"] = f"organizer:{entry.organizer.id}"
    uow.after_commit(lambda: _log.info("console change", extra=facts))
