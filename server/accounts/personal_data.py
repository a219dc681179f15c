"""Tables of this slice with personal data, in the order in which an erasure processes them."""

from __future__ import annotations

from typing import Any

from server.accounts import avatar_uploads, avatars, identities, limit_traces, phones
from server.accounts.models import (
    Avatar,
    Citizen,
    Consent,
    Identity,
    LimitTrace,
    Phone,
    PictureUpload,
    SessionToken,
)
from server.accounts.privacy import tell_consents
from server.base.outbox_rows import idle_values
from server.base.personal_data import Erase, Keep, Merge, Personal
from server.base.uow import UnitOfWork
from server.units import service as units

_NOT_TOLD = {"id", "unit_id", "merged_into", "erased_at", *idle_values()}


def tell_person(uow: UnitOfWork, citizen_id: int) -> dict[str, object]:
    """The profile of a citizen, with the unit's name instead of its row id."""
    citizen = uow.session.get_one(Citizen, citizen_id)
    person: dict[str, object] = {
        column.key: getattr(citizen, column.key)
        for column in Citizen.__table__.columns
        if column.key not in _NOT_TOLD
    }
    unit = None if citizen.unit_id is None else units.unit_by_id(uow, citizen.unit_id)
    person["unit"] = None if unit is None else unit.name
    return person


def _instant_of_erasure(uow: UnitOfWork) -> Any:
    return uow.now


PERSONAL = (
    Personal(
        LimitTrace,
        "citizen_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="limits of a running contest must not be reset by an erasure",
        stays=("hash",),
        keep=Keep(since="keep_until", drop=limit_traces.drop_old),
        merge=Merge.KEEP_ONE,
        export={"earlier_erasures": limit_traces.tell_erasures},
    ),
    Personal(
        Phone,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.KEEP_ONE,
        export={"phone": phones.tell_number},
    ),
    Personal(
        Avatar,
        "citizen_id",
        erase=Erase.DELETE,
        merge=avatars.merge_pictures,
        export={"pictures": avatars.tell_pictures},
    ),
    Personal(
        PictureUpload,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.KEEP_ONE,
        export={"picture_uploads": avatar_uploads.tell_upload},
    ),
    Personal(
        Consent,
        "citizen_id",
        erase=Erase.BLANK,
        blank={"guardian_name": None, "guardian_relation": None},
        stays=("id", "ref", "policy_version", "guardian", "under_14", "given_at"),
        merge=Merge.REPOINT,
        export={"consents": tell_consents},
    ),
    Personal(
        SessionToken,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.REPOINT,
        export={"sessions": ("made_at", "expires_at", "revoked_at")},
    ),
    Personal(
        Identity,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.REPOINT,
        export={"identities": ("app", "openid", "made_at")},
    ),
    Personal(
        Citizen,
        "id",
        erase=Erase.BLANK,
        blank={**identities.BLANK, "erased_at": _instant_of_erasure},
        stays=("ref", "shown_number", "language", "created_at", "merged_into"),
        merge=identities.merge_profile,
        export={"person": tell_person},
        also=("merged_into",),
    ),
)
