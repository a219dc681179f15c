"""Requests for units as personal data: who asked, and for what."""

from __future__ import annotations

from sqlalchemy import select

from server.base.personal_data import Erase, Merge, Personal
from server.base.uow import UnitOfWork
from server.unit_requests.models import UnitRequest, UnitRequester


def export_requests(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """The units that a citizen asked for, with the answers."""
    rows = uow.session.execute(
        select(UnitRequest, UnitRequester.asked_at)
        .join(UnitRequester, UnitRequester.request_id == UnitRequest.id)
        .where(UnitRequester.citizen_id == citizen_id)
        .order_by(UnitRequester.id)
    )
    return [
        {
            "name": row.UnitRequest.name,
            "asked_at": row.asked_at,
            "state": row.UnitRequest.state.value,
            "sentence": row.UnitRequest.sentence,
        }
        for row in rows
    ]


PERSONAL = (
    Personal(
        UnitRequester,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.KEEP_ONE,
        export={"unit_requests": export_requests},
    ),
)
