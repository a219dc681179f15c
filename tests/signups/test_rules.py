"""The waitlist's rules alone."""

from __future__ import annotations

import pytest

from server.activities.rules import commit_seed
from server.signups.kinds import Hindrance
from server.signups.rules import (
    MOST_PASSED,
    Hall,
    Party,
    draw_order,
    explain_waiting,
    plan_promotions,
)


def queue_of(*sizes: int, passed: dict[int, int] | None = None) -> list[Party]:
    """Parties with keys 1, 2, 3 …"""
    times = passed or {}
    return [
        Party(key=key, size=size, passed=times.get(key, 0)) for key, size in enumerate(sizes, 1)
    ]


@pytest.mark.parametrize(
    ("free", "sizes", "served"),
    [
        (0, (1, 1), ()),
        (1, (1, 1), (1,)),
        (3, (1, 1, 1, 1), (1, 2, 3)),
        (2, (3, 1, 1), (2, 3)),
        (2, (3, 2), (2,)),
        (2, (3,), ()),
        (4, (3, 2, 1), (1, 3)),
    ],
)
def test_seats_go_to_the_first_parties_that_fit(
    free: int, sizes: tuple[int, ...], served: tuple[int, ...]
) -> None:
    assert plan_promotions(free, queue_of(*sizes)).served == served


def test_each_party_served_before_its_turn_counts_for_those_it_passes() -> None:
    plan = plan_promotions(2, queue_of(3, 1, 1))
    assert plan.passed == {1: 2}


def test_a_party_is_passed_over_at_most_three_times_then_seats_gather() -> None:
    plan = plan_promotions(5, queue_of(6, 1, 1, 1, 1))
    assert (plan.served, plan.passed) == ((2, 3, 4), {1: MOST_PASSED})
    gathering = queue_of(6, 1, 1, passed={1: MOST_PASSED})
    assert plan_promotions(5, gathering).served == ()
    assert plan_promotions(6, gathering).served == (1,)


def test_a_second_party_behind_a_gathering_one_waits_too() -> None:
    assert plan_promotions(2, queue_of(3, 2, passed={1: MOST_PASSED})).served == ()


def test_a_plan_leaves_nobody_who_would_be_served_by_a_second_one() -> None:
    for free in range(8):
        for sizes in ((3, 1, 2), (4, 4, 1), (1, 5, 2, 2), (6, 1, 1, 1, 1)):
            queue = queue_of(*sizes)
            plan = plan_promotions(free, queue)
            left = free - sum(one.size for one in queue if one.key in plan.served)
            again = [
                Party(key=one.key, size=one.size, passed=plan.passed.get(one.key, one.passed))
                for one in queue
                if one.key not in plan.served
            ]
            assert left >= 0
            assert plan_promotions(left, again).served == ()


def test_each_waiting_person_is_told_the_rule_that_holds_him_back() -> None:
    queue = queue_of(9, 2, 3, 1, 1, passed={3: MOST_PASSED})
    told = explain_waiting(Hall(running=True, seats=8, free=2), queue, clashing={2})
    assert told == {
        1: Hindrance.PARTY_TOO_LARGE,
        2: Hindrance.CLASH,
        3: Hindrance.SEATS_GATHER,
        4: Hindrance.OTHERS_GATHER,
        5: Hindrance.OTHERS_GATHER,
    }
    full = explain_waiting(Hall(running=True, seats=8, free=0), queue_of(1), ())
    assert full == {1: Hindrance.NO_SEAT}
    few = explain_waiting(Hall(running=True, seats=8, free=1), queue_of(2), ())
    assert few == {1: Hindrance.TOO_FEW}
    over = explain_waiting(Hall(running=False, seats=8, free=1), queue_of(1), ())
    assert over == {1: Hindrance.NOT_RUNNING}


def test_a_draw_can_be_repeated_by_anybody_with_the_published_seed() -> None:
    # The digests are those of `openssl dgst -sha256 -hmac seed`: 0a28…, 8e54…, 78bc….
    drawn = ["sgn_a", "sgn_c", "sgn_b"]
    assert draw_order("seed", ["sgn_a", "sgn_b", "sgn_c"]) == drawn
    assert draw_order("seed", ["sgn_c", "sgn_b", "sgn_a"]) == drawn
    assert commit_seed("seed") == "19b25856e1c150ca834cffc8b59b23adbd0ec0389e58eb22b3b64768098d002b"
