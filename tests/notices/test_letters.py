"""Letters shared by many inboxes: one text, a copy for each recipient, withdrawn in all at once."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from server.accounts import identities, privacy
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices import service
from server.notices.inbox import Received
from server.notices.models import InboxMessage, LetterText
from server.notices.reasons import NotPushed, say_reason
from tests.kit.accounts import Person, a_citizen
from tests.kit.quiz import all_at_once

LETTER = service.SharedLetter(
    key="announcement:ann_1",
    title="讲座改到周六",
    body="请你周六上午九点来。",
    page="packages/lectures/detail/index?id=act_1&a=ann_1",
)


@pytest.fixture
def people(uow_factory: UnitOfWorkFactory) -> list[Person]:
    with uow_factory.begin() as uow:
        return [a_citizen(uow) for _ in range(3)]


def posted(uow: UnitOfWork, people: list[Person], reason: str | None = None) -> int:
    letter_id = service.post_shared_letter(uow, LETTER)
    service.post_copies(uow, letter_id, [(person.id, reason) for person in people])
    return letter_id


def inbox(uow_factory: UnitOfWorkFactory, person: Person) -> list[Received]:
    with uow_factory.begin(read_only=True) as uow:
        return service.list_messages(uow, person.id, limit=20, after=None)[0]


def test_every_recipient_reads_the_text_that_is_stored_once(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    with uow_factory.begin() as uow:
        posted(uow, people[:2])
    for person in people[:2]:
        (shown,) = inbox(uow_factory, person)
        assert (shown.title, shown.body, shown.page) == (LETTER.title, LETTER.body, LETTER.page)
        assert (shown.withdrawn, shown.read, shown.not_pushed_reason) == (False, False, None)
    assert inbox(uow_factory, people[2]) == []
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(LetterText)) == 1
        assert set(uow.session.scalars(select(InboxMessage.body))) == {None}


def test_a_letter_and_its_copies_are_posted_once_however_often(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    with uow_factory.begin() as uow:
        first = service.post_shared_letter(uow, LETTER)
        assert service.post_copies(uow, first, [(one.id, None) for one in people[:2]]) == 2
    with uow_factory.begin() as uow:
        assert service.post_shared_letter(uow, LETTER) == first
        assert service.post_copies(uow, first, [(one.id, None) for one in people]) == 1
        assert service.post_copies(uow, first, []) == 0
    assert [len(inbox(uow_factory, one)) for one in people] == [1, 1, 1]


@pytest.mark.race
def test_one_letter_posted_by_many_workers_is_stored_once(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    def post() -> None:
        with uow_factory.begin() as uow:
            posted(uow, people)

    all_at_once([post] * 6)
    assert [len(inbox(uow_factory, one)) for one in people] == [1, 1, 1]
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(LetterText)) == 1


@pytest.mark.parametrize("reason", list(NotPushed))
def test_every_reason_of_a_refusal_is_a_sentence_that_fits(
    uow_factory: UnitOfWorkFactory, people: list[Person], reason: NotPushed
) -> None:
    with uow_factory.begin() as uow:
        posted(uow, people[:1], reason)
        said = say_reason(uow, reason)
    (shown,) = inbox(uow_factory, people[0])
    assert shown.not_pushed_reason == said
    assert 4 <= len(said) <= InboxMessage.not_pushed_reason.type.length
    assert shown.body == LETTER.body


def test_no_two_reasons_are_said_alike(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin(read_only=True) as uow:
        assert len({say_reason(uow, one) for one in NotPushed}) == len(NotPushed)


def test_a_reason_that_is_known_later_is_stored_on_these_copies_alone(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    first, second, third = people
    with uow_factory.begin() as uow:
        letter_id = posted(uow, people)
        other = service.post_shared_letter(
            uow, service.SharedLetter(key="other", title="另一条", body="正文")
        )
        service.post_copies(uow, other, [(first.id, None)])
        service.mark_not_pushed(
            uow, letter_id, {first.id: "no_grant", second.id: "class of WeChat that is new"}
        )
    reasons = {one.title: one.not_pushed_reason for one in inbox(uow_factory, first)}
    assert reasons == {LETTER.title: "微信里的提醒次数用完了", "另一条": None}
    assert [one.not_pushed_reason for one in inbox(uow_factory, second)] == ["微信没有接收"]
    assert [one.not_pushed_reason for one in inbox(uow_factory, third)] == [None]


@pytest.mark.parametrize(
    ("reason", "body"),
    [
        ("时间写错了，请看新的通知。", "这条通知已经撤回。时间写错了，请看新的通知。"),
        ("", "这条通知已经撤回，请不要再按它的内容去做。"),
    ],
)
def test_a_withdrawn_letter_shows_the_reason_in_place_of_its_text(
    uow_factory: UnitOfWorkFactory, people: list[Person], reason: str, body: str
) -> None:
    with uow_factory.begin() as uow:
        letter_id = posted(uow, people[:2])
        service.post_message(uow, people[0].id, service.Letter(key="own", title="题", body="文"))
    with uow_factory.begin() as uow:
        assert service.withdraw_shared_letter(uow, letter_id, reason)
        assert not service.withdraw_shared_letter(uow, letter_id, "another reason")
    for person in people[:2]:
        shown = next(one for one in inbox(uow_factory, person) if one.title == LETTER.title)
        assert (shown.withdrawn, shown.body, shown.page) == (True, body, None)
    assert not next(one for one in inbox(uow_factory, people[0]) if one.title == "题").withdrawn


def test_a_copy_that_is_posted_after_the_withdrawal_shows_it_too(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    with uow_factory.begin() as uow:
        letter_id = service.post_shared_letter(uow, LETTER)
        service.withdraw_shared_letter(uow, letter_id, "写错了。")
        service.post_copies(uow, letter_id, [(people[0].id, None)])
    (shown,) = inbox(uow_factory, people[0])
    assert (shown.withdrawn, shown.page) == (True, None)


def test_the_export_holds_the_text_and_an_erasure_drops_the_copy_alone(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    first, second, _ = people
    with uow_factory.begin() as uow:
        posted(uow, [first, second], "no_grant")
        held = privacy.export_citizen(uow, first.id)
        assert held["inbox"] == [
            {
                "title": LETTER.title,
                "body": LETTER.body,
                "posted_at": uow.now,
                "not_pushed_reason": "微信里的提醒次数用完了",
                "read_at": None,
            }
        ]
        privacy.erase_citizen(uow, first.id)
        assert list(uow.session.scalars(select(InboxMessage.citizen_id))) == [second.id]
    assert [one.body for one in inbox(uow_factory, second)] == [LETTER.body]


def test_two_who_become_one_keep_one_copy(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    with uow_factory.begin() as uow:
        posted(uow, people[:2])
        keep = identities.merge_citizens(uow, people[0].id, people[1].id)
    assert keep == people[0].id
    assert [one.body for one in inbox(uow_factory, people[0])] == [LETTER.body]


def test_a_message_is_new_until_it_is_opened(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    first, second, _ = people
    with uow_factory.begin() as uow:
        posted(uow, [first, second])
        service.post_message(uow, first.id, service.Letter(key="own", title="题", body="文"))
        assert service.count_unread(uow, first.id) == 2
        ref = inbox_ref(uow, first, LETTER.title)
        service.mark_read(uow, first.id, ref)
        assert service.count_unread(uow, first.id) == 1
        assert service.find_message(uow, first.id, ref).read
        service.mark_read(uow, first.id, None)
        assert service.count_unread(uow, first.id) == 0
        assert service.count_unread(uow, second.id) == 1


def inbox_ref(uow: UnitOfWork, person: Person, title: str) -> str:
    shown, _ = service.list_messages(uow, person.id, limit=20, after=None)
    return next(one.ref for one in shown if one.title == title)
