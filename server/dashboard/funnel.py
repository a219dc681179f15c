"""The funnel: numbers of people who followed, logged in, started, submitted, took part again.

Counted completely at intervals; figures some minutes old are enough. People count at the place in
their present profile; erased and merged citizens are not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import delete, insert, select

from server.accounts import service as accounts
from server.base.sql.locks import lock_name
from server.base.uow import UnitOfWork
from server.channel import service as channel
from server.dashboard.counting import note_counted, places_of
from server.dashboard.models import FigureFunnel, FigureState, Participant
from server.quiz import service as quiz

FUNNEL = "funnel"
STEPS = ("followed", "logged_in", "started", "handed_in", "came_again")
# Interval between two counts; each count reads every citizen.
COUNTED_EVERY = timedelta(minutes=2)


def is_funnel_due(uow: UnitOfWork) -> bool:
    """Whether the last count is old enough."""
    last = uow.session.scalar(select(FigureState.counted_at).where(FigureState.kind == FUNNEL))
    return last is None or not timedelta(0) <= uow.now - last < COUNTED_EVERY


def count_funnel(uow: UnitOfWork) -> int:
    """Count every step again; return how many places have figures.

    Locks: the name of the funnel.
    """
    return store_funnel(uow, read_steps(uow))


def read_steps(uow: UnitOfWork) -> dict[str, Counter[str]]:
    """How many people reached each step, by place; reads every citizen, and needs no lock."""
    took_part = select(Participant.citizen_id)
    chosen = {
        "followed": channel.following_select(),
        "logged_in": accounts.mini_program_ids(),
        "started": quiz.starter_ids(),
        "handed_in": took_part.where(Participant.completed > 0),
        "came_again": took_part.where(Participant.days > 1),
    }
    counts: dict[str, Counter[str]] = {}
    for step, ids in chosen.items():
        for found in accounts.count_by_place(uow, ids):
            for place in places_of(found):
                counts.setdefault(place, Counter())[step] += found.number
    return counts


def store_funnel(uow: UnitOfWork, counts: Mapping[str, Counter[str]]) -> int:
    """Replace the funnel of every place; return how many places have figures.

    Locks: the name of the funnel.
    """
    lock_name(uow, "figures", FUNNEL)
    uow.session.execute(delete(FigureFunnel))
    rows = [
        {"place": place, **{step: steps[step] for step in STEPS}}
        for place, steps in sorted(counts.items())
    ]
    if rows:
        uow.session.execute(insert(FigureFunnel), rows)
    note_counted(uow, FUNNEL)
    return len(rows)
