"""Prepared statements go past SQLAlchemy's execution and mean the same as through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, event, func, insert, select, text, update
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InvalidRequestError,
    MultipleResultsFound,
    NoResultFound,
    PendingRollbackError,
    StatementError,
)

from server.base.access import REGION
from server.base.database_away import DatabaseAway
from server.base.jobs import Lease
from server.base.ownership import owned_by
from server.base.sql import prepared
from server.base.sql.postgres import BoundedConnection
from server.base.sql.prepared import (
    insert_at_commit,
    run_by_commit,
    run_statement,
)
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.enums import QuestionKind, QuestionState
from server.quiz.models import Bank, Question
from tests.kit.clock import FakeClock

lease, question = table_of(Lease), table_of(Question)
ADD = insert(lease)
RENEW = update(lease).where(lease.c.name == bindparam("which"))
NAMED = select(lease).where(lease.c.name == bindparam("which"))
AMONG = (
    select(lease.c.name)
    .where(lease.c.name.in_(bindparam("names", expanding=True)), lease.c.fence >= 0)
    .order_by(lease.c.name)
    .limit(bindparam("most"))
)
HOW_MANY = select(func.count()).select_from(lease)
ASK = insert(question).returning(question.c.id)
ASKED = select(question).where(question.c.id == bindparam("which"))
PID = select(func.pg_backend_pid())
# It comes back when the process is gone.  Units: milliseconds.
KILL = text("SELECT pg_terminate_backend(:pid, 30000) WHERE :pid <> pg_backend_pid()")
# A child without its parent is noticed by the commit alone.
LATE = (
    "CREATE TABLE late_parent (id INTEGER PRIMARY KEY)",
    "CREATE TABLE late_child (id INTEGER REFERENCES late_parent DEFERRABLE INITIALLY DEFERRED)",
)


def add(uow: UnitOfWork, name: str, fence: int = 0) -> None:
    until = uow.now + timedelta(microseconds=7)
    run_statement(uow, ADD, {"name": name, "holder": "me", "fence": fence, "until": until})


def test_what_goes_in_comes_out_as_sqlalchemy_would_tell_it(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    facts: dict[str, Any] = {
        "ref": "q_1", "version": 1, "bank": "b", "external_no": "1", "kind": QuestionKind.MULTIPLE,
        "topic": "t", "benchmark_no": None, "difficulty": 2, "audience": None, "stem": "水？",
        "options": ["甲", "乙"], "answer": [0, 1], "explanation": "", "state": QuestionState.LIVE,
        "made_at": clock.now() + timedelta(microseconds=123),
    }  # fmt: skip
    facts = {name: value for name, value in facts.items() if name in question.c}
    facts |= {
        column.name: {str: "x", int: 1}.get(column.type.python_type)
        for column in question.c
        if not column.nullable and column.name not in facts and column.name != "id"
    }
    with uow_factory.begin() as uow:
        uow.session.add(Bank(slug="b", revision="first", **owned_by(REGION)))
        number = run_statement(uow, ASK, facts).scalar_one()
        row = run_statement(uow, ASKED, {"which": number}).only_row()
        through = uow.session.connection().execute(ASKED, {"which": number}).one()
    assert row._asdict() == through._asdict()
    assert tuple(row) == tuple(through)
    assert {name: row._asdict()[name] for name in facts} == facts
    assert [type(value) for value in row] == [type(value) for value in through]


@pytest.mark.parametrize("many", [0, 1, 2, 3, 5, 8, 9])
def test_a_list_of_any_length_finds_each_of_its_own_once(
    uow_factory: UnitOfWorkFactory, many: int
) -> None:
    names = [f"n{at}" for at in range(many)]
    with uow_factory.begin() as uow:
        for name in [*names, "other"]:
            add(uow, name)
        assert run_statement(uow, AMONG, {"names": names, "most": 100}).first_values() == names
        assert run_statement(uow, AMONG, {"names": names, "most": 2}).first_values() == names[:2]


def test_what_is_kept_grows_with_the_shapes_and_not_with_the_calls(
    uow_factory: UnitOfWorkFactory,
) -> None:
    longest = 64
    with uow_factory.begin(read_only=True) as uow:
        before = len(prepared._kept)
        for many in range(1, longest + 1):
            run_statement(uow, NAMED, {"which": f"n{many}"})
            run_statement(uow, AMONG, {"names": [f"n{at}" for at in range(many)], "most": many})
        assert len(prepared._kept) - before <= 1 + longest.bit_length()


def test_one_statement_serves_many_values_and_columns(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        add(uow, "one")
        for fence in (1, 2):
            assert run_statement(uow, RENEW, {"which": "one", "fence": fence}).rowcount == 1
            assert run_statement(uow, NAMED, {"which": "one"}).only_row().fence == fence
        assert run_statement(uow, RENEW, {"which": "one", "holder": "you"}).rowcount == 1
        assert run_statement(uow, RENEW, {"which": "nobody", "holder": "you"}).rowcount == 0
        row = run_statement(uow, NAMED, {"which": "one"}).only_row()
        assert (row.holder, row.fence) == ("you", 2)


def test_rows_are_asked_for_as_of_a_result(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        assert run_statement(uow, NAMED, {"which": "one"}).one_or_none() is None
        assert run_statement(uow, NAMED, {"which": "one"}).first_value() is None
        with pytest.raises(NoResultFound):
            run_statement(uow, NAMED, {"which": "one"}).scalar_one()
        add(uow, "one")
        add(uow, "two")
        asked = {"names": ["one", "two"], "most": 9}
        assert [row.name for row in run_statement(uow, AMONG, asked)] == ["one", "two"]
        with pytest.raises(MultipleResultsFound):
            run_statement(uow, AMONG, asked).one_or_none()


def test_the_session_and_prepared_statements_see_each_others_writes(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        uow.session.add(Lease(name="orm", holder="me", fence=3, until=uow.now))
        assert run_statement(uow, NAMED, {"which": "orm"}).only_row().fence == 3
        add(uow, "prepared")
        assert uow.session.get_one(Lease, "prepared").until == uow.now + timedelta(microseconds=7)
    with uow_factory.begin(read_only=True) as uow:
        assert run_statement(uow, HOW_MANY, {}).scalar_one() == 2


def test_a_savepoint_of_the_session_takes_prepared_writes_back(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        add(uow, "stays")
        with pytest.raises(LookupError), uow.session.begin_nested():
            add(uow, "goes")
            raise LookupError
    with uow_factory.begin(read_only=True) as uow:
        assert run_statement(uow, NAMED, {"which": "goes"}).one_or_none() is None
        assert run_statement(uow, NAMED, {"which": "stays"}).only_row().holder == "me"


def test_errors_are_those_of_sqlalchemy_and_tell_no_value(uow_factory: UnitOfWorkFactory) -> None:
    with pytest.raises(IntegrityError) as refusal, uow_factory.begin() as uow:
        add(uow, "geheim")
        add(uow, "geheim")
    assert "me" not in str(refusal.value.params or "")
    with uow_factory.begin(read_only=True) as uow:
        assert run_statement(uow, HOW_MANY, {}).scalar_one() == 0


def test_a_value_that_is_missing_or_naive_is_refused(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow, pytest.raises(InvalidRequestError):
        run_statement(uow, NAMED, {})
    naive = {"which": "one", "until": clock.now().replace(tzinfo=None)}
    with uow_factory.begin() as uow, pytest.raises(ValueError, match="naive"):
        run_statement(uow, RENEW, naive)


def test_a_default_that_only_sqlalchemy_would_fill_in_is_refused(
    uow_factory: UnitOfWorkFactory,
) -> None:
    filled = [t for t in lease.metadata.tables.values() if any(c.default for c in t.c)]
    for one in filled:
        with uow_factory.begin() as uow, pytest.raises((InvalidRequestError, StatementError)):
            run_statement(uow, insert(one), {})
    assert all(column.default is None for column in (*lease.c, *question.c))


def test_a_reading_work_cannot_write_by_a_prepared_statement(
    uow_factory: UnitOfWorkFactory,
) -> None:
    for turn in range(3):
        with pytest.raises((DBAPIError, DatabaseAway)), uow_factory.begin(read_only=True) as uow:
            add(uow, "one")
        with uow_factory.begin() as uow:
            add(uow, f"kept {turn}")
    with uow_factory.begin(read_only=True) as uow:
        assert run_statement(uow, HOW_MANY, {}).scalar_one() == 3


@pytest.fixture
def heard(uow_factory: UnitOfWorkFactory) -> Iterator[list[str]]:
    said: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(uow_factory.engine, "before_cursor_execute", hear)
    yield said
    event.remove(uow_factory.engine, "before_cursor_execute", hear)


def test_who_listens_to_statements_hears_these_too(
    uow_factory: UnitOfWorkFactory, heard: list[str]
) -> None:
    with uow_factory.begin() as uow:
        add(uow, "one")
    assert [words for words in heard if words.startswith("INSERT INTO lease")] != []


def test_a_failure_to_write_that_was_passed_over_is_not_committed(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with pytest.raises(PendingRollbackError), uow_factory.begin() as uow:
        add(uow, "one")
        uow.session.add(Lease(name="one", holder="me", fence=0, until=uow.now))
        with pytest.raises(IntegrityError):
            uow.session.flush()
    with uow_factory.begin(read_only=True) as uow:
        assert run_statement(uow, HOW_MANY, {}).scalar_one() == 0


def test_a_lost_connection_is_replaced(uow_factory: UnitOfWorkFactory) -> None:
    if uow_factory.engine.dialect.name == "sqlite":
        pytest.skip("a file does not hang up")
    with pytest.raises(DatabaseAway), uow_factory.begin() as uow:
        mine = uow.session.scalar(text("SELECT pg_backend_pid()"))
        with uow_factory.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
        run_statement(uow, HOW_MANY, {})
    for _ in range(3):
        with uow_factory.begin(read_only=True) as uow:
            assert run_statement(uow, HOW_MANY, {}).scalar_one() == 0


def test_of_a_restart_one_work_learns_for_all_connections(uow_factory: UnitOfWorkFactory) -> None:
    if uow_factory.engine.dialect.name == "sqlite":
        pytest.skip("a file does not hang up")
    with ExitStack() as all_at_once:
        mine = [
            run_statement(all_at_once.enter_context(uow_factory.begin()), PID, {}).scalar_one()
            for _ in range(6)
        ]
    with uow_factory.engine.connect() as other:
        for pid in mine:
            other.execute(KILL, {"pid": pid})
        here = other.scalar(PID)
    assert here in mine
    away = 0
    for _ in range(12):
        try:
            with ExitStack() as again:
                for _ in mine:
                    run_statement(again.enter_context(uow_factory.begin()), HOW_MANY, {})
        except DatabaseAway:
            away += 1
    assert away <= 1


def test_a_connection_with_an_open_transaction_never_serves_the_next(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.engine.connect() as connection:
        # Begun behind SQLAlchemy's back, as after a commit that failed half-way.
        raw: Any = connection.connection.dbapi_connection
        raw.execute("BEGIN" if uow_factory.engine.dialect.name == "sqlite" else "SELECT 1")
    for turn in range(3):
        with uow_factory.begin() as uow:
            assert uow.transaction.connection.connection.dbapi_connection is not raw
            add(uow, f"kept {turn}")
    with uow_factory.begin(read_only=True) as uow:
        assert run_statement(uow, HOW_MANY, {}).scalar_one() == 3


def test_a_commit_that_fails_leaves_nothing_and_holds_nobody(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.engine.begin() as connection:
        for words in LATE:
            connection.execute(text(words))
    try:
        for turn in range(3):
            with pytest.raises(IntegrityError), uow_factory.begin() as uow:
                add(uow, "lost")
                uow.session.execute(text("INSERT INTO late_child VALUES (7)"))
            with uow_factory.begin() as uow:
                add(uow, f"kept {turn}")
        with uow_factory.begin(read_only=True) as uow:
            assert run_statement(uow, HOW_MANY, {}).scalar_one() == 3
    finally:
        with uow_factory.engine.begin() as connection:
            connection.execute(text("DROP TABLE late_child"))
            connection.execute(text("DROP TABLE late_parent"))


def renew(uow: UnitOfWork, name: str, fence: int) -> None:
    """Change a row whenever the transaction likes."""
    run_by_commit(uow, RENEW, {"which": name, "fence": fence})


def fences(uow_factory: UnitOfWorkFactory) -> dict[str, int]:
    with uow_factory.begin(read_only=True) as uow:
        return {row.name: row.fence for row in uow.session.execute(select(lease))}


class Refused(Exception):
    """What a second row under one key is told."""


@pytest.fixture
def one_lease(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        add(uow, "one")


@pytest.mark.usefixtures("one_lease")
def test_what_waits_for_the_commit_is_committed_and_seen_by_every_later_statement(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        renew(uow, "one", 1)
        renew(uow, "one", 2)
        assert run_statement(uow, NAMED, {"which": "one"}).only_row().fence == 2
        renew(uow, "one", 3)
        assert uow.session.scalar(select(lease.c.fence)) == 3
        renew(uow, "one", 4)
    assert fences(uow_factory) == {"one": 4}
    with uow_factory.begin() as uow:
        run_statement(uow, HOW_MANY, {})
        renew(uow, "one", 5)
        insert_at_commit(
            uow, ADD, {"name": "two", "holder": "me", "fence": 6, "until": uow.now}, Refused()
        )
    assert fences(uow_factory) == {"one": 5, "two": 6}


@pytest.mark.usefixtures("one_lease")
def test_what_waits_for_the_commit_is_undone_with_the_rest(uow_factory: UnitOfWorkFactory) -> None:
    with pytest.raises(Refused), uow_factory.begin() as uow:
        run_statement(uow, HOW_MANY, {})
        renew(uow, "one", 1)
        raise Refused
    with pytest.raises(Refused), uow_factory.begin() as uow:
        run_statement(uow, HOW_MANY, {})
        renew(uow, "one", 2)
        insert_at_commit(
            uow, ADD, {"name": "one", "holder": "me", "fence": 9, "until": uow.now}, Refused()
        )
    assert fences(uow_factory) == {"one": 0}


@pytest.mark.usefixtures("one_lease")
def test_a_failure_of_what_waits_for_the_commit_is_not_taken_for_that_of_the_last_row(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        add(uow, "two")
    for with_last in (False, True):
        with pytest.raises(IntegrityError), uow_factory.begin() as uow:
            run_statement(uow, HOW_MANY, {})
            run_by_commit(uow, RENEW, {"which": "one", "name": "two"})
            if with_last:
                facts = {"name": "three", "holder": "me", "fence": 0, "until": uow.now}
                insert_at_commit(uow, ADD, facts, Refused())
        with uow_factory.begin() as uow:
            renew(uow, "one", 7)
    assert fences(uow_factory) == {"one": 7, "two": 0}


@pytest.mark.usefixtures("one_lease")
def test_what_waits_for_the_commit_goes_with_it_in_one_exchange(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if uow_factory.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no exchanges")
    waits: list[object] = []
    usual = BoundedConnection.wait

    def counted_wait(self: Any, *given: Any, **named: Any) -> Any:
        waits.append(given)
        return usual(self, *given, **named)

    for _ in range(2):
        # The statements are prepared in the first turn.
        with uow_factory.begin() as uow:
            run_statement(uow, HOW_MANY, {})
            renew(uow, "one", 1)
            monkeypatch.setattr(BoundedConnection, "wait", counted_wait)
            waits.clear()
        monkeypatch.undo()
    assert len(waits) == 1
