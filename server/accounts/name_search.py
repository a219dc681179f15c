"""Finds citizens by the name under which they are shown to others."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from server.accounts.models import Citizen
from server.base.texts import Texts


def ids_by_nickname(nickname: str) -> Select[Any]:
    """The ids of citizens with exactly this nickname, as a subquery.

    Part of a nickname finds nothing, so that masked names cannot be revealed letter by letter.
    """
    return select(Citizen.id).where(Citizen.nickname == nickname)


def ids_by_shown_number(texts: Texts, shown: str) -> Select[Any]:
    """The ids of citizens without a nickname who are shown under this name, as a subquery.

    A name that is not made of the common word and a number finds nobody.
    """
    number = shown.removeprefix(texts.fill_text("accounts.name.unnamed"))
    named = select(Citizen.id).where(Citizen.nickname.is_(None))
    return named.where(Citizen.shown_number == (number if number != shown else ""))
