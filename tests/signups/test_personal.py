"""Sign-ups of citizens who are erased, and of two who turn out to be one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.accounts import privacy
from server.accounts import service as accounts
from server.activities import service as activities
from server.base.uow import UnitOfWorkFactory
from server.signups import service, store
from server.signups.contacts import Contact
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from server.signups.personal_data import give_up_places
from tests.kit.accounts import a_citizen
from tests.kit.activities import a_lecture, live_signups, recount, stored_counts
from tests.kit.locks import meet


def test_an_erasure_gives_the_seats_to_the_next_and_keeps_no_name(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        first, second = a_citizen(uow), a_citizen(uow)
        lecture = a_lecture(uow, seats=1)
        contact = Contact(name="韦某", phone="+8613800000000")
        placed = service.sign_up(uow, first.id, lecture.ref, service.Wish(contact=contact))
        service.sign_up(uow, second.id, lecture.ref, service.Wish())
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, first.id)
    with uow_factory.begin(read_only=True) as uow:
        gone = uow.session.get_one(SignUp, placed.id)
        assert gone.state is SignUpState.WITHDRAWN
        assert (gone.name, gone.phone, gone.phone_blind, gone.phone_tail) == (None,) * 4
        seated = [(row.citizen_id, row.state) for row in live_signups(uow, lecture)]
        assert seated == [(second.id, SignUpState.CONFIRMED)]
        assert stored_counts(uow, lecture) == recount(uow, lecture)


@pytest.mark.race
@pytest.mark.parametrize("activity_first", [True, False])
def test_an_erasure_and_a_promotion_lock_in_one_order(
    uow_factory: UnitOfWorkFactory, activity_first: bool
) -> None:
    """The control writes the row before it locks the activity, which PostgreSQL ends."""
    with uow_factory.begin() as uow:
        first, second = a_citizen(uow), a_citizen(uow)
        lecture = a_lecture(uow, seats=1)
        service.sign_up(uow, first.id, lecture.ref, service.Wish())
        waiting = service.sign_up(uow, second.id, lecture.ref, service.Wish())

    def erase() -> None:
        with uow_factory.begin() as uow:
            if not activity_first:
                store.settle_signup(uow, waiting.id, SignUpState.WAITLISTED)
                uow.session.connection()
            give_up_places(uow, second.id)

    refused = meet(
        uow_factory,
        hold=lambda uow: activities.lock_seats(uow, [lecture.id]),
        other=erase,
        go_on=lambda uow: store.settle_signup(uow, waiting.id, SignUpState.CONFIRMED),
    )
    deadlock = not activity_first and uow_factory.engine.dialect.name == "postgresql"
    assert bool(refused) is deadlock


def test_an_erasure_after_the_lecture_changes_no_seat(uow_factory: UnitOfWorkFactory) -> None:
    clock = uow_factory.dependencies.clock
    with uow_factory.begin() as uow:
        citizen = a_citizen(uow)
        lecture = a_lecture(uow, seats=1, starts_in=timedelta(hours=1))
        service.sign_up(uow, citizen.id, lecture.ref, service.Wish())
    clock.advance(4 * 3600)  # type: ignore[attr-defined]
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, citizen.id)
    with uow_factory.begin(read_only=True) as uow:
        assert stored_counts(uow, lecture).taken == 1


def test_two_citizens_who_are_one_have_one_place_and_the_other_seat_is_free_again(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        one = a_citizen(uow, openid="o-one", unionid="u-same")
        other = a_citizen(uow, openid="o-other", app="official_account")
        waiting = a_citizen(uow)
        shared, alone = a_lecture(uow, seats=2), a_lecture(uow, starts_in=timedelta(days=9))
        for citizen in (one, other, waiting):
            service.sign_up(uow, citizen.id, shared.ref, service.Wish())
        service.sign_up(uow, other.id, alone.ref, service.Wish())
    with uow_factory.begin() as uow:
        kept = accounts.learn_unionid(uow, "official_account", "o-other", "u-same")
    with uow_factory.begin(read_only=True) as uow:
        people = sorted(row.citizen_id or 0 for row in live_signups(uow, shared))
        assert people == sorted([kept, waiting.id])
        assert [row.citizen_id for row in live_signups(uow, alone)] == [kept]
        for lecture in (shared, alone):
            assert stored_counts(uow, lecture) == recount(uow, lecture)
