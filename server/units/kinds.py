"""The levels of units, for tables and services."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """The level of a unit's area of responsibility."""

    NATIONAL = "national"
    REGION = "region"
    CITY = "city"
    COUNTY = "county"
