"""Changes unfinished jobs and saved filters of a merged unit to refer to the new unit."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from sqlalchemy import select

from server.base.uow import UnitMove, UnitOfWork
from server.console.models import ConsoleJob, ConsoleView


def count_named(uow: UnitOfWork, unit_id: int) -> int:
    """Number of unfinished jobs and saved filters that refer to a unit."""
    return len(_jobs_of(uow, unit_id)) + len(_views_of(uow, unit_id))


def rename_all(uow: UnitOfWork, old: int, new: int) -> int:
    """Replace the old unit by the new one in jobs and filters; return how many were changed."""
    jobs, views = _jobs_of(uow, old), _views_of(uow, old)
    for job in jobs:
        job.acts_as = {**job.acts_as, "scope": [*job.acts_as["scope"][:2], new]}
    for view in views:
        pairs = parse_qsl(view.filter_query)
        named = {f"unit:{old}": f"unit:{new}"}
        view.filter_query = urlencode([(name, named.get(value, value)) for name, value in pairs])
    uow.session.flush()
    return len(jobs) + len(views)


def _jobs_of(uow: UnitOfWork, unit_id: int) -> list[ConsoleJob]:
    running = uow.session.scalars(select(ConsoleJob).where(ConsoleJob.ended_at.is_(None)))
    return [job for job in running if job.acts_as["scope"][2] == unit_id]


def _views_of(uow: UnitOfWork, unit_id: int) -> list[ConsoleView]:
    spelled = f"unit:{unit_id}"
    some = select(ConsoleView).where(ConsoleView.filter_query.contains("unit%3A", autoescape=True))
    return [
        view
        for view in uow.session.scalars(some)
        if spelled in dict(parse_qsl(view.filter_query)).values()
    ]


UNIT_MOVE = UnitMove(said="console.unit.named", count=count_named, move=rename_all)
