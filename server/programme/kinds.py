"""The campaign's closed lists: kinds of programmes, roles of organisers, precisions of dates."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """A theme activity has dates and hosts; a joint action leaves both to the units."""

    THEME = "theme"
    JOINT = "joint"


class Role(StrEnum):
    """The role of an organiser in a programme."""

    HOST = "host"
    UNDERTAKER = "undertaker"


class Precision(StrEnum):
    """Precision of the start in a date wording.

    In the order below: a day; ten days (旬); a month; the end of a month.
    """

    DAY = "day"
    XUN = "xun"
    MONTH = "month"
    END_OF_MONTH = "end_of_month"


class State(StrEnum):
    """State of a programme relative to today."""

    UPCOMING = "upcoming"
    NOW = "now"
    PAST = "past"
