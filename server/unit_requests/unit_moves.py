"""Answers that name a unit follow it when it is merged."""

from __future__ import annotations

from sqlalchemy import func, select, update

from server.base.uow import Hooks, UnitMove, UnitOfWork
from server.unit_requests.models import UnitRequest


def count_answers(uow: UnitOfWork, unit_id: int) -> int:
    """How many answered requests name a unit."""
    named = select(func.count()).where(UnitRequest.unit_id == unit_id)
    return uow.session.scalar(named) or 0


def move_answers(uow: UnitOfWork, old: int, new: int) -> int:
    """Make answers refer to the new unit; return how many were changed."""
    moved = update(UnitRequest).where(UnitRequest.unit_id == old).values(unit_id=new)
    return len(uow.session.execute(moved.returning(UnitRequest.id)).all())


HOOKS = Hooks(
    follow_unit=(UnitMove(said="unit_requests.moved", count=count_answers, move=move_answers),)
)
