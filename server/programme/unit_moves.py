"""Moves a merged unit's roles in campaign and programmes, and its participations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import aliased

from server.base.sql.locks import lock_batch
from server.base.uow import Hooks, UnitMove, UnitOfWork
from server.programme.models import CampaignHost, Participation, Programme, ProgrammeOrganiser

_BATCH = 500


def _count_rows(uow: UnitOfWork, column: Any, unit_id: int) -> int:
    return uow.session.scalar(select(func.count()).where(column == unit_id)) or 0


def count_participations(uow: UnitOfWork, unit_id: int) -> int:
    """How many participations count for a unit."""
    return _count_rows(uow, Participation.unit_id, unit_id)


def move_participations(uow: UnitOfWork, old: int, new: int) -> int:
    """Move one batch of participations; triggers note the change for the figures.

    Locks: the participations.
    """
    ids = lock_batch(uow, select(Participation.id).where(Participation.unit_id == old), _BATCH)
    uow.session.execute(update(Participation).where(Participation.id.in_(ids)).values(unit_id=new))
    return len(ids)


def count_roles(uow: UnitOfWork, unit_id: int) -> int:
    """How many times a unit is named as host, owner or organiser."""
    columns = (CampaignHost.unit_id, Programme.owner_id, ProgrammeOrganiser.unit_id)
    return sum(_count_rows(uow, column, unit_id) for column in columns)


def move_roles(uow: UnitOfWork, old: int, new: int) -> int:
    """Replace the old unit by the new one; delete its row where the new unit has the same role."""
    moved = 0
    for table, key in ((CampaignHost, ("campaign_id",)),
                       (ProgrammeOrganiser, ("programme_id", "role"))):  # fmt: skip
        named: Any = aliased(table)
        same = [getattr(named, name) == getattr(table, name) for name in key]
        twice = select(named.id).where(named.unit_id == new, *same).exists()
        left_out = delete(table).where(table.unit_id == old, twice)
        options = {"synchronize_session": False}
        done = uow.session.execute(left_out.returning(table.id).execution_options(**options))
        moved += len(done.all()) + _rename_column(uow, table, "unit_id", old, new)
    return moved + _rename_column(uow, Programme, "owner_id", old, new)


def _rename_column(uow: UnitOfWork, table: Any, column: str, old: int, new: int) -> int:
    renamed = update(table).where(getattr(table, column) == old).values({column: new})
    return len(uow.session.execute(renamed.returning(table.id)).all())


HOOKS = Hooks(
    follow_unit=(
        UnitMove(
            said="programme.unit.participations",
            count=count_participations,
            move=move_participations,
        ),
        UnitMove(said="programme.unit.roles", count=count_roles, move=move_roles),
    )
)
