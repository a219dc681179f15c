"""The reach of each channel: openings of its web page, visitors, and the acts that followed.

An act belongs to the last code of the object that the citizen came by within seven days before it.
Visits and acts count once a citizen and Beijing day. Nothing is stored: the figures follow from the
visits, the sign-ups and the participations each time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from server.announcements.rules.acts import followed, followed_on
from server.base.clock import beijing_day
from server.base.uow import UnitOfWork
from server.channel import service as channel
from server.channel.service import ChannelCode, CodeTarget, SceneArrival
from server.programme import service as programmes
from server.signups import service as signups

CitizenDay = tuple[int, date]


@dataclass(kw_only=True)
class Reach:
    """The reach of one code.

    `opens` counts every opening of the web page; visits and acts are citizens and Beijing days.
    """

    opens: int = 0
    visits: set[CitizenDay] = field(default_factory=set)
    signed_up: set[CitizenDay] = field(default_factory=set)
    took_part: set[CitizenDay] = field(default_factory=set)

    @property
    def people(self) -> int:
        """The number of different visitors."""
        return len({citizen_id for citizen_id, _ in self.visits})


def read_reach(
    uow: UnitOfWork, target: CodeTarget, target_ref: str, rows: Sequence[ChannelCode]
) -> dict[str, Reach]:
    """The reach of all codes of an object, by code. An act follows from one code only.

    For an activity its own sign-ups count, for an announcement all sign-ups and participations.
    """
    found = {row.code: Reach() for row in rows}
    codes = {row.id: row.code for row in rows}
    for code_id, opens in channel.openings_of_codes(uow, codes).items():
        found[codes[code_id]].opens = opens
    arrivals = channel.arrivals_by_codes(uow, found)
    if not arrivals:
        return found
    ways: dict[int, list[SceneArrival]] = defaultdict(list)
    for one in arrivals:
        found[one.code].visits.add((one.citizen_id, beijing_day(one.at)))
        ways[one.citizen_id].append(one)
    visitors, since = channel.citizens_by_scene(found, None, None), arrivals[0].at
    own = target_ref if target is CodeTarget.ACTIVITY else None
    for who, at in signups.signups_made(uow, visitors, since, own):
        code = _last_code(one for one in ways[who] if followed(one.at, at))
        if code is not None:
            found[code].signed_up.add((who, beijing_day(at)))
    if target is CodeTarget.ANNOUNCEMENT:
        _note_participations(uow, found, ways, since)
    return found


def _note_participations(
    uow: UnitOfWork,
    found: Mapping[str, Reach],
    ways: Mapping[int, Sequence[SceneArrival]],
    since: datetime,
) -> None:
    visitors = channel.citizens_by_scene(found, None, None)
    for who, day, hour in programmes.parts_taken(uow, visitors, beijing_day(since)):
        code = _last_code(one for one in ways[who] if followed_on(one.at, day, hour))
        if code is not None:
            found[code].took_part.add((who, day))


def _last_code(ways: Iterable[SceneArrival]) -> str | None:
    """The code of the last arrival; they are in the order of time."""
    codes = [one.code for one in ways]
    return codes[-1] if codes else None
