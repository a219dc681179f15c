"""Links followers from before the launch by a slow sweep through the list of followers.

Each part is claimed and committed before WeChat is called; a part of a killed worker is processed
again, which changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select, update

from server.base.signing import Unreadable
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.channel import rules
from server.channel.models import FollowerSweep

_ONLY = 1
_SEALED_FOR = "follower_sweep.cursor"


@dataclass(frozen=True, kw_only=True)
class SweepPart:
    """A part of the list held by one worker; `fence` distinguishes its claim from later ones."""

    fence: int
    place: int
    cursor: str = field(repr=False)


def claim_part(uow: UnitOfWork) -> SweepPart | None:
    """Claim the next part if it is due; the claim lasts until the next part is due."""
    uow.session.execute(
        insert_for(uow.session, FollowerSweep)
        .values(id=_ONLY, place=0, due_at=uow.now, fence=0)
        .on_conflict_do_nothing()
    )
    row = uow.session.scalar(
        select(FollowerSweep)
        .where(FollowerSweep.id == _ONLY, FollowerSweep.due_at <= uow.now)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.due_at, row.fence = uow.now + rules.SWEEP_EVERY, row.fence + 1
    try:
        cursor = "" if row.cursor is None else uow.keys.unseal_text(row.cursor, _SEALED_FOR)
    except Unreadable:
        # Sealed under an earlier master key: the sweep restarts.
        row.place, cursor = 0, ""
    return SweepPart(fence=row.fence, place=row.place, cursor=cursor)


def go_on(uow: UnitOfWork, part: SweepPart, *, cursor: str, place: int) -> None:
    """Store where the next part begins."""
    sealed = uow.keys.seal_text(cursor, _SEALED_FOR) if cursor else None
    _settle_part(uow, part, cursor=sealed, place=place)


def begin_again(uow: UnitOfWork, part: SweepPart, after: timedelta) -> None:
    """Restart after the end of the list, or after its cursor became invalid."""
    _settle_part(uow, part, cursor=None, place=0, due_at=uow.now + after)


def retry_later(uow: UnitOfWork, part: SweepPart, after: timedelta) -> None:
    """Retry the same part later, because WeChat did not respond."""
    _settle_part(uow, part, due_at=uow.now + max(after, rules.SWEEP_EVERY))


def _settle_part(uow: UnitOfWork, part: SweepPart, **columns: object) -> None:
    uow.session.execute(
        update(FollowerSweep)
        .where(FollowerSweep.id == _ONLY, FollowerSweep.fence == part.fence)
        .values(**columns)
    )
