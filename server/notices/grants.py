"""Grants of many citizens at once: who has one to spare, taking, giving back, ending.

A grant is taken by an update that only succeeds while it is open, so it is used once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, func, select, update

from server.base.outbox_rows import OutboxState
from server.base.sql.many import is_any
from server.base.uow import UnitOfWork
from server.notices.models import MessageGrant, Push

_OPEN = (MessageGrant.used_at.is_(None), MessageGrant.revoked_at.is_(None))


def open_grants_select(template_id: str) -> Select[Any]:
    """A subquery of the citizens with an open grant that no queued push is planned for."""
    planned = (
        select(func.count())
        .where(
            Push.citizen_id == MessageGrant.citizen_id,
            Push.template_id == template_id,
            Push.outbox_state == OutboxState.QUEUED,
        )
        .correlate(MessageGrant)
        .scalar_subquery()
    )
    return (
        select(MessageGrant.citizen_id)
        .where(MessageGrant.template_id == template_id, *_OPEN)
        .group_by(MessageGrant.citizen_id)
        .having(func.count() > planned)
    )


def take_grants(uow: UnitOfWork, template_id: str, citizen_ids: Collection[int]) -> dict[int, int]:
    """Use the oldest spare grant of each of these citizens; return its row id by citizen.

    Citizens without one are missing.
    Locks: the grants; the caller holds the citizens.
    """
    taken: dict[int, int] = {}
    waiting = set(citizen_ids)
    while waiting:
        offered = _oldest_spare(uow, template_id, waiting)
        rows = uow.session.execute(
            update(MessageGrant)
            .where(is_any(MessageGrant.id, offered.values()), *_OPEN)
            .values(used_at=uow.now)
            .returning(MessageGrant.citizen_id, MessageGrant.id)
            .execution_options(synchronize_session=False)
        )
        won = {row.citizen_id: row.id for row in rows}
        taken |= won
        # Another transaction took the grant of the others; they may have a second one.
        waiting = set(offered) - set(won)
    return taken


def give_back_grants(uow: UnitOfWork, grant_ids: Collection[int]) -> None:
    """Open grants again whose messages WeChat certainly did not accept."""
    uow.session.execute(
        update(MessageGrant)
        .where(is_any(MessageGrant.id, grant_ids))
        .values(used_at=None)
        .execution_options(synchronize_session=False)
    )


def end_grants(uow: UnitOfWork, template_id: str, citizen_ids: Collection[int]) -> None:
    """End all open grants of a template, because WeChat has none of these citizens.

    Locks: the grants; the caller holds the citizens.
    """
    uow.session.execute(
        update(MessageGrant)
        .where(
            is_any(MessageGrant.citizen_id, citizen_ids),
            MessageGrant.template_id == template_id,
            *_OPEN,
        )
        .values(revoked_at=uow.now)
        .execution_options(synchronize_session=False)
    )


def _oldest_spare(
    uow: UnitOfWork, template_id: str, citizen_ids: Collection[int]
) -> dict[int, int]:
    """The oldest open grant of citizens with more open grants than queued pushes."""
    whose, age = MessageGrant.citizen_id, (MessageGrant.made_at, MessageGrant.id)
    ranked = (
        select(
            MessageGrant.id,
            MessageGrant.citizen_id,
            func.row_number().over(partition_by=whose, order_by=age).label("place"),
            func.count().over(partition_by=whose).label("open"),
        )
        .where(
            is_any(MessageGrant.citizen_id, citizen_ids),
            MessageGrant.template_id == template_id,
            *_OPEN,
        )
        .subquery()
    )
    planned = (
        select(Push.citizen_id, func.count().label("planned"))
        .where(
            is_any(Push.citizen_id, citizen_ids),
            Push.template_id == template_id,
            Push.outbox_state == OutboxState.QUEUED,
        )
        .group_by(Push.citizen_id)
        .subquery()
    )
    spare = (
        select(ranked.c.citizen_id, ranked.c.id)
        .outerjoin(planned, planned.c.citizen_id == ranked.c.citizen_id)
        .where(ranked.c.place == 1, ranked.c.open > func.coalesce(planned.c.planned, 0))
    )
    return {row.citizen_id: row.id for row in uow.session.execute(spare)}
