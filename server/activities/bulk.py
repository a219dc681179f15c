"""Inserts series, and finds activities that exist, for the sample data of the demo."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from server.activities.models import Activity, ActivitySeries
from server.base.access import Scope
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSeries:
    """A series to insert."""

    ref: str
    title: str
    programme: str | None
    introduction: str


def add_series(uow: UnitOfWork, owner: Scope, new: NewSeries) -> int:
    """Insert a series, or find it by its ref; return its row id."""
    known = uow.session.scalar(select(ActivitySeries.id).where(ActivitySeries.ref == new.ref))
    if known is not None:
        return known
    row = ActivitySeries(
        ref=new.ref,
        title=new.title,
        programme_slug=new.programme,
        introduction=new.introduction,
        made_at=uow.now,
        **owned_by(owner),
    )
    uow.session.add(row)
    uow.session.flush()
    return row.id


def known_activities(uow: UnitOfWork, refs: Collection[str]) -> set[str]:
    """The refs among these that belong to an activity, in any state."""
    return set(uow.session.scalars(select(Activity.ref).where(Activity.ref.in_(list(refs)))))
