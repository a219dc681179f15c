"""What an operator does for a citizen who asks for it by telephone: tell all, forget all."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from server.accounts import privacy
from server.accounts.errors import NoSuchCitizen
from server.accounts.models import Citizen, Identity
from server.base.work import Desk, Work


def export_person(desk: Desk, who: str) -> dict[str, Any]:
    """Everything held about a citizen, who is named by id or by an openid.

    Raises: NoSuchCitizen (404).
    """
    with desk.work(read_only=True) as work:
        return {"exported_at": work.now, "held": privacy.export(work, _known(work, who))}


def erase_person(desk: Desk, who: str) -> None:
    """Forget a citizen as if they had asked in the mini-program.

    Raises: NoSuchCitizen (404), also when it has been done before.
    """
    with desk.work() as work:
        privacy.erase(work, _known(work, who))


def _known(work: Work, who: str) -> int:
    alive = (Citizen.erased_at.is_(None), Citizen.merged_into.is_(None))
    found = work.session.scalar(select(Citizen.id).where(Citizen.ref == who, *alive))
    if found is None:
        found = work.session.scalar(
            select(Citizen.id)
            .join(Identity, Identity.citizen_id == Citizen.id)
            .where(Identity.openid == who, *alive)
        )
    if found is None:
        raise NoSuchCitizen
    return found
