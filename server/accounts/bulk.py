"""Many citizens at once, with their identities and consents, for the sample data of the demo."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from server.accounts.models import (
    App,
    Audience,
    Citizen,
    Consent,
    Identity,
    NicknameState,
    Residence,
    Schooling,
    Sex,
)
from server.base.sql.tables import insert_rows
from server.base.uow import UnitOfWork


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCitizen:
    """A citizen to insert; without `consented_at` nothing was agreed to, without an openid the app
    was never used.

    Units: `city` and `county` are present codes, `birth_band` the first year of five.
    """

    ref: str
    openid_official: str | None
    openid_mini: str | None
    unionid: str
    nickname: str | None
    city: str | None
    county: str | None
    unit_id: int | None
    audience: str | None
    sex: str | None
    birth_band: str | None
    schooling: str | None
    residence: str | None
    public_rank: bool
    under_14: bool | None
    created_at: datetime
    consented_at: datetime | None


def add_citizens(uow: UnitOfWork, people: Sequence[NewCitizen]) -> list[int]:
    """Insert citizens with their identities and consents; return their row ids in order."""
    insert_rows(uow.session, Citizen, [_citizen_row(one) for one in people])
    ids = ids_of_refs(uow, [one.ref for one in people])
    numbers = [ids[one.ref] for one in people]
    identities = [
        {"app": app, "openid": openid, "citizen_id": number, "made_at": one.created_at}
        for one, number in zip(people, numbers, strict=True)
        for app, openid in (
            (App.OFFICIAL_ACCOUNT, one.openid_official),
            (App.MINI_PROGRAM, one.openid_mini),
        )
        if openid is not None
    ]
    consents = [
        _consent_row(uow, number, one.consented_at, under_14=bool(one.under_14))
        for one, number in zip(people, numbers, strict=True)
        if one.consented_at is not None
    ]
    for model, rows in ((Identity, identities), (Consent, consents)):
        insert_rows(uow.session, model, rows)
    return numbers


def known_refs(uow: UnitOfWork, refs: Collection[str]) -> set[str]:
    """The refs among these that belong to a citizen, erased ones included."""
    return set(ids_of_refs(uow, refs))


def refs_by_id(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, str]:
    """The opaque refs of these citizens, erased ones included."""
    found = uow.session.execute(select(Citizen.id, Citizen.ref).where(Citizen.id.in_(citizen_ids)))
    return {row.id: row.ref for row in found}


def ids_of_refs(uow: UnitOfWork, refs: Collection[str]) -> dict[str, int]:
    """The row ids of citizens by their opaque refs, erased ones included."""
    found = uow.session.execute(select(Citizen.ref, Citizen.id).where(Citizen.ref.in_(refs)))
    return {row.ref: row.id for row in found}


def _citizen_row(one: NewCitizen) -> dict[str, object]:
    return {
        "ref": one.ref,
        "unionid": one.unionid,
        "nickname": one.nickname,
        "nickname_state": NicknameState.SHOWN if one.nickname else NicknameState.NONE,
        "city": one.city,
        "county": one.county,
        "unit_id": one.unit_id,
        "audience": one.audience and Audience(one.audience),
        "sex": one.sex and Sex(one.sex),
        "birth_band": one.birth_band,
        "schooling": one.schooling and Schooling(one.schooling),
        "residence": one.residence and Residence(one.residence),
        "public_rank": one.public_rank,
        "under_14": one.under_14,
        "topics": [],
        "created_at": one.created_at,
    }


def _consent_row(
    uow: UnitOfWork, citizen_id: int, given_at: datetime, *, under_14: bool
) -> dict[str, object]:
    return {
        "ref": uow.new_ref("con"),
        "citizen_id": citizen_id,
        "policy_version": uow.settings.policy_version,
        # A child under 14 takes part only with the guardian's consent.
        "guardian": under_14,
        "under_14": under_14,
        "given_at": given_at,
    }
