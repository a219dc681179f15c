"""The command that counts every figure again from the recorded participations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from server.base.access import System
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.dashboard import counting
from server.dashboard.funnel import count_funnel
from server.dashboard.models import FigureDay, FigureGroup, FigureHour, Participant
from server.programme import service as programmes

_PEOPLE = 2000
_FIGURES = (FigureDay, FigureHour, FigureGroup)


@dataclass(frozen=True, kw_only=True)
class RebuiltFigures:
    """Result of the command: how many figures there are, and how many were wrong."""

    figures: int
    people: int
    corrected: int


def rebuild_figures(uow_factory: UnitOfWorkFactory) -> RebuiltFigures:
    """Count all figures and participants again, in one transaction.

    Readers see the earlier figures until the commit; participations added meanwhile count later.
    Locks: the name of the figures.
    """
    with uow_factory.begin(System(name="rebuild-figures")) as uow:
        counting.lock_figures(uow)
        before = _read_figures(uow)
        for model in (*_FIGURES, Participant):
            uow.session.execute(delete(model))
        sums = counting.recounted_sums(uow)
        people = _recount_people(uow, sums)
        counting.add_sums(uow, sums)
        after = _read_figures(uow)
    with uow_factory.begin(System(name="rebuild-figures")) as uow:
        count_funnel(uow)
    corrected = sum(before.get(key) != after.get(key) for key in before.keys() | after.keys())
    return RebuiltFigures(figures=len(after), people=people, corrected=corrected)


def _recount_people(uow: UnitOfWork, sums: counting.Sums) -> int:
    last, count = 0, 0
    while True:
        some = programmes.citizens_after(uow, last, _PEOPLE)
        if not some:
            return count
        found = programmes.sum_by_person(uow, some)
        counting.add_people(uow, found.values())
        for one in found.values():
            sums.add_person(one, 1)
        last, count = some[-1], count + len(found)


def _read_figures(uow: UnitOfWork) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return {
        (model.__tablename__, row[0], row[1]): tuple(row[2:])
        for model in _FIGURES
        for row in uow.session.execute(select(*model.__table__.c))
    }
