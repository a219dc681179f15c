"""Names under which citizens are shown to each other: a masked nickname, or a number.

Erased citizens are shown as such. A statement of another slice reads the names with its own rows:
see `join_names`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, select, type_coerce

from server.accounts.models import Citizen
from server.accounts.rules import mask_name
from server.accounts.shown_numbers import number_of
from server.base.sql.prepared import run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork

_BATCH = 500

_citizen = table_of(Citizen)
# Labels that no column of another slice's statement has.
_NAME_COLUMNS = (
    _citizen.c.ref.label("name_ref"),
    _citizen.c.nickname.label("name_nickname"),
    _citizen.c.avatar_url.label("name_avatar_url"),
    _citizen.c.city.label("name_city"),
    # Only their truth is used, so no row of a board is converted for them.
    type_coerce(_citizen.c.public_rank, Integer).label("name_public_rank"),
    type_coerce(_citizen.c.under_14, Integer).label("name_under_14"),
)
_NAMES = select(_citizen.c.id, *_NAME_COLUMNS).where(
    _citizen.c.id.in_(bindparam("ids", expanding=True)), _citizen.c.erased_at.is_(None)
)


_GREETINGS = select(_citizen.c.id, _citizen.c.nickname, _citizen.c.city, _citizen.c.unit_id).where(
    _citizen.c.id.in_(bindparam("ids", expanding=True)), _citizen.c.erased_at.is_(None)
)


class Greeting(NamedTuple):
    """The facts by which a message addresses a citizen: the checked nickname and the place."""

    nickname: str | None
    city: str | None
    unit_id: int | None


class Name(NamedTuple):
    """A citizen's public name and picture."""

    shown: str
    avatar_url: str | None = None
    city: str | None = None


def join_names(asked: Select[Any], citizen_id: ColumnElement[int]) -> Select[Any]:
    """Extend a statement about citizens' rows by what `name_from_row` needs.

    `citizen_id` is the column of `asked` that refers to the citizen.
    """
    joined = asked.outerjoin(
        _citizen, and_(_citizen.c.id == citizen_id, _citizen.c.erased_at.is_(None))
    )
    return joined.add_columns(*_NAME_COLUMNS)


def name_from_row(uow: UnitOfWork, row: Any) -> Name:
    """The name in a row of a statement of `join_names`.

    A nickname is masked and the avatar hidden unless its owner, 14 or older, chose to be public. A
    citizen without one gets a number, to distinguish the rows of a board.
    """
    if row.name_ref is None:
        return Name(shown=uow.texts.fill_text("accounts.name.erased"))
    public, nickname = row.name_public_rank and not row.name_under_14, row.name_nickname
    if not nickname:
        shown = uow.texts.fill_text("accounts.name.unnamed") + number_of(row.name_ref)
    else:
        shown = nickname if public else mask_name(nickname)
    return Name(shown, row.name_avatar_url if public else None, row.name_city)


def names_of(uow: UnitOfWork, ids: Iterable[int]) -> dict[int, Name]:
    """Public names of citizens as `name_from_row` makes them, one entry per id."""
    wanted = list(dict.fromkeys(ids))
    nobody = Name(shown=uow.texts.fill_text("accounts.name.erased"))
    names = dict.fromkeys(wanted, nobody)
    for start in range(0, len(wanted), _BATCH):
        some = {"ids": wanted[start : start + _BATCH]}
        names |= {row.id: name_from_row(uow, row) for row in run_statement(uow, _NAMES, some)}
    return names


def greetings_of(uow: UnitOfWork, ids: Iterable[int]) -> dict[int, Greeting]:
    """The facts by which messages address these citizens; erased ones are missing."""
    wanted = list(dict.fromkeys(ids))
    found: dict[int, Greeting] = {}
    for start in range(0, len(wanted), _BATCH):
        some = {"ids": wanted[start : start + _BATCH]}
        rows = run_statement(uow, _GREETINGS, some)
        found |= {row.id: Greeting(row.nickname, row.city, row.unit_id) for row in rows}
    return found


def own_name_of(uow: UnitOfWork, citizen_id: int) -> str:
    """The checked nickname of a citizen in full, or the number that stands for it."""
    nickname = uow.session.scalar(select(Citizen.nickname).where(Citizen.id == citizen_id))
    return nickname or unnamed_name_of(uow, citizen_id)


def unnamed_name_of(uow: UnitOfWork, citizen_id: int) -> str:
    """The number that stands for a citizen without a nickname."""
    ref = uow.session.scalar(select(Citizen.ref).where(Citizen.id == citizen_id))
    return uow.texts.fill_text("accounts.name.unnamed") + number_of(ref or "")
