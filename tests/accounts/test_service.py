"""Log-in, sessions, and what other slices may know of a citizen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from server.accounts import privacy, service
from server.accounts.models import Citizen, Identity, SessionToken
from server.base.errors import NotAuthenticated, Unavailable
from server.base.signing import token_hash
from server.base.work import Desk
from tests.kit.accounts import a_citizen, a_consent, a_session, known_as
from tests.kit.clock import FakeClock


def test_the_first_log_in_makes_a_citizen_and_the_second_finds_them(desk: Desk) -> None:
    with desk.work() as work:
        first = service.sign_in(work, known_as("openid-a"))
    with desk.work() as work:
        second = service.sign_in(work, known_as("openid-a"))
    assert (first.is_new, second.is_new) == (True, False)
    assert first.citizen_id == second.citizen_id
    assert first.token != second.token


def test_only_the_hash_of_a_token_is_kept(desk: Desk) -> None:
    with desk.work() as work:
        signed = service.sign_in(work, known_as("openid-a"))
    with desk.work(read_only=True) as work:
        assert work.session.scalars(select(SessionToken.token_hash)).all() == [
            token_hash(signed.token)
        ]


def test_a_token_stands_for_its_citizen_until_it_expires(desk: Desk, clock: FakeClock) -> None:
    with desk.work() as work:
        signed = service.sign_in(work, known_as("openid-a"))
    clock.set(signed.expires_at)
    clock.advance(-1)
    with desk.work(read_only=True) as work:
        actor = service.resolve(work, signed.token)
        assert actor is not None
        assert (actor.id, actor.consented) == (signed.citizen_id, False)
    clock.advance(1)
    with desk.work(read_only=True) as work, pytest.raises(NotAuthenticated):
        service.resolve(work, signed.token)


def test_an_unknown_token_stands_for_nobody(desk: Desk) -> None:
    with desk.work() as work:
        a_session(work, a_citizen(work))
    with desk.work(read_only=True) as work:
        assert service.resolve(work, "no-such-token") is None


def test_logging_out_kills_this_token_alone(desk: Desk) -> None:
    with desk.work() as work:
        person = a_citizen(work)
        phone, tablet = a_session(work, person), a_session(work, person)
        service.sign_out(work, phone)
    with desk.work(read_only=True) as work:
        with pytest.raises(NotAuthenticated):
            service.resolve(work, phone)
        assert service.resolve(work, tablet) is not None


def test_logging_in_sweeps_out_the_citizens_expired_sessions(desk: Desk, clock: FakeClock) -> None:
    with desk.work() as work:
        noise = a_session(work, a_citizen(work))
        person = a_citizen(work)
        a_session(work, person)
    clock.advance(31 * 86400)
    with desk.work() as work:
        token = a_session(work, person)
    with desk.work(read_only=True) as work:
        kept = set(work.session.scalars(select(SessionToken.token_hash)))
        assert kept == {token_hash(noise), token_hash(token)}


def test_consent_counts_for_the_version_in_force_only(desk: Desk) -> None:
    with desk.work() as work:
        person = a_citizen(work, consented=True)
        token = a_session(work, person)
    with desk.work(read_only=True) as work:
        actor = service.resolve(work, token)
        assert actor is not None
        assert actor.consented
        newer = replace(
            work, tools=replace(work.tools, settings=replace(work.settings, policy_version="2027"))
        )
        actor = service.resolve(newer, token)
        assert actor is not None
        assert not actor.consented


def test_the_latest_consent_decides(desk: Desk, clock: FakeClock) -> None:
    with desk.work() as work:
        person = a_citizen(work)
        token = a_session(work, person)
    clock.advance(60)
    with desk.work() as work:
        newer = replace(
            work, tools=replace(work.tools, settings=replace(work.settings, policy_version="2027"))
        )
        a_consent(newer, person.id)
        actor, newer_actor = service.resolve(work, token), service.resolve(newer, token)
        assert actor is not None
        assert newer_actor is not None
        assert (actor.consented, newer_actor.consented) == (False, True)


def test_an_openid_belongs_to_one_app(desk: Desk) -> None:
    with desk.work() as work:
        person = a_citizen(work, openid="openid-x")
        assert (
            service.citizen_of_openid(work, "mini_program", "openid-x", create=False) == person.id
        )
        assert service.citizen_of_openid(work, "official_account", "openid-x", create=False) is None
        follower = service.citizen_of_openid(work, "official_account", "openid-x", create=True)
        assert follower not in (None, person.id)


def test_the_openid_of_a_citizen_is_known_by_app(desk: Desk) -> None:
    with desk.work() as work:
        a_citizen(work)
        person = a_citizen(work, openid="openid-x")
        assert service.openid_of(work, person.id, "mini_program") == "openid-x"
        assert service.openid_of(work, person.id, "official_account") is None


def test_a_name_is_masked_unless_its_owner_is_public(desk: Desk) -> None:
    with desk.work() as work:
        shy = a_citizen(work, nickname="张三丰", avatar_url="https://x/a.png", city="450100")
        public = a_citizen(work, nickname="李四", avatar_url="https://x/b.png", public_rank=True)
        child = a_citizen(work, nickname="小明同学", public_rank=True, under_14=True)
        unnamed, other = a_citizen(work, ref="usr_1"), a_citizen(work, ref="usr_2")
        asked = [shy.id, public.id, child.id, unnamed.id, other.id, 99_999_999]
        names = service.names_of(work, asked)
    assert names[shy.id] == service.Name(shown="张*", avatar_url=None, city="450100")
    assert names[public.id] == service.Name(shown="李四", avatar_url="https://x/b.png")
    assert names[child.id].shown == "小*"
    assert names[unnamed.id].shown == "科普伙伴3791"
    assert names[other.id].shown == "科普伙伴1254"
    assert names[99_999_999].shown == "已注销用户"


def test_many_names_are_asked_in_few_statements(desk: Desk) -> None:
    with desk.work() as work:
        person = a_citizen(work, nickname="张三", public_rank=True)
        names = service.names_of(work, [*range(10_000_000, 10_001_200), person.id])
    assert len(names) == 1201
    assert names[person.id].shown == "张三"


def test_an_erased_citizen_has_no_name_and_no_place(desk: Desk) -> None:
    with desk.work() as work:
        person = a_citizen(work, nickname="张三", public_rank=True, city="450100")
        privacy.erase(work, person.id)
    with desk.work(read_only=True) as work:
        assert service.names_of(work, [person.id])[person.id].shown == "已注销用户"
        assert service.place_of(work, person.id).city is None


def test_a_place_holds_what_the_citizen_told(desk: Desk) -> None:
    with desk.work() as work:
        person = a_citizen(work, city="450100", county="450103", audience="farmer")
        a_citizen(work, city="450200")
        assert service.place_of(work, person.id) == service.Place(
            city="450100", county="450103", unit_id=None, audience="farmer"
        )
        assert service.place_of(work, 99_999_999).city is None


def test_a_citizen_who_is_gone_cannot_be_locked(desk: Desk) -> None:
    with desk.work() as work:
        person, erased, merged = a_citizen(work), a_citizen(work), a_citizen(work)
        privacy.erase(work, erased.id)
        work.session.execute(
            update(Citizen).where(Citizen.id == merged.id).values(merged_into=person.id)
        )
        service.lock_citizen(work, person.id)
        with pytest.raises(NotAuthenticated):
            service.lock_citizen(work, erased.id)
        with pytest.raises(Unavailable):
            service.lock_citizen(work, merged.id)


def test_a_later_log_in_of_an_erased_citizen_is_somebody_new(desk: Desk) -> None:
    with desk.work() as work:
        person = a_citizen(work, openid="openid-x", unionid="union-x")
        token = a_session(work, person)
        privacy.erase(work, person.id)
        assert service.resolve(work, token) is None
        again = service.sign_in(work, known_as("openid-x", "union-x"))
        assert again.is_new
        assert again.citizen_id != person.id
        assert work.session.scalar(select(func.count()).select_from(Identity)) == 1
