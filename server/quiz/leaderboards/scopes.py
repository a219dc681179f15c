"""Scopes of boards as clients name them, and as boards are stored."""

from __future__ import annotations

from server.base.errors import Invalid
from server.base.uow import UnitOfWork
from server.quiz.leaderboards import groups
from server.quiz.leaderboards.board_keys import REGION
from server.quiz.rules import RuleSet
from server.units import service as units

# The audiences of the campaign, as profiles name them.
AUDIENCES = ("youth", "farmer", "worker", "official", "elder")


def scope_in_contest(uow: UnitOfWork, rules: RuleSet, text: str, citizen_id: int | None) -> str:
    """The internal scope; divisions exist only in a contest whose rules name them."""
    kind, _, value = text.partition(":")
    if kind == "division" and rules.division_named(value) is not None:
        return text
    return known_scope(uow, text, citizen_id)


def known_scope(uow: UnitOfWork, text: str, citizen_id: int | None = None) -> str:
    """The internal scope for a client's scope.

    Raises: Invalid (422) when there is no such place, unit or audience, NotFound (404) for a WeChat
    group that the citizen is not in.
    """
    kind, colon, value = text.partition(":")
    if kind == "group" and value:
        return f"group:{groups.group_of_member(uow, value, citizen_id)}"
    checked = REGION if text == REGION else _check_place(uow, kind, value)
    if checked is None or (colon and not value):
        raise Invalid((("query", "scope"), "no such scope"))
    return checked


def _check_place(uow: UnitOfWork, kind: str, value: str) -> str | None:
    places = units.load_regions()
    match kind:
        case "city" if places.find_city(value) is not None:
            return f"city:{value}"
        case "county" if places.find_county(value) is not None:
            return f"county:{places.current_code(value)}"
        case "audience" if value in AUDIENCES:
            return f"audience:{value}"
        case "unit":
            unit = units.unit_by_ref(uow, value)
            return None if unit is None else f"unit:{unit.id}"
    return None
