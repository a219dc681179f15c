"""Merging units: members, results, figures and owned rows follow once; old links lead on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from server.accounts.models import Citizen
from server.accounts.profile import change_profile
from server.audit.models import AuditRecord
from server.base.access import REGION, Role
from server.base.jobs import TaskContext
from server.base.ownership import owned_by
from server.base.sql.tables import Base
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.console.models import ConsoleJob, ConsoleView
from server.organizers import unit_merging
from server.organizers.models import OrganizerAccount
from server.programme.models import Participation
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards import board_keys, standings_queries
from server.quiz.leaderboards.tasks import build_board
from server.quiz.models import Contest, Entry, QuestionHeading
from server.units import service as units
from server.units.models import Unit
from tests.conftest import application_of
from tests.kit import figures
from tests.kit.boards import a_contest, an_entry, hand_in, people
from tests.kit.clock import FakeClock
from tests.kit.console import Browser
from tests.kit.gateway import RecordingGateway
from tests.kit.jobs import run_jobs
from tests.kit.locks import meet
from tests.kit.organizers import an_account, logged_in
from tests.kit.units import a_unit

# Columns that name a unit and need no move, with the reason.
STAYS = {
    "unit.merged_into": "the merge itself",
    "sealed_rank.unit_id": "sealed ranks are signed, and stay as published",
    "participant.unit_id": "computed again from the participations",
    "participation_change.unit_id": "differences: the move notes the opposite ones",
}
MOVED = {
    "citizen.unit_id", "campaign_host.unit_id", "programme_organiser.unit_id",
    "programme.owner_id", "participation.unit_id", "entry.unit_id", "unit_request.unit_id",
}  # fmt: skip


@pytest.fixture
def factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


@pytest.fixture
def admin(app: Flask, factory: UnitOfWorkFactory, clock: FakeClock) -> Browser:
    """The system administrator of Nanning."""
    with factory.begin() as uow:
        an_account(uow, "admin", role=Role.SYSTEM_ADMIN)
    return logged_in(app, clock, "admin")


def merge(admin: Browser, old: str, new: str) -> int:
    form = {"into": new, "reason": "学校合并"}
    return admin.ask("POST", f"/units/{old}/merge", form)[0]


def test_every_column_that_names_a_unit_is_moved_or_has_a_reason_not_to_be() -> None:
    named = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name == "unit_id"
        or any(key.column.table.name == "unit" for key in column.foreign_keys)
    }
    assert named == MOVED | set(STAYS), "give the slice a UnitMove (server/base/uow.py)"


def play(uow: UnitOfWork, members: list[int], unit_id: int, *, over: bool = False) -> ContestView:
    """A contest in which each of these members has a result for the unit."""
    contest = a_contest(uow)
    for at, citizen in enumerate(members):
        entry = an_entry(uow, contest, citizen, city="450100", unit_id=unit_id)
        hand_in(uow, contest, entry, score=10 * at)
        figures.took_part(uow, citizen, f"{contest.id}-{citizen}", unit_id=unit_id, city="450100")
    if over:
        row = uow.session.get_one(Contest, contest.id)
        row.opens_at, row.closes_at = uow.now - timedelta(days=2), uow.now - timedelta(days=1)
    return contest


def board_entries(uow: UnitOfWork, contest_id: int, unit_id: int) -> list[int]:
    rows = standings_queries.board_rows(uow, contest_id, "total", f"unit:{unit_id}")
    return sorted(row.entry_id for row in rows)


def points_by_entry(uow: UnitOfWork, contest_id: int) -> dict[int, int]:
    rows = standings_queries.board_rows(uow, contest_id, "total", "region")
    return {row.entry_id: row.points for row in rows}


def test_everything_follows_and_nothing_counts_twice(
    admin: Browser, factory: UnitOfWorkFactory
) -> None:
    with factory.begin() as uow:
        old, new = a_unit(uow, county="450103"), a_unit(uow, county="450103")
        theirs = people(uow, 3, unit_id=old.id)
        ours = people(uow, 2, unit_id=new.id)
        running = play(uow, theirs, old.id)
        past = play(uow, theirs, old.id, over=True)
        for citizen in ours:
            entry = an_entry(uow, running, citizen, city="450100", unit_id=new.id)
            hand_in(uow, running, entry, score=20)
            figures.took_part(uow, citizen, f"n-{citizen}", unit_id=new.id, city="450100")
        wei = an_account(uow, "wei", place=f"unit:{old.id}")
        scope, _ = units.resolve_scope(uow, f"unit:{old.id}")
        other, _ = units.resolve_scope(uow, f"unit:{new.id}")
        for place, title in ((scope, "题干"), (other, "题干"), (scope, "答案")):
            uow.session.add(QuestionHeading(title=title, meaning="stem", **owned_by(place)))
        uow.session.add(
            ConsoleView(ref="cvw_1", organizer=wei.id, list_slug="quiz.questions", title="x",
                        columns=[], filter_query=f"owner=unit%3A{old.id}&words=a",
                        created_at=uow.now)
        )  # fmt: skip
        uow.session.flush()
    while figures.count(factory):
        pass
    with factory.begin(read_only=True) as uow:
        region = points_by_entry(uow, running.id)
    for name in (f"total/unit:{old.id}", f"total/unit:{new.id}"):
        assert build_board(factory, running.id, name)

    page = admin.get(f"/units/{old.ref}/merge?into={new.ref}")[1]
    for told in ("成员3人", "竞赛成绩6份", "参与记录6条", new.name):
        assert told in page
    offered = admin.get(f"/units/{old.ref}/merge?q=中学")[1]
    assert f'into={new.ref}"' in offered
    assert f'into={old.ref}"' not in offered
    assert merge(admin, old.ref, new.ref) == 303
    assert run_jobs(factory) == 1
    while figures.count(factory):
        pass

    with factory.begin(read_only=True) as uow:
        for unit_id, count in ((old.id, 0), (new.id, 5)):
            mine = select(func.count()).where(Citizen.unit_id == unit_id)
            assert uow.session.scalar(mine) == count
        assert board_entries(uow, running.id, old.id) == []
        assert len(board_entries(uow, running.id, new.id)) == 5
        assert len(board_entries(uow, past.id, new.id)) == 3
        assert points_by_entry(uow, running.id) == region
        group = board_keys.group_name(running.id)
        sizes = [uow.kv.leaderboard.read_size(group, f"total/unit:{u.id}") for u in (old, new)]
        assert sizes == [0, 5]
        stored = figures.stored(uow)
        assert stored == figures.recounted(uow)
        assert not any(f"unit:{old.id}" in key for key in stored)
        assert set(uow.session.scalars(select(Participation.unit_id))) == {new.id}
        kept = uow.session.execute(select(QuestionHeading.title, QuestionHeading.owner)).all()
        assert sorted(tuple(row) for row in kept) == [
            ("答案", f"unit:{new.id}"), ("题干", f"unit:{new.id}"),
        ]  # fmt: skip
        assert uow.session.get_one(OrganizerAccount, wei.id).owner == f"unit:{new.id}"
        assert uow.session.scalars(select(ConsoleView.filter_query)).one() == (
            f"owner=unit%3A{new.id}&words=a"
        )
        followed = units.unit_by_ref(uow, old.ref)
        assert followed is not None
        assert followed.id == new.id
        assert units.resolve_scope(uow, f"unit:{old.id}")[0].unit_id == new.id
        acts = uow.session.scalars(
            select(AuditRecord.act).where(AuditRecord.subject_ref == old.ref)
        )
        assert list(acts) == ["organizers.merge_unit", "organizers.end_merge"]
        assert uow.session.get_one(Unit, old.id).merge_ended_at is not None
        job = uow.session.scalars(select(ConsoleJob)).one()
        assert (job.said, job.failed) == ("organizers.units.merge_done", False)
    shown = admin.get(f"/units/{old.ref}")[1]
    assert "已经并入" in shown
    assert new.name in shown
    assert merge(admin, old.ref, new.ref) == 409


@pytest.mark.parametrize(("into", "status"), [("self", 422), ("other_city", 404), ("closed", 422)])
def test_a_unit_is_merged_into_an_open_one_of_the_own_place_alone(
    admin: Browser, factory: UnitOfWorkFactory, into: str, status: int
) -> None:
    with factory.begin() as uow:
        old = a_unit(uow)
        made = {
            "self": old,
            "other_city": a_unit(uow, city="450200"),
            "closed": a_unit(uow, valid_to=uow.now.date() - timedelta(days=9)),
        }
    assert merge(admin, old.ref, made[into].ref) == status
    with factory.begin(read_only=True) as uow:
        assert units.unit_by_ref(uow, old.ref) is not None


def test_a_chain_of_merges_leads_to_the_last_unit(
    admin: Browser, factory: UnitOfWorkFactory
) -> None:
    with factory.begin() as uow:
        first, second, third = (a_unit(uow) for _ in range(3))
        people(uow, 2, unit_id=first.id)
    assert merge(admin, first.ref, second.ref) == 303
    # The first job has not run yet when its target is merged too.
    assert merge(admin, second.ref, third.ref) == 303
    assert run_jobs(factory) == 2
    with factory.begin(read_only=True) as uow:
        assert set(uow.session.scalars(select(Citizen.unit_id))) == {third.id}
        followed = units.unit_by_ref(uow, first.ref)
        assert followed is not None
        assert followed.id == third.id


def test_a_merge_whose_job_was_cancelled_is_finished_by_the_sweep(
    admin: Browser, factory: UnitOfWorkFactory
) -> None:
    with factory.begin() as uow:
        old, new = a_unit(uow), a_unit(uow)
        people(uow, 2, unit_id=old.id)
    assert merge(admin, old.ref, new.ref) == 303
    with factory.begin(read_only=True) as uow:
        ref = uow.session.scalars(select(ConsoleJob.ref)).one()
    assert admin.ask("POST", f"/jobs/{ref}/cancel", {})[0] == 303
    context = TaskContext(uow_factory=factory, gateway=RecordingGateway())
    assert unit_merging.finish_merges(context) == 1
    assert unit_merging.finish_merges(context) == 0
    with factory.begin(read_only=True) as uow:
        assert set(uow.session.scalars(select(Citizen.unit_id))) == {new.id}


Choose = Callable[[UnitOfWork, str], units.UnitView | None]


def choose_while_merging(factory: UnitOfWorkFactory, choose: Choose) -> tuple[int, int | None]:
    """A citizen has chosen the old unit, and the merge runs before the choice is stored.

    The new unit, and the unit of the citizen afterwards.
    """
    with factory.begin() as uow:
        old, new = a_unit(uow), a_unit(uow)
        (citizen,) = people(uow, 1)
    found: list[int] = []

    def read_choice(uow: UnitOfWork) -> None:
        unit = choose(uow, old.ref)
        assert unit is not None
        found.append(unit.id)

    def store_choice(uow: UnitOfWork) -> None:
        mine = update(Citizen).where(Citizen.id == citizen)
        uow.session.execute(mine.values(unit_id=found[0]))

    def run_merge() -> None:
        with factory.begin() as uow:
            units.merge_unit(uow, *units.lock_pair(uow, REGION, old.ref, new.ref))
        unit_merging.move_references(factory, old.id, lambda _done: None)

    meet(factory, read_choice, run_merge, store_choice)
    with factory.begin(read_only=True) as uow:
        return new.id, uow.session.scalar(select(Citizen.unit_id).where(Citizen.id == citizen))


@pytest.mark.race
def test_a_citizen_who_is_joining_the_old_unit_is_moved_too(
    uow_factory: UnitOfWorkFactory,
) -> None:
    new, chosen = choose_while_merging(uow_factory, units.unit_to_join)
    assert chosen == new


@pytest.mark.race
def test_control_without_the_lock_the_citizen_stays_behind(
    uow_factory: UnitOfWorkFactory, database_kind: str
) -> None:
    new, chosen = choose_while_merging(uow_factory, units.unit_by_ref)
    # SQLite has one writer, so the merge waits for the whole choice there.
    assert (chosen == new) is (database_kind == "sqlite")


def test_a_citizen_who_chooses_a_merged_unit_joins_the_one_of_today(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with uow_factory.begin() as uow:
        old, new = a_unit(uow), a_unit(uow)
        (citizen,) = people(uow, 1)
        units.merge_unit(uow, *units.lock_pair(uow, REGION, old.ref, new.ref))
    asked: list[str] = []
    real = units.unit_to_join

    def note_lock(uow: UnitOfWork, ref: str) -> units.UnitView | None:
        asked.append(ref)
        return real(uow, ref)

    monkeypatch.setattr(units, "unit_to_join", note_lock)
    with uow_factory.begin() as uow:
        change_profile(uow, citizen, {"unit": old.ref})
        assert uow.session.get_one(Citizen, citizen).unit_id == new.id
    assert asked == [old.ref]


def test_a_papers_own_unit_follows_even_when_it_was_counted_during_the_merge(
    uow_factory: UnitOfWorkFactory,
) -> None:
    """A participation written for the old unit after its kind was moved is found again."""
    with uow_factory.begin() as uow:
        old, new = a_unit(uow), a_unit(uow)
        citizen, late = people(uow, 2, unit_id=old.id)
        contest = play(uow, [citizen], old.id)
        units.merge_unit(uow, *units.lock_pair(uow, REGION, old.ref, new.ref))
    seen: list[int] = []

    def hand_in_late(done: int) -> None:
        if done and not seen:
            seen.append(done)
            with uow_factory.begin() as uow:
                an_entry(uow, contest, late, unit_id=old.id)
                figures.took_part(uow, late, "late", unit_id=old.id)

    unit_merging.move_references(uow_factory, old.id, hand_in_late)
    with uow_factory.begin(read_only=True) as uow:
        assert set(uow.session.scalars(select(Entry.unit_id))) == {new.id}
        assert set(uow.session.scalars(select(Participation.unit_id))) == {new.id}
