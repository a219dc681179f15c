"""Rules of the waitlist and the lottery, without a database.

The waitlist is served in order. A party that does not fit into the free seats is passed over at
most `MOST_PASSED` times; then freed seats are kept until it fits. A waiting party that fits is
never passed over for a later one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from server.signups.kinds import Hindrance

MOST_PASSED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Party:
    """A sign-up on the waitlist: its key, its size, and how often it was passed over."""

    key: int
    size: int
    passed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The parties that get seats now, in order, and how often others have been passed over."""

    served: tuple[int, ...] = ()
    passed: dict[int, int] = field(default_factory=dict)


def plan_promotions(free: int, queue: Iterable[Party]) -> Plan:
    """Give free seats to a waitlist, in its order; a new sign-up is the last of it.

    `queue` holds only parties that may be served: in order, without those who have a place at the
    same time elsewhere, and without parties larger than the hall. It is read no further than
    needed.
    """
    served: list[int] = []
    skipped: list[Party] = []
    passed: dict[int, int] = {}
    for party in queue:
        if free <= 0:
            break
        if party.size > free:
            if party.passed >= MOST_PASSED:
                break
            skipped.append(party)
            continue
        served.append(party.key)
        free -= party.size
        for waiting in skipped:
            passed[waiting.key] = passed.get(waiting.key, waiting.passed) + 1
        if any(passed[waiting.key] >= MOST_PASSED for waiting in skipped):
            break
    return Plan(served=tuple(served), passed=passed)


@dataclass(frozen=True, kw_only=True)
class Hall:
    """The facts that explain a waitlist: whether it is served, all seats, and free seats."""

    running: bool
    seats: int
    free: int


def explain_waiting(
    hall: Hall, queue: Iterable[Party], clashing: Collection[int]
) -> dict[int, Hindrance]:
    """For each party of the whole waitlist, in order, the rule that holds it back."""
    told: dict[int, Hindrance] = {}
    gathering = False
    for party in queue:
        told[party.key] = _hindrance_of(hall, party, clashing, gathering=gathering)
        if told[party.key] is Hindrance.SEATS_GATHER:
            gathering = True
    return told


def _hindrance_of(
    hall: Hall, party: Party, clashing: Collection[int], *, gathering: bool
) -> Hindrance:
    if not hall.running:
        return Hindrance.NOT_RUNNING
    if party.size > hall.seats:
        return Hindrance.PARTY_TOO_LARGE
    if party.key in clashing:
        return Hindrance.CLASH
    if gathering:
        return Hindrance.OTHERS_GATHER
    if party.passed >= MOST_PASSED:
        return Hindrance.SEATS_GATHER
    return Hindrance.NO_SEAT if hall.free <= 0 else Hindrance.TOO_FEW


def draw_order(seed: str, refs: Iterable[str]) -> list[str]:
    """The drawn order of sign-ups: by HMAC-SHA-256 of each ref under the seed.

    Anybody can repeat it with the published seed and the list of refs.
    """
    key = seed.encode()
    return sorted(refs, key=lambda ref: (hmac.new(key, ref.encode(), hashlib.sha256).digest(), ref))
