"""Rules of check-in: corrected times, presence in any order of arrival, absent people's seats."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from server.activities.kinds import ActivityState
from server.base.signing import Keys
from server.checkin.codes import (
    VENUE_SECONDS,
    hash_grant_code,
    make_grant_code,
    read_venue_code,
    venue_code_at,
)
from server.checkin.kinds import GatePhase
from server.checkin.rules import (
    AbsentParty,
    DeviceClock,
    Passage,
    choose_absent,
    follow_passages,
    phase_of_gate,
)

NOW = datetime(2026, 5, 16, 9, 0, tzinfo=UTC)
KEYS = Keys("k" * 48)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("state", "minutes", "phase"),
    [
        (ActivityState.PUBLISHED, -1, GatePhase.EARLY),
        (ActivityState.PUBLISHED, 0, GatePhase.OPEN),
        (ActivityState.PUBLISHED, 119, GatePhase.OPEN),
        (ActivityState.PUBLISHED, 120, GatePhase.OVER),
        (ActivityState.CLOSED, 5, GatePhase.OVER),
        (ActivityState.POSTPONED, 5, GatePhase.EARLY),
        (ActivityState.CANCELLED, 5, GatePhase.CANCELLED),
    ],
)
def test_a_gate_admits_people_from_its_opening_to_the_end(
    state: ActivityState, minutes: int, phase: GatePhase
) -> None:
    assert phase_of_gate(state, NOW, NOW + 2 * HOUR, NOW + minutes * MINUTE) is phase


@pytest.mark.parametrize(
    ("device", "sent", "corrected"),
    [
        # A live scan gets the server's time, whatever its clock lacks.
        (-MINUTE, None, timedelta(0)),
        (MINUTE, None, timedelta(0)),
        # One that was saved keeps its time.
        (-30 * MINUTE, None, -30 * MINUTE),
        # Nothing happens in the future, nor before the device had its grant.
        (20 * HOUR, None, timedelta(0)),
        (-20 * HOUR, None, -2 * HOUR),
        # A clock that is wrong by more than a day tells nothing.
        (-25 * HOUR, None, timedelta(0)),
        (400 * 24 * HOUR, None, timedelta(0)),
        # The time of sending shows by how much the clock is wrong.
        (20 * HOUR, 20 * HOUR + 30 * MINUTE, -30 * MINUTE),
        (-99 * HOUR, -99 * HOUR + 30 * MINUTE, -30 * MINUTE),
        (-MINUTE, timedelta(0), -MINUTE),
    ],
)
def test_a_device_s_time_is_corrected_within_what_is_possible(
    device: timedelta, sent: timedelta | None, corrected: timedelta
) -> None:
    clock = DeviceClock(
        sent_at=None if sent is None else NOW + sent, now=NOW, earliest=NOW - 2 * HOUR
    )
    assert clock.correct_time(NOW + device) == NOW + corrected


def pass_at(minute: int, direction: str, grant: int | None = 1) -> Passage:
    at = NOW + minute * MINUTE
    nonce = f"{minute}{direction}{grant}"
    return Passage(
        nonce=nonce, at=at, device_at=at, inward=direction == "in", grant_id=grant, gate="门"
    )


def test_in_out_and_in_again_adds_both_stays_in_whatever_order_they_arrive() -> None:
    day = [pass_at(0, "in"), pass_at(30, "out"), pass_at(40, "in"), pass_at(65, "out")]
    for arrived in itertools.permutations(day):
        found = follow_passages(arrived)
        assert found.first == day[0]
        assert found.entered is None
        assert (found.stayed, found.last_out_at) == (55 * MINUTE, day[3].at)
        assert found.doubles == frozenset()
    inside = follow_passages(day[:3])
    assert inside.entered == day[2]
    assert inside.stayed == 30 * MINUTE


def test_a_check_out_without_an_admission_has_no_effect() -> None:
    assert follow_passages([pass_at(0, "out")]).first is None
    found = follow_passages([pass_at(0, "out"), pass_at(5, "in")])
    assert (found.entered, found.stayed) == (pass_at(5, "in"), timedelta(0))


def test_two_gates_that_let_one_ticket_in_are_a_conflict_and_two_scans_of_one_gate_are_not() -> (
    None
):
    first, again = pass_at(0, "in"), pass_at(1, "in")
    other, by_self = pass_at(2, "in", 2), pass_at(3, "in", None)
    for arrived in itertools.permutations([first, again, other, by_self]):
        found = follow_passages(arrived)
        assert found.first == first
        assert found.doubles == {other.nonce}


@pytest.mark.parametrize(
    ("parties", "needed", "chosen"),
    [
        ([], 0, ()),
        ([], 1, None),
        ([1, 1], 3, None),
        ([1, 1, 1], 1, (3,)),
        ([1, 2, 1], 2, (2,)),
        ([3, 2, 1], 2, (2,)),
        ([1, 1, 1], 2, (3, 2)),
        ([2, 2], 3, (2, 1)),
    ],
)
def test_the_latest_absent_people_lose_their_seats_and_no_more_of_them_than_needed(
    parties: list[int], needed: int, chosen: tuple[int, ...] | None
) -> None:
    absent = [AbsentParty(signup_id=at, people=size) for at, size in enumerate(parties, 1)]
    assert choose_absent(absent, needed) == chosen


def test_a_venue_code_is_accepted_when_it_is_new_and_refused_half_a_minute_later() -> None:
    for started in range(VENUE_SECONDS):
        at = NOW + timedelta(seconds=started)
        code = venue_code_at(KEYS, 7, at)
        for later in (0, 1, VENUE_SECONDS):
            assert read_venue_code(KEYS, code, at + timedelta(seconds=later)) == 7
        for later in (2 * VENUE_SECONDS, 31, 3600, -VENUE_SECONDS):
            assert read_venue_code(KEYS, code, at + timedelta(seconds=later)) is None


def test_a_venue_code_of_another_place_or_with_a_changed_character_is_refused() -> None:
    code = venue_code_at(KEYS, 7, NOW)
    assert read_venue_code(KEYS, f" {code.lower()} ", NOW) == 7
    assert read_venue_code(Keys("x" * 48), code, NOW) is None
    assert code != venue_code_at(KEYS, 8, NOW)
    wrong = [code[:at] + ("A" if code[at] != "A" else "B") + code[at + 1 :] for at in range(26)]
    assert {read_venue_code(KEYS, one, NOW) for one in [*wrong, "", "V1", "é" * 26]} == {None}


def test_codes_of_grants_are_random_and_small_enough_for_an_old_scanner() -> None:
    made = {make_grant_code() for _ in range(200)}
    assert len(made) == 200
    assert {len(one) for one in made} == {28}
    assert all(one.startswith("G1") and one.isalnum() and one == one.upper() for one in made)
    code = made.pop()
    assert hash_grant_code(code) == hash_grant_code(f" {code.lower()}")
