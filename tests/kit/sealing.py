"""Contests to freeze and seal, in rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.base.access import Organizer
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.enums import SealState
from server.quiz.models import Contest, SealedVersion
from server.quiz.sealing import service as sealing
from server.quiz.sealing import tasks as sealing_tasks
from server.quiz.sealing.building import SealOrder, build_version
from tests.kit.boards import a_contest, a_unit, an_entry, hand_in, people
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE

APPROVER = PEOPLE["approver-region"]
OTHER = replace(APPROVER, id=900, name="第二位审核员", ref="org_second")


def a_played_contest(uow: UnitOfWork, scores: Sequence[int] = (100, 90, 90, 80, 60)) -> ContestView:
    """A contest with one paper each of people in two cities, the second half in a unit."""
    contest = a_contest(uow, papers_per_day=9, divisions=[
        {"key": "adult", "title": "成人组"}, {"key": "pupil", "title": "学生组"},
    ])  # fmt: skip
    unit = a_unit(uow)
    places = (
        {"city": "450100", "county": "450103", "audience": "youth", "division": "adult"},
        {"city": "450200", "county": "450202", "unit_id": unit.id, "audience": "elder",
         "division": "pupil"},
        {},
    )  # fmt: skip
    for at, (citizen, score) in enumerate(zip(people(uow, len(scores)), scores, strict=True)):
        entry = an_entry(uow, contest, citizen, **places[at % 3])
        hand_in(uow, contest, entry, score=score, time_ms=60_000 + at)
    return contest


def end_contest(uow_factory: UnitOfWorkFactory, clock: FakeClock, contest: ContestView) -> None:
    """The contest is over, and long enough to be sealed."""
    with uow_factory.begin() as uow:
        uow.session.get_one(Contest, contest.id).closes_at = uow.now
    clock.advance(120)


def seal(
    uow_factory: UnitOfWorkFactory, contest: ContestView, organizer: Organizer = APPROVER
) -> str:
    """Seal the first version; its ref."""
    with uow_factory.begin() as uow:
        return sealing.seal_contest(uow, organizer, contest.ref, "结束", accept_open=True).ref


def publish(
    uow_factory: UnitOfWorkFactory, contest: ContestView, ref: str, organizer: Organizer = OTHER
) -> ContestView:
    """Publish a version; the contest afterwards."""
    with uow_factory.begin() as uow:
        sealing.publish_version(uow, organizer, contest.ref, ref)
    return reread(uow_factory, contest)


def reread(uow_factory: UnitOfWorkFactory, contest: ContestView) -> ContestView:
    """The contest as it is now."""
    with uow_factory.begin(read_only=True) as uow:
        return contests.contest_by_id(uow, contest.id)


def work(uow_factory: UnitOfWorkFactory) -> int:
    """What a worker does after a change of results and at the end of a freeze."""
    context = TaskContext(uow_factory=uow_factory, gateway=None)
    return sealing_tasks.draft_final_ranks(context) + sealing_tasks.unhide_standings(context)


def version_of(uow: UnitOfWork, ref: str) -> SealedVersion:
    """A version by its ref."""
    return uow.session.query(SealedVersion).filter_by(ref=ref).one()


def publish_at_once(uow_factory: UnitOfWorkFactory, ref: str) -> None:
    """Final ranks of a contest that still runs, published without the checks of a sealing."""
    with uow_factory.begin() as uow:
        view = contests.find_contest(uow, ref)
        order = SealOrder(author=APPROVER, reason="试试")
        version = build_version(uow, view, order)
        version.state, version.published_at = SealState.PUBLISHED, uow.now
        uow.session.get_one(Contest, view.id).final_id = version.id
