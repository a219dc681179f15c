"""Meaning of WeChat's answers about subscription messages, and the quiet hours. Pure.

WeChat's lists of answers are open.

Source: wx.requestSubscribeMessage, "success callback": accept, reject, ban, filter; long-term
templates also answer acceptWithAudio, acceptWithAlert and acceptWithForcePush.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import Enum, auto

from server.base.clock import BEIJING

# No pushes in these hours of Beijing. Source: operating rules, announcements.
HOUSE_QUIET = (time(22), time(8))
_NO_GRANT = frozenset({"ban", "filter"})


class Meaning(Enum):
    """Effect of an answer on the grants."""

    GRANT = auto()
    REFUSAL = auto()
    NO_GRANT = auto()
    UNKNOWN = auto()


def meaning_of(word: str) -> Meaning:
    """The effect of an answer: `accept…` grants, `reject…` refuses, an unknown one does nothing."""
    if word.startswith("accept"):
        return Meaning.GRANT
    if word.startswith("reject"):
        return Meaning.REFUSAL
    return Meaning.NO_GRANT if word in _NO_GRANT else Meaning.UNKNOWN


def next_loud(now: datetime, own: tuple[time, time] | None) -> datetime:
    """The next instant outside quiet hours: `now`, or their end.

    Units: quiet hours are from and to in Beijing time, spanning midnight when from is later; `own`
    are the citizen's, in addition to the campaign's.
    """
    found = now
    # The end of one period may be inside the other.
    for _ in range(3):
        later = max(_end_of(found, quiet) for quiet in (HOUSE_QUIET, own) if quiet is not None)
        if later == found:
            return found
        found = later
    return found


def _end_of(now: datetime, quiet: tuple[time, time]) -> datetime:
    begins, ends = quiet
    local = now.astimezone(BEIJING)
    clock = local.time()
    inside = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    if not inside or begins == ends:
        return now
    day = local.date() + timedelta(days=1 if begins > ends and clock >= begins else 0)
    return datetime.combine(day, ends, BEIJING).astimezone(now.tzinfo)
