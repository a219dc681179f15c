"""Looks at the seats of activities at any moment, and names every promise that does not hold."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select

from server.activities.models import Seating
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.signups.kinds import LIVE, SEATED, SignUpState
from server.signups.models import SignUp
from server.signups.rules import MOST_PASSED
from tests.kit.activities import Lecture


@dataclass(frozen=True, kw_only=True)
class SeenSignUp:
    """A live sign-up."""

    id: int
    citizen_id: int | None
    state: SignUpState
    party_size: int
    sequence: int | None
    passed: int


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """An activity at one moment: its counters and its live sign-ups."""

    seats: int
    taken: int
    waiting: int
    offered: int
    people: tuple[SeenSignUp, ...]

    @property
    def seated(self) -> int:
        """Seats that people have."""
        return sum(one.party_size for one in self.people if one.state in SEATED)

    @property
    def line(self) -> list[SeenSignUp]:
        """The waitlist in its order."""
        waiting = [one for one in self.people if one.state is SignUpState.WAITLISTED]
        return sorted(waiting, key=lambda one: (one.sequence or 0, one.id))


_COUNTERS = ("seats", "taken", "waiting", "offered")
_FACTS = ("id", "citizen_id", "state", "party_size", "sequence", "passed")


def take_snapshot(uow: UnitOfWork, lecture: Lecture) -> Snapshot:
    """Read an activity in one statement, so that everything is of one moment."""
    live = and_(SignUp.activity_id == Seating.activity_id, SignUp.state.in_(LIVE))
    asked = (
        select(
            *(getattr(Seating, name) for name in _COUNTERS),
            *(getattr(SignUp, name).label(f"of_{name}") for name in _FACTS),
        )
        .outerjoin(SignUp, live)
        .where(Seating.activity_id == lecture.id)
    )
    rows: Sequence[Any] = uow.session.execute(asked).all()
    return Snapshot(
        **{name: getattr(rows[0], name) for name in _COUNTERS},
        people=tuple(
            SeenSignUp(**{name: getattr(row, f"of_{name}") for name in _FACTS})
            for row in rows
            if row.of_id is not None
        ),
    )


def find_breaks(seen: Snapshot) -> Iterator[str]:
    """The promises that an activity breaks at a moment, if nobody has a place elsewhere then."""
    if seen.seated > seen.seats:
        yield f"oversold: {seen.seated} people on {seen.seats} seats"
    if seen.taken != seen.seated:
        yield f"counted {seen.taken} taken seats, and people have {seen.seated}"
    if seen.waiting != len(seen.line):
        yield f"counted {seen.waiting} who wait, and {len(seen.line)} do"
    places = Counter(one.citizen_id for one in seen.people)
    if any(count > 1 for count in places.values()):
        yield "somebody has two places"
    sequences = [one.sequence for one in seen.line]
    if len(set(sequences)) != len(sequences):
        yield "two have one place on the waitlist"
    yield from _find_idle_seats(seen)


def _find_idle_seats(seen: Snapshot) -> Iterator[str]:
    free = seen.seats - seen.seated
    for one in seen.line:
        if one.party_size > seen.seats:
            continue
        if one.party_size <= free:
            yield f"{free} seats are idle, and a party of {one.party_size} waits"
        if one.passed >= MOST_PASSED:
            return


def find_overtaking(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """Parties that got seats before a party ahead of at most their size, which still waits."""
    states = {one.id: one.state for one in after.people}
    for at, served in enumerate(before.line):
        if states.get(served.id) not in SEATED:
            continue
        largest = min(served.party_size, after.seats)
        for ahead in before.line[:at]:
            if states.get(ahead.id) is SignUpState.WAITLISTED and ahead.party_size <= largest:
                yield f"{served.id} passed {ahead.id}"


class SeatSampler:
    """Looks at activities in turn by chance, in a thread of its own, while the block runs."""

    def __init__(self, uow_factory: UnitOfWorkFactory, lectures: Sequence[Lecture]) -> None:
        self._uow_factory, self._lectures = uow_factory, lectures
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on)
        self._last: dict[int, Snapshot] = {}
        self._troubles: list[BaseException] = []
        self.looks = 0
        self.breaks: list[str] = []

    def __enter__(self) -> SeatSampler:
        self._thread.start()
        return self

    def __exit__(self, *_trouble: object) -> None:
        self._over.set()
        self._thread.join()
        for lecture in self._lectures:
            self.look_at(lecture)
        assert self._troubles == []

    def look_at(self, lecture: Lecture) -> None:
        """Look at one activity, and note what does not hold."""
        with self._uow_factory.begin(read_only=True) as uow:
            seen = take_snapshot(uow, lecture)
        before = self._last.get(lecture.id, seen)
        self.breaks += [f"{lecture.ref}: {said}" for said in find_breaks(seen)]
        self.breaks += [f"{lecture.ref}: {said}" for said in find_overtaking(before, seen)]
        self._last[lecture.id] = seen
        self.looks += 1

    def _look_on(self) -> None:
        chance = random.Random(20261130)
        try:
            while not self._over.is_set():
                self.look_at(chance.choice(self._lectures))
        except BaseException as trouble:
            self._troubles.append(trouble)
