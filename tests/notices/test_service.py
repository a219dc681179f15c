"""The ledger of permissions, and the inbox."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from server.accounts import identities, privacy
from server.accounts.models import Citizen
from server.base.errors import Invalid, NotAuthenticated, Unavailable
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices import service
from server.notices.models import InboxMessage, MessageGrant
from server.notices.service import Choice
from tests.kit.accounts import Person, a_citizen
from tests.kit.clock import FakeClock
from tests.kit.notices import FIRST, SECOND


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        noise = a_citizen(uow)
        accept(uow, noise, by_client=True)
        return a_citizen(uow)


def accept(uow: UnitOfWork, person: Person, *, by_client: bool, template: str = FIRST) -> None:
    if by_client:
        service.record_client_results(uow, person.id, {template: "accept"})
    else:
        service.record_popups(
            uow, person.id, [Choice(template_id=template, status="accept")], uow.now
        )


def left(uow_factory: UnitOfWorkFactory, person: Person) -> dict[str, int]:
    with uow_factory.begin(read_only=True) as uow:
        return service.remaining_grants(uow, person.id)


@pytest.mark.parametrize("client_first", [True, False])
def test_client_and_event_of_one_tap_are_one_permission(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock, client_first: bool
) -> None:
    with uow_factory.begin() as uow:
        accept(uow, person, by_client=client_first)
    clock.advance(600)
    with uow_factory.begin() as uow:
        accept(uow, person, by_client=not client_first)
    assert left(uow_factory, person)[FIRST] == 1


@pytest.mark.parametrize("client_first", [True, False])
def test_after_ten_minutes_they_are_two_permissions(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock, client_first: bool
) -> None:
    with uow_factory.begin() as uow:
        accept(uow, person, by_client=client_first)
    clock.advance(601)
    with uow_factory.begin() as uow:
        accept(uow, person, by_client=not client_first)
    assert left(uow_factory, person)[FIRST] == 2


def test_each_telling_pairs_once(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    for by_client in (True, True, False, False, False):
        clock.advance(5)
        with uow_factory.begin() as uow:
            accept(uow, person, by_client=by_client)
    assert left(uow_factory, person)[FIRST] == 3


def test_templates_do_not_pair_with_each_other(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        accept(uow, person, by_client=True, template=FIRST)
        accept(uow, person, by_client=False, template=SECOND)
    assert (left(uow_factory, person)[FIRST], left(uow_factory, person)[SECOND]) == (1, 1)


def test_persons_do_not_pair_with_each_other(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        other = a_citizen(uow)
        accept(uow, person, by_client=True)
        accept(uow, other, by_client=False)
    assert (left(uow_factory, person)[FIRST], left(uow_factory, other)[FIRST]) == (1, 1)


@pytest.mark.parametrize("result", ["reject", "ban", "filter"])
def test_only_an_acceptance_is_a_permission(
    uow_factory: UnitOfWorkFactory, person: Person, result: str
) -> None:
    with uow_factory.begin() as uow:
        service.record_client_results(uow, person.id, {FIRST: result})
        service.record_popups(uow, person.id, [Choice(template_id=FIRST, status=result)], uow.now)
    assert left(uow_factory, person)[FIRST] == 0


def test_every_template_is_named_in_what_is_left(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        answer = service.record_client_results(uow, person.id, {FIRST: "accept", SECOND: "reject"})
    assert answer == left(uow_factory, person)
    assert (answer[FIRST], answer[SECOND]) == (1, 0)


def test_an_unknown_template_of_the_client_is_left_out(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        told = {"no-such": "accept", FIRST: "accept"}
        assert "no-such" not in service.record_client_results(uow, person.id, told)
    assert left(uow_factory, person)[FIRST] == 1


def test_an_unknown_template_of_an_event_is_left_out(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        items = [Choice(template_id=name, status="accept") for name in ("no-such", FIRST)]
        service.record_popups(uow, person.id, items, uow.now)
    assert left(uow_factory, person)[FIRST] == 1


def test_turning_a_template_off_ends_its_open_permissions_alone(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        accept(uow, person, by_client=True)
        accept(uow, person, by_client=True)
        accept(uow, person, by_client=True, template=SECOND)
    clock.advance(30)
    with uow_factory.begin() as uow:
        service.record_changes(
            uow, person.id, [Choice(template_id=FIRST, status="reject")], uow.now
        )
    assert (left(uow_factory, person)[FIRST], left(uow_factory, person)[SECOND]) == (0, 1)
    with uow_factory.begin(read_only=True) as uow:
        revoked = uow.session.scalar(
            select(func.count())
            .select_from(MessageGrant)
            .where(MessageGrant.revoked_at.is_not(None))
        )
    assert revoked == 2


def test_a_late_telling_of_an_ended_permission_is_no_new_one(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        accept(uow, person, by_client=False)
        service.record_changes(
            uow, person.id, [Choice(template_id=FIRST, status="reject")], uow.now
        )
    clock.advance(60)
    with uow_factory.begin() as uow:
        accept(uow, person, by_client=True)
    assert left(uow_factory, person)[FIRST] == 0


def test_a_late_rejection_leaves_what_was_given_after_it(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    rejected_at = clock.now()
    clock.advance(60)
    with uow_factory.begin() as uow:
        accept(uow, person, by_client=True)
        service.record_changes(
            uow, person.id, [Choice(template_id=FIRST, status="reject")], rejected_at
        )
    assert left(uow_factory, person)[FIRST] == 1


def test_an_erased_citizen_gives_no_permission(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        accept(uow, person, by_client=True)
        privacy.erase_citizen(uow, person.id)
        with pytest.raises(NotAuthenticated):
            accept(uow, person, by_client=True)
    assert left(uow_factory, person)[FIRST] == 0


def test_a_message_with_the_same_key_shows_once(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        other = a_citizen(uow)
        assert service.post_message(
            uow, person.id, service.Letter(title="通知", body="第一次", key="a:1")
        )
        assert not service.post_message(
            uow, person.id, service.Letter(title="通知", body="第二次", key="a:1")
        )
        assert service.post_message(
            uow, other.id, service.Letter(title="通知", body="第一次", key="a:1")
        )
        rows, following = service.list_messages(uow, person.id, limit=20, after=None)
    assert [row.body for row in rows] == ["第一次"]
    assert following is None


def test_an_erased_citizen_gets_no_message(uow_factory: UnitOfWorkFactory, person: Person) -> None:
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, person.id)
        assert not service.post_message(
            uow, person.id, service.Letter(title="通知", body="迟到", key="a:1")
        )
        assert list(uow.session.scalars(select(InboxMessage.id))) == []


def test_the_inbox_is_read_page_by_page_newest_first(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    for number in range(7):
        # Two of a second, so that the order cannot hang on the time alone.
        clock.advance(number % 2)
        with uow_factory.begin() as uow:
            service.post_message(
                uow, person.id, service.Letter(title="通知", body=str(number), key=f"a:{number}")
            )
    with uow_factory.begin() as uow:
        service.post_message(
            uow, a_citizen(uow).id, service.Letter(title="通知", body="别人的", key="a:1")
        )
    seen, after = [], None
    with uow_factory.begin(read_only=True) as uow:
        while True:
            rows, after = service.list_messages(uow, person.id, limit=3, after=after)
            seen += [(row.posted_at, row.body) for row in rows]
            if after is None:
                break
    assert sorted(body for _, body in seen) == [str(number) for number in range(7)]
    assert [at for at, _ in seen] == sorted((at for at, _ in seen), reverse=True)


@pytest.mark.parametrize("after", ["", "x", "W10", "WyJ4IiwieSJd", "WyIyMDI2LTAxLTAxIiwieSJd"])
def test_an_unreadable_cursor_is_refused(
    uow_factory: UnitOfWorkFactory, person: Person, after: str
) -> None:
    with uow_factory.begin(read_only=True) as uow, pytest.raises(Invalid):
        service.list_messages(uow, person.id, limit=3, after=after)


def test_two_citizens_who_become_one_keep_everything_once(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        other = a_citizen(uow)
        accept(uow, person, by_client=True)
        accept(uow, other, by_client=True)
        service.post_message(uow, person.id, service.Letter(title="通知", body="我的", key="a:1"))
        service.post_message(uow, other.id, service.Letter(title="通知", body="同一条", key="a:1"))
        service.post_message(uow, other.id, service.Letter(title="通知", body="另一条", key="a:2"))
        identities.merge_citizens(uow, person.id, other.id)
        rows, _ = service.list_messages(uow, person.id, limit=20, after=None)
        assert sorted(row.body for row in rows) == ["另一条", "我的"]
        assert service.remaining_grants(uow, person.id)[FIRST] == 2
        assert service.remaining_grants(uow, other.id)[FIRST] == 0


def test_the_export_holds_permissions_and_messages_and_erasure_drops_them(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        noise = a_citizen(uow)
        service.post_message(uow, noise.id, service.Letter(title="通知", body="别人的", key="a:1"))
        accept(uow, person, by_client=True)
        service.post_message(
            uow,
            person.id,
            service.Letter(title="通知", body="我的", key="a:1", not_pushed_reason="no_grant"),
        )
        held = privacy.export_citizen(uow, person.id)
        assert held["message_grants"] == [
            {
                "template_id": FIRST,
                "client_at": uow.now,
                "event_at": None,
                "used_at": None,
                "revoked_at": None,
            }
        ]
        assert held["inbox"] == [
            {
                "title": "通知",
                "body": "我的",
                "posted_at": uow.now,
                "not_pushed_reason": "no_grant",
                "read_at": None,
            }
        ]
        privacy.erase_citizen(uow, person.id)
        assert list(uow.session.scalars(select(InboxMessage.citizen_id))) == [noise.id]
        assert person.id not in set(uow.session.scalars(select(MessageGrant.citizen_id)))


def test_a_rejection_of_the_same_second_counts(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    clock.advance(0.7)
    with uow_factory.begin() as uow:
        accept(uow, person, by_client=True)
        whole_second = uow.now.replace(microsecond=0)
        assert uow.now - whole_second > timedelta(0)
        service.record_changes(
            uow, person.id, [Choice(template_id=FIRST, status="reject")], whole_second
        )
    assert left(uow_factory, person)[FIRST] == 0


def test_many_letters_reach_the_present_citizens_once(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        plain, gone, erased = a_citizen(uow), a_citizen(uow), a_citizen(uow)
        kept = a_citizen(uow)
        uow.session.get_one(Citizen, gone.id).merged_into = kept.id
        uow.session.get_one(Citizen, erased.id).erased_at = uow.now
    letters = [
        (one.id, service.Letter(key="x:1", title="通知", body=f"给{one.id}"))
        for one in (gone, kept, erased, plain)
    ]
    with uow_factory.begin() as uow:
        assert service.post_messages(uow, letters) == 2
        assert service.post_messages(uow, letters) == 0
        assert service.post_messages(uow, []) == 0
    with uow_factory.begin(read_only=True) as uow:
        asked = select(InboxMessage.citizen_id, InboxMessage.body)
        # The survivor's own letter, not that of the citizen who became him.
        assert dict(map(tuple, uow.session.execute(asked))) == {
            plain.id: f"给{plain.id}", kept.id: f"给{kept.id}",
        }  # fmt: skip


def test_letters_to_a_citizen_who_is_merged_at_this_moment_are_refused(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with uow_factory.begin() as uow:
        gone, kept = a_citizen(uow).id, a_citizen(uow).id
    # The merge is committed after the first read of the survivors.
    found = iter([{gone: gone}, {gone: kept}])
    monkeypatch.setattr(identities, "survivors_of", lambda *_given: next(found))
    letter = service.Letter(key="x:1", title="通知", body="x")
    with pytest.raises(Unavailable), uow_factory.begin() as uow:
        service.post_messages(uow, [(gone, letter)])
