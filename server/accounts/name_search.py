"""Finds citizens by the name under which they are shown to others."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from server.accounts.models import Citizen
from server.accounts.rules import number_of
from server.base.uow import UnitOfWork


def ids_by_nickname(nickname: str) -> Select[Any]:
    """The ids of citizens with exactly this nickname, as a subquery.

    Part of a nickname finds nothing, so that masked names cannot be revealed letter by letter.
    """
    return select(Citizen.id).where(Citizen.nickname == nickname)


def ids_by_shown_number(uow: UnitOfWork, shown: str, among: Select[Any]) -> list[int]:
    """The ids of citizens without a nickname who are shown under this name with a number.

    `among` selects the ids of the citizens to look at; the numbers are not stored.
    """
    number = shown.removeprefix(uow.texts.fill_text("accounts.name.unnamed"))
    if number == shown or not number.isascii() or not number.isdigit():
        return []
    wanted = select(Citizen.id, Citizen.ref)
    wanted = wanted.where(Citizen.nickname.is_(None), Citizen.id.in_(among))
    return [row.id for row in uow.session.execute(wanted) if number_of(row.ref) == number]
