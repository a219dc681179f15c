"""The campaign's closed lists: kinds of programmes, roles of organisers, precisions of dates."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """A theme activity has dates and hosts; a joint action is left to the units."""

    THEME = "theme"
    JOINT = "joint"


class Role(StrEnum):
    """What an organiser of a programme does."""

    HOST = "host"
    UNDERTAKER = "undertaker"


class Precision(StrEnum):
    """How exact the beginning of a date wording is.

    Units: a day; ten days; a month; the end of a month.
    """

    DAY = "day"
    XUN = "xun"
    MONTH = "month"
    END_OF_MONTH = "end_of_month"


class State(StrEnum):
    """How the days of a programme lie to today."""

    UPCOMING = "upcoming"
    NOW = "now"
    PAST = "past"
