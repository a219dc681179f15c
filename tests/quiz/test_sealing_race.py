"""Sealing beside papers that close, holds, and another sealing; each with the guard off."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.errors import AlreadySealed, PapersStillOpen
from server.quiz.leaderboards import service as boards
from server.quiz.models import Entry, SealChange, SealedVersion
from server.quiz.sealing import service as sealing
from server.quiz.sealing.building import iterate_lines
from tests.kit.boards import a_paper, close_paper, count, recounted
from tests.kit.clock import FakeClock
from tests.kit.locks import meet
from tests.kit.sealing import APPROVER, OTHER, a_played_contest, end_contest, seal, work


def no_guard(*_given: object) -> int:
    return 0


def seal_beside_a_closing_paper(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> list[int]:
    """Seal while a transaction closes the last paper; the sealed and the true points."""
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        entry = uow.session.scalars(
            select(Entry.id).where(Entry.contest_id == contest.id).order_by(Entry.id.desc())
        ).first()
        assert entry is not None
    end_contest(uow_factory, clock, contest)
    with uow_factory.begin() as uow:
        paper = a_paper(uow, contest, entry, score=0, state="open")
    outcome: list[int] = []

    def close(uow: UnitOfWork) -> None:
        close_paper(uow, paper, score=100, time_ms=5)
        count(uow, paper)

    def other() -> None:
        try:
            seal(uow_factory, contest)
        except PapersStillOpen:
            outcome.append(0)

    meet(uow_factory, close, other, lambda _uow: None)
    if outcome:
        seal(uow_factory, contest)
    with uow_factory.begin(read_only=True) as uow:
        version = uow.session.scalars(select(SealedVersion)).one()
        now = recounted(uow.session, contest, "region", "total")
        sealed = [line.points for batch in iterate_lines(uow, version.id) for _, line in batch]
    return [sealed == [points for _, points, _ in now]]


def test_a_sealing_waits_for_a_paper_that_is_being_closed(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    assert seal_beside_a_closing_paper(uow_factory, clock) == [True]


def test_without_the_check_a_sealing_would_miss_the_paper(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    if uow_factory.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time: a sealing waits for the whole paper")
    monkeypatch.setattr(sealing, "count_open_papers", no_guard)
    assert seal_beside_a_closing_paper(uow_factory, clock) == [False]


def test_two_organizers_who_seal_at_once_make_one_version(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
    end_contest(uow_factory, clock, contest)
    refused: list[str] = []

    def other() -> None:
        try:
            seal(uow_factory, contest, OTHER)
        except AlreadySealed as refusal:
            refused.append(refusal.code)

    def first(uow: UnitOfWork) -> None:
        sealing.seal_contest(uow, APPROVER, contest.ref, "结束", accept_open=True)

    assert meet(uow_factory, first, other, lambda _uow: None) == []
    assert refused == ["already_sealed"]
    with uow_factory.begin(read_only=True) as uow:
        assert len(uow.session.scalars(select(SealedVersion)).all()) == 1


def hold_beside_a_sealing(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> list[str]:
    """Hold the first while a sealing runs; the reasons of changes that wait for a version."""
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        best = recounted(uow.session, contest, "region", "total")[0][0]
    end_contest(uow_factory, clock, contest)

    def first(uow: UnitOfWork) -> None:
        sealing.seal_contest(uow, APPROVER, contest.ref, "结束", accept_open=True)

    def other() -> None:
        with uow_factory.begin() as uow:
            boards.hold_entry(uow, best)
            sealing.note_late_change(uow, contest.id, OTHER, "作弊")

    assert meet(uow_factory, first, other, lambda _uow: None) == []
    with uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(SealChange.reason)))


def test_a_hold_beside_a_sealing_is_in_the_next_version(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    assert hold_beside_a_sealing(uow_factory, clock) == ["作弊"]
    assert work(uow_factory) == 1


def test_without_the_lock_of_the_contest_the_hold_would_be_forgotten(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    if uow_factory.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time: a hold waits for the whole sealing")
    monkeypatch.setattr(sealing, "lock_contest_row", no_guard)
    assert hold_beside_a_sealing(uow_factory, clock) == []


def test_sealing_reads_the_database_and_needs_no_redis(
    without: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with without.begin() as uow:
        contest = a_played_contest(uow)
    end_contest(without, clock, contest)
    seal(without, contest)
    with without.begin(read_only=True) as uow:
        version = uow.session.scalars(select(SealedVersion)).one()
        assert version.rank_count == len(recounted(uow.session, contest, "region", "total"))
