"""Operator commands for a citizen who asks by telephone: export and erasure."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from server.accounts import privacy
from server.accounts.errors import NoSuchCitizen
from server.accounts.models import Citizen, Identity
from server.base.access import System
from server.base.uow import UnitOfWork, UnitOfWorkFactory


def export_person(uow_factory: UnitOfWorkFactory, who: str) -> dict[str, Any]:
    """Export a citizen's data, found by id or by an openid.

    Raises: NoSuchCitizen (404).
    """
    with uow_factory.begin(read_only=True) as uow:
        return {"exported_at": uow.now, "held": privacy.export(uow, _known(uow, who))}


def erase_person(uow_factory: UnitOfWorkFactory, who: str) -> None:
    """Erase a citizen, as in the mini-program.

    Raises: NoSuchCitizen (404), also when already erased.
    """
    with uow_factory.begin(System(name="erase-person")) as uow:
        privacy.erase(uow, _known(uow, who))


def _known(uow: UnitOfWork, who: str) -> int:
    alive = (Citizen.erased_at.is_(None), Citizen.merged_into.is_(None))
    found = uow.session.scalar(select(Citizen.id).where(Citizen.ref == who, *alive))
    if found is None:
        found = uow.session.scalar(
            select(Citizen.id)
            .join(Identity, Identity.citizen_id == Citizen.id)
            .where(Identity.openid == who, *alive)
        )
    if found is None:
        raise NoSuchCitizen
    return found
