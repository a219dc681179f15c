"""Daily quotas of channels: counts of calls per Beijing day, and pauses until midnight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select

from server.announcements.enums import Channel
from server.announcements.models import ChannelUse
from server.base.clock import beijing_day, beijing_midnight
from server.base.outbox_rows import OutboxPause
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork

_PREFIX = "announcements:"


def count_calls(uow: UnitOfWork, calls: Counter[Channel]) -> None:
    """Add calls to the counts of this Beijing day, as the last step of the transaction.

    Locks: the counts, until the commit; all senders share them.
    """
    today = beijing_day(uow.now)

    def add_calls() -> None:
        for channel in sorted(calls):
            made = insert_for(uow.session, ChannelUse).values(
                on_day=today, channel=channel, calls=calls[channel]
            )
            grown = {"calls": ChannelUse.calls + calls[channel]}
            uow.session.execute(
                made.on_conflict_do_update(index_elements=["on_day", "channel"], set_=grown)
            )

    if calls:
        uow.before_commit(add_calls)


def calls_today(uow: UnitOfWork) -> dict[Channel, int]:
    """The number of calls of each channel on this Beijing day."""
    today = beijing_day(uow.now)
    rows = uow.session.execute(
        select(ChannelUse.channel, ChannelUse.calls).where(ChannelUse.on_day == today)
    )
    return {row.channel: row.calls for row in rows}


def pause_channels(uow: UnitOfWork, channels: Collection[Channel]) -> None:
    """Make no more calls of these channels on this Beijing day; their recipients stay queued."""
    midnight = beijing_midnight(beijing_day(uow.now) + timedelta(days=1))
    for channel in sorted(channels):
        values = {"paused_at": uow.now, "until": midnight, "reason": "quota_spent"}
        made = insert_for(uow.session, OutboxPause).values(queue=_PREFIX + channel, **values)
        uow.session.execute(made.on_conflict_do_update(index_elements=["queue"], set_=values))


def paused_channels(uow: UnitOfWork) -> dict[Channel, datetime]:
    """The channels whose quota is spent, and when each continues."""
    names = {_PREFIX + channel: channel for channel in Channel}
    rows = uow.session.execute(
        select(OutboxPause.queue, OutboxPause.until).where(
            OutboxPause.queue.in_(names), OutboxPause.until > uow.now
        )
    )
    return {names[row.queue]: row.until for row in rows}
