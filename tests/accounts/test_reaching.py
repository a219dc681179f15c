"""Who is reached by messages: topics on and off, announcements off, quiet hours, openids, locks."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts import identities, privacy, profile, service
from server.accounts.models import Citizen
from server.base.access import REGION, Scope
from server.base.errors import Invalid
from server.base.topics import announcement_topics
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.kit.accounts import Person, a_citizen, known_as
from tests.kit.locks import meet
from tests.kit.units import a_unit

FIRST, SECOND = (one.slug for one in announcement_topics()[:2])


def ids(uow: UnitOfWork, chosen: Any) -> set[int]:
    return set(uow.session.scalars(chosen))


def change(uow_factory: UnitOfWorkFactory, person: Person, **changes: Any) -> None:
    with uow_factory.begin() as uow:
        profile.change_profile(uow, person.id, changes)


def topics_of(uow_factory: UnitOfWorkFactory, person: Person) -> tuple[list[str], list[str]]:
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.get_one(Citizen, person.id)
        return row.topics, row.muted_topics


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        a_citizen(uow)
        return a_citizen(uow)


def test_a_topic_turned_off_leaves_the_citizen_out_at_once(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    def out(topic: str | None) -> bool:
        with uow_factory.begin(read_only=True) as uow:
            wanting = service.CitizenFilter(announced=True, about=topic)
            return person.id not in ids(uow, service.citizens_of(REGION, wanting))

    assert [out(FIRST), out(SECOND), out(None)] == [False, False, False]
    change(uow_factory, person, muted_topics=[FIRST])
    assert [out(FIRST), out(SECOND), out(None)] == [True, False, False]
    change(uow_factory, person, muted_topics=[])
    assert not out(FIRST)
    change(uow_factory, person, announcements_off=True)
    assert [out(FIRST), out(SECOND), out(None)] == [True, True, True]
    change(uow_factory, person, announcements_off=False)
    assert not out(FIRST)


def test_a_topic_is_chosen_or_turned_off_and_the_later_act_counts(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    change(uow_factory, person, topics=[FIRST, SECOND])
    change(uow_factory, person, muted_topics=[FIRST])
    assert topics_of(uow_factory, person) == ([SECOND], [FIRST])
    change(uow_factory, person, topics=[FIRST])
    assert topics_of(uow_factory, person) == ([FIRST], [])
    change(uow_factory, person, topics=[FIRST], muted_topics=[SECOND])
    assert topics_of(uow_factory, person) == ([FIRST], [SECOND])
    change(uow_factory, person, topics=None, muted_topics=None)
    assert topics_of(uow_factory, person) == ([], [])


@pytest.mark.parametrize(
    "changes", [{"muted_topics": ["no-such-topic"]}, {"topics": [FIRST], "muted_topics": [FIRST]}]
)
def test_an_unknown_topic_cannot_be_turned_off_and_none_is_both(
    uow_factory: UnitOfWorkFactory, person: Person, changes: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as refused:
        change(uow_factory, person, **changes)
    assert refused.value.errors[0][0] == ("body", "muted_topics")
    assert topics_of(uow_factory, person) == ([], [])


def test_what_one_of_two_turned_off_the_survivor_does_not_get(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        other = a_citizen(uow, muted_topics=[SECOND], announcements_off=True)
    change(uow_factory, person, topics=[FIRST, SECOND])
    with uow_factory.begin() as uow:
        keep = identities.merge_citizens(uow, person.id, other.id)
    assert keep == person.id
    assert topics_of(uow_factory, person) == ([FIRST], [SECOND])
    with uow_factory.begin(read_only=True) as uow:
        assert service.has_announcements_off(uow, person.id)


def test_people_are_selected_by_place_unit_and_topic(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        unit = a_unit(uow, name="第一中学")
        nanning = a_citizen(uow, city="450100", county="450103", topics=[FIRST])
        pupil = a_citizen(uow, city="450100", county="450102", unit_id=unit.id)
        liuzhou = a_citizen(uow, city="450200", topics=[SECOND])
        nowhere = a_citizen(uow)
        privacy.erase_citizen(uow, a_citizen(uow, city="450100").id)
        gone = a_citizen(uow, city="450200", app="official_account")
        identities.merge_citizens(uow, liuzhou.id, gone.id)

        def found(scope: Scope = REGION, **chosen: Any) -> set[int]:
            return ids(uow, service.citizens_of(scope, service.CitizenFilter(**chosen)))

        city, county = Scope(city="450100"), Scope(city="450100", county="450103")
        assert found() == {nanning.id, pupil.id, liuzhou.id, nowhere.id}
        assert found(city) == found(cities=("450100",)) == {nanning.id, pupil.id}
        assert found(county) == found(counties=("450103",)) == {nanning.id}
        assert found(city, cities=("450200",)) == set()
        assert found(cities=("450100", "450200")) == {nanning.id, pupil.id, liuzhou.id}
        assert found(Scope(unit_id=unit.id)) == found(unit_ids=(unit.id,)) == {pupil.id}
        assert found(topics=(FIRST,)) == {nanning.id}
        assert found(topics=(FIRST, SECOND)) == {nanning.id, liuzhou.id}
        assert found(cities=("450100",), topics=(SECOND,)) == set()


def test_a_topic_is_not_taken_for_one_whose_name_begins_alike(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, topics=["campus-x", "x-campus"])
        chosen = service.CitizenFilter(topics=("campus",))
        assert ids(uow, service.citizens_of(REGION, chosen)) == set()
        assert ids(
            uow, service.citizens_of(REGION, service.CitizenFilter(topics=("campus-x",)))
        ) == {person.id}


def test_the_facts_of_many_are_read_in_one_query(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        eager = a_citizen(
            uow, nickname="小明", city="450100", topics=[FIRST], quiet_from="21:00",
            quiet_to="07:00",
        )  # fmt: skip
        muted = a_citizen(uow, app="official_account", muted_topics=[FIRST])
        off = a_citizen(uow, announcements_off=True)
        privacy.erase_citizen(uow, a_citizen(uow).id)
        told = {
            row.citizen_id: row for row in uow.session.execute(service.facts_of_citizens(FIRST))
        }
        assert told.keys() == {eager.id, muted.id, off.id}
        assert (told[eager.id].nickname, told[eager.id].city) == ("小明", "450100")
        assert (told[eager.id].quiet_from, told[eager.id].quiet_to) == ("21:00", "07:00")
        names = ("opted_out", "chose_topic", "in_mini_program", "in_official_account")
        flags = {
            number: [bool(getattr(row, name)) for name in names] for number, row in told.items()
        }
        assert flags == {
            eager.id: [False, True, True, False],
            muted.id: [True, False, False, True],
            off.id: [True, False, True, False],
        }
        any_topic = uow.session.execute(service.facts_of_citizens(None))
        assert {row.citizen_id for row in any_topic if row.opted_out} == {off.id}


def test_quiet_hours_and_openids_of_many_leave_out_who_has_none(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        quiet = a_citizen(uow, openid="mini-1", quiet_from="21:00", quiet_to="07:30")
        loud = a_citizen(uow, openid="official-1", app="official_account")
        both = [quiet.id, loud.id]
        assert service.quiet_hours_of(uow, both) == {quiet.id: (time(21), time(7, 30))}
        assert service.openids_of(uow, both, "mini_program") == {quiet.id: "mini-1"}
        assert service.openids_of(uow, both, "official_account") == {loud.id: "official-1"}


def test_of_several_openids_the_newest_is_used(uow_factory: UnitOfWorkFactory) -> None:
    for openid in ("mini-old", "mini-new"):
        with uow_factory.begin() as uow:
            person = service.sign_in(uow, known_as(openid, "union-1")).citizen_id
    with uow_factory.begin(read_only=True) as uow:
        assert service.openids_of(uow, [person], "mini_program") == {person: "mini-new"}
        assert service.openid_of(uow, person, "mini_program") == "mini-new"


def test_locking_many_leaves_out_the_erased_and_finds_the_survivors(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        first, second, gone, erased = (a_citizen(uow) for _ in range(4))
        identities.merge_citizens(uow, second.id, gone.id)
        privacy.erase_citizen(uow, erased.id)
    with uow_factory.begin() as uow:
        numbers = [erased.id, gone.id, second.id, first.id]
        assert service.lock_citizens(uow, numbers) == {
            first.id: first.id,
            second.id: second.id,
            gone.id: second.id,
        }
        assert service.lock_citizens(uow, []) == {}


@pytest.mark.race
def test_two_batches_that_lock_the_same_people_do_not_wait_for_each_other(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        first, second = a_citizen(uow), a_citizen(uow)
    locked = []

    def other_batch() -> None:
        with uow_factory.begin() as uow:
            locked.append(service.lock_citizens(uow, [second.id, first.id]))

    refused = meet(
        uow_factory,
        hold=lambda uow: service.lock_citizens(uow, [first.id]),
        other=other_batch,
        go_on=lambda uow: service.lock_citizens(uow, [second.id]),
    )
    assert (refused, len(locked)) == ([], 1)


@pytest.mark.race
def test_the_deadlock_is_seen_when_a_batch_locks_from_the_other_end(
    uow_factory: UnitOfWorkFactory, database_kind: str
) -> None:
    with uow_factory.begin() as uow:
        first, second = a_citizen(uow), a_citizen(uow)

    def backwards() -> None:
        with uow_factory.begin() as uow:
            for number in (second.id, first.id):
                uow.session.scalars(
                    select(Citizen.id).where(Citizen.id == number).with_for_update()
                ).one()

    refused = meet(
        uow_factory,
        hold=lambda uow: service.lock_citizens(uow, [first.id]),
        other=backwards,
        go_on=lambda uow: service.lock_citizens(uow, [second.id]),
    )
    assert refused == ([] if database_kind == "sqlite" else ["database_away"])
