"""Rules of activities without a database: phases of the sign-up, and a draft's consistency."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from server.activities.kinds import ActivityState, SignUpPhase

# Source: a lecture hall or a stadium; larger numbers are typing errors.
MOST_SEATS = 20_000
MOST_PARTY = 10
# A change of an activity that starts within this time is pushed at once, also at night.
URGENT_WITHIN = timedelta(hours=24)
_BAR = "|"


def is_urgent(starts_at: datetime, moved_from: datetime | None, at: datetime) -> bool:
    """Whether a change of an activity is so near its start that quiet hours do not count.

    The former start of a moved activity counts too: people may still come then.
    """
    starts = (one for one in (starts_at, moved_from) if one is not None)
    return any(at <= one <= at + URGENT_WITHIN for one in starts)


class Terms(Protocol):
    """Times and state of an activity."""

    @property
    def state(self) -> ActivityState:
        """The stored state of the activity."""

    @property
    def starts_at(self) -> datetime:
        """The start of the activity."""

    @property
    def ends_at(self) -> datetime:
        """The end of the activity."""

    @property
    def signup_opens_at(self) -> datetime:
        """The instant at which the sign-up opens."""

    @property
    def signup_closes_at(self) -> datetime:
        """The instant at which the sign-up closes."""

    @property
    def draw_at(self) -> datetime | None:
        """The instant of the lottery's draw; None without a lottery."""

    @property
    def drawn_at(self) -> datetime | None:
        """The instant at which the lottery was drawn; None before."""


_PHASES = {
    ActivityState.DRAFT: SignUpPhase.NOT_OPEN,
    ActivityState.REVIEW: SignUpPhase.NOT_OPEN,
    ActivityState.CANCELLED: SignUpPhase.CANCELLED,
    ActivityState.POSTPONED: SignUpPhase.POSTPONED,
    ActivityState.CLOSED: SignUpPhase.ENDED,
}


def phase_at(terms: Terms, now: datetime) -> SignUpPhase:
    """The phase of the sign-up at an instant; `NOT_OPEN` before the publication."""
    settled = _PHASES.get(terms.state)
    if settled is not None:
        return settled
    if now >= terms.ends_at:
        return SignUpPhase.ENDED
    if now < terms.signup_opens_at:
        return SignUpPhase.NOT_OPEN
    if now >= terms.signup_closes_at:
        return SignUpPhase.CLOSED
    if terms.draw_at is not None and terms.drawn_at is None:
        return SignUpPhase.LOTTERY
    return SignUpPhase.OPEN


def is_draw_due(terms: Terms, now: datetime) -> bool:
    """Whether the lottery has to be drawn; until then nobody gets a seat."""
    return terms.draw_at is not None and terms.drawn_at is None and now >= terms.draw_at


def may_promote_at(terms: Terms, now: datetime) -> bool:
    """Whether freed seats go to the waitlist: before sign-ups close and the activity starts."""
    return phase_at(terms, now) is SignUpPhase.OPEN and now < terms.starts_at


def do_overlap(one: Terms, other: Terms) -> bool:
    """Whether two activities overlap in time."""
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def spell_audiences(slugs: Iterable[str]) -> str:
    """The stored form of a set of audience slugs; empty for everybody."""
    chosen = sorted(set(slugs))
    return f"{_BAR}{_BAR.join(chosen)}{_BAR}" if chosen else ""


def read_audiences(stored: str) -> tuple[str, ...]:
    """The slugs of a stored set."""
    return tuple(slug for slug in stored.split(_BAR) if slug)


def commit_seed(seed: str) -> str:
    """The published commitment to a seed: SHA-256 of its hexadecimal spelling."""
    return hashlib.sha256(seed.encode()).hexdigest()
