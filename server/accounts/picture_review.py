"""Pictures for manual review: WeChat was not sure about them, or gave no verdict in time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import undefer

from server.accounts import avatars
from server.accounts.errors import NoSuchPicture
from server.accounts.models import Avatar, AvatarState, Citizen, PictureVerdict
from server.base.uow import UnitOfWork

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class WaitingPicture:
    """A picture in review; its owner is omitted, so that the review is impartial."""

    name: str
    made_at: datetime
    picture: bytes


def waiting_pictures(uow: UnitOfWork) -> list[WaitingPicture]:
    """All pictures in review, the oldest first."""
    rows = uow.session.scalars(
        select(Avatar)
        .options(undefer(Avatar.picture))
        .where(Avatar.state == AvatarState.REVIEW)
        .order_by(Avatar.made_at, Avatar.id)
    )
    return [
        WaitingPicture(name=row.name, made_at=row.made_at, picture=row.picture or b"")
        for row in rows
    ]


def judge_picture(uow: UnitOfWork, name: str, *, shown: bool) -> None:
    """Show a picture in review to everybody, or refuse and delete it; logged after the commit.

    Raises: NoSuchPicture (404) unless a picture of this name is in review.
    Locks: the citizen, then the picture.
    """
    owner = uow.session.scalar(select(Avatar.citizen_id).where(Avatar.name == name))
    uow.session.execute(select(Citizen.id).where(Citizen.id == owner).with_for_update())
    row = uow.session.scalar(
        select(Avatar)
        .where(Avatar.name == name, Avatar.citizen_id == owner, Avatar.state == AvatarState.REVIEW)
        .with_for_update()
    )
    if row is None:
        raise NoSuchPicture
    verdict = PictureVerdict.PASS if shown else PictureVerdict.RISKY
    avatars.carry_out_verdict(uow, row, verdict)
    facts = {"picture": name, "shown": shown}
    uow.after_commit(lambda: _log.warning("picture reviewed by an operator", extra=facts))
