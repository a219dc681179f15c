"""What base/sql/prepared.py relies on inside SQLAlchemy and psycopg; see decision 12.

Each test names one thing. When one fails after an upgrade, read decision 12, look at what the new
version does instead, and change `prepared.py`, `transaction.py` or `postgres.py` before anything
else: until then hot statements may send wrong values without any error.
"""

from __future__ import annotations

from typing import Any, cast

import psycopg
import pytest
from psycopg.generators import fetch_many
from psycopg.pq import ExecStatus
from sqlalchemy import Connection, bindparam, event, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError
from sqlalchemy.sql.compiler import SQLCompiler

from server.base.jobs import Lease
from server.base.sql.prepared import run_statement
from server.base.sql.tables import UtcDateTime, table_of, utc_from_text, utc_instant, utc_text
from server.base.uow import UnitOfWorkFactory
from tests.kit.clock import FakeClock

lease = table_of(Lease)
NAMED = select(lease.c.name, lease.c.until).where(lease.c.name == bindparam("which"))
AMONG = select(lease.c.name).where(lease.c.name.in_(bindparam("names", expanding=True)))
DIALECTS = {
    "sqlite": sqlite.dialect(),
    "postgresql": cast(Any, postgresql).psycopg.dialect(paramstyle="numeric_dollar"),
}


def compiled(statement: Any, dialect: Any, *names: str) -> SQLCompiler:
    return cast(SQLCompiler, statement.compile(dialect=dialect, column_keys=list(names)))


@pytest.mark.parametrize("name", DIALECTS)
def test_a_compiler_tells_every_value_by_its_name_and_place(name: str) -> None:
    made = compiled(
        update(lease).where(lease.c.name == bindparam("which")), DIALECTS[name], "fence"
    )
    assert set(made.bind_names.values()) == {"fence", "which"}
    assert made.construct_expanded_state({"fence": 1, "which": "x"}).positiontup == [
        "fence",
        "which",
    ]


@pytest.mark.parametrize("name", DIALECTS)
def test_a_list_is_spread_over_numbered_names(name: str) -> None:
    made = compiled(AMONG, DIALECTS[name])
    assert [bind.expanding for bind in made.bind_names] == [True]
    state = made.construct_expanded_state({"names": ["a", "b"]})
    assert state.positiontup == ["names_1", "names_2"]


def test_postgresql_counts_its_values_and_says_their_types() -> None:
    made = compiled(NAMED, DIALECTS["postgresql"])
    assert str(made).endswith("WHERE lease.name = $1::VARCHAR")
    again = select(lease.c.name).where(
        (lease.c.name == bindparam("which")) | (lease.c.holder == bindparam("which"))
    )
    assert compiled(again, DIALECTS["postgresql"]).construct_expanded_state(
        {"which": "x"}
    ).positiontup == ["which"]


@pytest.mark.parametrize("name", DIALECTS)
def test_a_missing_value_is_refused_when_a_statement_is_made_ready(name: str) -> None:
    with pytest.raises(InvalidRequestError):
        compiled(NAMED, DIALECTS[name]).construct_expanded_state({})


@pytest.mark.parametrize("name", DIALECTS)
def test_constants_of_a_statement_are_among_its_params(name: str) -> None:
    made = compiled(select(lease.c.name).where(lease.c.holder == "me"), DIALECTS[name])
    assert list(made.params.values()) == ["me"]


@pytest.mark.parametrize("name", DIALECTS)
def test_defaults_that_sqlalchemy_fills_in_are_announced(name: str) -> None:
    filled = [t for t in lease.metadata.tables.values() if any(c.default for c in t.c)]
    assert filled
    for one in filled:
        made = compiled(insert(one), DIALECTS[name])
        assert made.insert_prefetch


def test_the_columns_of_a_statement_have_their_types() -> None:
    assert [type(column.type) for column in NAMED.exported_columns][1] is UtcDateTime
    changed = update(lease).returning(lease.c.until)
    assert [type(column.type) for column in changed.exported_columns] == [UtcDateTime]


def test_our_own_way_with_instants_is_sqlalchemys(clock: FakeClock) -> None:
    at, kind = clock.now().replace(microsecond=7), UtcDateTime()
    dialect = DIALECTS["sqlite"]
    written = kind.dialect_impl(dialect).bind_processor(dialect)
    read = kind.dialect_impl(dialect).result_processor(dialect, None)
    assert written is not None
    assert read is not None
    for one in (at, at.replace(microsecond=0), None):
        assert utc_text(one) == written(one)
        assert utc_from_text(utc_text(one)) == read(written(one))
    dialect = DIALECTS["postgresql"]
    sent = kind.dialect_impl(dialect).bind_processor(dialect)
    assert sent is not None
    assert utc_instant(at) == sent(at)


def test_a_connection_joins_a_transaction_that_the_driver_has_begun(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    facts = {"name": "one", "holder": "me", "fence": 0, "until": clock.now()}
    with pytest.raises(LookupError), uow_factory.begin() as uow:
        run_statement(uow, insert(lease), facts)
        assert uow.transaction.made_connection is None
        assert uow.session.get(Lease, "one") is not None
        assert isinstance(uow.transaction.made_connection, Connection)
        raise LookupError
    with uow_factory.begin(read_only=True) as uow:
        assert run_statement(uow, NAMED, {"which": "one"}).one_or_none() is None


def test_listeners_of_an_engine_are_seen_without_a_connection(
    uow_factory: UnitOfWorkFactory,
) -> None:
    heard: list[str] = []

    def hear(_c: object, _cursor: object, words: str, *_more: object) -> None:
        heard.append(words)

    event.listen(uow_factory.engine, "before_cursor_execute", hear)
    try:
        with uow_factory.begin(read_only=True) as uow:
            run_statement(uow, NAMED, {"which": "one"})
    finally:
        event.remove(uow_factory.engine, "before_cursor_execute", hear)
    assert any(words.startswith("SELECT lease.name") for words in heard)
    with uow_factory.begin(read_only=True) as uow:
        run_statement(uow, NAMED, {"which": "one"})
        assert uow.transaction.made_connection is None


def test_errors_of_a_driver_become_sqlalchemys_by_their_kind(
    uow_factory: UnitOfWorkFactory,
) -> None:
    driver = uow_factory.engine.dialect.loaded_dbapi
    told = DBAPIError.instance(
        "", None, driver.IntegrityError("x"), driver.Error, dialect=uow_factory.engine.dialect
    )
    assert isinstance(told, IntegrityError)


@pytest.fixture
def postgres(uow_factory: UnitOfWorkFactory) -> UnitOfWorkFactory:
    if uow_factory.engine.dialect.name != "postgresql":
        pytest.skip("libpq is PostgreSQL's")
    return uow_factory


def test_what_psycopg_drops_after_a_rollback_is_prepared_anew(postgres: UnitOfWorkFactory) -> None:
    """It says DEALLOCATE ALL, which would leave our statements without their names' meaning."""
    with postgres.begin() as uow:
        run_statement(uow, NAMED, {"which": "one"})
        driver = uow.transaction.driver
        assert driver._names
    with postgres.engine.connect() as held:
        assert cast(Any, held.connection.dbapi_connection) is driver
        for _ in range(10):
            held.execute(text("SELECT count(*) FROM lease"))
        held.rollback()
        kept = held.execute(text("SELECT name FROM pg_prepared_statements")).scalars().all()
        held.rollback()
    assert kept == []
    assert driver._names == {}
    with postgres.begin(read_only=True) as uow:
        assert run_statement(uow, NAMED, {"which": "one"}).one_or_none() is None
        assert uow.transaction.driver is driver


def test_a_reading_that_used_the_session_keeps_what_is_prepared(
    postgres: UnitOfWorkFactory,
) -> None:
    for _ in range(8):
        with postgres.begin(read_only=True) as uow:
            run_statement(uow, NAMED, {"which": "one"})
            uow.session.execute(text("SELECT count(*) FROM lease"))
            driver = uow.transaction.driver
    assert driver._names
    with postgres.begin(read_only=True) as uow:
        names = uow.session.execute(text("SELECT name FROM pg_prepared_statements")).scalars()
        assert {name.decode() for name in driver._names.values()} < set(names)


def test_a_pipeline_tells_each_result_and_then_that_it_is_in_step(
    postgres: UnitOfWorkFactory,
) -> None:
    with postgres.begin() as uow:
        driver = uow.transaction.driver
        raw = driver.pgconn
        raw.enter_pipeline_mode()
        raw.send_query_params(b"BEGIN", None)
        raw.send_query_params(b"SELECT 1 / 0", None)
        raw.pipeline_sync()
        told = [driver.wait(fetch_many(raw)) for _ in range(3)]
        raw.exit_pipeline_mode()
        assert [[one.status for one in results] for results in told] == [
            [ExecStatus.COMMAND_OK],
            [ExecStatus.FATAL_ERROR],
            [ExecStatus.PIPELINE_SYNC],
        ]
        refusal = psycopg.errors.error_from_result(told[1][0], encoding="utf-8")
        assert isinstance(refusal, psycopg.errors.DivisionByZero)
        driver.end_transaction(b"ROLLBACK")


def test_a_commit_after_a_failure_that_was_passed_over_is_refused(
    postgres: UnitOfWorkFactory, clock: FakeClock
) -> None:
    facts = {"name": "one", "holder": "me", "fence": 0, "until": clock.now()}
    with pytest.raises(DBAPIError, match="failed before its commit"), postgres.begin() as uow:
        run_statement(uow, insert(lease), facts)
        with pytest.raises(IntegrityError):
            run_statement(uow, insert(lease), facts)
    with postgres.begin(read_only=True) as uow:
        assert run_statement(uow, NAMED, {"which": "one"}).one_or_none() is None
