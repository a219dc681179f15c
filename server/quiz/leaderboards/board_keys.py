"""Names of boards, and the encoding of a standing in them; uses neither database nor Redis.

A board is one scope in one period of one contest: `total/region`, `day:2026-05-01/city:450100`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from server.base.clock import beijing_day, beijing_week
from server.base.errors import Invalid

REGION = "region"
TOTAL = "total"
# Prefix of a removed standing, whose row is kept so that the removal reaches every board.
GONE = "gone:"
# Prefix of a standing that citizens do not see while the boards are frozen. One character, because
# a period with both prefixes must fit into its column.
HIDDEN = "+"

_DAY = re.compile(r"day:(\d{4}-\d\d-\d\d)", re.ASCII)
_WEEK = re.compile(r"week:(\d{4})-W(\d\d)", re.ASCII)


@dataclass(frozen=True)
class CountedPlace:
    """The places that an entry counts for."""

    city: str | None
    county: str | None
    unit_id: int | None
    audience: str | None
    division: str | None = None

    @property
    def scopes(self) -> list[str]:
        """Every scope whose boards contain this entry, the region first."""
        named = {
            "city": self.city,
            "county": self.county,
            "unit": self.unit_id,
            "audience": self.audience,
            "division": self.division,
        }
        return [REGION, *(f"{kind}:{value}" for kind, value in named.items() if value)]


def group_name(contest_id: int) -> str:
    """The key group of a contest's boards."""
    return f"contest:{contest_id}"


def board_name(period: str, scope: str) -> str:
    """One board of a contest."""
    return f"{period}/{scope}"


def is_hidden(period: str) -> bool:
    """Whether a period belongs to no public board, because it was counted during a freeze."""
    return period.removeprefix(GONE).startswith(HIDDEN)


def split_board(board: str) -> tuple[str, str]:
    """Period and scope of a board's name."""
    period, _, scope = board.partition("/")
    return period, scope


def day_period(day: date) -> str:
    """The period of one Beijing day."""
    return f"day:{day.isoformat()}"


def week_period(week: str) -> str:
    """The period of one ISO week."""
    return f"week:{week}"


def periods_of(day: date, week: str) -> list[str]:
    """The periods that a paper started on this day counts for, the whole contest first."""
    return [TOTAL, day_period(day), week_period(week)]


def periods_at(now: datetime) -> list[str]:
    """The periods that include an instant."""
    day = beijing_day(now)
    return periods_of(day, beijing_week(day))


def check_period(text: str, now: datetime) -> str:
    """A client's period; `today` and `this_week` are resolved at `now`.

    Raises: Invalid (422).
    """
    if text == TOTAL or _is_day(text) or _is_week(text):
        return text
    _, day, week = periods_at(now)
    current = {"today": day, "this_week": week}.get(text)
    if current is None:
        expected = "expected total, today, this_week, day:YYYY-MM-DD or week:YYYY-Www"
        raise Invalid((("query", "period"), expected))
    return current


def _is_day(text: str) -> bool:
    found = _DAY.fullmatch(text)
    try:
        return found is not None and date.fromisoformat(found[1]).year > 0
    except ValueError:
        return False


def _is_week(text: str) -> bool:
    found = _WEEK.fullmatch(text)
    try:
        return found is not None and date.fromisocalendar(int(found[1]), int(found[2]), 1).year > 0
    except ValueError:
        return False
