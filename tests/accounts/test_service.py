"""Log-in, sessions, and what other slices may know of a citizen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from server.accounts import privacy, service
from server.accounts.models import Citizen, Identity, SessionToken
from server.base.errors import NotAuthenticated, Unavailable
from server.base.signing import token_hash
from server.base.uow import UnitOfWorkFactory
from tests.kit.accounts import a_citizen, a_consent, a_session, known_as
from tests.kit.clock import FakeClock


def test_the_first_log_in_makes_a_citizen_and_the_second_finds_them(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        first = service.sign_in(uow, known_as("openid-a"))
    with uow_factory.begin() as uow:
        second = service.sign_in(uow, known_as("openid-a"))
    assert (first.is_new, second.is_new) == (True, False)
    assert first.citizen_id == second.citizen_id
    assert first.token != second.token


def test_only_the_hash_of_a_token_is_kept(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        signed = service.sign_in(uow, known_as("openid-a"))
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(SessionToken.token_hash)).all() == [
            token_hash(signed.token)
        ]


def test_a_token_stands_for_its_citizen_until_it_expires(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        signed = service.sign_in(uow, known_as("openid-a"))
    clock.set(signed.expires_at)
    clock.advance(-1)
    with uow_factory.begin(read_only=True) as uow:
        actor = service.resolve_token(uow, signed.token)
        assert actor is not None
        assert (actor.id, actor.consented) == (signed.citizen_id, False)
    clock.advance(1)
    with uow_factory.begin(read_only=True) as uow, pytest.raises(NotAuthenticated):
        service.resolve_token(uow, signed.token)


def test_an_unknown_token_stands_for_nobody(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        a_session(uow, a_citizen(uow))
    with uow_factory.begin(read_only=True) as uow:
        assert service.resolve_token(uow, "no-such-token") is None


def test_logging_out_kills_this_token_alone(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
        phone, tablet = a_session(uow, person), a_session(uow, person)
        service.sign_out(uow, phone)
    with uow_factory.begin(read_only=True) as uow:
        with pytest.raises(NotAuthenticated):
            service.resolve_token(uow, phone)
        assert service.resolve_token(uow, tablet) is not None


def test_logging_in_sweeps_out_the_citizens_expired_sessions(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        noise = a_session(uow, a_citizen(uow))
        person = a_citizen(uow)
        a_session(uow, person)
    clock.advance(31 * 86400)
    with uow_factory.begin() as uow:
        token = a_session(uow, person)
    with uow_factory.begin(read_only=True) as uow:
        kept = set(uow.session.scalars(select(SessionToken.token_hash)))
        assert kept == {token_hash(noise), token_hash(token)}


def test_consent_counts_for_the_version_in_force_only(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, consented=True)
        token = a_session(uow, person)
    with uow_factory.begin(read_only=True) as uow:
        actor = service.resolve_token(uow, token)
        assert actor is not None
        assert actor.consented
        newer = replace(
            uow,
            dependencies=replace(
                uow.dependencies, settings=replace(uow.settings, policy_version="2027")
            ),
        )
        actor = service.resolve_token(newer, token)
        assert actor is not None
        assert not actor.consented


def test_the_latest_consent_decides(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
        token = a_session(uow, person)
    clock.advance(60)
    with uow_factory.begin() as uow:
        newer = replace(
            uow,
            dependencies=replace(
                uow.dependencies, settings=replace(uow.settings, policy_version="2027")
            ),
        )
        a_consent(newer, person.id)
        actor, newer_actor = service.resolve_token(uow, token), service.resolve_token(newer, token)
        assert actor is not None
        assert newer_actor is not None
        assert (actor.consented, newer_actor.consented) == (False, True)


def test_an_openid_belongs_to_one_app(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, openid="openid-x")
        assert service.citizen_of_openid(uow, "mini_program", "openid-x", create=False) == person.id
        assert service.citizen_of_openid(uow, "official_account", "openid-x", create=False) is None
        follower = service.citizen_of_openid(uow, "official_account", "openid-x", create=True)
        assert follower not in (None, person.id)


def test_the_openid_of_a_citizen_is_known_by_app(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        a_citizen(uow)
        person = a_citizen(uow, openid="openid-x")
        assert service.openid_of(uow, person.id, "mini_program") == "openid-x"
        assert service.openid_of(uow, person.id, "official_account") is None


def test_a_name_is_masked_unless_its_owner_is_public(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        shy = a_citizen(uow, nickname="张三丰", avatar_url="https://x/a.png", city="450100")
        public = a_citizen(uow, nickname="李四", avatar_url="https://x/b.png", public_rank=True)
        child = a_citizen(uow, nickname="小明同学", public_rank=True, under_14=True)
        unnamed, other = a_citizen(uow, ref="usr_1"), a_citizen(uow, ref="usr_2")
        asked = [shy.id, public.id, child.id, unnamed.id, other.id, 99_999_999]
        names = service.names_of(uow, asked)
    assert names[shy.id] == service.Name(shown="张*", avatar_url=None, city="450100")
    assert names[public.id] == service.Name(shown="李四", avatar_url="https://x/b.png")
    assert names[child.id].shown == "小*"
    assert names[unnamed.id].shown == "科普伙伴3791"
    assert names[other.id].shown == "科普伙伴1254"
    assert names[99_999_999].shown == "已注销用户"


def test_many_names_are_asked_in_few_statements(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, nickname="张三", public_rank=True)
        names = service.names_of(uow, [*range(10_000_000, 10_001_200), person.id])
    assert len(names) == 1201
    assert names[person.id].shown == "张三"


def test_an_erased_citizen_has_no_name_and_no_place(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, nickname="张三", public_rank=True, city="450100")
        privacy.erase_citizen(uow, person.id)
    with uow_factory.begin(read_only=True) as uow:
        assert service.names_of(uow, [person.id])[person.id].shown == "已注销用户"
        assert service.place_of(uow, person.id).city is None


def test_a_place_holds_what_the_citizen_told(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, city="450100", county="450103", audience="farmer")
        a_citizen(uow, city="450200")
        assert service.place_of(uow, person.id) == service.Place(
            city="450100", county="450103", unit_id=None, audience="farmer"
        )
        assert service.place_of(uow, 99_999_999).city is None


def test_a_citizen_who_is_gone_cannot_be_locked(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person, erased, merged = a_citizen(uow), a_citizen(uow), a_citizen(uow)
        privacy.erase_citizen(uow, erased.id)
        uow.session.execute(
            update(Citizen).where(Citizen.id == merged.id).values(merged_into=person.id)
        )
        service.lock_citizen(uow, person.id)
        with pytest.raises(NotAuthenticated):
            service.lock_citizen(uow, erased.id)
        with pytest.raises(Unavailable):
            service.lock_citizen(uow, merged.id)


def test_a_later_log_in_of_an_erased_citizen_is_somebody_new(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, openid="openid-x", unionid="union-x")
        token = a_session(uow, person)
        privacy.erase_citizen(uow, person.id)
        assert service.resolve_token(uow, token) is None
        again = service.sign_in(uow, known_as("openid-x", "union-x"))
        assert again.is_new
        assert again.citizen_id != person.id
        assert uow.session.scalar(select(func.count()).select_from(Identity)) == 1
