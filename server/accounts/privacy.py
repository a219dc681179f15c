"""Consent, the export of everything held, and erasure.

What other slices hold is reached by their hooks; this file never reads their tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, bindparam, delete, select, update

from server.accounts import identities, limit_traces
from server.accounts.errors import GuardianConsentRequired, PolicyVersionOutdated
from server.accounts.models import Citizen, Consent, Identity, SessionToken
from server.accounts.rules import clean_name, fits
from server.base.errors import Invalid, NotAuthenticated, Unavailable
from server.base.sql.prepared import run, table
from server.base.uow import UnitOfWork
from server.base.web.idempotency import forget_caller
from server.units import service as units


@dataclass(frozen=True, kw_only=True)
class ConsentGiven:
    """What a citizen declares on the consent page."""

    policy_version: str
    guardian: bool
    under_14: bool
    guardian_name: str | None = None
    guardian_relation: str | None = None


_citizen = table(Citizen)
_HELD = (
    select(_citizen.c.erased_at, _citizen.c.merged_into)
    .where(_citizen.c.id == bindparam("citizen_id"))
    .with_for_update()
)


def give_consent(uow: UnitOfWork, citizen_id: int, given: ConsentGiven) -> Consent:
    """Write a consent into the ledger, with its time and the version of its text.

    Raises: PolicyVersionOutdated (409), GuardianConsentRequired (409), Invalid (422).
    Locks: the citizen.
    """
    citizen = living(uow, citizen_id)
    if given.policy_version != uow.settings.policy_version:
        raise PolicyVersionOutdated(policy_version=uow.settings.policy_version)
    if given.under_14 and not given.guardian:
        raise GuardianConsentRequired
    name = _guardian_words("guardian_name", given.guardian_name, named=given.guardian)
    relation = _guardian_words("guardian_relation", given.guardian_relation, named=given.guardian)
    ref = uow.new_ref("con")
    row = Consent(
        ref=ref,
        citizen_id=citizen_id,
        policy_version=given.policy_version,
        guardian=given.guardian,
        guardian_name=name and uow.keys.seal(name, _place("guardian_name", ref)),
        guardian_relation=relation and uow.keys.seal(relation, _place("guardian_relation", ref)),
        under_14=given.under_14,
        given_at=uow.now,
    )
    uow.session.add(row)
    citizen.under_14 = given.under_14
    return row


def _guardian_words(field: str, words: str | None, *, named: bool) -> str | None:
    # The page asks who the guardian is; the record of the consent stands without it as well.
    if not named or words is None:
        return None
    clean = clean_name(words)
    if not fits(clean):
        raise Invalid((("body", field), "1 to 20 characters, not all of them invisible"))
    return clean


def _place(column: str, ref: str) -> str:
    return f"consent.{column}:{ref}"


def latest_version(citizen_id: Any) -> ScalarSelect[str | None]:
    """The version of the latest consent, as part of a statement."""
    return (
        select(Consent.policy_version)
        .where(Consent.citizen_id == citizen_id)
        .order_by(Consent.given_at.desc(), Consent.id.desc())
        .limit(1)
        .scalar_subquery()
    )


_LATEST = select(latest_version(bindparam("citizen_id", type_=_citizen.c.id.type)))


def has_consented(uow: UnitOfWork, citizen_id: int) -> bool:
    """Whether the policy in force was agreed to."""
    version: str | None = run(uow, _LATEST, {"citizen_id": citizen_id}).scalar()
    return version == uow.settings.policy_version


def hold(uow: UnitOfWork, citizen_id: int) -> None:
    """Hold a citizen's row until the commit.

    Raises: NotAuthenticated (401) when erased meanwhile, Unavailable (503) when just joined
    with another citizen.
    """
    row = run(uow, _HELD, {"citizen_id": citizen_id}).one_or_none()
    if row is None or row.erased_at is not None:
        raise NotAuthenticated
    if row.merged_into is not None:
        raise Unavailable(retry_after_seconds=1)


def living(uow: UnitOfWork, citizen_id: int) -> Citizen:
    """A citizen's row as it is under its lock.

    Raises: as `hold`.
    """
    hold(uow, citizen_id)
    return uow.session.get_one(Citizen, citizen_id, populate_existing=True)


def export(uow: UnitOfWork, citizen_id: int) -> dict[str, Any]:
    """Everything any slice holds about a citizen."""
    everything: dict[str, Any] = {}
    for held in uow.dependencies.hooks.held:
        everything |= held(uow, citizen_id)
    return everything


def erase(uow: UnitOfWork, citizen_id: int) -> None:
    """Forget a citizen: every slice drops what is personal, an anonymous row stays.

    Limits that are counted per person go on by keyed hashes, see `limit_traces`.
    Locks: the citizen. Doing it again does nothing.
    """
    citizen = uow.session.scalar(select(Citizen).where(Citizen.id == citizen_id).with_for_update())
    if citizen is None or citizen.erased_at is not None:
        return
    limit_traces.leave(uow, citizen_id)
    for forget in uow.dependencies.hooks.forget:
        forget(uow, citizen_id)
    forget_caller(uow, f"citizen:{citizen_id}")


def forget_own(uow: UnitOfWork, citizen_id: int) -> None:
    """Blank the person, drop identities and sessions, open the ledger of consents to nobody."""
    session = uow.session
    for model in (Identity, SessionToken):
        session.execute(delete(model).where(model.citizen_id == citizen_id))
    session.execute(
        update(Consent)
        .where(Consent.citizen_id == citizen_id)
        .values(guardian_name=None, guardian_relation=None)
    )
    citizen = session.get_one(Citizen, citizen_id)
    identities.blank(citizen)
    citizen.erased_at = uow.now


def held_own(uow: UnitOfWork, citizen_id: int) -> dict[str, object]:
    """Profile, identities, sessions and consents of a citizen, in words a person can read."""
    citizen = uow.session.get_one(Citizen, citizen_id)
    left_out = {"id", "unit_id", "merged_into", "erased_at", "check_after"}
    person: dict[str, object] = {
        column.key: getattr(citizen, column.key)
        for column in Citizen.__table__.columns
        if column.key not in left_out
    }
    unit = None if citizen.unit_id is None else units.unit_by_id(uow, citizen.unit_id)
    person["unit"] = None if unit is None else unit.name
    return {
        "person": person,
        "identities": [
            {"app": row.app.value, "openid": row.openid, "made_at": row.made_at}
            for row in _rows(uow, Identity, citizen_id)
        ],
        "sessions": [
            {"made_at": row.made_at, "expires_at": row.expires_at, "revoked_at": row.revoked_at}
            for row in _rows(uow, SessionToken, citizen_id)
        ],
        "consents": [_told(uow, row) for row in _rows(uow, Consent, citizen_id)],
    }


def _told(uow: UnitOfWork, row: Consent) -> dict[str, Any]:
    return {
        "policy_version": row.policy_version,
        "given_at": row.given_at,
        "under_14": row.under_14,
        "guardian": row.guardian,
        "guardian_name": _opened(uow, row.guardian_name, _place("guardian_name", row.ref)),
        "guardian_relation": _opened(
            uow, row.guardian_relation, _place("guardian_relation", row.ref)
        ),
    }


def _opened(uow: UnitOfWork, sealed: str | None, place: str) -> str | None:
    return None if sealed is None else uow.keys.unseal(sealed, place)


def _rows(uow: UnitOfWork, table: Any, citizen_id: int) -> list[Any]:
    found = uow.session.scalars(
        select(table).where(table.citizen_id == citizen_id).order_by(table.id)
    )
    return list(found)
