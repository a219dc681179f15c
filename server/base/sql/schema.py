"""Migrates the database to the newest schema, and checks whether it has that schema."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.base.sql.transaction import READ_ONLY

FOLDER = Path(__file__).resolve().parents[2] / "migrations"


def newest_revision() -> str:
    """The revision of the newest migration."""
    return (FOLDER / "HEAD").read_text(encoding="utf-8").strip()


def migrate_database(engine: Engine, target: str = "head") -> None:
    """Run every missing migration (or downgrade to an older one)."""
    # Imported here, because every other process would load it at its start without using it.
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        current = MigrationContext.configure(connection).get_current_revision()
        down = target != "head" and current is not None and (target == "base" or target < current)
        (command.downgrade if down else command.upgrade)(config, target)
        connection.commit()


def is_newest(engine: Engine) -> bool:
    """Whether the database is at the newest migration."""
    # Read-only, so that it does not wait for SQLite's writer.
    reading = engine.execution_options(**{READ_ONLY: True})
    try:
        with reading.connect() as connection:
            # Alembic's own table; it does not exist before the first migration.
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return bool(found == newest_revision())
    except (DBAPIError, PoolTimeout):
        return False
