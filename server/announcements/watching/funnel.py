"""From the message to the act: who opened an announcement, and who then took part or signed up.

An act counts within seven days after the opening, for the person who opened; a person with several
acts counts once. Nothing is stored: the figures follow from the ledger, the sign-ups and the
participations each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select, update

from server.accounts import service as accounts
from server.announcements.enums import RecipientState
from server.announcements.models import Announcement, Recipient
from server.base.clock import BEIJING, beijing_day
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.programme import service as programmes
from server.signups import service as signups

ACTS_WITHIN = timedelta(days=7)
_TOGETHER = 500


@dataclass(frozen=True, kw_only=True)
class Acts:
    """The people who opened an announcement and then signed up, took part, or did either."""

    signed_up: int = 0
    took_part: int = 0
    either: int = 0


def note_opened(uow: UnitOfWork, citizen_id: int, ref: str) -> None:
    """Store that a recipient has opened an announcement; the first time counts.

    Raises: NotFound (404) when the citizen is no recipient of it.
    Locks: the citizen, then the recipient.
    """
    accounts.lock_citizen(uow, citizen_id)
    mine = select(Recipient).join(Announcement, Announcement.id == Recipient.announcement_id)
    row = uow.session.scalar(
        mine.where(Announcement.ref == ref, Recipient.citizen_id == citizen_id)
    )
    if row is None or row.state is RecipientState.CANCELLED:
        raise NotFound
    uow.session.execute(
        update(Recipient)
        .where(Recipient.id == row.id, Recipient.opened_at.is_(None))
        .values(opened_at=uow.now)
        .execution_options(synchronize_session=False)
    )


def count_acts(uow: UnitOfWork, announcement_id: int) -> Acts:
    """Count the acts of those who were reached and opened the announcement."""
    opened = uow.session.execute(
        select(Recipient.citizen_id, Recipient.opened_at)
        .where(
            Recipient.announcement_id == announcement_id,
            Recipient.state == RecipientState.SENT,
            Recipient.opened_at.is_not(None),
        )
        .order_by(Recipient.id)
    ).all()
    signed: set[int] = set()
    took: set[int] = set()
    for start in range(0, len(opened), _TOGETHER):
        some = {row.citizen_id: row.opened_at for row in opened[start : start + _TOGETHER]}
        made = signups.signups_made(uow, list(some), min(some.values()))
        signed |= {who for who, at in made if followed(some[who], at)}
        parts = programmes.parts_taken(uow, list(some), beijing_day(min(some.values())))
        took |= {who for who, day, hour in parts if followed_on(some[who], day, hour)}
    return Acts(signed_up=len(signed), took_part=len(took), either=len(signed | took))


def followed(opened_at: datetime, at: datetime) -> bool:
    """Whether an act at an instant came after the opening, and soon enough."""
    return opened_at <= at <= opened_at + ACTS_WITHIN


def followed_on(opened_at: datetime, day: date, hour: int | None) -> bool:
    """As `followed`, for a participation: its day is known, and for a paper the hour of its start.

    One on the day of the opening counts, except when it began in an earlier hour.
    """
    opened = opened_at.astimezone(BEIJING)
    if day == opened.date():
        return hour is None or hour >= opened.hour
    return opened.date() < day <= opened.date() + ACTS_WITHIN
