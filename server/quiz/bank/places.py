"""The bank of each place, and ids that are unique over all places; pure."""

from __future__ import annotations

import re

from server.base.access import Scope

REGION_BANK = "demo"


def bank_slug(scope: Scope) -> str:
    """The bank of a place: `city-450100`; that of the region has its own name."""
    return REGION_BANK if scope.spelled == "region" else scope.spelled.replace(":", "-")


def place_ref(given: str, scope: Scope) -> str:
    """An id that no other place has; an id that has the place's ending already is unchanged.

    Two counties may both number their questions from E1 on.
    """
    ending = _slug_ending(scope)
    if not ending or given.endswith(ending):
        return given
    return f"{given[: 40 - len(ending)]}{ending}"


def _slug_ending(scope: Scope) -> str:
    if scope.unit_id is not None:
        return f"-u{scope.unit_id}"
    code = scope.county or scope.city
    return "" if code is None else f"-{re.sub('[^0-9]', '', code)}"
