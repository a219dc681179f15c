"""Generates rows of any table with personal data from its definition."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Boolean, Column, Enum, Integer, LargeBinary, Table, insert, select
from sqlalchemy.types import JSON, Date, TypeEngine

from server import slices
from server.base.personal_data import Personal
from server.base.sql.tables import UtcDateTime
from server.base.uow import UnitOfWork
from server.certificates.kinds import store_claim
from server.wechat.callback.replies import Reply
from tests.kit.certificates import a_claim

_numbers = itertools.count(1)
Maker = Callable[[UnitOfWork, dict[str, Any]], Any]

# Values that a table's constraints require; each function gets the row so far.
_SPECIAL: Mapping[str, Any] = {
    "activity_feedback.rating": 3,
    "activity.draw_at": None,
    "activity.ends_at": lambda _work, row: row["now"].replace(year=row["now"].year + 1),
    "activity.signup_closes_at": lambda _work, row: row["now"].replace(year=row["now"].year + 1),
    "attempt.answers": {},
    "attempt.try_no": 1,
    "attempt.state": "submitted",
    "certificate.claim": lambda _work, row: store_claim(a_claim(sentence=row["mark"])),
    "certificate.ended": None,
    "certificate.ended_at": None,
    "certificate.name": lambda uow, row: uow.keys.seal_text(
        row["mark"], f"certificate.name:{row['serial']}"
    ),
    "citizen.erased_at": None,
    "citizen.merged_into": None,
    "consent.guardian_name": lambda uow, row: uow.keys.seal_text(
        row["mark"], f"consent.guardian_name:{row['ref']}"
    ),
    "consent.guardian_relation": lambda uow, row: uow.keys.seal_text(
        row["mark"], f"consent.guardian_relation:{row['ref']}"
    ),
    "contest.closes_at": lambda _work, row: row["now"].replace(year=row["now"].year + 1),
    "entry.erased_at": None,
    **dict.fromkeys(("hall.admitted", "hall.inside", "hall.walk_ins"), 0),
    "entry.merged_at": None,
    "phone.sealed": lambda uow, row: uow.keys.seal_text(row["mark"], f"phone.sealed:{row['ref']}"),
    "push.fields": {},
    "question.answer": [0],
    "question.options": ["甲", "乙"],
    "signup.name": lambda uow, row: uow.keys.seal_text(row["mark"], f"signup.name:{row['ref']}"),
    "signup.offer_expires_at": None,
    "signup.phone": lambda uow, row: uow.keys.seal_text(row["mark"], f"signup.phone:{row['ref']}"),
    "seen_message.reply": lambda _work, row: Reply.of_text(row["mark"]).to_bytes().decode(),
}


def a_row_of(uow: UnitOfWork, table: Table, mark: str, **given: Any) -> dict[str, Any]:
    """Insert a row and the rows it refers to; every text in it contains the mark."""
    row: dict[str, Any] = {"mark": mark, "now": uow.now}
    for column in table.columns:
        if column.name in given:
            row[column.name] = given[column.name]
        elif not _numbered(column):
            row[column.name] = _value(uow, table, column, row)
    values = {name: value for name, value in row.items() if name in table.columns}
    made = uow.session.execute(insert(table).values(values).returning(*table.columns)).one()
    return dict(made._mapping)


def a_row_about(uow: UnitOfWork, one: Personal, citizen_id: int, mark: str) -> dict[str, Any]:
    """A row of a declared table about a citizen."""
    table = one.table.__table__
    assert isinstance(table, Table)
    owner = one.owner_value.format(citizen_id) if one.owner_value else citizen_id
    given = dict.fromkeys(one.also, citizen_id)
    if _parent(one) is not None:
        parent = _parent(one)
        assert parent is not None
        owner = a_row_about(uow, parent, citizen_id, mark)["id"]
    return a_row_of(uow, table, mark, **{**given, one.owner_column: owner})


def rows_about(uow: UnitOfWork, one: Personal, citizen_id: int) -> list[dict[str, Any]]:
    """The rows of a declared table about a citizen, selected by its declaration."""
    mine = slices.PERSONAL_DATA.rows_of(one, citizen_id)
    table = one.table.__table__
    assert isinstance(table, Table)
    found = uow.session.execute(select(*table.columns).where(mine).order_by(*table.primary_key))
    return [dict(row._mapping) for row in found]


def every_row(uow: UnitOfWork, table: Table) -> list[dict[str, Any]]:
    """A whole table, in the order of its keys."""
    found = uow.session.execute(select(*table.columns).order_by(*table.primary_key))
    return [dict(row._mapping) for row in found]


def _parent(one: Personal) -> Personal | None:
    for other in slices.PERSONAL_DATA.order:
        if other.name == one.parent and not other.is_person:
            return other
    return None


def _numbered(column: Column[Any]) -> bool:
    counted = column.autoincrement is not False
    return column.primary_key and isinstance(column.type, Integer) and counted


def _value(uow: UnitOfWork, table: Table, column: Column[Any], row: dict[str, Any]) -> Any:
    special = _SPECIAL.get(f"{table.name}.{column.name}", column)
    if special is not column:
        return special(uow, row) if callable(special) else special
    if column.foreign_keys:
        (key,) = column.foreign_keys
        parent = key.column.table
        if parent is table and column.nullable:
            # A reference to the same table: the first row refers to none.
            return None
        return a_row_of(uow, parent, row["mark"])[key.column.name]
    return _of_type(column.type, row)


def _of_type(kind: TypeEngine[Any], row: dict[str, Any]) -> Any:
    number = next(_numbers)
    if isinstance(kind, Enum):
        return next(iter(kind.enum_class)) if kind.enum_class else kind.enums[0]
    for types, value in (
        (Boolean, False),
        (UtcDateTime, row["now"]),
        (Date, date(2026, 5, 1)),
        (JSON, []),
        (LargeBinary, row["mark"].encode()),
        (Integer, number),
    ):
        if isinstance(kind, types):
            return value
    length = getattr(kind, "length", None) or 100
    return f"{row['mark']}{number}"[:length] if length >= 20 else f"{number}"[:length]
