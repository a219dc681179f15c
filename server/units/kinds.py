"""The levels of units, for tables and services alike."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """How far a unit's duty reaches."""

    NATIONAL = "national"
    REGION = "region"
    CITY = "city"
    COUNTY = "county"
