"""Recording changes in the audit trail.

Every change by an organizer, a command or the system calls `record_change` inside its transaction,
so that neither exists without the other. The entry is numbered and chained as the last step before
the commit (appending.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.audit.appending import PendingEntry, PersonalValues, pending_entries
from server.audit.models import REASON_LENGTH
from server.audit.reading import AuditLine, latest_change, read_history, was_recorded
from server.audit.rules import canonical_json, storable_text
from server.audit.wording import declare_names
from server.base.access import REGION, Organizer, Scope, System
from server.base.ownership import Owned, owned_by, scope_of
from server.base.uow import UnitOfWork
from server.console.audit import AuditEntry

__all__ = [
    "AuditLine",
    "PersonalValues",
    "Subject",
    "declare_names",
    "latest_change",
    "read_history",
    "record_change",
    "record_owned",
    "record_page",
    "was_recorded",
]

_NOBODY = "-"


@dataclass(frozen=True)
class Subject:
    """The changed object: its kind, for example `question` or `contest`, and its opaque ref.

    `place` is the scope of the object's owner, for example `scope_of(row)`: auditors of that place
    see the entry. Without it the entry belongs to the organizer's own place.
    """

    kind: str
    ref: str
    place: Scope | None = None


def record_change(  # noqa: PLR0913 - one fact of the entry each, the optional ones by name
    uow: UnitOfWork,
    organizer: Organizer | System,
    act: str,
    subject: Subject,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
    personal: PersonalValues | None = None,
) -> None:
    """Record one change; it becomes an entry when this transaction commits.

    `act` is `<slice>.<verb>_<object>`, for example `quiz.retire_question`; its Chinese name is the
    text `quiz.act.retire_question`. `before` and `after` hold the changed fields as JSON values.
    Names, phone numbers and other values of persons go into `personal` only, and secrets
    (passwords, tokens) nowhere. One entry per act: a bulk import is one entry with its counts.
    Raises: TypeError for values that JSON cannot express.
    """
    # Creates SQLAlchemy's connection now: an answer that is stored together with the commit
    # (`Transaction.execute_at_commit`) must see it.
    _ = uow.session
    place = subject.place or (organizer.scope if isinstance(organizer, Organizer) else REGION)
    facts = {
        "at": uow.now,
        **_author_facts(organizer),
        "act": act,
        "subject_kind": subject.kind,
        "subject_ref": storable_text(subject.ref, 120),
        **owned_by(place),
        "before": canonical_json(before),
        "after": canonical_json(after),
        "reason": storable_text(reason.strip(), REASON_LENGTH),
    }
    uow.before_commit(PendingEntry(uow=uow, facts=facts, personal=personal))


def record_owned(
    uow: UnitOfWork,
    organizer: Organizer,
    act: str,
    named: tuple[str, str],
    row: Owned,
    facts: Mapping[str, object],
) -> None:
    """Record a change of an owned row for a frame below this slice; `named` is its kind and ref."""
    record_change(uow, organizer, act, Subject(*named, scope_of(row)), after=facts or None)


def record_page(uow: UnitOfWork, entry: AuditEntry) -> None:
    """Record a changing page of the console whose view recorded nothing itself.

    A page that changes no object, for example an export, names its act and its facts.
    """
    if pending_entries(uow):
        return
    record_change(
        uow,
        entry.organizer,
        entry.act or "audit.use_page",
        Subject("page", entry.page),
        after={**entry.places, **entry.facts},
        reason=entry.reason,
    )


def _author_facts(organizer: Organizer | System) -> dict[str, object]:
    if isinstance(organizer, System):
        return {
            "organizer_id": None,
            "organizer_name": storable_text(organizer.name, 80),
            "role": "system",
            "scope": REGION.spelled,
            "network": _NOBODY,
        }
    return {
        "organizer_id": organizer.id,
        "organizer_name": storable_text(organizer.name, 80),
        "role": organizer.role.value,
        "scope": organizer.scope.spelled,
        "network": organizer.network,
    }
