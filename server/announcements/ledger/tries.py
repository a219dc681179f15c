"""Calls for recipients: each has its id before it is made, and a repeat has the same one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select

from server.announcements.enums import Channel, TryState
from server.announcements.models import SendTry
from server.base.outbox_batches import HeldRow, write_rows
from server.base.sql.many import insert_many, is_any, write_changes
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork

_try = table_of(SendTry)
_OPEN = (TryState.CLAIMED, TryState.IN_DOUBT)
_READ = (
    "id", "recipient_id", "channel", "state", "client_msg_id", "grant_id", "made_at",
)  # fmt: skip


@dataclass(slots=True)
class Tries:
    """The calls of one recipient: the open one, one without an answer, and refused channels.

    What is set in one of the rows is stored by `write_tries`.
    """

    current: HeldRow | None = None
    unknown: HeldRow | None = None
    refused: set[Channel] = field(default_factory=set)

    @property
    def in_doubt(self) -> bool:
        """Whether a call may have reached WeChat without an answer."""
        return self.current is not None and self.current.state is TryState.IN_DOUBT


def load_tries(uow: UnitOfWork, row_ids: Collection[int]) -> dict[int, Tries]:
    """The calls of recipients, which the caller has locked; for each of them an entry."""
    found: dict[int, Tries] = defaultdict(Tries)
    if not row_ids:
        return found
    rows = uow.session.execute(
        select(*(_try.c[name] for name in _READ)).where(is_any(_try.c.recipient_id, row_ids))
    )
    for one in (HeldRow(_READ, row) for row in rows):
        if one.state in _OPEN:
            found[one.recipient_id].current = one
        elif one.state is TryState.UNKNOWN:
            found[one.recipient_id].unknown = one
        elif one.state is TryState.REFUSED:
            found[one.recipient_id].refused.add(one.channel)
    return found


def write_tries(uow: UnitOfWork, tries: Collection[Tries]) -> None:
    """Store what was set in the calls of recipients."""
    rows = [row for one in tries for row in (one.current, one.unknown) if row is not None]
    write_rows(uow, _try, rows)


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
    fresh: dict[Channel, list[int]] = defaultdict(list)
    kept: dict[int, dict[str, Any]] = {}
    for row_id, one in planned.items():
        before = earlier[row_id].current
        if before is not None and before.channel is one.channel:
            ids[row_id] = before.client_msg_id
            kept[before.id] = {"grant_id": one.grant_id, "made_at": uow.now}
            continue
        if before is not None:
            left.append(before.id)
        ids[row_id] = new_client_id(uow)
        fresh[one.channel].append(row_id)
    if left:
        uow.session.execute(delete(_try).where(is_any(_try.c.id, left)))
    write_changes(uow.session, _try, kept)
    for channel, row_ids in fresh.items():
        same = {"channel": channel, "state": TryState.CLAIMED, "made_at": uow.now}
        varied: dict[str, list[Any]] = {
            "recipient_id": row_ids,
            "client_msg_id": [ids[one] for one in row_ids],
            "grant_id": [planned[one].grant_id for one in row_ids],
        }
        if insert_many(uow.session, _try, same, varied) != len(row_ids):
            raise AssertionError("a recipient has an open call on this channel")
    return ids
