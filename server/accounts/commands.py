"""Operator commands: export and erasure for a citizen who asks by telephone, pictures in review."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.accounts import picture_review, privacy
from server.accounts.errors import NoSuchCitizen
from server.accounts.models import Citizen, Identity
from server.accounts.picture_review import WaitingPicture
from server.audit.service import Subject, record_change
from server.base.access import System
from server.base.uow import UnitOfWork, UnitOfWorkFactory


def export_person(uow_factory: UnitOfWorkFactory, who: str) -> dict[str, Any]:
    """Export a citizen's data, found by id or by an openid; recorded in the audit trail.

    Raises: NoSuchCitizen (404).
    """
    by = System(name="export-person")
    with uow_factory.begin(by) as uow:
        citizen_id = _find_citizen(uow, who)
        record_change(uow, by, "accounts.export_person", _subject_of(uow, citizen_id))
        return {"exported_at": uow.now, "held": privacy.export_citizen(uow, citizen_id)}


def erase_person(uow_factory: UnitOfWorkFactory, who: str) -> None:
    """Erase a citizen, as in the mini-program.

    Raises: NoSuchCitizen (404), also when already erased.
    """
    by = System(name="erase-person")
    with uow_factory.begin(by) as uow:
        citizen_id = _find_citizen(uow, who)
        record_change(uow, by, "accounts.erase_person", _subject_of(uow, citizen_id))
        privacy.erase_citizen(uow, citizen_id)


def save_pictures(uow_factory: UnitOfWorkFactory, folder: Path | None) -> list[WaitingPicture]:
    """List the pictures in review; with `folder`, write each there as NAME.jpg."""
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
    by = System(name="judge-picture")
    with uow_factory.begin(by) as uow:
        picture_review.judge_picture(uow, name, shown=shown)
        picture = Subject("picture", name)
        record_change(uow, by, "accounts.judge_picture", picture, after={"shown": shown})


def _subject_of(uow: UnitOfWork, citizen_id: int) -> Subject:
    """The citizen as an audit subject: the opaque id, which identifies nobody once erased."""
    ref = uow.session.execute(select(Citizen.ref).where(Citizen.id == citizen_id)).scalar_one()
    return Subject("person", ref)


def _find_citizen(uow: UnitOfWork, who: str) -> int:
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
