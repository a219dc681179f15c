"""The figures are those of the participations, whatever happens to these and to the counting."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from sqlalchemy import func, select, update

from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.dashboard import counting
from server.dashboard.commands import rebuild_figures
from server.dashboard.models import FigureGroup, FigureState
from server.programme import service as programmes
from server.programme.models import Participation, ParticipationChange
from server.programme.participation import withdraw_participation
from tests.kit.boards import people
from tests.kit.clock import FakeClock
from tests.kit.figures import count, participants, recounted, stored, took_part

NANNING = {"city": "450100", "county": "450103"}
PLACES: tuple[dict[str, Any], ...] = (
    {}, {"city": "450100"}, NANNING, {**NANNING, "unit_id": 7}, {"city": "450200"},
)  # fmt: skip


def check(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin(read_only=True) as uow:
        assert stored(uow) == recounted(uow)
        assert participants(uow) == set(uow.session.scalars(select(Participation.citizen_id)))


def test_figures_follow_everything_that_happens_to_participations(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "BATCH", 7)
    chance, refs = random.Random(1), []
    for step in range(60):
        with uow_factory.begin() as uow:
            ref = f"att_{step}"
            # Late participations come after those of later days.
            took_part(
                uow, chance.randrange(1, 12), ref, chance.randrange(9), hour=chance.randrange(24),
                audience=chance.choice(("youth", "elder", None)), **chance.choice(PLACES),
            )  # fmt: skip
            refs.append(ref)
            if chance.random() < 0.25:
                withdraw_participation(uow, "paper", [refs.pop(chance.randrange(len(refs)))])
            if chance.random() < 0.1:
                merge(uow, chance.randrange(1, 6), chance.randrange(6, 12))
        if chance.random() < 0.3:
            count(uow_factory)
            check(uow_factory)
    assert count(uow_factory) > 0
    check(uow_factory)


def merge(uow: UnitOfWork, keep: int, gone: int) -> None:
    mine = update(Participation).where(Participation.citizen_id == gone)
    uow.session.execute(mine.values(citizen_id=keep))


def test_what_is_undone_leaves_no_figure(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        took_part(uow, 1, "att_1", **NANNING)
    count(uow_factory)
    with uow_factory.begin() as uow:
        assert stored(uow) != {}
        withdraw_participation(uow, "paper", ["att_1"])
    count(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        assert (stored(uow), participants(uow)) == ({}, set())


def test_a_repeated_participation_counts_once(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        took_part(uow, 1, "att_1")
        took_part(uow, 1, "att_1")
    assert (count(uow_factory), count(uow_factory)) == (1, 0)
    check(uow_factory)


def test_a_merge_of_two_citizens_makes_one_person_of_them(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        one, other = people(uow, 2)
        took_part(uow, one, "att_1", 0, city="450100")
        took_part(uow, other, "att_2", 1, city="450200")
    count(uow_factory)
    with uow_factory.begin() as uow:
        for hook in uow.dependencies.hooks.merge:
            hook(uow, one, other)
    count(uow_factory)
    check(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        assert participants(uow) == {one}
        figure = uow.session.get_one(FigureGroup, ("region", ""))
        assert (figure.times, figure.people, figure.returned) == (2, 1, 1)


def test_a_count_that_fails_counts_nothing_and_the_next_one_everything(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with uow_factory.begin() as uow:
        took_part(uow, 1, "att_1", **NANNING)

    def fail(*_given: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(programmes, "drop_changes", fail)
    with pytest.raises(RuntimeError, match="killed"):
        count(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        assert stored(uow) == {}
    monkeypatch.undo()
    assert count(uow_factory) == 1
    check(uow_factory)


def test_a_rebuild_finds_no_difference_and_mends_one(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        for number in range(30):
            took_part(uow, number % 9 + 1, f"att_{number}", number % 4, **PLACES[number % 5])
    count(uow_factory)
    done = rebuild_figures(uow_factory)
    assert (done.corrected, done.people) == (0, 9)
    with uow_factory.begin() as uow:
        uow.session.execute(update(FigureGroup).values(people=FigureGroup.people + 1))
        # Not counted yet: a rebuild leaves it to the background task.
        took_part(uow, 3, "att_late", 8, city="450200")
    assert rebuild_figures(uow_factory).corrected > 0
    assert count(uow_factory) == 1
    check(uow_factory)


def test_the_instant_up_to_which_figures_are_complete_is_noted(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "BATCH", 2)
    noted = select(FigureState.counted_at).where(FigureState.kind == counting.PARTICIPATION)
    with uow_factory.begin() as uow:
        for number in range(3):
            took_part(uow, number + 1, f"att_{number}")
    with uow_factory.begin() as uow:
        assert counting.count_batch(uow) == 2
        assert uow.session.scalar(noted) is None
        assert counting.count_batch(uow) == 1
        assert uow.session.scalar(noted) == clock.now()
    clock.advance(5)
    assert count(uow_factory) == 0
    clock.advance(60)
    count(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(noted) == clock.now()


def count_twice_at_once(uow_factory: UnitOfWorkFactory) -> list[BaseException]:
    """Two workers count at the same time; return how they failed."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with uow_factory.begin() as uow:
                counting.count_batch(uow)
        except Exception as trouble:
            failures.append(trouble)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    return failures


def region_times(uow_factory: UnitOfWorkFactory) -> int | None:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalar(select(FigureGroup.times).where(FigureGroup.place == "region"))


@pytest.mark.race
def test_two_workers_count_each_participation_once(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        took_part(uow, 1, "att_1")
    assert count_twice_at_once(uow_factory) == []
    assert region_times(uow_factory) == 1
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(ParticipationChange)) == 0


@pytest.mark.race
def test_without_their_lock_two_workers_read_the_same_changes(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if uow_factory.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer")
    with uow_factory.begin() as uow:
        took_part(uow, 1, "att_1")
    monkeypatch.setattr(counting, "lock_name", lambda *_given: None)
    both, real = threading.Barrier(2), programmes.pending_changes

    def read_together(uow: UnitOfWork, limit: int) -> list[programmes.NotedParticipation]:
        found = real(uow, limit)
        both.wait(30)
        return found

    monkeypatch.setattr(programmes, "pending_changes", read_together)
    # Counted twice, or the second one meets the first one's row of the participant.
    failures = count_twice_at_once(uow_factory)
    assert failures != [] or region_times(uow_factory) == 2
