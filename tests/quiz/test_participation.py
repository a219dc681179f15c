"""A closed paper is written down as taking part, once, and the past can be worked out again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from server.accounts import identities, privacy, profile
from server.accounts import service as accounts
from server.accounts.models import Citizen
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.programme import service as programmes
from server.programme.models import Participation
from server.quiz.attempts import participation
from server.quiz.attempts import service as attempts
from server.quiz.attempts.participation import RebuiltParticipation, rebuild_participation
from server.quiz.contests.service import ContestView
from server.quiz.models import Attempt, Contest, Entry
from server.quiz.tasks import close_expired
from tests.kit.accounts import a_citizen
from tests.kit.clock import FakeClock
from tests.kit.locks import meet
from tests.kit.quiz import all_at_once, open_contest, take

NANNING = {"city": "450100", "county": "450103"}
OPENID, UNIONID = "openid-of-the-double", "union-of-both"


@pytest.fixture
def contest(uow_factory: UnitOfWorkFactory) -> ContestView:
    return open_contest(uow_factory, papers_per_day=3)


def somebody(uow_factory: UnitOfWorkFactory, **columns: Any) -> int:
    with uow_factory.begin() as uow:
        return a_citizen(uow, **columns).id


def written(uow_factory: UnitOfWorkFactory) -> list[tuple[Any, ...]]:
    """All rows: whose, of which paper, of which programme, where and when."""
    with uow_factory.begin(read_only=True) as uow:
        rows = uow.session.scalars(select(Participation).order_by(Participation.source_ref)).all()
        return [
            (r.citizen_id, r.kind, r.source_ref, r.programme, r.city, r.county, r.unit_id, r.on_day)
            for r in rows
        ]


def rebuilt(uow_factory: UnitOfWorkFactory) -> RebuiltParticipation:
    return rebuild_participation(uow_factory, lambda _done, _total: None)


def lose_the_past(uow_factory: UnitOfWorkFactory) -> None:
    """The rows are gone, as they are for papers of before the table was there."""
    with uow_factory.begin() as uow:
        uow.session.execute(delete(Participation))


def test_a_closed_paper_is_written_with_its_programme_place_and_day(
    uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    with uow_factory.begin() as uow:
        uow.session.execute(update(Contest).values(programme_slug="quiz-contest"))
    me = somebody(uow_factory, **NANNING)
    with uow_factory.begin() as uow:
        view = attempts.start_paper(uow, contest.ref, me).view
    assert written(uow_factory) == []
    for _ in range(2):
        with uow_factory.begin() as uow:
            attempts.submit_paper(uow, view.sheet.ref, me, {})
    row = (me, "paper", view.sheet.ref, "quiz-contest", "450100", "450103", None, date(2026, 5, 1))
    assert written(uow_factory) == [row]


def test_a_paper_that_the_clock_closes_is_written_under_the_day_it_was_begun(
    uow_factory: UnitOfWorkFactory, contest: ContestView, clock: FakeClock
) -> None:
    clock.set(clock.now().replace(hour=15, minute=59))  # a minute before midnight in Beijing
    me = somebody(uow_factory)
    with uow_factory.begin() as uow:
        ref = attempts.start_paper(uow, contest.ref, me).view.sheet.ref
    clock.advance(7200)
    assert close_expired(TaskContext(uow_factory=uow_factory, gateway=None)) == 1
    # Without a place it counts for the region alone, without a programme for the campaign.
    assert written(uow_factory) == [(me, "paper", ref, None, None, None, None, date(2026, 5, 1))]


def test_a_refused_hand_in_leaves_no_row(
    uow_factory: UnitOfWorkFactory, contest: ContestView, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = somebody(uow_factory)
    with uow_factory.begin() as uow:
        ref = attempts.start_paper(uow, contest.ref, me).view.sheet.ref
    with pytest.raises(ZeroDivisionError), uow_factory.begin() as uow:
        attempts.submit_paper(uow, ref, me, {})
        raise ZeroDivisionError
    assert written(uow_factory) == []


def test_a_later_move_leaves_the_place_of_the_time(
    uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    me = somebody(uow_factory, **NANNING)
    take(uow_factory, contest, me)
    with uow_factory.begin() as uow:
        profile.change_profile(uow, me, {"city": "450200"})
        assert uow.session.scalar(select(Entry.city)) == "450200"
    take(uow_factory, contest, me)
    assert sorted(row[4] for row in written(uow_factory)) == ["450100", "450200"]


def test_an_erased_citizen_took_part_and_is_told_to_nobody(
    uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    me = somebody(uow_factory, **NANNING)
    take(uow_factory, contest, me)
    before = written(uow_factory)
    with uow_factory.begin() as uow:
        assert privacy.export_citizen(uow, me)["participation"] == [
            {
                "kind": "paper",
                "programme": None,
                "day": date(2026, 5, 1),
                "city": "450100",
                "county": "450103",
                "unit": None,
                "audience": None,
                "hour": 12,
                "completed": True,
            }
        ]
        privacy.erase_citizen(uow, me)
    assert written(uow_factory) == before
    assert rebuilt(uow_factory) == RebuiltParticipation(papers=1, added=0, removed=0, busy=0)


def test_two_halves_of_a_person_took_part_as_one_and_so_does_what_was_left_open(
    uow_factory: UnitOfWorkFactory, contest: ContestView, clock: FakeClock
) -> None:
    one, other = somebody(uow_factory, openid=OPENID), somebody(uow_factory, unionid=UNIONID)
    take(uow_factory, contest, one)
    for citizen in (one, other):
        take(uow_factory, contest, citizen)
        with uow_factory.begin() as uow:
            attempts.start_paper(uow, contest.ref, citizen)
    with uow_factory.begin() as uow:
        keep = accounts.learn_unionid(uow, "mini_program", OPENID, UNIONID)
    clock.advance(7200)
    assert close_expired(TaskContext(uow_factory=uow_factory, gateway=None)) == 2
    as_written = written(uow_factory)
    assert [row[0] for row in as_written] == [keep] * 5
    lose_the_past(uow_factory)
    assert rebuilt(uow_factory).added == 5
    assert written(uow_factory) == as_written


def test_the_past_is_worked_out_in_batches_and_a_second_run_changes_nothing(
    uow_factory: UnitOfWorkFactory, contest: ContestView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(participation, "BATCH", 2)
    for _ in range(5):
        take(uow_factory, contest, somebody(uow_factory, **NANNING))
    with uow_factory.begin() as uow:
        attempts.start_paper(uow, contest.ref, a_citizen(uow).id)  # an open paper is no fact yet
    truth = written(uow_factory)
    lose_the_past(uow_factory)
    told: list[tuple[int, int]] = []
    made = rebuild_participation(uow_factory, lambda done, total: told.append((done, total)))
    assert made == RebuiltParticipation(papers=5, added=5, removed=0, busy=0)
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert written(uow_factory) == truth
    assert rebuilt(uow_factory) == RebuiltParticipation(papers=5, added=0, removed=0, busy=0)
    assert written(uow_factory) == truth


def test_a_row_without_a_closed_paper_is_removed_and_no_other(
    uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    take(uow_factory, contest, somebody(uow_factory))
    truth = written(uow_factory)
    with uow_factory.begin() as uow:
        for kind, ref in (("paper", "att_undone"), ("attendance", "att_other")):
            values = {"citizen_id": 1, "kind": kind, "source_ref": ref, "on_day": date(2026, 5, 1)}
            uow.session.execute(insert(Participation).values(values))
    assert rebuilt(uow_factory).removed == 1
    assert [row[2] for row in written(uow_factory)] == sorted([truth[0][2], "att_other"])


# --- beside running closes, merges and itself ------------------------------------------------


@pytest.mark.race
def test_the_past_is_worked_out_beside_papers_that_are_being_closed(
    uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    people = [somebody(uow_factory) for _ in range(6)]
    for citizen in people:
        take(uow_factory, contest, citizen)
    lose_the_past(uow_factory)
    steps = [lambda c=citizen: take(uow_factory, contest, c) for citizen in people]
    results = all_at_once([*steps, *([lambda: rebuilt(uow_factory)] * 2)])  # type: ignore[list-item]
    assert [one for one in results if isinstance(one, Exception)] == []
    rebuilt(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        closed = set(uow.session.scalars(select(Attempt.ref)))
    rows = written(uow_factory)
    assert (len(rows), {row[2] for row in rows}) == (12, closed)


def halves(uow_factory: UnitOfWorkFactory, contest: ContestView) -> tuple[int, int]:
    """The survivor of a merge to come, and a double whose paper has no row yet."""
    keep = somebody(uow_factory, unionid=UNIONID)
    gone = somebody(uow_factory, openid=OPENID)
    take(uow_factory, contest, gone)
    lose_the_past(uow_factory)
    return keep, gone


def merge_both(uow: UnitOfWork) -> int:
    return accounts.learn_unionid(uow, "mini_program", OPENID, UNIONID)


@pytest.mark.race
def test_a_merge_passes_by_no_row_that_the_command_writes(
    uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    keep, _ = halves(uow_factory, contest)
    refused = meet(
        uow_factory,
        hold=merge_both,
        other=lambda: rebuilt(uow_factory),
        go_on=lambda _uow: None,
    )
    assert refused == []
    rebuilt(uow_factory)
    assert [row[0] for row in written(uow_factory)] == [keep]


@pytest.mark.race
def test_the_row_that_a_merge_passes_by_is_seen_where_citizens_are_not_held(
    uow_factory: UnitOfWorkFactory,
    contest: ContestView,
    monkeypatch: pytest.MonkeyPatch,
    database_kind: str,
) -> None:
    keep, gone = halves(uow_factory, contest)
    monkeypatch.setattr(identities, "lock_survivors", identities.survivors_of)
    refused = meet(
        uow_factory,
        hold=merge_both,
        other=lambda: rebuilt(uow_factory),
        go_on=lambda _uow: None,
    )
    assert refused == []
    assert [row[0] for row in written(uow_factory)] == [keep if database_kind == "sqlite" else gone]


def write_missing(uow: UnitOfWork, contest: ContestView) -> None:
    """What another run of the command writes."""
    ref, citizen_id, on_day = uow.session.execute(
        select(Attempt.ref, Attempt.citizen_id, Attempt.on_day)
    ).one()
    place = {"programme": None, "city": None, "county": None, "unit_id": None}
    programmes.record_missing(
        uow,
        [
            programmes.Fact(
                citizen_id=citizen_id, kind="paper", source_ref=ref, on_day=on_day, **place
            )
        ],
    )


@contextmanager
def without_the_unique_key(uow_factory: UnitOfWorkFactory) -> Iterator[None]:
    key = "uq_participation_kind_source_ref"
    with uow_factory.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE participation DROP CONSTRAINT {key}")
    try:
        yield
    finally:
        with uow_factory.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM participation")
            connection.exec_driver_sql(
                f"ALTER TABLE participation ADD CONSTRAINT {key} UNIQUE (kind, source_ref)"
            )


@pytest.mark.race
def test_two_runs_at_once_write_a_paper_once(
    uow_factory: UnitOfWorkFactory, contest: ContestView, database_kind: str
) -> None:
    halves(uow_factory, contest)
    both: dict[str, Any] = {
        "hold": lambda uow: write_missing(uow, contest),
        "other": lambda: rebuilt(uow_factory),
        "go_on": lambda _uow: None,
    }
    assert meet(uow_factory, **both) == []
    assert len(written(uow_factory)) == 1
    if database_kind == "sqlite":
        return  # one writer at a time: there is no race to be seen
    lose_the_past(uow_factory)
    with without_the_unique_key(uow_factory):
        assert meet(uow_factory, **both) == []
        assert len(written(uow_factory)) == 2


def test_a_citizen_whom_others_hold_all_the_time_is_told_as_busy(
    uow_factory: UnitOfWorkFactory, contest: ContestView, database_kind: str
) -> None:
    halves(uow_factory, contest)
    if database_kind == "sqlite":
        with uow_factory.begin() as uow:
            assert uow.session.scalar(select(Citizen.id).limit(1)) is not None
        assert rebuilt(uow_factory).busy == 0
        return
    with uow_factory.begin() as uow:
        uow.session.scalars(select(Citizen).with_for_update()).all()
        assert rebuilt(uow_factory).busy == 1
    assert rebuilt(uow_factory).added == 1
