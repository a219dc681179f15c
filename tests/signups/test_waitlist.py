"""The waitlist: what went wrong in other systems holds here; each test names its public source."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from server.activities import service as activities
from server.activities.kinds import ActivityState
from server.activities.models import Activity
from server.base.errors import Invalid, NotFound
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.signups import capacity, people, service, store, tasks, waitlist
from server.signups.errors import (
    ActivityFull,
    AlreadyStarted,
    ClashesWithOther,
    OfferExpired,
    PhoneNeeded,
    SeatsTaken,
    SignUpClosed,
    SignUpNotOpen,
)
from server.signups.kinds import NoticeKind, SignUpState
from server.signups.models import SignUp, SignUpNotice
from server.signups.service import PlaceView, Wish
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture, a_lecture, live_signups, stored_counts
from tests.kit.console import PEOPLE

CONFIRMED, OFFERED, WAITLISTED = (
    SignUpState.CONFIRMED, SignUpState.OFFERED, SignUpState.WAITLISTED,
)  # fmt: skip


class Hall:
    """A lecture, and people by the letters of their names."""

    def __init__(self, uow_factory: UnitOfWorkFactory) -> None:
        self.uow_factory = uow_factory
        self.clock: Any = uow_factory.dependencies.clock
        self.people: dict[str, int] = {}

    def lecture(self, **columns: Any) -> Lecture:
        with self.uow_factory.begin() as uow:
            return a_lecture(uow, **columns)

    def person(self, name: str) -> int:
        if name not in self.people:
            with self.uow_factory.begin() as uow:
                self.people[name] = a_citizen(uow).id
        return self.people[name]

    def sign_up(self, name: str, lecture: Lecture, **wish: Any) -> PlaceView:
        citizen = self.person(name)
        with self.uow_factory.begin() as uow:
            return service.sign_up(uow, citizen, lecture.ref, Wish(**wish))

    def withdraw(self, name: str, lecture: Lecture) -> bool:
        with self.uow_factory.begin() as uow:
            return service.withdraw(uow, self.person(name), lecture.ref)

    def answer(self, name: str, lecture: Lecture, *, accept: bool) -> PlaceView:
        with self.uow_factory.begin() as uow:
            return service.answer_offer(uow, self.person(name), lecture.ref, accept=accept)

    def resize(self, lecture: Lecture, seats: int, *names: str) -> None:
        with self.uow_factory.begin() as uow:
            refs = {row.citizen_id: row.ref for row in live_signups(uow, lecture)}
            capacity.change_seats(uow, lecture.id, seats, [refs[self.people[n]] for n in names])

    def sweep(self) -> None:
        context = TaskContext(uow_factory=self.uow_factory, gateway=None)
        for task in tasks.TASKS:
            task.step(context)

    def states(self, lecture: Lecture) -> dict[str, SignUpState]:
        names = {number: name for name, number in self.people.items()}
        with self.uow_factory.begin(read_only=True) as uow:
            rows = live_signups(uow, lecture)
            return {names[row.citizen_id or 0]: row.state for row in rows}

    def free(self, lecture: Lecture) -> int:
        with self.uow_factory.begin(read_only=True) as uow:
            counts = stored_counts(uow, lecture)
            return counts.seats - counts.taken


@pytest.fixture
def hall(uow_factory: UnitOfWorkFactory) -> Hall:
    return Hall(uow_factory)


def test_a_seat_freed_by_a_declined_offer_goes_on(hall: Hall) -> None:
    """Source: pretix issue 1405."""
    lecture = hall.lecture(seats=1, offer_minutes=30)
    for name in "abc":
        hall.sign_up(name, lecture)
    hall.withdraw("a", lecture)
    assert hall.states(lecture) == {"b": OFFERED, "c": WAITLISTED}
    hall.answer("b", lecture, accept=False)
    assert hall.states(lecture) == {"c": OFFERED}


def test_who_withdraws_after_an_offer_is_not_offered_again(hall: Hall) -> None:
    """Source: pretix issue 1163."""
    lecture = hall.lecture(seats=1, offer_minutes=30)
    for name in "ab":
        hall.sign_up(name, lecture)
    hall.withdraw("a", lecture)
    hall.answer("b", lecture, accept=True)
    hall.withdraw("b", lecture)
    hall.sweep()
    assert (hall.states(lecture), hall.free(lecture)) == ({}, 1)


def test_a_change_of_capacity_makes_no_wrong_offer(hall: Hall) -> None:
    """Source: pretix issue 1238."""
    lecture = hall.lecture(seats=3)
    for name in "abcd":
        hall.sign_up(name, lecture)
    hall.resize(lecture, 3)
    assert hall.states(lecture)["d"] is WAITLISTED
    with pytest.raises(SeatsTaken):
        hall.resize(lecture, 2)
    hall.resize(lecture, 4)
    assert hall.states(lecture)["d"] is CONFIRMED


@pytest.mark.parametrize("closing", ["the sign-up closes", "the lecture starts"])
def test_no_offer_is_made_after_the_closing(hall: Hall, closing: str) -> None:
    """Source: pretix issues 681 and 1031."""
    lecture = hall.lecture(seats=1, offer_minutes=30, starts_in=timedelta(hours=8))
    if closing == "the sign-up closes":
        with hall.uow_factory.begin() as uow:
            early = uow.now + timedelta(hours=2)
            uow.session.execute(
                update(Activity).where(Activity.id == lecture.id).values(signup_closes_at=early)
            )
    for name in "ab":
        hall.sign_up(name, lecture)
    hall.clock.advance((7 if closing == "the sign-up closes" else 9) * 3600)
    if closing == "the sign-up closes":
        hall.withdraw("a", lecture)
    else:
        with pytest.raises(AlreadyStarted):
            hall.withdraw("a", lecture)
    hall.sweep()
    assert hall.states(lecture)["b"] is WAITLISTED


def test_an_offer_ends_with_the_closing_at_the_latest(hall: Hall) -> None:
    lecture = hall.lecture(seats=1, offer_minutes=24 * 60, starts_in=timedelta(hours=8))
    for name in "ab":
        hall.sign_up(name, lecture)
    hall.withdraw("a", lecture)
    with hall.uow_factory.begin(read_only=True) as uow:
        (row,) = live_signups(uow, lecture)
        times = uow.session.get_one(Activity, lecture.id)
        assert row.offer_expires_at == times.signup_closes_at


def test_the_order_is_that_of_signing_up_whatever_the_clock_says(hall: Hall) -> None:
    """Source: pretix issue 2119."""
    lecture = hall.lecture(seats=1)
    hall.sign_up("a", lecture)
    for name, seconds in (("b", 10), ("c", -3600), ("d", 7200)):
        hall.clock.advance(seconds)
        hall.sign_up(name, lecture)
    for gone, promoted in (("a", "b"), ("b", "c"), ("c", "d")):
        hall.withdraw(gone, lecture)
        assert hall.states(lecture)[promoted] is CONFIRMED


def test_nobody_waits_beside_a_free_seat(hall: Hall) -> None:
    """Source: pretix issue 3628."""
    lecture = hall.lecture(seats=2, party_max=2)
    hall.sign_up("a", lecture, party_size=2)
    for name in "bc":
        hall.sign_up(name, lecture)
    hall.withdraw("a", lecture)
    assert hall.states(lecture) == {"b": CONFIRMED, "c": CONFIRMED}


def test_a_party_takes_all_its_seats_or_none(hall: Hall) -> None:
    """Source: pretix issue 1404."""
    lecture = hall.lecture(seats=4, party_max=3)
    hall.sign_up("a", lecture, party_size=2)
    hall.sign_up("b", lecture, party_size=3)
    assert hall.states(lecture) == {"a": CONFIRMED, "b": WAITLISTED}
    assert hall.free(lecture) == 2
    hall.withdraw("a", lecture)
    assert (hall.states(lecture), hall.free(lecture)) == ({"b": CONFIRMED}, 1)


def test_a_party_is_passed_over_three_times_and_then_seats_gather_for_it(hall: Hall) -> None:
    lecture = hall.lecture(seats=3, party_max=3)
    hall.sign_up("a", lecture)
    hall.sign_up("family", lecture, party_size=3)
    for name in "bc":
        assert hall.sign_up(name, lecture).state is CONFIRMED
    hall.withdraw("b", lecture)
    assert hall.sign_up("d", lecture).state is CONFIRMED
    hall.withdraw("c", lecture)
    assert hall.sign_up("e", lecture).state is WAITLISTED
    for name in "ad":
        hall.withdraw(name, lecture)
    assert hall.states(lecture) == {"family": CONFIRMED, "e": WAITLISTED}


def test_an_expired_offer_goes_on_and_a_late_answer_is_told_so(hall: Hall) -> None:
    lecture = hall.lecture(seats=1, offer_minutes=30)
    for name in "abc":
        hall.sign_up(name, lecture)
    hall.withdraw("a", lecture)
    hall.clock.advance(30 * 60)
    with pytest.raises(OfferExpired):
        hall.answer("b", lecture, accept=True)
    hall.sweep()
    assert hall.states(lecture) == {"c": OFFERED}
    with pytest.raises(OfferExpired):
        hall.answer("b", lecture, accept=True)
    assert hall.answer("c", lecture, accept=True).state is CONFIRMED
    assert hall.answer("c", lecture, accept=True).state is CONFIRMED
    with pytest.raises(NotFound):
        hall.answer("a", hall.lecture(), accept=True)


def test_a_newcomer_takes_seats_whose_offer_has_expired_before_the_sweep(hall: Hall) -> None:
    lecture = hall.lecture(seats=1, offer_minutes=30)
    for name in "ab":
        hall.sign_up(name, lecture)
    hall.withdraw("a", lecture)
    hall.clock.advance(31 * 60)
    assert hall.sign_up("c", lecture).state is CONFIRMED
    assert hall.states(lecture) == {"c": CONFIRMED}


def test_people_put_back_come_before_all_others_in_the_chosen_order(hall: Hall) -> None:
    lecture = hall.lecture(seats=3)
    for name in "abcd":
        hall.sign_up(name, lecture)
    hall.resize(lecture, 1, "c", "b")
    assert hall.states(lecture) == {
        "a": CONFIRMED, "c": WAITLISTED, "b": WAITLISTED, "d": WAITLISTED,
    }  # fmt: skip
    for gone, promoted in (("a", "c"), ("c", "b"), ("b", "d")):
        hall.withdraw(gone, lecture)
        assert hall.states(lecture)[promoted] is CONFIRMED


@pytest.mark.parametrize("how", ["put back", "removed", "expired"])
def test_who_loses_a_seat_gets_one_at_the_same_time_that_is_free(
    hall: Hall, rung: list[tuple[str, tuple[int, ...]]], how: str
) -> None:
    first = hall.lecture(seats=2, offer_minutes=30)
    second = hall.lecture(seats=1)
    hall.sign_up("b", second)
    hall.sign_up("a", second)
    hall.sign_up("a", first)
    hall.sign_up("d", first)
    if how == "expired":
        hall.resize(first, 1, "a")
        hall.resize(first, 2)
        assert hall.states(first)["a"] is OFFERED
    hall.withdraw("b", second)
    # The seat at the same time holds back.
    assert (hall.states(second), hall.free(second)) == ({"a": WAITLISTED}, 1)
    rung.clear()
    if how == "put back":
        hall.resize(first, 1, "a")
    elif how == "removed":
        with hall.uow_factory.begin() as uow:
            row = live_signups(uow, first)[0]
            people.remove_person(uow, PEOPLE["editor-region"], row.ref, "重复报名")
    else:
        hall.clock.advance(31 * 60)
        with hall.uow_factory.begin() as uow:
            locked = activities.lock_seats(uow, [first.id])[first.id]
            waitlist.serve_waitlist(uow, locked)
            activities.store_counts(uow, locked)
    assert store.FILL_TASK in {name for name, _ in rung}
    tasks.fill_idle_seats(TaskContext(uow_factory=hall.uow_factory, gateway=None))
    assert (hall.states(second), hall.free(second)) == ({"a": CONFIRMED}, 0)


def test_a_place_at_the_same_time_is_refused_and_one_on_a_waitlist_is_held_back(
    hall: Hall,
) -> None:
    first = hall.lecture(seats=1)
    second = hall.lecture(seats=1, starts_in=timedelta(days=3, minutes=90))
    later = hall.lecture(seats=1, starts_in=timedelta(days=3, hours=2))
    hall.sign_up("a", first)
    with pytest.raises(ClashesWithOther) as refused:
        hall.sign_up("a", second)
    assert refused.value.facts["activity"] == first.ref
    assert hall.sign_up("a", later).state is CONFIRMED
    hall.sign_up("b", first)
    assert hall.sign_up("b", second).state is CONFIRMED
    hall.sign_up("c", first)
    hall.withdraw("a", first)
    assert hall.states(first) == {"b": WAITLISTED, "c": CONFIRMED}
    hall.withdraw("c", first)
    assert hall.free(first) == 1
    hall.withdraw("b", second)
    assert hall.states(first) == {"b": CONFIRMED}


def test_two_waitlists_at_the_same_time_are_refused(hall: Hall) -> None:
    first, second = hall.lecture(seats=1), hall.lecture(seats=1)
    hall.sign_up("a", first)
    hall.sign_up("b", second)
    assert hall.sign_up("c", first).state is WAITLISTED
    with pytest.raises(ClashesWithOther):
        hall.sign_up("c", second)
    assert hall.states(second) == {"b": CONFIRMED}


def test_a_move_keeps_the_old_seat_unless_there_is_a_new_one(hall: Hall) -> None:
    first, second = hall.lecture(seats=1), hall.lecture(seats=1)
    hall.sign_up("a", first)
    hall.sign_up("b", first)
    hall.sign_up("c", second)
    with pytest.raises(ActivityFull):
        hall.sign_up("a", second, instead_of=first.ref)
    assert hall.states(first)["a"] is CONFIRMED
    hall.withdraw("c", second)
    assert hall.sign_up("a", second, instead_of=first.ref).state is CONFIRMED
    assert hall.states(first) == {"b": CONFIRMED}
    with pytest.raises(NotFound):
        hall.sign_up("d", first, instead_of=second.ref)


def test_a_waitlist_may_have_an_end(hall: Hall) -> None:
    lecture = hall.lecture(seats=1, waitlist_most=1)
    hall.sign_up("a", lecture)
    hall.sign_up("b", lecture)
    with pytest.raises(ActivityFull):
        hall.sign_up("c", lecture)


@pytest.mark.parametrize(
    ("columns", "refusal"),
    [
        ({"signup_opens_at": timedelta(hours=1)}, SignUpNotOpen),
        ({"signup_closes_at": timedelta(hours=-1)}, SignUpClosed),
        ({"state": ActivityState.POSTPONED}, SignUpClosed),
        ({"state": ActivityState.CANCELLED}, SignUpClosed),
        ({"state": ActivityState.CLOSED}, SignUpClosed),
        ({"state": ActivityState.DRAFT}, NotFound),
        ({"phone_needed": True}, PhoneNeeded),
    ],
)
def test_what_cannot_be_signed_up_for_is_refused_with_its_reason(
    hall: Hall, columns: dict[str, Any], refusal: type[Exception]
) -> None:
    now: datetime = hall.clock.now()
    shifted = {
        name: now + value if isinstance(value, timedelta) else value
        for name, value in columns.items()
    }
    lecture = hall.lecture(**shifted)
    with pytest.raises(refusal):
        hall.sign_up("a", lecture)
    assert hall.states(lecture) == {}


@pytest.mark.parametrize("size", [0, 3, 99])
def test_a_party_of_another_size_than_allowed_is_refused(hall: Hall, size: int) -> None:
    lecture = hall.lecture(seats=9, party_max=2)
    with pytest.raises(Invalid):
        hall.sign_up("a", lecture, party_size=size)


def test_signing_up_again_returns_the_place_and_after_a_withdrawal_a_new_one(hall: Hall) -> None:
    lecture = hall.lecture(seats=1)
    first = hall.sign_up("a", lecture)
    again = hall.sign_up("a", lecture)
    assert (first.fresh, again.fresh, again.id) == (True, False, first.id)
    assert hall.withdraw("a", lecture)
    assert not hall.withdraw("a", lecture)
    assert hall.sign_up("a", lecture).fresh


def test_every_change_of_a_place_has_its_message_in_the_same_transaction(hall: Hall) -> None:
    lecture = hall.lecture(seats=1, offer_minutes=30)
    for name in "abc":
        hall.sign_up(name, lecture)
    hall.withdraw("a", lecture)
    hall.clock.advance(31 * 60)
    hall.sweep()
    with hall.uow_factory.begin(read_only=True) as uow:
        told = uow.session.execute(
            select(SignUp.citizen_id, SignUpNotice.kind)
            .join(SignUp, SignUp.id == SignUpNotice.signup_id)
            .order_by(SignUpNotice.id)
        )
        names = {number: name for name, number in hall.people.items()}
        found = [(names[row.citizen_id], row.kind) for row in told]
    assert found == [
        ("a", NoticeKind.CONFIRMED), ("b", NoticeKind.WAITLISTED), ("c", NoticeKind.WAITLISTED),
        ("b", NoticeKind.OFFERED), ("b", NoticeKind.EXPIRED), ("c", NoticeKind.OFFERED),
    ]  # fmt: skip
