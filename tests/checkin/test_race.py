"""Scans at the same time and late ones, on both databases, with controls without the guards."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from server.base.errors import AppError
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.checkin import admitting, book, grants, service, store, walk_ins
from server.checkin.book import ScanAnswer
from server.checkin.errors import HallFull, TooLate
from server.checkin.kinds import ScanDirection
from server.checkin.scanning import GivenScan, take_scans
from server.checkin.store import HeldGrant
from server.signups import changes
from server.signups import service as signups
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from server.signups.service import Wish
from tests.kit.activities import Lecture
from tests.kit.checkin import (
    EDITOR,
    admissions_of,
    check_hall,
    give_grant,
    open_lecture,
    scans_of,
    seat_citizen,
    stored_hall,
    ticket_of,
)
from tests.kit.clock import FakeClock
from tests.kit.effort import repeat_count
from tests.kit.locks import meet
from tests.kit.quiz import all_at_once
from tests.kit.signup_probes import seat_guest

pytestmark = pytest.mark.race

PARALLEL = 50
HALL, GATES = repeat_count(1000, 100), 4


def scanning(
    uow_factory: UnitOfWorkFactory, held: HeldGrant, *scans: GivenScan, **more: Any
) -> Callable[[], list[ScanAnswer]]:
    def step() -> list[ScanAnswer]:
        with uow_factory.begin() as uow:
            return take_scans(uow, held, scans, **more).answers

    return step


def a_scan(code: str, nonce: str, at: datetime, direction: str = "in") -> GivenScan:
    return GivenScan(nonce=nonce, ticket=code, scanned_at=at, direction=ScanDirection(direction))


def results_of(done: Sequence[Any]) -> Counter[str]:
    """How often each result was answered; a refused database is an exception's name."""
    return Counter(
        type(one).__name__ if isinstance(one, Exception) else one[0].result.value for one in done
    )


def scan_all_at_once(
    uow_factory: UnitOfWorkFactory, same_nonce: bool = False
) -> tuple[Lecture, Counter[str]]:
    """One ticket in fifty parallel requests."""
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        held, code = give_grant(uow, lecture), ticket_of(uow, seat_citizen(uow, lecture))
        now = uow.now
    scans = [a_scan(code, "n" if same_nonce else f"n{at}", now) for at in range(PARALLEL)]
    done = all_at_once([scanning(uow_factory, held, one) for one in scans])
    return lecture, results_of(done)


def test_fifty_parallel_scans_of_one_ticket_admit_it_once(uow_factory: UnitOfWorkFactory) -> None:
    lecture, results = scan_all_at_once(uow_factory)
    assert results == {"OK": 1, "ALREADY": PARALLEL - 1}
    with uow_factory.begin() as uow:
        assert check_hall(uow, lecture).admitted == 1
        assert len(scans_of(uow, lecture)) == PARALLEL


def test_fifty_parallel_uploads_of_one_scan_get_one_answer(
    uow_factory: UnitOfWorkFactory,
) -> None:
    lecture, results = scan_all_at_once(uow_factory, same_nonce=True)
    assert results == {"OK": PARALLEL}
    with uow_factory.begin() as uow:
        assert check_hall(uow, lecture).admitted == 1
        assert len(scans_of(uow, lecture)) == 1


def test_without_reading_under_the_lock_a_ticket_is_admitted_again_or_an_upload_fails(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "read_scans", lambda *_: [])
    monkeypatch.setattr(store, "read_admissions", lambda *_: {})
    _, results = scan_all_at_once(uow_factory)
    assert results["OK"] == 1
    assert results["ALREADY"] == 0


def test_four_gates_fill_a_hall_and_the_counters_equal_the_rows(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, seats=HALL)
        held = [give_grant(uow, lecture, f"{at}号门") for at in range(GATES)]
        codes = [ticket_of(uow, seat_guest(uow, lecture)) for _ in range(HALL)]
        now = uow.now
    # Every fifth ticket is scanned by two gates.
    per_gate = [
        [code for at, code in enumerate(codes) if at % GATES == gate or (at % 5, gate) == (0, 0)]
        for gate in range(GATES)
    ]

    def fill_hall(gate: int) -> Counter[str]:
        found: Counter[str] = Counter()
        for at, code in enumerate(per_gate[gate]):
            step = scanning(uow_factory, held[gate], a_scan(code, f"{gate}-{at}", now))
            found[step()[0].result.value] += 1
        return found

    with ThreadPoolExecutor(GATES) as pool:
        counted = sum(pool.map(fill_hall, range(GATES)), Counter[str]())
    assert counted["OK"] == HALL
    assert counted["ALREADY"] == sum(map(len, per_gate)) - HALL
    with uow_factory.begin() as uow:
        assert check_hall(uow, lecture).admitted == HALL
        assert len(scans_of(uow, lecture)) == sum(map(len, per_gate))
        assert len(service.list_conflicts(uow, EDITOR, lecture.ref)) == counted["ALREADY"]


@dataclass(frozen=True)
class Offline:
    """A hall of ten tickets with what two scanners saved offline, in the order of scanning."""

    lecture: Lecture
    held: list[HeldGrant]
    scans: list[list[GivenScan]]


def saved_offline(uow: UnitOfWork, codes_to_gates: int, off: Sequence[timedelta]) -> Offline:
    """Two scanners whose clocks are off; both scan the same ticket in a few cases."""
    lecture = open_lecture(uow, seats=20)
    held = [give_grant(uow, lecture, label) for label in ("东门", "西门")]
    codes = [ticket_of(uow, seat_citizen(uow, lecture)) for _ in range(10)]
    scans: list[list[GivenScan]] = [[], []]
    chance = random.Random(codes_to_gates)
    for minute in range(60):
        gate, code = chance.randrange(2), chance.randrange(10)
        direction = chance.choice(["in", "in", "out"])
        at = uow.now + timedelta(minutes=minute) + off[gate]
        scans[gate].append(a_scan(codes[code], f"{gate}-{minute}", at, direction))
    return Offline(lecture, held, scans)


def upload_saved(
    uow_factory: UnitOfWorkFactory, saved: Offline, off: Sequence[timedelta], how: str
) -> None:
    """Upload both scanners' scans in batches: in order, five times and reversed, or mixed."""
    batches = [
        (gate, scans[start : start + 7])
        for gate, scans in enumerate(saved.scans)
        for start in range(0, len(scans), 7)
    ]
    if how == "mixed":
        random.Random(1).shuffle(batches)
    if how == "five times, reversed":
        batches = [(gate, scans[::-1]) for gate, scans in reversed(batches)] * 5
    now = uow_factory.dependencies.clock.now()
    told: dict[str, str] = {}
    for gate, scans in batches:
        step = scanning(uow_factory, saved.held[gate], *scans, sent_at=now + off[gate])
        for answer in step():
            assert told.setdefault(answer.nonce, answer.result.value) == answer.result.value


def snapshot_of(uow: UnitOfWork, lecture: Lecture) -> list[tuple[Any, ...]]:
    """The attendance of a hall without ids, and its conflicts, with times after its first scan."""
    begun = min(one.at for one in scans_of(uow, lecture))
    first = min(row.signup_id for row in admissions_of(uow, lecture))
    rows = [
        (
            row.signup_id - first, row.gate, row.way, row.first_in_at - begun,
            row.inside_since and row.inside_since - begun, row.last_out_at, row.stayed_seconds,
        )
        for row in sorted(admissions_of(uow, lecture), key=lambda row: row.signup_id)
    ]  # fmt: skip
    flagged = sorted(one.nonce for one in scans_of(uow, lecture) if one.is_conflict)
    return [*rows, tuple(flagged)]


def test_scans_saved_offline_lead_to_the_same_hall_however_they_are_uploaded(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    """With clocks that are wrong by hours, uploaded five times, reversed, and mixed."""
    straight = [timedelta(0), timedelta(0)]
    ways = [
        ("in order", straight),
        ("mixed", straight),
        ("five times, reversed", straight),
        ("five times, reversed", [timedelta(hours=20), -timedelta(hours=23)]),
    ]
    for seed in range(repeat_count(20, 2)):
        with uow_factory.begin() as uow:
            halls = [saved_offline(uow, seed, off) for _, off in ways]
        clock.advance(3600)
        for saved, (how, off) in zip(halls, ways, strict=True):
            upload_saved(uow_factory, saved, off, how)
        with uow_factory.begin() as uow:
            for saved in halls:
                check_hall(uow, saved.lecture)
            snapshots = [snapshot_of(uow, saved.lecture) for saved in halls]
        assert snapshots[0][-1] != ()
        assert snapshots == [snapshots[0]] * len(ways)


def test_without_following_all_passages_the_order_of_the_uploads_decides(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: every batch is followed by itself, as it arrives."""
    follow = book.follow_passages
    monkeypatch.setattr(book, "follow_passages", lambda passages: follow(list(passages)[-1:]))
    straight = [timedelta(0), timedelta(0)]
    with uow_factory.begin() as uow:
        halls = [saved_offline(uow, 0, straight) for _ in range(2)]
    clock.advance(3600)
    for saved, how in zip(halls, ("in order", "five times, reversed"), strict=True):
        upload_saved(uow_factory, saved, straight, how)
    with uow_factory.begin() as uow:
        assert snapshot_of(uow, halls[0].lecture) != snapshot_of(uow, halls[1].lecture)


def race_withdrawal(uow_factory: UnitOfWorkFactory) -> tuple[SignUpState, int]:
    """A withdrawal beside a scan; the state of the sign-up, and the people admitted."""
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        signup, held = seat_citizen(uow, lecture), give_grant(uow, lecture)
        code, citizen, now = ticket_of(uow, signup), signup.citizen_id, uow.now
    assert citizen is not None

    def withdraw() -> bool:
        with uow_factory.begin() as uow:
            return signups.withdraw(uow, citizen, lecture.ref)

    done = all_at_once([withdraw, scanning(uow_factory, held, a_scan(code, "n", now))])
    assert all(isinstance(one, bool | list | AppError) for one in done), done
    with uow_factory.begin() as uow:
        state = uow.session.get_one(SignUp, signup.id, populate_existing=True).state
        return state, check_hall(uow, lecture).admitted


def test_a_ticket_is_admitted_or_withdrawn_and_never_both(uow_factory: UnitOfWorkFactory) -> None:
    for _ in range(repeat_count(60, 10)):
        assert race_withdrawal(uow_factory) in (
            (SignUpState.CONFIRMED, 1), (SignUpState.WITHDRAWN, 0),
        )  # fmt: skip


def test_without_asking_for_the_attendance_a_used_place_is_given_up(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        signup, held = seat_citizen(uow, lecture), give_grant(uow, lecture)
        take_scans(uow, held, [a_scan(ticket_of(uow, signup), "n", uow.now)])
        assert signup.citizen_id is not None
        monkeypatch.setattr(signups, "refuse_used", lambda *_: None)
        assert signups.withdraw(uow, signup.citizen_id, lecture.ref)
        assert stored_hall(uow, lecture).admitted == 1


def test_walk_ins_beside_late_people_never_get_more_seats_than_there_are(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    for _ in range(repeat_count(20, 3)):
        with uow_factory.begin() as uow:
            lecture = open_lecture(uow, seats=6, room_limit=7)
            held = give_grant(uow, lecture)
            late = [seat_citizen(uow, lecture) for _ in range(6)]
            codes = [ticket_of(uow, one) for one in late]
        clock.advance(46 * 60)
        now = uow_factory.dependencies.clock.now()

        def walk_in(ref: str = lecture.ref) -> str:
            with uow_factory.begin() as uow:
                return service.admit_walk_in(uow, EDITOR, ref, Wish()).gate

        scans = [scanning(uow_factory, held, a_scan(one, one, now)) for one in codes]
        done = all_at_once([*scans, *[walk_in] * 6])
        assert all(isinstance(one, str | list | HallFull) for one in done), done
        seated = sum(isinstance(one, str) for one in done)
        admitted = results_of([one for one in done if isinstance(one, list)])["OK"]
        with uow_factory.begin() as uow:
            hall = check_hall(uow, lecture)
            came = service.attended_signups(uow, lecture.id)
            for one in late:
                state = uow.session.get_one(SignUp, one.id, populate_existing=True).state
                assert (one.id in came) == (state is SignUpState.CONFIRMED)
        assert (hall.admitted, hall.walk_ins) == (seated + admitted, seated)
        assert hall.admitted == 7


def test_a_late_person_who_is_admitted_before_the_lock_keeps_the_seat(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, seats=1)
        late = seat_citizen(uow, lecture)
        service.admit_by_hand(uow, EDITOR, late.ref, "到了")
    clock.advance(46 * 60)
    stale = [walk_ins.AbsentParty(signup_id=late.id, people=1)]
    read = walk_ins._absent_parties

    def read_late(uow: UnitOfWork, activity_id: int) -> list[walk_ins.AbsentParty]:
        return [stale.pop()] if stale else read(uow, activity_id)

    monkeypatch.setattr(walk_ins, "_absent_parties", read_late)
    with uow_factory.begin() as uow, pytest.raises(HallFull):
        service.admit_walk_in(uow, EDITOR, lecture.ref, Wish())
    assert stale == []
    # Control: without reading the attendance again the late person loses the seat.
    stale.append(walk_ins.AbsentParty(signup_id=late.id, people=1))
    monkeypatch.setattr(walk_ins.store, "read_admissions", lambda *_: {})
    with uow_factory.begin() as uow:
        locked = signups.activities.lock_seats(uow, [lecture.id])[lecture.id]
        gate = signups.activities.gate_of(uow, lecture.id)
        assert walk_ins.make_room(uow, gate, locked, 1) == 1


def test_a_batch_beside_a_cancellation_waits_instead_of_a_deadlock(
    uow_factory: UnitOfWorkFactory,
) -> None:
    for _ in range(repeat_count(30, 5)):
        with uow_factory.begin() as uow:
            lecture = open_lecture(uow, seats=40)
            held = give_grant(uow, lecture)
            codes = [ticket_of(uow, seat_citizen(uow, lecture)) for _ in range(20)]
            now = uow.now

        def cancel(ref: str = lecture.ref) -> int:
            with uow_factory.begin() as uow:
                return changes.cancel_activity(uow, EDITOR, ref, "停电")

        batch = [a_scan(code, code, now) for code in reversed(codes)]
        again = [replace(one, nonce=f"{one.nonce}-2") for one in batch]
        done = all_at_once(
            [cancel, scanning(uow_factory, held, *batch), scanning(uow_factory, held, *again)]
        )
        assert not [one for one in done if isinstance(one, Exception)]


def meet_cancellation(uow_factory: UnitOfWorkFactory) -> list[str]:
    """A batch of two tickets meets a transaction that ends the second one, then the first one."""
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        held = give_grant(uow, lecture)
        rows = [seat_citizen(uow, lecture) for _ in range(2)]
        first, second = (one.id for one in rows)
        scans = [a_scan(ticket_of(uow, one), f"{one.id}", uow.now) for one in rows]

    def end_signup(uow: UnitOfWork, signup_id: int) -> None:
        uow.session.execute(
            update(SignUp).where(SignUp.id == signup_id).values(state=SignUpState.CALLED_OFF)
        )

    def hold_second(uow: UnitOfWork) -> None:
        signups.activities.lock_seats(uow, [lecture.id])
        end_signup(uow, second)

    batch = scanning(uow_factory, held, *scans)
    return meet(uow_factory, hold_second, batch, lambda uow: end_signup(uow, first))


def test_a_batch_waits_for_a_cancellation_before_it_locks_a_ticket(
    uow_factory: UnitOfWorkFactory,
) -> None:
    assert meet_cancellation(uow_factory) == []


def test_a_batch_that_locks_tickets_without_the_activity_is_aborted(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book.activities, "hold_activity", lambda *_: None)
    aborted = ["database_away"] if uow_factory.engine.dialect.name == "postgresql" else []
    assert meet_cancellation(uow_factory) == aborted


def walk_in_beside_cancellation(uow_factory: UnitOfWorkFactory) -> type[AppError] | None:
    """What a walk-in is refused with that waits for the cancellation of its activity."""
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        gate = signups.activities.gate_of(uow, lecture.id)
        keeper = admitting.keeper_in_console(uow, EDITOR)
    refused: list[type[AppError]] = []

    def walk_in() -> None:
        try:
            with uow_factory.begin() as uow:
                admitting.admit_guest(uow, keeper, gate, Wish())
        except AppError as refusal:
            refused.append(type(refusal))

    cancelling = {"hold": lambda uow: changes.cancel_activity(uow, EDITOR, lecture.ref, "停电")}
    assert meet(uow_factory, **cancelling, other=walk_in, go_on=lambda _: None) == []
    return refused[0] if refused else None


def test_a_walk_in_that_waited_for_a_cancellation_is_refused(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert walk_in_beside_cancellation(uow_factory) is TooLate
    # Control: the activity as it was read before the lock.
    seen: dict[int, Any] = {}
    read = signups.activities.gate_of
    monkeypatch.setattr(
        signups.activities,
        "gate_of",
        lambda uow, one: seen.setdefault(one, read(uow, one)),
    )
    assert walk_in_beside_cancellation(uow_factory) is None


def test_one_grant_goes_to_one_citizen(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, seats=9)
        made = grants.make_grant(uow, EDITOR, lecture.ref, "东门")
        people = [seat_citizen(uow, lecture).citizen_id for _ in range(8)]

    def redeeming(citizen: int | None) -> Callable[[], int]:
        def step() -> int:
            assert citizen is not None
            with uow_factory.begin() as uow:
                return grants.redeem_grant(uow, citizen, made.code)[0].id

        return step

    done = all_at_once([redeeming(one) for one in people])
    assert Counter(type(one) for one in done) == {int: 1, grants.GrantTaken: 7}
