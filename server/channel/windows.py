"""Windows for customer messages: a follower's message opens one, and each message sent uses it.

Source: customer-service messages, "limits": after a message of the user, 5 messages in 48 hours.
Menu taps, scans and follows open a window of one minute only, which is too short for a queue.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, or_, select, update

from server.accounts import service as accounts
from server.base.sql.many import is_any
from server.base.uow import UnitOfWork
from server.channel import rules
from server.channel.models import Follower

APP: Final = "official_account"
MOST_MESSAGES = 5

_follower: Any = Follower.__table__
# A later message opens a new window; an unfollow has ended the old one.
_OPEN_WINDOW = (
    update(_follower)
    .where(
        _follower.c.citizen_id == bindparam("of_citizen"),
        _follower.c.subscribed,
        or_(_follower.c.heard_at.is_(None), _follower.c.heard_at < bindparam("at")),
    )
    .values(heard_at=bindparam("at"), window_used=0)
)


def record_messages(uow: UnitOfWork, heard: Mapping[str, datetime]) -> list[str]:
    """Open the windows of followers after messages of theirs, by openid.

    Returns the openids of those whose row is locked at this moment, to be recorded later.
    Locks: the citizens, shared, in the order of their ids, skipping those locked by others; then
    their rows as followers in the same order.
    """
    owners = accounts.citizens_of_openids(uow, APP, heard)
    held = accounts.lock_survivors(uow, owners.values())
    opened: dict[int, datetime] = {}
    for openid, owner in owners.items():
        if owner in held:
            citizen_id = held[owner]
            opened[citizen_id] = max(heard[openid], opened.get(citizen_id, heard[openid]))
    windows = [{"of_citizen": one, "at": opened[one]} for one in sorted(opened)]
    if windows:
        uow.session.connection().execute(_OPEN_WINDOW, windows)
    return [openid for openid, owner in owners.items() if owner not in held]


def open_windows(
    uow: UnitOfWork, citizen_ids: Collection[int], now: datetime
) -> dict[int, datetime]:
    """The citizens among these with an open window, and until when it is open."""
    rows = uow.session.execute(
        select(Follower.citizen_id, Follower.heard_at).where(
            is_any(Follower.citizen_id, citizen_ids), *_open_at(now)
        )
    )
    return {row.citizen_id: row.heard_at + rules.LATE_FOR for row in rows}


def open_window_ids(now: datetime) -> Select[Any]:
    """A subquery of the citizens whose window is open."""
    return select(Follower.citizen_id).where(*_open_at(now))


def note_window_use(uow: UnitOfWork, citizen_ids: Collection[int]) -> None:
    """Count one customer message to each of these citizens.

    Locks: the caller holds the citizens.
    """
    uow.session.execute(
        update(Follower)
        .where(is_any(Follower.citizen_id, citizen_ids))
        .values(window_used=Follower.window_used + 1)
        .execution_options(synchronize_session=False)
    )


def _open_at(now: datetime) -> tuple[Any, ...]:
    return (
        Follower.subscribed,
        Follower.heard_at > now - rules.LATE_FOR,
        Follower.window_used < MOST_MESSAGES,
    )
