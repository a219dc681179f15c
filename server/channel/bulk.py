"""Many followers at once, for the sample data of the demo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.base.outbox_rows import OutboxState, idle_values
from server.base.sql.tables import insert_rows
from server.base.uow import UnitOfWork
from server.channel.models import Follower


@dataclass(frozen=True, kw_only=True, slots=True)
class NewFollower:
    """A follower whose unionid is known; `left_at` when unfollowed since."""

    citizen_id: int
    followed_at: datetime
    scene: str | None
    left_at: datetime | None = None


def add_followers(uow: UnitOfWork, followers: Sequence[NewFollower]) -> None:
    """Insert followers in the state that their events would have produced."""
    rows = [
        {
            **idle_values(OutboxState.DONE),
            "citizen_id": one.citizen_id,
            "subscribed": one.left_at is None,
            "state_at": one.left_at or one.followed_at,
            "subscribed_at": one.followed_at,
            "unsubscribed_at": one.left_at,
            "first_scene": one.scene,
            "first_scene_at": one.scene and one.followed_at,
            "last_scene": one.scene,
            "last_scene_at": one.scene and one.followed_at,
            "last_event_at": one.left_at or one.followed_at,
            "ask_at": one.followed_at,
        }
        for one in followers
    ]
    insert_rows(uow.session, Follower, rows)
