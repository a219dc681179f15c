"""Flags and holds of entries, in rows."""

from __future__ import annotations

from sqlalchemy import select

from server.base.access import Scope
from server.base.uow import UnitOfWork
from server.quiz.enums import CaseState, Signal
from server.quiz.leaderboards import service as boards
from server.quiz.models import Attempt, IntegrityCase, IntegrityFlag
from server.units.models import Unit
from tests.kit.boards import a_contest, a_paper, an_entry, people


def make_flag(uow: UnitOfWork, place: Scope, state: CaseState) -> str:
    """The ref of a flag on an entry of a place, which has a hold in this state."""
    (citizen,) = people(uow, 1)
    at = {"city": place.city, "county": place.county, "unit_id": _own_unit(uow, place)}
    entry_id = an_entry(uow, a_contest(uow), citizen, **at)
    flag = IntegrityFlag(
        ref=uow.new_ref("flg"),
        entry_id=entry_id,
        signal=Signal.SPEED,
        evidence={"papers": ["att_1"], "each_ms": 300, "floor_ms": 1000},
        found_at=uow.now,
    )
    uow.session.add(flag)
    if state is not CaseState.RELEASED:
        boards.hold_entry(uow, entry_id)
    uow.session.add(
        IntegrityCase(
            ref=uow.new_ref("hld"), entry_id=entry_id, state=state, hold_reason="答题过快",
            holder_id=0, held_at=uow.now, appeal="我没有", appealed_at=uow.now,
        )
    )  # fmt: skip
    uow.session.flush()
    return flag.ref


def make_entrant(uow: UnitOfWork, place: Scope) -> str:
    """The ref of a paper of somebody from a place."""
    contest = a_contest(uow)
    at = {"city": place.city, "county": place.county, "unit_id": _own_unit(uow, place)}
    (citizen,) = people(uow, 1)
    paper = a_paper(uow, contest, an_entry(uow, contest, citizen, **at), score=50)
    return str(uow.session.scalar(select(Attempt.ref).where(Attempt.id == paper)))


def _own_unit(uow: UnitOfWork, place: Scope) -> int | None:
    if place.unit_id is not None and uow.session.get(Unit, place.unit_id) is None:
        name = f"单位{place.unit_id}"
        uow.session.add(
            Unit(
                id=place.unit_id, ref=f"unit_{place.unit_id}", name=name, kind="school",
                level="county", assumed=False,
            )
        )  # fmt: skip
        uow.session.flush()
    return place.unit_id
