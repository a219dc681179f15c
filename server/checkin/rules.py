"""Rules of check-in without a database: times of scans, stays, and absent people's seats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.activities.service import ActivityState
from server.checkin.kinds import AdmissionWay, GatePhase

# A device's clock may be wrong by this much; a time beyond it is replaced by the server's.
CLOCK_TOLERANCE = timedelta(days=1)
# A scan that arrives within this time is live, and gets the server's time.
LIVE_WITHIN = timedelta(minutes=2)


def phase_of_gate(
    state: ActivityState, opens_at: datetime, ends_at: datetime, now: datetime
) -> GatePhase:
    """Whether the gate admits people at an instant; a postponed activity has no date yet."""
    if state is ActivityState.CANCELLED:
        return GatePhase.CANCELLED
    if state is ActivityState.POSTPONED or now < opens_at:
        return GatePhase.EARLY
    return GatePhase.OVER if state is ActivityState.CLOSED or now >= ends_at else GatePhase.OPEN


@dataclass(frozen=True, kw_only=True)
class DeviceClock:
    """The correction of a device's times: the batch's sending by its clock, its arrival by ours.

    `earliest` is the instant before which this device cannot have scanned.
    """

    sent_at: datetime | None
    now: datetime
    earliest: datetime

    def correct_time(self, device_at: datetime) -> datetime:
        """The instant of a scan, within the possible range.

        Without `sent_at`, a time close to the server's is that of a live scan, and one beyond the
        tolerance is that of a wrong clock.
        """
        if self.sent_at is not None:
            at = device_at + (self.now - self.sent_at)
        else:
            off = abs(device_at - self.now)
            at = self.now if off <= LIVE_WITHIN or off > CLOCK_TOLERANCE else device_at
        return min(max(at, self.earliest), self.now)


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """One passage of a ticket through a gate.

    `grant_id` is None for self check-in and acts by hand. `admitted`: the device let the people in
    by its own roster.
    """

    nonce: str
    at: datetime
    device_at: datetime
    inward: bool
    admitted: bool = False
    way: AdmissionWay = AdmissionWay.SCAN
    grant_id: int | None = None
    organizer_id: int | None = None
    gate: str = ""


@dataclass(frozen=True, kw_only=True)
class Presence:
    """The presence that follows from the passages of a ticket.

    `first` is the first admission, `entered` the admission since which the people are inside, None
    while they are outside. `doubles` are nonces of admissions by another gate's staff while they
    were inside.
    """

    first: Passage | None = None
    entered: Passage | None = None
    last_out_at: datetime | None = None
    stayed: timedelta = timedelta(0)
    doubles: frozenset[str] = frozenset()


def follow_passages(passages: Iterable[Passage]) -> Presence:
    """The presence that follows from passages, in whatever order they arrived.

    The order of arrival decides only between passages of the same instant. A check-out without an
    admission before it has no effect.
    """
    first: Passage | None = None
    entered: Passage | None = None
    last_out_at: datetime | None = None
    stayed = timedelta(0)
    doubles: set[str] = set()
    for one in sorted(passages, key=lambda one: (one.at, one.device_at)):
        if not one.inward:
            if entered is not None:
                stayed += one.at - entered.at
                last_out_at, entered = one.at, None
        elif entered is None:
            entered, first = one, first or one
        elif _is_double(entered, one):
            doubles.add(one.nonce)
    return Presence(
        first=first, entered=entered, last_out_at=last_out_at, stayed=stayed,
        doubles=frozenset(doubles),
    )  # fmt: skip


def _is_double(entered: Passage, other: Passage) -> bool:
    grants = {entered.grant_id, other.grant_id}
    return None not in grants and len(grants) > 1


@dataclass(frozen=True, kw_only=True)
class AbsentParty:
    """A party with seats that has not come: the number of its people."""

    signup_id: int
    people: int


def choose_absent(absent: Sequence[AbsentParty], needed: int) -> tuple[int, ...] | None:
    """The sign-ups of absent people whose seats are given away, so that `needed` seats are free.

    The latest sign-ups lose their seats first, and no more of them than needed; one party that is
    large enough by itself is preferred to several. None when even all of them are not enough.
    """
    if needed <= 0:
        return ()
    latest = sorted(absent, key=lambda one: -one.signup_id)
    fitting = [one for one in latest if one.people >= needed]
    if fitting:
        return (min(fitting, key=lambda one: (one.people, -one.signup_id)).signup_id,)
    chosen: list[int] = []
    for one in latest:
        chosen.append(one.signup_id)
        needed -= one.people
        if needed <= 0:
            return tuple(chosen)
    return None
