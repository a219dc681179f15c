"""A citizen's phone number: vouched for by WeChat, sealed in its row, shown masked."""

from __future__ import annotations

from sqlalchemy import delete, select

from server.accounts import privacy
from server.accounts.models import Phone
from server.base.uow import UnitOfWork
from server.wechat.gateway import PhoneNumber

_PURPOSE = "phone"


def keep(uow: UnitOfWork, citizen_id: int, number: PhoneNumber) -> str:
    """Keep a number in place of an earlier one; how it is shown.

    Locks: the citizen.
    """
    privacy.hold(uow, citizen_id)
    take_back(uow, citizen_id)
    whole = f"+{number.country}{number.number}"
    ref = uow.new_ref("pho")
    uow.session.add(
        Phone(
            ref=ref,
            citizen_id=citizen_id,
            sealed=uow.keys.seal(whole, _place(ref)),
            blind=uow.keys.blind(whole, _PURPOSE),
            given_at=uow.now,
        )
    )
    return masked(whole)


def take_back(uow: UnitOfWork, citizen_id: int) -> None:
    """Drop a citizen's number."""
    uow.session.execute(delete(Phone).where(Phone.citizen_id == citizen_id))


def masked_of(uow: UnitOfWork, citizen_id: int) -> str | None:
    """A citizen's number as it is shown, if there is one."""
    whole = tell_number(uow, citizen_id)
    return None if whole is None else masked(whole)


def masked(whole: str) -> str:
    """A number with its middle hidden; the country's code is left out for China."""
    local = whole.removeprefix("+86")
    shown = 3 if len(local) >= 9 else 1
    tail = 4 if len(local) >= 9 else 1
    return f"{local[:shown]}{'*' * (len(local) - shown - tail)}{local[-tail:]}"


def tell_number(uow: UnitOfWork, citizen_id: int) -> str | None:
    """A citizen's number in full, if there is one."""
    row = uow.session.execute(
        select(Phone.ref, Phone.sealed).where(Phone.citizen_id == citizen_id)
    ).one_or_none()
    return None if row is None else uow.keys.unseal(row.sealed, _place(row.ref))


def _place(ref: str) -> str:
    return f"phone.sealed:{ref}"
