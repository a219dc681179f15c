"""Consent, data export, and erasure.

Data of other slices is reached through their declarations (base/personal_data.py); this file never
reads their tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, bindparam, insert, select, update

from server.accounts import limit_traces
from server.accounts.errors import GuardianConsentRequired, PolicyVersionOutdated
from server.accounts.models import Citizen, Consent
from server.accounts.rules import has_allowed_length
from server.base.characters import clean_name
from server.base.errors import Invalid, NotAuthenticated, Unavailable
from server.base.sql.prepared import run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class ConsentGiven:
    """The declarations of a citizen on the consent page."""

    policy_version: str
    guardian: bool
    under_14: bool
    guardian_name: str | None = None
    guardian_relation: str | None = None


_citizen = table_of(Citizen)
_ADD_CONSENT = insert(table_of(Consent))
_NOTE_AGE = update(_citizen).where(_citizen.c.id == bindparam("of_citizen"))
_HELD = (
    select(_citizen.c.erased_at, _citizen.c.merged_into)
    .where(_citizen.c.id == bindparam("citizen_id"))
    .with_for_update()
)


def give_consent(uow: UnitOfWork, citizen_id: int, given: ConsentGiven) -> Consent:
    """Store a consent with its time and the version of its text; return it without a session.

    Raises: PolicyVersionOutdated (409), GuardianConsentRequired (409), Invalid (422).
    Locks: the citizen.
    """
    lock_citizen(uow, citizen_id)
    if given.policy_version != uow.settings.policy_version:
        raise PolicyVersionOutdated(policy_version=uow.settings.policy_version)
    if given.under_14 and not given.guardian:
        raise GuardianConsentRequired
    name = _guardian_words("guardian_name", given.guardian_name, named=given.guardian)
    relation = _guardian_words("guardian_relation", given.guardian_relation, named=given.guardian)
    ref = uow.new_ref("con")
    row: dict[str, Any] = {
        "ref": ref,
        "citizen_id": citizen_id,
        "policy_version": given.policy_version,
        "guardian": given.guardian,
        "guardian_name": name and uow.keys.seal_text(name, _sealing_place("guardian_name", ref)),
        "guardian_relation": relation
        and uow.keys.seal_text(relation, _sealing_place("guardian_relation", ref)),
        "under_14": given.under_14,
        "given_at": uow.now,
    }
    run_statement(uow, _ADD_CONSENT, row)
    run_statement(uow, _NOTE_AGE, {"of_citizen": citizen_id, "under_14": given.under_14})
    return Consent(**row)


def _guardian_words(field: str, words: str | None, *, named: bool) -> str | None:
    # The guardian's name is optional: the consent is valid without it.
    if not named or words is None:
        return None
    clean = clean_name(words)
    if not has_allowed_length(clean):
        raise Invalid((("body", field), "1 to 20 characters, not all of them invisible"))
    return clean


def _sealing_place(column: str, ref: str) -> str:
    return f"consent.{column}:{ref}"


def latest_version(citizen_id: Any) -> ScalarSelect[str | None]:
    """The version of the latest consent, as a subquery."""
    return (
        select(Consent.policy_version)
        .where(Consent.citizen_id == citizen_id)
        .order_by(Consent.given_at.desc(), Consent.id.desc())
        .limit(1)
        .scalar_subquery()
    )


_LATEST = select(latest_version(bindparam("citizen_id", type_=_citizen.c.id.type)))


def has_consented(uow: UnitOfWork, citizen_id: int) -> bool:
    """Whether the citizen agreed to the current policy."""
    version: str | None = run_statement(uow, _LATEST, {"citizen_id": citizen_id}).first_value()
    return version == uow.settings.policy_version


def lock_citizen(uow: UnitOfWork, citizen_id: int) -> None:
    """Lock a citizen's row until commit.

    Raises: NotAuthenticated (401) when erased meanwhile, Unavailable (503) when just merged with
    another citizen.
    """
    refuse_absent(run_statement(uow, _HELD, {"citizen_id": citizen_id}).one_or_none())


def refuse_absent(row: Any) -> None:
    """Refuse an erased or merged citizen; the row is locked, with `erased_at` and `merged_into`.

    Raises: as `lock_citizen`.
    """
    if row is None or row.erased_at is not None:
        raise NotAuthenticated
    if row.merged_into is not None:
        raise Unavailable(retry_after_seconds=1)


def lock_and_load(uow: UnitOfWork, citizen_id: int) -> Citizen:
    """Lock and return a citizen's row.

    Raises: as `lock_citizen`.
    """
    lock_citizen(uow, citizen_id)
    return uow.session.get_one(Citizen, citizen_id, populate_existing=True)


def export_citizen(uow: UnitOfWork, citizen_id: int) -> dict[str, object]:
    """All data of every slice about a citizen."""
    everything: dict[str, object] = {}
    for tell in uow.dependencies.hooks.export:
        everything |= tell(uow, citizen_id)
    return everything


def erase_citizen(uow: UnitOfWork, citizen_id: int) -> None:
    """Erase a citizen: every slice deletes personal data, an anonymous row remains.

    Limits per person still count earlier papers, by keyed hashes (`limit_traces`).
    Locks: the citizen. Idempotent.
    """
    citizen = uow.session.scalar(select(Citizen).where(Citizen.id == citizen_id).with_for_update())
    if citizen is None or citizen.erased_at is not None:
        return
    limit_traces.leave_traces(uow, citizen_id)
    for erase_rows in uow.dependencies.hooks.erase:
        erase_rows(uow, citizen_id)


def tell_consents(uow: UnitOfWork, citizen_id: int) -> list[dict[str, Any]]:
    """The consents of a citizen, with the guardian's name and relation unsealed."""
    rows = uow.session.scalars(
        select(Consent).where(Consent.citizen_id == citizen_id).order_by(Consent.id)
    )
    return [_consent_fields(uow, row) for row in rows]


def _consent_fields(uow: UnitOfWork, row: Consent) -> dict[str, Any]:
    return {
        "policy_version": row.policy_version,
        "given_at": row.given_at,
        "under_14": row.under_14,
        "guardian": row.guardian,
        "guardian_name": _unseal_text(
            uow, row.guardian_name, _sealing_place("guardian_name", row.ref)
        ),
        "guardian_relation": _unseal_text(
            uow, row.guardian_relation, _sealing_place("guardian_relation", row.ref)
        ),
    }


def _unseal_text(uow: UnitOfWork, sealed: str | None, place: str) -> str | None:
    return None if sealed is None else uow.keys.unseal_text(sealed, place)
