"""Tables of this slice with personal data, in the order in which an erasure processes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from server.base.personal_data import Erase, Keep, Merge, Personal, PersonalData
from server.base.uow import UnitOfWork
from server.channel import late_replies, processed_messages, rules, visits
from server.channel.models import Follower, LateReply, SceneVisit, SeenMessage


def tell_follower(uow: UnitOfWork, citizen_id: int) -> dict[str, object] | None:
    """A citizen's state as a follower; None for somebody who never followed."""
    row = uow.session.scalar(select(Follower).where(Follower.citizen_id == citizen_id))
    if row is None:
        return None
    return {
        "subscribed": row.subscribed,
        "subscribed_at": _iso_text(row.subscribed_at),
        "unsubscribed_at": _iso_text(row.unsubscribed_at),
        "first_scene": row.first_scene,
        "last_scene": row.last_scene,
        "last_event_at": _iso_text(row.last_event_at),
        "last_message_at": _iso_text(row.heard_at),
    }


def _iso_text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def merge_followers(uow: UnitOfWork, keep: int, gone: int) -> None:
    """Keep the row of the newest event, with the earliest and latest facts of both."""
    rows = uow.session.scalars(
        select(Follower)
        .where(Follower.citizen_id.in_((keep, gone)))
        .order_by(Follower.state_at.desc())
    ).all()
    if not rows:
        return
    newest, *others = rows
    for other in others:
        _take_over(newest, other)
        uow.session.delete(other)
    uow.session.flush()  # the other row must be gone before this one takes its citizen
    newest.citizen_id = keep
    uow.session.flush()


def _take_over(row: Follower, other: Follower) -> None:
    row.subscribed_at = latest_of(row.subscribed_at, other.subscribed_at)
    row.unsubscribed_at = latest_of(row.unsubscribed_at, other.unsubscribed_at)
    row.last_event_at = max(row.last_event_at, other.last_event_at)
    if row.subscribed:
        _take_window(row, other)
    if (
        other.first_scene_at
        and (row.first_scene_at or other.first_scene_at) >= other.first_scene_at
    ):
        row.first_scene, row.first_scene_at = other.first_scene, other.first_scene_at
    if other.last_scene_at and (row.last_scene_at or other.last_scene_at) <= other.last_scene_at:
        row.last_scene, row.last_scene_at = other.last_scene, other.last_scene_at


def _take_window(row: Follower, other: Follower) -> None:
    """Keep the newer window; of the same one, the higher count."""
    if other.heard_at is None or (row.heard_at and row.heard_at > other.heard_at):
        return
    same = row.heard_at == other.heard_at
    row.window_used = max(row.window_used, other.window_used) if same else other.window_used
    row.heard_at = other.heard_at


def latest_of(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two instants, either of which may be None."""
    known = [at for at in (one, other) if at is not None]
    return max(known) if known else None


PERSONAL = (
    Personal(
        SeenMessage,
        "citizen_id",
        erase=Erase.BLANK,
        # The reply may be about the citizen; the fact that the message was processed is kept.
        blank={"reply": processed_messages.NOTHING, "citizen_id": None},
        stays=("key", "at"),
        merge=Merge.REPOINT,
        # Such a message cannot be repeated any more, because its signature is stale.
        keep=Keep(since="at", longest=rules.SEEN_KEPT),
        export={"recent_replies": processed_messages.tell_replies},
    ),
    Personal(
        LateReply,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.REPOINT,
        export={"late_replies": late_replies.tell_replies},
    ),
    Personal(
        SceneVisit,
        "citizen_id",
        erase=Erase.DELETE,
        merge=visits.merge_visits,
        export={
            "scene_visits": visits.tell_account_visits,
            "visits": visits.tell_mini_program_visits,
        },
    ),
    Personal(
        Follower,
        "citizen_id",
        erase=Erase.DELETE,
        merge=merge_followers,
        export={"follower": tell_follower},
    ),
)
# Data from the official account only, for people who unfollowed.
OWN_DATA = PersonalData(
    [
        [
            replace(one, erase=visits.erase_account_visits) if one.table is SceneVisit else one
            for one in PERSONAL
        ]
    ]
)
