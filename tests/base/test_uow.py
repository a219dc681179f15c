"""The transaction: all or nothing, readers cannot write, bells only after the commit."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import event, func, insert, select, text
from sqlalchemy.exc import DBAPIError, InternalError

from server.base.database_away import DatabaseAway
from server.base.errors import Conflict
from server.base.jobs import Lease, take_lease
from server.base.sql.prepared import run_statement
from server.base.sql.tables import insert_rows, table_of
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.programme.models import Participation
from tests.kit.clock import FakeClock

ADD = insert(table_of(Lease))


def a_lease(uow: UnitOfWork, name: str) -> None:
    uow.session.add(Lease(name=name, holder="me", fence=0, until=uow.now))


def leases(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalar(select(func.count()).select_from(Lease)) or 0


def test_a_block_that_ends_well_is_kept(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        a_lease(uow, "one")
    assert leases(uow_factory) == 1


def test_a_block_that_raises_leaves_nothing(uow_factory: UnitOfWorkFactory) -> None:
    with pytest.raises(Conflict), uow_factory.begin() as uow:
        a_lease(uow, "one")
        uow.session.flush()
        raise Conflict
    assert leases(uow_factory) == 0


def test_a_reading_work_cannot_write(uow_factory: UnitOfWorkFactory) -> None:
    with pytest.raises((DBAPIError, DatabaseAway)), uow_factory.begin(read_only=True) as uow:
        a_lease(uow, "one")
    with uow_factory.begin() as uow:
        a_lease(uow, "two")
    assert leases(uow_factory) == 1


def test_bells_ring_after_the_commit_and_never_after_a_rollback(
    uow_factory: UnitOfWorkFactory, rung: list[tuple[str, tuple[int, ...]]]
) -> None:
    with uow_factory.begin() as uow:
        uow.enqueue_after_commit("some.task", 7)
        assert rung == []
    assert rung == [("some.task", (7,))]
    with pytest.raises(Conflict), uow_factory.begin() as uow:
        uow.enqueue_after_commit("some.task", 8)
        raise Conflict
    assert rung == [("some.task", (7,))]


def test_a_savepoint_that_raises_leaves_its_part_out_and_the_rest_in(
    uow_factory: UnitOfWorkFactory, rung: list[tuple[str, tuple[int, ...]]]
) -> None:
    with uow_factory.begin() as uow:
        a_lease(uow, "one")
        uow.enqueue_after_commit("some.task", 1)
        with pytest.raises(Conflict), uow.open_savepoint():
            a_lease(uow, "two")
            uow.enqueue_after_commit("some.task", 2)
            raise Conflict
        with uow.open_savepoint():
            a_lease(uow, "three")
            uow.enqueue_after_commit("some.task", 3)
    assert leases(uow_factory) == 2
    assert rung == [("some.task", (1,)), ("some.task", (3,))]


def test_times_come_back_aware_and_equal(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> None:
    with uow_factory.begin() as uow:
        a_lease(uow, "one")
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.get(Lease, "one")
        assert row is not None
        assert row.until == clock.now()
        assert row.until.tzinfo is not None


def test_many_rows_are_one_statement_whichever_columns_are_empty(
    uow_factory: UnitOfWorkFactory,
) -> None:
    rows = [
        {"citizen_id": n, "kind": "paper", "source_ref": f"att_{n}", "on_day": date(2026, 5, 1),
         "city": None if n % 2 else "450100", "audience": "youth" if n % 3 else None}
        for n in range(9)
    ]  # fmt: skip
    sent: list[str] = []

    def note_statement(*given: object) -> None:
        sent.append(str(given[2]))

    event.listen(uow_factory.engine, "before_cursor_execute", note_statement)
    with uow_factory.begin() as uow:
        insert_rows(uow.session, Participation, rows)
        insert_rows(uow.session, Participation, [])
    event.remove(uow_factory.engine, "before_cursor_execute", note_statement)
    assert len(sent) == 1
    with uow_factory.begin(read_only=True) as uow:
        found = uow.session.scalars(select(Participation).order_by(Participation.citizen_id)).all()
        assert [(one.city, one.audience) for one in found] == [
            (row["city"], row["audience"]) for row in rows
        ]


@pytest.mark.race
def test_one_of_many_takes_a_lease(uow_factory: UnitOfWorkFactory) -> None:
    taken: list[str] = []
    barrier = threading.Barrier(8)

    def take(holder: str) -> None:
        barrier.wait()
        if take_lease(uow_factory, "sweep", holder):
            taken.append(holder)

    threads = [threading.Thread(target=take, args=(f"w{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    assert take_lease(uow_factory, "sweep", taken[0])


def test_nothing_of_a_reading_work_is_kept_even_unnoticed(uow_factory: UnitOfWorkFactory) -> None:
    if uow_factory.engine.dialect.name == "sqlite":
        # A change of the file that no row counter sees.
        with uow_factory.begin(read_only=True) as uow:
            uow.session.execute(text("CREATE TABLE unnoticed (id INTEGER)"))
        with pytest.raises(DatabaseAway), uow_factory.begin(read_only=True) as uow:
            uow.session.execute(text("INSERT INTO unnoticed VALUES (1)"))
    with pytest.raises((DBAPIError, DatabaseAway)), uow_factory.begin(read_only=True) as uow:
        uow.session.execute(insert(Lease).values(name="x", holder="", fence=0, until=uow.now))
    assert leases(uow_factory) == 0


def test_a_reading_work_that_writes_and_fails_on_the_way_leaves_nothing(
    uow_factory: UnitOfWorkFactory,
) -> None:
    for through_the_session in (True, False):
        with pytest.raises(LookupError), uow_factory.begin(read_only=True) as uow:
            if uow_factory.engine.dialect.name == "sqlite":
                if through_the_session:
                    a_lease(uow, "one")
                    uow.session.flush()
                else:
                    run_statement(
                        uow, ADD, {"name": "x", "holder": "", "fence": 0, "until": uow.now}
                    )
            raise LookupError
        with uow_factory.begin() as uow:
            a_lease(uow, f"kept {through_the_session}")
    assert leases(uow_factory) == 2


def test_a_reading_work_that_writes_is_a_mistake_of_ours_not_a_database_away(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with pytest.raises(InternalError), uow_factory.begin(read_only=True) as uow:
        a_lease(uow, "one")
    assert leases(uow_factory) == 0
