"""Many grants at once, for the sample data of the demo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert

from server.base.uow import UnitOfWork
from server.notices.models import MessageGrant


@dataclass(frozen=True, kw_only=True, slots=True)
class NewGrant:
    """A grant for one message, reported by the client and by WeChat's event."""

    citizen_id: int
    template_id: str
    at: datetime


def add_grants(uow: UnitOfWork, grants: Sequence[NewGrant]) -> None:
    """Insert unused grants."""
    rows = [
        {
            "citizen_id": one.citizen_id,
            "template_id": one.template_id,
            "client_at": one.at,
            "event_at": one.at,
            "made_at": one.at,
        }
        for one in grants
    ]
    if rows:
        uow.session.execute(insert(MessageGrant), rows)
