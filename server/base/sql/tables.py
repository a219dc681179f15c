"""Shared parts of all tables: base class, constraint names, aware times, JSON, enums.

Models inherit this `Base`, never the extension's own model class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Integer, MetaData, Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base class of all tables."""

    metadata = MetaData(naming_convention=NAMES)


def table_of(model: type[Base]) -> Table:
    """The table of a model."""
    return cast(Table, model.__table__)


class UtcDateTime(TypeDecorator[datetime]):
    """The only date-time column: refuses naive times, stores UTC, returns aware times.

    SQLite silently drops the time zone, which would shift every time by eight hours.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert an instant for the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time has no meaning here")
        at = value.astimezone(UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Convert an instant from the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_instant(value: datetime | None) -> datetime | None:
    """Convert an instant for PostgreSQL, as `UtcDateTime` does."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a naive time has no meaning here")
    return value.astimezone(UTC)


def utc_text(value: datetime | None) -> str | None:
    """Convert an instant for SQLite, as `UtcDateTime` does."""
    at = utc_instant(value)
    return None if at is None else at.replace(tzinfo=None).isoformat(" ", "microseconds")


def utc_from_text(value: str | None) -> datetime | None:
    """Convert an instant from SQLite, as `UtcDateTime` does."""
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


# SQLite generates row ids only for INTEGER; PostgreSQL needs the wide type.
BigId = BigInteger().with_variant(Integer(), "sqlite")
Json = JSON(none_as_null=True)


def enum_column(kind: type[StrEnum], name: str) -> Enum:
    """A StrEnum stored by its value, with a CHECK constraint called `name`."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=40,
        values_callable=_enum_values,
    )


def insert_for(session: Session, table: Table | type[Base]) -> Any:
    """An INSERT of this database's dialect, which supports `on_conflict_do_nothing`."""
    return insert_of(session.get_bind().dialect.name, table)


def insert_of(dialect: str, table: Table | type[Base]) -> Any:
    """An INSERT of a dialect by its name, for module-level statements."""
    return (sqlite.insert if dialect == "sqlite" else postgresql.insert)(table)


def insert_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows, which have the same keys, in one statement; None is NULL in all of them.

    The ORM omits empty columns, and therefore sends a statement for each set of columns.
    """
    if rows:
        session.execute(insert(model), rows, execution_options={"render_nulls": True})


def _enum_values(kind: Any) -> list[str]:
    return [member.value for member in kind]
