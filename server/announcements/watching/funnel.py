"""From the message to the act: who opened an announcement, and who then took part or signed up.

An act counts within seven days after the opening, for the person who opened; a person with several
acts counts once. Nothing is stored: the figures follow from the ledger, the sign-ups and the
participations each time.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from server.accounts import service as accounts
from server.announcements.enums import RecipientState
from server.announcements.models import Announcement, Recipient
from server.announcements.rules.acts import followed, followed_on
from server.base.clock import beijing_day
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.programme import service as programmes
from server.signups import service as signups

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
