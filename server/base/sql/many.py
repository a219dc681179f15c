"""Conditions and updates on many rows, whose lists of ids are one parameter each.

An IN with a parameter for each id is another text for each length: SQLAlchemy spells it again, and
PostgreSQL parses and plans it again. Here the text stays the same, so that both keep it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    Boolean,
    Dialect,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from server.base.sql.tables import insert_for

# As many different values are written by a statement each; more of them row by row.
_FEW = 4
Changes = Mapping[str, Any]


class _IdList(TypeDecorator[Collection[int]]):
    """Row ids as one parameter: the text of a JSON list, or of an array of PostgreSQL.

    The driver would spell an array value by value, which takes longer than the statement.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> str:
        """Spell the ids."""
        ids = sorted(value or ())
        listed = ",".join(map(str, ids))
        return f"{{{listed}}}" if dialect.name == "postgresql" else f"[{listed}]"


class _RowList(TypeDecorator[Sequence[Mapping[str, Any]]]):
    """Rows of values as one parameter, a JSON list of objects."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self, value: Sequence[Mapping[str, Any]] | None, dialect: Dialect
    ) -> str:
        """Spell the rows."""
        del dialect
        return msgspec.json.encode(value or ()).decode()


class IsAny(FunctionElement[bool]):
    """A condition that a column has one of many integers; see `is_any`."""

    type = Boolean()
    name = "is_any"
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """The condition itself: without this SQLite gets `… = 1`, for which it uses no index."""
        del against
        return self


def is_any(of: Any, ids: Collection[int]) -> IsAny:
    """Whether a column has one of these integers, as one parameter; for row ids."""
    return IsAny(of, bindparam(None, ids, type_=_IdList, unique=True))


def is_any_of(of: Any, name: str) -> IsAny:
    """As `is_any`, for a statement that is kept: the ids are its parameter `name`."""
    return IsAny(of, bindparam(name, type_=_IdList))


@compiles(IsAny)
def _spell_for_sqlite(element: IsAny, compiler: SQLCompiler, **kw: Any) -> str:
    of, ids = (compiler.process(one, **kw) for one in element.clauses)
    return f"{of} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - compiled parts


@compiles(IsAny, "postgresql")
def _spell_for_postgresql(element: IsAny, compiler: SQLCompiler, **kw: Any) -> str:
    of, ids = (compiler.process(one, **kw) for one in element.clauses)
    return f"{of} = ANY (CAST({ids} AS BIGINT[]))"


def insert_many(
    session: Session, table: Table, same: Changes, varied: Mapping[str, Sequence[Any]]
) -> int:
    """Insert rows that have some columns in common; return how many were added.

    `varied` has one value of each other column for each row. A row whose unique key exists is left
    out.
    """
    size = len(next(iter(varied.values())))
    if not size:
        return 0
    fresh = insert_for(session, table).on_conflict_do_nothing()
    if session.get_bind().dialect.name == "postgresql":
        given = _table_of_values(table, varied)
        columns = {**{name: literal(same[name], table.c[name].type) for name in same}}
        columns |= {name: given.c[name] for name in varied}
        made = fresh.from_select(list(columns), select(*columns.values()), include_defaults=False)
        done: Any = session.execute(made, execution_options={"preserve_rowcount": True})
        return int(done.rowcount)
    rows = [dict(zip(varied, values, strict=True)) for values in zip(*varied.values(), strict=True)]
    done = session.execute(fresh.values(same), rows, execution_options={"preserve_rowcount": True})
    return int(done.rowcount)


def _table_of_values(table: Table, lists: Mapping[str, Sequence[Any]]) -> Any:
    """Values of columns, a list for each, as a table of PostgreSQL."""
    rows = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
    given = cast(bindparam(None, rows, type_=_RowList, unique=True), JSON)
    columns = [column(name, table.c[name].type) for name in lists]
    values = func.json_to_recordset(given).table_valued(*columns)
    return values.render_derived(name="given", with_types=True)


def write_changes(session: Session, table: Table, changed: Mapping[int, Changes]) -> None:
    """Change many rows of a table, by few statements; `changed` has new values by row id.

    Rows with the same new values are changed together. The caller holds the rows.
    """
    alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row_id, values in changed.items():
        if values:
            alike[tuple(sorted(values))].append(row_id)
    for names, row_ids in alike.items():
        _write_columns(session, table, names, {one: changed[one] for one in sorted(row_ids)})


def _write_columns(
    session: Session, table: Table, names: tuple[str, ...], changed: Mapping[int, Changes]
) -> None:
    """Change the same columns of rows."""
    # Compared with a few, because hashing the values of each row costs more than the statement.
    kinds: list[tuple[Changes, list[int]]] = []
    for row_id, values in changed.items():
        row_ids = next((same for kind, same in kinds if kind == values), None)
        if row_ids is not None:
            row_ids.append(row_id)
        elif len(kinds) == _FEW:
            break
        else:
            kinds.append((values, [row_id]))
    else:
        for kind, row_ids in kinds:
            session.execute(update(table).where(is_any(table.c.id, row_ids)).values(kind))
        return
    first = next(iter(changed.values()))
    same = {
        name: first[name]
        for name in names
        if all(values[name] == first[name] for values in changed.values())
    }
    varied = [name for name in names if name not in same]
    if session.get_bind().dialect.name == "postgresql":
        _write_from_arrays(session, table, same, varied, changed)
        return
    by_id = update(table).where(table.c.id == bindparam("row_id")).values(same)
    by_id = by_id.values({name: bindparam(f"new_{name}") for name in varied})
    session.execute(
        by_id,
        [
            {"row_id": row_id, **{f"new_{name}": values[name] for name in varied}}
            for row_id, values in changed.items()
        ],
    )


def _write_from_arrays(
    session: Session,
    table: Table,
    same: Changes,
    varied: list[str],
    changed: Mapping[int, Changes],
) -> None:
    """Write by one statement of PostgreSQL, which joins the table with its parameters."""
    lists = {name: [one[name] for one in changed.values()] for name in varied}
    given = _table_of_values(table, {"id": list(changed), **lists})
    session.execute(
        update(table)
        .where(table.c.id == given.c.id)
        .values({**same, **{name: given.c[name] for name in varied}})
    )
