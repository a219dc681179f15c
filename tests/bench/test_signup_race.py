"""Sign-ups over real HTTP against several processes, with somebody who looks on all the time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from server.demo.crowd import MOST_AT_ONCE, CrowdAnswer
from server.signups.kinds import SignUpState
from tests.bench.http_house import HttpHouse, open_house
from tests.bench.stage import Person
from tests.kit.activities import Lecture, a_lecture
from tests.kit.effort import repeat_count
from tests.kit.seat_sampler import (
    SeatSampler,
    SeenSignUp,
    Snapshot,
    find_breaks,
    find_overtaking,
)

pytestmark = [pytest.mark.race, pytest.mark.slow]

PEOPLE, LECTURES = repeat_count(5000, 500), repeat_count(50, 10)
# Of each person.
CALLS = 4
LARGEST = 3
UNGUARDED = "tests.kit.unguarded:app"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request of a person."""

    token: str
    method: str
    path: str
    body: object = None


@pytest.fixture(scope="module")
def houses() -> Iterator[Callable[[str], HttpHouse]]:
    """The house of each kind of database, opened when it is first asked for."""
    with ExitStack() as closing:
        yield cache(lambda kind: closing.enter_context(open_house(kind)))


@pytest.fixture
def house(houses: Callable[[str], HttpHouse], database_kind: str) -> HttpHouse:
    return houses(database_kind)


def make_lectures(house: HttpHouse, count: int, **columns: Any) -> list[Lecture]:
    """Lectures on days of their own, so that nobody has to be in two places at once.

    Every third offers its freed seats, the others confirm them.
    """
    with house.uow_factory.begin() as uow:
        return [
            a_lecture(
                uow, starts_in=timedelta(days=2 + n), offer_minutes=0 if n % 3 else 30, **columns
            )
            for n in range(count)
        ]


def send_calls(
    house: HttpHouse, calls: Sequence[Call], at_once: int = MOST_AT_ONCE
) -> list[CrowdAnswer]:
    """Send calls in parallel, in about their order; the answers in the same order."""

    def send_one(one: Call) -> CrowdAnswer:
        return house.crowd.ask_server(one.method, one.path, one.body, one.token)

    return house.crowd.do_for_each(calls, send_one, lambda _done, _total: None, at_once=at_once)


def signing_up(person: Person, lecture: Lecture, party: int = 1) -> Call:
    path = f"/activities/{lecture.ref}/signup"
    return Call(token=person.token, method="POST", path=path, body={"party_size": party})


def calls_of(person: Person, lectures: Sequence[Lecture], chance: random.Random) -> list[Call]:
    """Two sign-ups, one of them given up, and a change of mind or an answer to an offer."""
    first, second = chance.sample(list(lectures), 2)
    left, party = chance.choice((first, second)), chance.randint(1, LARGEST)
    path = f"/activities/{left.ref}/signup"
    offer = Call(
        token=person.token, method="POST", path=f"{path}/offer",
        body={"accept": chance.random() < 0.5},
    )  # fmt: skip
    return [
        signing_up(person, first, party),
        signing_up(person, second),
        chance.choice([offer, Call(token=person.token, method="DELETE", path=path)]),
        chance.choice([offer, signing_up(person, left, party)]),
    ]


def all_calls(people: Sequence[Person], lectures: Sequence[Lecture]) -> list[Call]:
    """The calls of everybody, those of one person spread over the whole; some are tapped twice."""
    chance = random.Random(20261130)
    rounds = zip(*(calls_of(one, lectures, chance) for one in people), strict=True)
    calls: list[Call] = []
    for one_round in rounds:
        for call in chance.sample(one_round, len(one_round)):
            calls += [call] * (2 if chance.random() < 0.05 else 1)
    return calls


def test_thousands_of_calls_by_many_people_break_no_promise_at_any_moment(
    house: HttpHouse,
) -> None:
    seats = PEOPLE * 2 // LECTURES * 3 // 10
    lectures = make_lectures(house, LECTURES, seats=seats, party_max=LARGEST)
    people = house.stage.newcomers(PEOPLE)
    calls = all_calls(people, lectures)
    assert len(calls) >= PEOPLE * CALLS
    with SeatSampler(house.uow_factory, lectures) as sampler:
        answers = send_calls(house, calls)
    assert sampler.breaks == []
    assert sampler.looks > 2 * LECTURES
    told = Counter((call.method, one.status) for call, one in zip(calls, answers, strict=True))
    assert {status for _, status in told} <= {200, 201, 204, 404}
    assert told["POST", 201] > PEOPLE


def test_of_500_people_who_come_at_once_100_get_the_seats_and_400_stand_in_one_line(
    house: HttpHouse,
) -> None:
    (lecture,) = make_lectures(house, 1, seats=100)
    people = house.stage.newcomers(500)
    with SeatSampler(house.uow_factory, [lecture]) as sampler:
        calls = [signing_up(one, lecture) for one in people]
        answers = send_calls(house, calls, at_once=len(people))
    assert sampler.breaks == []
    assert {one.status for one in answers} == {201}
    states = Counter(one.body["status"] for one in answers)
    assert states == {SignUpState.CONFIRMED: 100, SignUpState.WAITLISTED: 400}
    positions = [one.body["position"] for one in answers if one.body["position"] is not None]
    assert sorted(positions) == list(range(1, 401))


def test_processes_that_read_the_counters_once_oversell_and_are_seen(
    database_kind: str,
) -> None:
    with open_house(database_kind, app=UNGUARDED) as house:
        (lecture,) = make_lectures(house, 1, seats=10)
        people = house.stage.newcomers(40)
        with SeatSampler(house.uow_factory, [lecture]) as sampler:
            send_calls(house, [signing_up(one, lecture) for one in people])
    assert any("oversold" in said for said in sampler.breaks)


def a_snapshot(*people: SeenSignUp, seats: int = 2, **counters: int) -> Snapshot:
    """An activity whose counters are right unless they are given."""
    taken = sum(one.party_size for one in people if one.sequence is None)
    waiting = sum(one.sequence is not None for one in people)
    counted = {"taken": taken, "waiting": waiting, "offered": 0, **counters}
    return Snapshot(seats=seats, people=people, **counted)


def a_place(
    number: int, *, party: int = 1, waits: int | None = None, citizen: int | None = None
) -> SeenSignUp:
    state = SignUpState.CONFIRMED if waits is None else SignUpState.WAITLISTED
    return SeenSignUp(
        id=number, citizen_id=citizen or number, state=state, party_size=party, sequence=waits,
        passed=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (a_snapshot(a_place(1), a_place(2), a_place(3)), "oversold"),
        (a_snapshot(a_place(1), taken=2), "counted 2 taken seats"),
        (a_snapshot(a_place(1), a_place(2), waiting=1), "counted 1 who wait"),
        (a_snapshot(a_place(1), a_place(2, citizen=1)), "two places"),
        (a_snapshot(a_place(1), a_place(2, waits=1)), "idle"),
        (
            a_snapshot(a_place(1, party=2), a_place(2, waits=1), a_place(3, waits=1)),
            "one place on the waitlist",
        ),
    ],
)
def test_each_broken_promise_is_seen(seen: Snapshot, said: str) -> None:
    assert [one for one in find_breaks(seen) if said in one]


def test_what_keeps_every_promise_is_not_blamed() -> None:
    large = a_place(2, party=2, waits=1)
    fair = a_snapshot(a_place(1), large, seats=2)
    assert list(find_breaks(fair)) == []
    before = a_snapshot(a_place(1, party=2), large, a_place(3, waits=2), seats=2)
    after = a_snapshot(a_place(3), large, seats=2)
    assert list(find_overtaking(before, after)) == []


def test_somebody_who_was_overtaken_is_seen() -> None:
    before = a_snapshot(a_place(1, party=2), a_place(2, waits=1), a_place(3, waits=2))
    after = a_snapshot(a_place(3), a_place(2, waits=1), seats=1)
    assert list(find_overtaking(before, after)) == ["3 passed 2"]
