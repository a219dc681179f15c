"""The schema's history: numbered, one head, up and down again, and equal to the tables in code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect

from server.accounts.shown_numbers import number_of
from server.base.sql.schema import FOLDER, is_newest, migrate_database, newest_revision
from server.base.sql.tables import Base
from tests.kit.databases import load_all_tables, new_postgres


@pytest.fixture
def engine(database_kind: str, tmp_path: Path) -> Iterator[Engine]:
    load_all_tables()
    url = (
        f"sqlite:///{tmp_path / 'm.sqlite3'}"
        if database_kind == "sqlite"
        else new_postgres("steps")
    )
    made = create_engine(url)
    yield made
    made.dispose()


def test_the_steps_are_numbered_and_head_is_the_last() -> None:
    numbers = sorted(path.name[:4] for path in (FOLDER / "versions").glob("0*.py"))
    assert numbers == [f"{n + 1:04d}" for n in range(len(numbers))], "number them without a gap"
    assert newest_revision() == numbers[-1], "write the last number into server/migrations/HEAD"


@pytest.mark.race
def test_the_steps_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    migrate_database(engine)
    assert is_newest(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == [], (
            "write the step server/migrations/versions/NNNN_….py, and its number into HEAD"
        )


@pytest.mark.race
def test_checks_and_triggers_are_the_same_either_way(engine: Engine, tmp_path: Path) -> None:
    migrate_database(engine)
    stepped = constraints(engine)
    migrate_database(engine, "base")
    assert [t for t in inspect(engine).get_table_names() if t != "alembic_version"] == []
    Base.metadata.create_all(engine)
    assert constraints(engine) == stepped, (
        "a step and the model name or define a constraint, an index or a trigger differently;"
        " docs/contributing.md says how constraints are named"
    )


@pytest.mark.race
def test_rows_from_before_there_were_owners_belong_to_the_region(engine: Engine) -> None:
    migrate_database(engine, "0015")
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO bank (slug, revision) VALUES ('old', 'r')")
    migrate_database(engine)
    with engine.connect() as connection:
        asked = "SELECT owner, owner_city, owner_county FROM bank"
        assert connection.exec_driver_sql(asked).all() == [("region", None, None)]


@pytest.mark.race
def test_citizens_of_before_are_found_by_their_shown_number(engine: Engine) -> None:
    migrate_database(engine, "0044")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO citizen (id, ref, nickname_state, language, elder_mode, public_rank,"
            " topics, created_at, outbox_tries) VALUES (1, 'cit_a', 'none', 'zh', false, false,"
            " '[]', '2026-05-01 00:00:00', 0)"
        )
    migrate_database(engine)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT shown_number FROM citizen").scalar_one()
    assert found == number_of("cit_a")


@pytest.mark.race
def test_visits_of_both_apps_come_into_one_table_and_back(engine: Engine) -> None:
    migrate_database(engine, "0025")
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO citizen (id, ref, nickname_state, language, elder_mode, public_rank,"
            " topics, created_at, outbox_tries) VALUES (1, 'cit', 'none', 'zh', false, false, '[]',"
            " '2026-05-01 00:00:00', 0)",
            "INSERT INTO scene_visit (citizen_id, scene, day, at)"
            " VALUES (1, 'poster', '2026-05-01', '2026-05-01 01:00:00')",
            "INSERT INTO visit (citizen_id, scene, on_day, at)"
            " VALUES (1, 'poster', '2026-05-01', '2026-05-01 02:00:00')",
        ):
            connection.exec_driver_sql(statement)
    migrate_database(engine)
    with engine.connect() as connection:
        asked = "SELECT app, scene FROM scene_visit ORDER BY id"
        found = connection.exec_driver_sql(asked).all()
    assert found == [("official_account", "poster"), ("mini_program", "poster")]
    migrate_database(engine, "0025")
    with engine.connect() as connection:
        for table in ("scene_visit", "visit"):
            counted = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
            assert counted == 1, table


def constraints(engine: Engine) -> dict[str, set[str]]:
    seen = inspect(engine)
    found = {}
    for table in seen.get_table_names():
        if table != "alembic_version":
            found[table] = {
                *(str(c["name"]) for c in seen.get_check_constraints(table)),
                *(str(c["name"]) for c in seen.get_unique_constraints(table)),
                *(str(c["name"]) for c in seen.get_foreign_keys(table)),
                *(str(c["name"]) for c in seen.get_indexes(table)),
            }
    with engine.connect() as connection:
        query = (
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            if engine.dialect.name == "sqlite"
            else "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
        )
        rows = connection.exec_driver_sql(query).all()
    found["triggers"] = {re.sub(r"\s+", " ", f"{name} {text}") for name, text in rows}
    return found
