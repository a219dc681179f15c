"""What a citizen tells about themself, and the content check of the nickname."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from server.accounts import profile
from server.accounts.errors import NicknameRefused
from server.accounts.models import Citizen, NicknameState
from server.accounts.profile import Judged, UncheckedName
from server.base.errors import Invalid
from server.base.outbox import end_overdue
from server.base.outbox_rows import Done
from server.base.uow import Hooks, UnitOfWork, UnitOfWorkFactory
from server.wechat.errors import NotSent, RecipientGone
from server.wechat.gateway import Verdict
from tests.kit.accounts import Person, a_citizen
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.outbox import claim_one, settle_one


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        a_citizen(uow, nickname="旁人", city="450200", county="450202")
        return a_citizen(uow)


def seen(uow_factory: UnitOfWorkFactory, person: Person) -> Citizen:
    with uow_factory.begin(read_only=True) as uow:
        return profile.profile_of(uow, person.id).citizen


def change(
    uow_factory: UnitOfWorkFactory, person: Person, judged: Judged | None = None, /, **changes: Any
) -> None:
    with uow_factory.begin() as uow:
        profile.change_profile(uow, person.id, changes, judged)


def name(
    uow_factory: UnitOfWorkFactory, person: Person, text: str, verdict: Verdict | None
) -> None:
    change(uow_factory, person, Judged(name=text, verdict=verdict), nickname=text)


def test_what_is_not_named_stays(uow_factory: UnitOfWorkFactory, person: Person) -> None:
    change(
        uow_factory, person, city="450100", county="450103", elder_mode=True, topics=["科学态度"]
    )
    change(uow_factory, person, sex="female")
    now = seen(uow_factory, person)
    assert (now.city, now.county, now.elder_mode, now.sex) == ("450100", "450103", True, "female")
    assert now.topics == ["科学态度"]


def test_null_takes_a_thing_back(uow_factory: UnitOfWorkFactory, person: Person) -> None:
    given = {
        "city": "450100",
        "audience": "farmer",
        "sex": "male",
        "birth_band": "1985",
        "schooling": "senior",
        "residence": "rural",
        "language": "za",
        "elder_mode": True,
        "public_rank": True,
        "topics": ["a"],
        "quiet_from": "22:00",
        "quiet_to": "07:00",
    }
    change(uow_factory, person, **given)
    assert seen(uow_factory, person).language == "za"
    change(uow_factory, person, **dict.fromkeys(given))
    now = seen(uow_factory, person)
    fresh = {**dict.fromkeys(given), "language": "zh", "topics": []}
    fresh |= {"elder_mode": False, "public_rank": False}
    assert {field: getattr(now, field) for field in given} == fresh


def test_a_county_must_lie_inside_the_city(uow_factory: UnitOfWorkFactory, person: Person) -> None:
    with pytest.raises(Invalid) as refused:
        change(uow_factory, person, city="450200", county="450103")
    assert refused.value.errors[0][0] == ("body", "county")
    with pytest.raises(Invalid):
        change(uow_factory, person, county="450103")
    with pytest.raises(Invalid) as refused:
        change(uow_factory, person, city="999999")
    assert refused.value.errors[0][0] == ("body", "city")
    assert seen(uow_factory, person).city is None


def test_whoever_moves_to_another_city_leaves_the_old_county(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    change(uow_factory, person, city="450100", county="450103")
    change(uow_factory, person, county="450102")
    assert seen(uow_factory, person).county == "450102"
    change(uow_factory, person, city="450100")
    assert seen(uow_factory, person).county == "450102"
    change(uow_factory, person, city="450200")
    assert (seen(uow_factory, person).city, seen(uow_factory, person).county) == ("450200", None)


def test_an_unknown_unit_is_refused(uow_factory: UnitOfWorkFactory, person: Person) -> None:
    with pytest.raises(Invalid) as refused:
        change(uow_factory, person, unit="uni_no_such")
    assert refused.value.errors[0][0] == ("body", "unit")


def test_quiet_hours_have_both_ends(uow_factory: UnitOfWorkFactory, person: Person) -> None:
    with pytest.raises(Invalid):
        change(uow_factory, person, quiet_from="22:00")
    change(uow_factory, person, quiet_from="22:00", quiet_to="07:00")
    with pytest.raises(Invalid):
        change(uow_factory, person, quiet_to=None)


def test_other_slices_hear_of_a_move_and_of_nothing_else(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    told: list[tuple[int, str | None]] = []

    def moved(uow: UnitOfWork, number: int) -> None:
        told.append((number, uow.session.get_one(Citizen, number).city))

    with uow_factory.begin() as plain:
        hooks = plain.dependencies.hooks + Hooks(relocate=(moved,))
        uow = replace(plain, dependencies=replace(plain.dependencies, hooks=hooks))
        profile.change_profile(uow, person.id, {"sex": "male", "elder_mode": True})
        assert told == []
        profile.change_profile(uow, person.id, {"city": "450100"})
        profile.change_profile(uow, person.id, {"city": "450100", "county": None})
        assert told == [(person.id, "450100")]
        profile.change_profile(uow, person.id, {"audience": "elder"})
        assert len(told) == 2


def test_a_passed_nickname_is_shown(uow_factory: UnitOfWorkFactory, person: Person) -> None:
    name(uow_factory, person, "小明", Verdict.PASS)
    now = seen(uow_factory, person)
    assert (now.nickname, now.nickname_state, now.pending_nickname) == ("小明", "shown", None)


def test_a_risky_nickname_is_refused_and_the_old_one_stays(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    name(uow_factory, person, "小明", Verdict.PASS)
    with pytest.raises(NicknameRefused):
        name(uow_factory, person, "坏话", Verdict.RISKY)
    assert (seen(uow_factory, person).nickname, seen(uow_factory, person).nickname_state) == (
        "小明",
        "shown",
    )


@pytest.mark.parametrize(
    ("verdict", "state"),
    [(None, NicknameState.CHECKING), (Verdict.REVIEW, NicknameState.REVIEW)],
)
def test_an_undecided_nickname_waits_behind_the_old_one(
    uow_factory: UnitOfWorkFactory, person: Person, verdict: Verdict | None, state: NicknameState
) -> None:
    name(uow_factory, person, "小明", Verdict.PASS)
    name(uow_factory, person, "小红", verdict)
    now = seen(uow_factory, person)
    assert (now.nickname, now.nickname_state, now.pending_nickname) == ("小明", state, "小红")


def test_a_verdict_on_another_name_does_not_count(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    change(uow_factory, person, Judged(name="小红", verdict=Verdict.PASS), nickname="小明")
    now = seen(uow_factory, person)
    assert (now.nickname, now.nickname_state) == (None, NicknameState.CHECKING)


def test_going_back_to_the_old_nickname_ends_the_waiting(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    name(uow_factory, person, "小明", Verdict.PASS)
    name(uow_factory, person, "小红", None)
    change(uow_factory, person, nickname="小明")
    now = seen(uow_factory, person)
    assert (now.nickname_state, now.pending_nickname, now.outbox_state) == ("shown", None, None)


def test_taking_the_nickname_back_ends_the_waiting(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    name(uow_factory, person, "小明", Verdict.PASS)
    name(uow_factory, person, "小红", None)
    change(uow_factory, person, nickname=None)
    now = seen(uow_factory, person)
    assert (now.nickname, now.nickname_state, now.pending_nickname) == (None, "none", None)


def test_only_a_new_nickname_is_a_question(uow_factory: UnitOfWorkFactory, person: Person) -> None:
    name(uow_factory, person, "小明", Verdict.PASS)
    name(uow_factory, person, "小红", None)
    with uow_factory.begin(read_only=True) as uow:
        assert profile.find_unchecked_name(uow, person.id, "小明") is None
        assert profile.find_unchecked_name(uow, person.id, "小红") is None
        assert profile.find_unchecked_name(uow, person.id, "小绿") == UncheckedName(
            citizen_id=person.id, name="小绿", openid=person.openid
        )


@pytest.mark.parametrize("trouble", [NotSent(), RecipientGone(errcode=61010)])
def test_when_wechat_does_not_say_there_is_no_verdict(
    gateway: RecordingGateway, trouble: Exception
) -> None:
    gateway.answers["check_text"] = trouble
    waiting = UncheckedName(citizen_id=1, name="小明", openid="openid-x")
    assert profile.judge_nickname(gateway, waiting) == Judged(name="小明", verdict=None)
    assert profile.judge_nickname(gateway, replace(waiting, openid=None)).verdict is None
    assert len(gateway.calls) == 1


def test_a_nickname_in_other_hands_is_not_claimed_again(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    name(uow_factory, person, "小红", None)
    clock.advance(60)
    call = claim_one(uow_factory, profile.QUEUE)
    assert call is not None
    assert call.letter.name == "小红"
    assert claim_one(uow_factory, profile.QUEUE) is None
    clock.advance(60)
    end_overdue(uow_factory, profile.QUEUE)
    assert claim_one(uow_factory, profile.QUEUE) is not None


def test_a_verdict_on_a_nickname_given_up_meanwhile_is_dropped(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    name(uow_factory, person, "小红", None)
    clock.advance(60)
    asked = claim_one(uow_factory, profile.QUEUE)
    assert asked is not None
    name(uow_factory, person, "小绿", None)
    assert settle_one(uow_factory, profile.QUEUE, asked, Done(result=Verdict.PASS)) == 0
    assert seen(uow_factory, person).pending_nickname == "小绿"


def test_a_nickname_waits_two_hours_and_no_longer(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    name(uow_factory, person, "小明", Verdict.PASS)
    name(uow_factory, person, "小红", None)
    with uow_factory.begin() as uow:
        other = a_citizen(uow)
        uow.session.execute(
            update(Citizen)
            .where(Citizen.id == other.id)
            .values(nickname_state="review", pending_nickname="别人", pending_since=clock.now())
        )
    clock.advance(7199)
    assert end_overdue(uow_factory, profile.QUEUE) == 0
    clock.advance(1)
    assert claim_one(uow_factory, profile.QUEUE) is None
    assert end_overdue(uow_factory, profile.QUEUE) == 1
    now = seen(uow_factory, person)
    assert (now.nickname, now.nickname_state, now.pending_nickname) == ("小明", "unchecked", None)
    assert seen(uow_factory, other).pending_nickname == "别人"
