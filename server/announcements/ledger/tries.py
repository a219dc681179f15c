"""Calls for recipients: each has its id before it is made, and a repeat has the same one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update

from server.announcements.enums import Channel, TryState
from server.announcements.models import SendTry
from server.base.uow import UnitOfWork

_OPEN = (TryState.CLAIMED, TryState.IN_DOUBT)


@dataclass(slots=True)
class Tries:
    """The calls of one recipient: the open one, one without an answer, and refused channels."""

    current: SendTry | None = None
    unknown: SendTry | None = None
    refused: set[Channel] = field(default_factory=set)

    @property
    def in_doubt(self) -> bool:
        """Whether a call may have reached WeChat without an answer."""
        return self.current is not None and self.current.state is TryState.IN_DOUBT


def load_tries(uow: UnitOfWork, row_ids: Collection[int]) -> dict[int, Tries]:
    """The calls of recipients, which the caller has locked; for each of them an entry."""
    found: dict[int, Tries] = defaultdict(Tries)
    rows = uow.session.scalars(
        select(SendTry)
        .where(SendTry.recipient_id.in_(row_ids))
        .execution_options(populate_existing=True)
    )
    for one in rows:
        if one.state in _OPEN:
            found[one.recipient_id].current = one
        elif one.state is TryState.UNKNOWN:
            found[one.recipient_id].unknown = one
        elif one.state is TryState.REFUSED:
            found[one.recipient_id].refused.add(one.channel)
    return found


def new_client_id(uow: UnitOfWork) -> str:
    """An id under which WeChat recognises a repeated call.

    Units: 24 letters and digits, for at most 32. Source: template messages, `client_msg_id`.
    """
    return uow.new_ref("msg").replace("_", "0")


@dataclass(frozen=True, kw_only=True)
class PlannedTry:
    """A call that is about to be made."""

    channel: Channel
    grant_id: int | None


def place_tries(
    uow: UnitOfWork, planned: Mapping[int, PlannedTry], earlier: Mapping[int, Tries]
) -> dict[int, str]:
    """Store the calls of these recipients; return the client ids.

    A call that had no effect keeps its id while the channel stays; another channel replaces it.
    """
    ids: dict[int, str] = {}
    left: list[int] = []
    fresh: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for row_id, one in planned.items():
        before = earlier[row_id].current
        if before is not None and before.channel is one.channel:
            ids[row_id] = before.client_msg_id
            kept.append({"id": before.id, "grant_id": one.grant_id, "made_at": uow.now})
            continue
        if before is not None:
            left.append(before.id)
        ids[row_id] = new_client_id(uow)
        fresh.append(
            {
                "recipient_id": row_id,
                "channel": one.channel,
                "state": TryState.CLAIMED,
                "client_msg_id": ids[row_id],
                "grant_id": one.grant_id,
                "made_at": uow.now,
            }
        )
    if left:
        uow.session.execute(
            delete(SendTry).where(SendTry.id.in_(left)).execution_options(synchronize_session=False)
        )
    if kept:
        uow.session.execute(update(SendTry), kept)
    if fresh:
        uow.session.execute(insert(SendTry), fresh)
    return ids
