"""The limit on messages that a citizen did not ask for, counted over all senders.

A message of any announcement and the daily reminder reserve a place on the citizen's day before
they are sent. Messages about one's own sign-ups are not counted here.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, case, delete, func, or_, select

from server.base.clock import beijing_day
from server.base.sql.many import insert_many, is_any
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork
from server.notices.models import Outreach

# Days of a week: today and the six before.
_WEEK = timedelta(days=7)


def reserve_outreach(
    uow: UnitOfWork, key: str, citizen_ids: Collection[int], per_day: int, per_week: int
) -> set[int]:
    """Reserve a place for the message `key` with each of these citizens; return those who had one.

    A citizen gets `per_day` messages on a Beijing day and `per_week` in seven days, from all
    senders together. A repeat with the same key reserves nothing more and returns the same.
    Locks: the caller holds the citizens exclusively (`accounts.lock_citizens`), or two messages
    reserve one place.
    """
    today = beijing_day(uow.now)
    counts = {
        row.citizen_id: row
        for row in uow.session.execute(
            outreach_counts_select(today).where(is_any(Outreach.citizen_id, citizen_ids))
        )
    }
    mine = select(Outreach.citizen_id).where(
        is_any(Outreach.citizen_id, citizen_ids), Outreach.key == key
    )
    reserved = set(uow.session.scalars(mine))
    free = set()
    for one in set(citizen_ids) - reserved:
        on_day, in_week = (counts[one].today, counts[one].week) if one in counts else (0, 0)
        if on_day < per_day and in_week < per_week:
            free.add(one)
    same = {"key": key, "day": today, "at": uow.now}
    insert_many(uow.session, table_of(Outreach), same, {"citizen_id": sorted(free)})
    return reserved | free


def release_outreach(uow: UnitOfWork, key: str, citizen_ids: Collection[int]) -> None:
    """Release the places of a message that was certainly not delivered to these citizens.

    Locks: the caller holds the citizens.
    """
    uow.session.execute(
        delete(Outreach)
        .where(is_any(Outreach.citizen_id, citizen_ids), Outreach.key == key)
        .execution_options(synchronize_session=False)
    )


def outreach_counts_select(today: date, but: str | None = None) -> Select[Any]:
    """Columns `citizen_id`, `today` and `week`: the messages of this Beijing day and of seven days.

    Citizens without one are missing. The message with the key `but` does not count.
    """
    on_day = func.sum(case((Outreach.day == today, 1), else_=0))
    columns: list[Any] = [Outreach.citizen_id, on_day.label("today"), func.count().label("week")]
    counted = select(*columns).where(Outreach.day > today - _WEEK)
    if but is not None:
        counted = counted.where(Outreach.key != but)
    return counted.group_by(Outreach.citizen_id)


def capped_ids(today: date, per_day: int, per_week: int) -> Select[Any]:
    """A subquery of the citizens for whom no place is left on this Beijing day."""
    counts = outreach_counts_select(today).subquery()
    full = or_(counts.c.today >= per_day, counts.c.week >= per_week)
    return select(counts.c.citizen_id).where(full)
