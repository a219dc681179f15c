"""Linking followers from before the launch: the list of followers is gone through slowly.

Each part is claimed and committed before WeChat is called; a part that a killed worker held is
gone through again, which changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select, update

from server.base.signing import Unreadable
from server.base.tables import insert_for
from server.base.work import Work
from server.channel import rules
from server.channel.models import FollowerSweep

_ONLY = 1
_SEALED_FOR = "follower_sweep.cursor"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the list in the hands of one worker; `fence` tells its claim from later ones."""

    fence: int
    place: int
    cursor: str = field(repr=False)


def claim_part(work: Work) -> Part | None:
    """Take the next part if it is due; nobody else takes it until the time of the one after."""
    work.session.execute(
        insert_for(work.session, FollowerSweep)
        .values(id=_ONLY, place=0, due_at=work.now, fence=0)
        .on_conflict_do_nothing()
    )
    row = work.session.scalar(
        select(FollowerSweep)
        .where(FollowerSweep.id == _ONLY, FollowerSweep.due_at <= work.now)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.due_at, row.fence = work.now + rules.SWEEP_EVERY, row.fence + 1
    try:
        cursor = "" if row.cursor is None else work.keys.unseal(row.cursor, _SEALED_FOR)
    except Unreadable:
        # Sealed under an earlier master key: the list is gone through from its beginning.
        row.place, cursor = 0, ""
    return Part(fence=row.fence, place=row.place, cursor=cursor)


def go_on(work: Work, part: Part, *, cursor: str, place: int) -> None:
    """Remember where the next part begins."""
    sealed = work.keys.seal(cursor, _SEALED_FOR) if cursor else None
    _settle(work, part, cursor=sealed, place=place)


def begin_again(work: Work, part: Part, after: timedelta) -> None:
    """The list is at its end, or its cursor is worth nothing any more."""
    _settle(work, part, cursor=None, place=0, due_at=work.now + after)


def wait(work: Work, part: Part, after: timedelta) -> None:
    """WeChat could not answer now: the same part comes again."""
    _settle(work, part, due_at=work.now + max(after, rules.SWEEP_EVERY))


def _settle(work: Work, part: Part, **columns: object) -> None:
    work.session.execute(
        update(FollowerSweep)
        .where(FollowerSweep.id == _ONLY, FollowerSweep.fence == part.fence)
        .values(**columns)
    )
