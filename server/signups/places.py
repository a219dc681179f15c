"""The places that a citizen has in activities, and those that overlap in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from server.activities import service as activities
from server.activities.service import ActivityState, ActivityTimes
from server.base.uow import UnitOfWork
from server.signups import store
from server.signups.kinds import HOPING, SEATED
from server.signups.store import Held

# How long a citizen finds an activity among the tickets after its end.
PAST_DAYS = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class HeldPlaces:
    """Live sign-ups of a citizen in activities that have not ended, with the times of each."""

    held: list[Held]
    times: dict[int, ActivityTimes]

    def in_activity(self, activity_id: int) -> Held | None:
        """The sign-up in an activity."""
        return next((one for one in self.held if one.activity_id == activity_id), None)

    def beside(self, wanted: ActivityTimes) -> Iterator[Held]:
        """The sign-ups in other activities at the same time."""
        for one in self.held:
            # The old date of a postponed activity clashes with nothing.
            if one.activity_id == wanted.id or self._is_postponed(one):
                continue
            if activities.do_overlap(self.times[one.activity_id], wanted):
                yield one

    def _is_postponed(self, held: Held) -> bool:
        return self.times[held.activity_id].state is ActivityState.POSTPONED

    def seated_beside(self, wanted: ActivityTimes, leaving: Held | None = None) -> Held | None:
        """A place with seats elsewhere at the same time, except the one to be given up."""
        found = (one for one in self.beside(wanted) if one.state in SEATED)
        return next((one for one in found if leaving is None or one.id != leaving.id), None)

    def hoping_beside(self, wanted: ActivityTimes) -> list[Held]:
        """The places on waitlists and in lotteries at the same time."""
        return [one for one in self.beside(wanted) if one.state in HOPING]


def read_places(uow: UnitOfWork, citizen_id: int) -> HeldPlaces:
    """The live sign-ups of a citizen in activities that have not ended."""
    held = store.live_of(uow, citizen_id)
    times = activities.times_of(uow, [one.activity_id for one in held])
    running = [
        one
        for one in held
        if times[one.activity_id].ends_at > uow.now
        or times[one.activity_id].state is ActivityState.POSTPONED
    ]
    return HeldPlaces(held=running, times=times)


def read_past_activities(uow: UnitOfWork, citizen_id: int) -> set[int]:
    """The activities that ended within `PAST_DAYS` and in which a citizen had a seat."""
    held = [one for one in store.live_of(uow, citizen_id) if one.state in SEATED]
    times = activities.times_of(uow, [one.activity_id for one in held])
    since = uow.now - PAST_DAYS
    return {
        one.id
        for one in times.values()
        if since < one.ends_at <= uow.now and one.state is not ActivityState.POSTPONED
    }


def activities_to_lock(places: HeldPlaces, *touched: ActivityTimes) -> set[int]:
    """The activities to lock for a change in `touched`: these, and waitlists at the same time."""
    chosen = {one.id for one in touched}
    for one in touched:
        chosen.update(beside.activity_id for beside in places.hoping_beside(one))
    return chosen
