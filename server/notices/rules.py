"""What WeChat's words about subscription messages mean, and when nobody is to be disturbed. Pure.

WeChat's word lists are open.

Source: wx.requestSubscribeMessage, "success callback": accept, reject, ban, filter; long-term
templates also answer acceptWithAudio, acceptWithAlert and acceptWithForcePush.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import Enum, auto

from server.base.clock import BEIJING

# Nobody is pushed anything in these hours of Beijing. Source: operating rules, announcements.
HOUSE_QUIET = (time(22), time(8))
_NO_GRANT = frozenset({"ban", "filter"})


class Meaning(Enum):
    """What a word does to the ledger."""

    GRANT = auto()
    REFUSAL = auto()
    NO_GRANT = auto()
    UNKNOWN = auto()


def meaning_of(word: str) -> Meaning:
    """What a word means: `accept…` is a grant, `reject…` a refusal, an unknown word no grant."""
    if word.startswith("accept"):
        return Meaning.GRANT
    if word.startswith("reject"):
        return Meaning.REFUSAL
    return Meaning.NO_GRANT if word in _NO_GRANT else Meaning.UNKNOWN


def next_loud(now: datetime, own: tuple[time, time] | None) -> datetime:
    """The next instant at which a person may be disturbed: `now`, or the end of quiet hours.

    Units: quiet hours are from and to on Beijing's clock, over midnight when from is later; `own`
    are the person's, beside the campaign's.
    """
    found = now
    # The end of one stretch may lie inside the other.
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
