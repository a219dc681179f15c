"""Citizens as members of units: counted, and moved when their unit is merged."""

from __future__ import annotations

from sqlalchemy import func, select, update

from server.accounts.models import Citizen
from server.base.sql.locks import lock_batch
from server.base.uow import Hooks, UnitMove, UnitOfWork

_BATCH = 200


def count_members(uow: UnitOfWork, unit_id: int) -> int:
    """How many citizens have chosen a unit."""
    mine = select(func.count()).select_from(Citizen).where(Citizen.unit_id == unit_id)
    return uow.session.scalar(mine) or 0


def move_members(uow: UnitOfWork, old: int, new: int) -> int:
    """Move one batch of members to another unit; return how many.

    Locks: the citizens.
    """
    ids = lock_batch(uow, select(Citizen.id).where(Citizen.unit_id == old), _BATCH)
    uow.session.execute(update(Citizen).where(Citizen.id.in_(ids)).values(unit_id=new))
    return len(ids)


HOOKS = Hooks(
    follow_unit=(UnitMove(said="accounts.unit.members", count=count_members, move=move_members),)
)
