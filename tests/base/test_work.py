"""The transaction: all or nothing, readers cannot write, bells only after the commit."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError, InternalError

from server.base.errors import Conflict
from server.base.jobs import Lease, take_lease
from server.base.prepared import run, table
from server.base.work import DatabaseAway, Desk, Work
from tests.kit.clock import FakeClock

ADD = insert(table(Lease))


def a_lease(work: Work, name: str) -> None:
    work.session.add(Lease(name=name, holder="me", fence=0, until=work.now))


def leases(desk: Desk) -> int:
    with desk.work(read_only=True) as work:
        return work.session.scalar(select(func.count()).select_from(Lease)) or 0


def test_a_block_that_ends_well_is_kept(desk: Desk) -> None:
    with desk.work() as work:
        a_lease(work, "one")
    assert leases(desk) == 1


def test_a_block_that_raises_leaves_nothing(desk: Desk) -> None:
    with pytest.raises(Conflict), desk.work() as work:
        a_lease(work, "one")
        work.session.flush()
        raise Conflict
    assert leases(desk) == 0


def test_a_reading_work_cannot_write(desk: Desk) -> None:
    with pytest.raises((DBAPIError, DatabaseAway)), desk.work(read_only=True) as work:
        a_lease(work, "one")
    with desk.work() as work:
        a_lease(work, "two")
    assert leases(desk) == 1


def test_bells_ring_after_the_commit_and_never_after_a_rollback(
    desk: Desk, rung: list[tuple[str, tuple[int, ...]]]
) -> None:
    with desk.work() as work:
        work.ring("some.task", 7)
        assert rung == []
    assert rung == [("some.task", (7,))]
    with pytest.raises(Conflict), desk.work() as work:
        work.ring("some.task", 8)
        raise Conflict
    assert rung == [("some.task", (7,))]


def test_times_come_back_aware_and_equal(desk: Desk, clock: FakeClock) -> None:
    with desk.work() as work:
        a_lease(work, "one")
    with desk.work(read_only=True) as work:
        row = work.session.get(Lease, "one")
        assert row is not None
        assert row.until == clock.now()
        assert row.until.tzinfo is not None


@pytest.mark.race
def test_one_of_many_takes_a_lease(desk: Desk) -> None:
    taken: list[str] = []
    barrier = threading.Barrier(8)

    def take(holder: str) -> None:
        barrier.wait()
        if take_lease(desk, "sweep", holder):
            taken.append(holder)

    threads = [threading.Thread(target=take, args=(f"w{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    assert take_lease(desk, "sweep", taken[0])


def test_nothing_of_a_reading_work_is_kept_even_unnoticed(desk: Desk) -> None:
    if desk.engine.dialect.name == "sqlite":
        # A change of the file that no row counter sees.
        with desk.work(read_only=True) as work:
            work.session.execute(text("CREATE TABLE unnoticed (id INTEGER)"))
        with pytest.raises(DatabaseAway), desk.work(read_only=True) as work:
            work.session.execute(text("INSERT INTO unnoticed VALUES (1)"))
    with pytest.raises((DBAPIError, DatabaseAway)), desk.work(read_only=True) as work:
        work.session.execute(insert(Lease).values(name="x", holder="", fence=0, until=work.now))
    assert leases(desk) == 0


def test_a_reading_work_that_writes_and_fails_on_the_way_leaves_nothing(desk: Desk) -> None:
    for through_the_session in (True, False):
        with pytest.raises(LookupError), desk.work(read_only=True) as work:
            if desk.engine.dialect.name == "sqlite":
                if through_the_session:
                    a_lease(work, "one")
                    work.session.flush()
                else:
                    run(work, ADD, {"name": "x", "holder": "", "fence": 0, "until": work.now})
            raise LookupError
        with desk.work() as work:
            a_lease(work, f"kept {through_the_session}")
    assert leases(desk) == 2


def test_a_reading_work_that_writes_is_a_mistake_of_ours_not_a_database_away(desk: Desk) -> None:
    with pytest.raises(InternalError), desk.work(read_only=True) as work:
        a_lease(work, "one")
    assert leases(desk) == 0
