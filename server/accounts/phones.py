"""A citizen's phone number: verified by WeChat, sealed in its row, shown masked."""

from __future__ import annotations

from sqlalchemy import delete, select

from server.accounts import privacy
from server.accounts.models import Phone
from server.base.uow import UnitOfWork
from server.wechat.gateway import PhoneNumber

_PURPOSE = "phone"


def keep_number(uow: UnitOfWork, citizen_id: int, number: PhoneNumber) -> str:
    """Store a number, replacing an earlier one; return its masked form.

    Locks: the citizen.
    """
    privacy.lock_citizen(uow, citizen_id)
    take_back(uow, citizen_id)
    whole = f"+{number.country}{number.number}"
    ref = uow.new_ref("pho")
    uow.session.add(
        Phone(
            ref=ref,
            citizen_id=citizen_id,
            sealed=uow.keys.seal_text(whole, _sealing_place(ref)),
            blind=uow.keys.blind_hash(whole, _PURPOSE),
            given_at=uow.now,
        )
    )
    return mask_number(whole)


def take_back(uow: UnitOfWork, citizen_id: int) -> None:
    """Delete a citizen's number."""
    uow.session.execute(delete(Phone).where(Phone.citizen_id == citizen_id))


def masked_of(uow: UnitOfWork, citizen_id: int) -> str | None:
    """A citizen's masked number, or None."""
    whole = tell_number(uow, citizen_id)
    return None if whole is None else mask_number(whole)


def mask_number(whole: str) -> str:
    """Mask the middle of a number; the country code is omitted for China."""
    local = whole.removeprefix("+86")
    shown = 3 if len(local) >= 9 else 1
    tail = 4 if len(local) >= 9 else 1
    return f"{local[:shown]}{'*' * (len(local) - shown - tail)}{local[-tail:]}"


def tell_number(uow: UnitOfWork, citizen_id: int) -> str | None:
    """A citizen's full number, or None."""
    row = uow.session.execute(
        select(Phone.ref, Phone.sealed).where(Phone.citizen_id == citizen_id)
    ).one_or_none()
    return None if row is None else uow.keys.unseal_text(row.sealed, _sealing_place(row.ref))


def _sealing_place(ref: str) -> str:
    return f"phone.sealed:{ref}"
