"""Operator commands: export and erasure for a citizen who asks by telephone, pictures in review."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.accounts import picture_review, privacy
from server.accounts.errors import NoSuchCitizen
from server.accounts.models import Citizen, Identity
from server.accounts.picture_review import WaitingPicture
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


def save_pictures(uow_factory: UnitOfWorkFactory, folder: Path | None) -> list[WaitingPicture]:
    """The pictures in review; with `folder` each is written there as NAME.jpg to be looked at."""
    with uow_factory.begin(read_only=True) as uow:
        found = picture_review.waiting_pictures(uow)
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for one in found:
            (folder / f"{one.name}.jpg").write_bytes(one.picture)
    return found


def judge_picture(uow_factory: UnitOfWorkFactory, name: str, *, shown: bool) -> None:
    """Show or refuse a picture in review.

    Raises: NoSuchPicture (404).
    """
    with uow_factory.begin(System(name="judge-picture")) as uow:
        picture_review.judge_picture(uow, name, shown=shown)


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
