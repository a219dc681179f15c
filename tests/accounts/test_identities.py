"""Two openids of one person, and what happens to the two citizens they had."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from server.accounts import privacy, service
from server.accounts.models import Citizen, Consent, Identity
from server.base.uow import Hooks, UnitOfWork, UnitOfWorkFactory
from server.base.web.idempotency import KeptAnswer
from tests.kit.accounts import a_citizen, a_session, known_as


def citizen(uow: UnitOfWork, number: int) -> Citizen:
    return uow.session.get_one(Citizen, number, populate_existing=True)


def test_a_log_in_lands_on_the_citizen_known_from_the_official_account(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        a_citizen(uow, unionid="union-noise")
        follower = service.learn_unionid(uow, "official_account", "openid-oa", "union-a")
        signed = service.sign_in(uow, known_as("openid-mp", "union-a"))
        assert (signed.citizen_id, signed.is_new) == (follower, True)
        assert not service.sign_in(uow, known_as("openid-mp", "union-a")).is_new
        assert service.openid_of(uow, follower, "mini_program") == "openid-mp"
        assert service.openid_of(uow, follower, "official_account") == "openid-oa"


@pytest.mark.parametrize("worker_comes", ["before", "after", "never"])
def test_whether_a_citizen_is_new_does_not_depend_on_when_the_unionid_was_learned(
    uow_factory: UnitOfWorkFactory, worker_comes: str
) -> None:
    with uow_factory.begin() as uow:
        service.citizen_of_openid(uow, "official_account", "openid-oa", create=True)
        if worker_comes == "before":
            service.learn_unionid(uow, "official_account", "openid-oa", "union-a")
        first = service.sign_in(uow, known_as("openid-mp", "union-a"))
        if worker_comes == "after":
            service.learn_unionid(uow, "official_account", "openid-oa", "union-a")
        second = service.sign_in(uow, known_as("openid-mp", "union-a"))
        assert (first.is_new, second.is_new) == (True, False)


def test_a_follower_is_the_citizen_who_logged_in_before(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        signed = service.sign_in(uow, known_as("openid-mp", "union-a"))
        assert service.learn_unionid(uow, "official_account", "openid-oa", "union-a") == (
            signed.citizen_id
        )


def test_a_unionid_that_appears_later_joins_two_citizens(uow_factory: UnitOfWorkFactory) -> None:
    joined: list[tuple[int, int]] = []
    with uow_factory.begin() as plain:
        hooks = plain.dependencies.hooks + Hooks(
            merge=(lambda _, keep, gone: joined.append((keep, gone)),)
        )
        uow = replace(plain, dependencies=replace(plain.dependencies, hooks=hooks))
        follower = a_citizen(uow, app="official_account", nickname="老张", city="450100")
        person = a_citizen(uow, openid="openid-mp", unionid="union-a", consented=False)
        token = a_session(uow, person)
        left = service.learn_unionid(uow, "official_account", follower.openid, "union-a")

        assert left == person.id
        assert joined == [(person.id, follower.id)]
        assert citizen(uow, follower.id).merged_into == person.id
        owners = uow.session.scalars(select(Identity.citizen_id).distinct())
        assert list(owners) == [person.id]
        actor = service.resolve_token(uow, token)
        assert actor is not None
        # The consent that the follower gave is the same person's.
        assert (actor.id, actor.consented) == (person.id, True)
        assert citizen(uow, person.id).nickname == "老张"


def test_the_row_that_is_left_over_holds_nothing_personal(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        follower = a_citizen(uow, app="official_account", nickname="老张", audience="elder")
        person = a_citizen(uow, unionid="union-a", nickname="小李")
        uow.session.add(
            KeptAnswer(
                caller=f"citizen:{follower.id}", key="k", fingerprint="f", claimed_at=uow.now
            )
        )
        service.learn_unionid(uow, "official_account", follower.openid, "union-a")
        left_over = citizen(uow, follower.id)
        assert (left_over.nickname, left_over.audience, left_over.unionid) == (None, None, None)
        assert citizen(uow, person.id).nickname == "小李"
        assert uow.session.scalar(select(func.count()).select_from(KeptAnswer)) == 0


def test_the_one_with_the_mini_program_stays_even_when_younger(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        older = service.learn_unionid(uow, "official_account", "openid-oa", "union-a")
        younger = a_citizen(uow, openid="openid-mp")
        assert older < younger.id
        signed = service.sign_in(uow, known_as("openid-mp", "union-a"))
        assert signed.citizen_id == younger.id
        assert citizen(uow, older).merged_into == younger.id
        assert citizen(uow, younger.id).unionid == "union-a"


def test_of_two_with_the_mini_program_the_older_stays(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        older = a_citizen(uow, openid="openid-1", unionid="union-a")
        younger = a_citizen(uow, openid="openid-2")
        assert service.learn_unionid(uow, "mini_program", "openid-2", "union-a") == older.id
        assert citizen(uow, younger.id).merged_into == older.id


def test_rows_of_earlier_joins_lead_to_the_one_who_is_left(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        first = a_citizen(uow, app="official_account", openid="oa-1")
        second = a_citizen(uow, app="official_account", openid="oa-2", unionid="union-a")
        service.learn_unionid(uow, "official_account", "oa-1", "union-a")
        third = a_citizen(uow, openid="mp-1")
        service.learn_unionid(uow, "mini_program", "mp-1", "union-a")
        assert citizen(uow, first.id).merged_into == third.id
        assert citizen(uow, second.id).merged_into == third.id


def test_a_changed_unionid_is_believed(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, openid="openid-mp", unionid="union-old")
        other = a_citizen(uow, app="official_account", unionid="union-new")
        assert service.learn_unionid(uow, "mini_program", "openid-mp", "union-new") == person.id
        assert citizen(uow, person.id).unionid == "union-new"
        assert citizen(uow, other.id).merged_into == person.id


def test_a_child_stays_a_child_when_two_become_one(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        child = a_citizen(uow, app="official_account", unionid="union-a", under_14=True)
        person = a_citizen(uow, openid="openid-mp", under_14=False)
        assert service.learn_unionid(uow, "mini_program", "openid-mp", "union-a") == person.id
        assert citizen(uow, person.id).under_14
        assert citizen(uow, child.id).under_14 is None


def test_a_place_that_is_taken_over_is_told_to_the_other_slices(
    uow_factory: UnitOfWorkFactory,
) -> None:
    told: list[int] = []
    with uow_factory.begin() as plain:
        hooks = plain.dependencies.hooks + Hooks(relocate=(lambda _, number: told.append(number),))
        uow = replace(plain, dependencies=replace(plain.dependencies, hooks=hooks))
        a_citizen(uow, app="official_account", unionid="union-a", city="450100", county="450103")
        person = a_citizen(uow, openid="openid-mp")
        service.learn_unionid(uow, "mini_program", "openid-mp", "union-a")
        assert service.place_of(uow, person.id).county == "450103"
        assert told == [person.id]
        a_citizen(uow, app="official_account", openid="oa-2")
        service.learn_unionid(uow, "official_account", "oa-2", "union-a")
        assert told == [person.id]


def test_an_erased_citizen_is_joined_with_nobody(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        gone = a_citizen(uow, openid="openid-mp", unionid="union-a")
        privacy.erase_citizen(uow, gone.id)
        left = service.learn_unionid(uow, "official_account", "openid-oa", "union-a")
        assert left != gone.id
        assert citizen(uow, gone.id).merged_into is None
        assert uow.session.scalar(select(Consent.citizen_id)) == gone.id
