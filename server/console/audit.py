"""The entry of a changing page, and the type of the function that writes it.

The audit slice is on a higher floor than the console, so its writer is injected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from server.base.access import Organizer
from server.base.uow import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One change: its author, origin, page and object.

    `places` are the variable parts of the page's path. Form fields are left out, because they may
    contain personal data. A response that declares a `Note` gives `act`, `facts` and `reason`.
    """

    organizer: Organizer
    at: datetime
    network: str
    page: str
    places: Mapping[str, str]
    act: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)
    reason: str = ""


# Called inside the transaction of the change, so that neither exists without the other.
AuditWriter = Callable[[UnitOfWork, AuditEntry], None]


@dataclass(frozen=True, kw_only=True)
class LatestChange:
    """The newest change of an object in words; `own` when it is the reader's."""

    who: str
    when: str
    act: str
    own: bool


# Gets the public ids that the change may be recorded under. None when the organizer may not read
# the history, or nothing is recorded.
LatestReader = Callable[[UnitOfWork, Organizer, Sequence[str]], LatestChange | None]
