"""Windows for customer messages: opened by a follower's own words, five messages in 48 hours."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from server.accounts import privacy
from server.accounts import service as accounts
from server.base.uow import UnitOfWorkFactory
from server.channel import contacts, models, rules, service
from server.channel.callback_handler import CallbackHandler
from server.channel.contacts import Contacts
from server.channel.windows import MOST_MESSAGES
from server.wechat.callback.replies import Reply
from tests.kit.channel import NOON, OPENID, a_handler, a_message, an_event, at_once, rows, said
from tests.kit.clock import FakeClock


@pytest.fixture
def noted(uow_factory: UnitOfWorkFactory) -> Contacts:
    return Contacts(uow_factory, flush_seconds=None)


@pytest.fixture
def handler(uow_factory: UnitOfWorkFactory, noted: Contacts) -> CallbackHandler:
    made = a_handler(uow_factory, contacts=noted)
    said(made, an_event("subscribe", created_at=NOON - 60))
    return made


def owner(uow_factory: UnitOfWorkFactory, openid: str = OPENID) -> int:
    with uow_factory.begin(read_only=True) as uow:
        found = accounts.citizen_of_openid(uow, "official_account", openid, create=False)
    assert found is not None
    return found


def window(uow_factory: UnitOfWorkFactory) -> timedelta | None:
    """How long the window of the follower is still open."""
    person = owner(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        until = service.open_windows(uow, [person], uow.now)
        counted = set(uow.session.scalars(service.open_window_ids(uow.now)))
        assert counted == set(until)
        return until[person] - uow.now if until else None


def use(uow_factory: UnitOfWorkFactory, times: int = 1) -> None:
    for _ in range(times):
        with uow_factory.begin() as uow:
            service.note_window_use(uow, [owner(uow_factory)])


@pytest.mark.parametrize("kind", ["text", "image", "voice", "video", "location", "link"])
def test_any_message_of_a_follower_opens_a_window(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, noted: Contacts, kind: str
) -> None:
    assert window(uow_factory) is None
    said(handler, a_message(kind, content="帮助" if kind == "text" else ""))
    noted.flush_contacts()
    assert window(uow_factory) == rules.LATE_FOR


@pytest.mark.parametrize("event", ["click", "view", "scan", "view_miniprogram"])
def test_a_tap_or_a_scan_opens_none_that_a_queue_could_use(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, noted: Contacts, event: str
) -> None:
    said(handler, an_event(event, "CONTACT"))
    noted.flush_contacts()
    assert window(uow_factory) is None


def test_a_message_soon_after_a_tap_opens_a_window(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, noted: Contacts
) -> None:
    said(handler, an_event("click", "CONTACT"))
    said(handler, a_message(content="帮助"))
    said(handler, an_event("click", "CONTACT"))
    noted.flush_contacts()
    assert window(uow_factory) == rules.LATE_FOR


def test_the_window_closes_after_its_time_and_a_later_message_opens_it_anew(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, noted: Contacts, clock: FakeClock
) -> None:
    said(handler, a_message(content="帮助"))
    noted.flush_contacts()
    clock.advance(rules.LATE_FOR.total_seconds() - 1)
    assert window(uow_factory) == timedelta(seconds=1)
    clock.advance(1)
    assert window(uow_factory) is None
    said(
        handler,
        a_message(content="帮助", msg_id="2", created_at=int(clock.now().timestamp())),
    )
    noted.flush_contacts()
    assert window(uow_factory) == rules.LATE_FOR


def test_five_messages_use_a_window_up_and_the_next_words_open_another(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, noted: Contacts, clock: FakeClock
) -> None:
    said(handler, a_message(content="帮助"))
    noted.flush_contacts()
    use(uow_factory, MOST_MESSAGES - 1)
    assert window(uow_factory) is not None
    use(uow_factory)
    assert window(uow_factory) is None
    clock.advance(contacts.NOTED_FOR_SECONDS)
    said(
        handler,
        a_message(content="帮助", msg_id="2", created_at=int(clock.now().timestamp())),
    )
    noted.flush_contacts()
    assert window(uow_factory) == rules.LATE_FOR


def test_an_older_message_that_is_told_late_opens_nothing_anew(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, noted: Contacts
) -> None:
    said(handler, a_message(content="帮助"))
    noted.flush_contacts()
    use(uow_factory, MOST_MESSAGES)
    with uow_factory.begin() as uow:
        earlier = uow.now - timedelta(hours=1)
        assert service.record_messages(uow, {OPENID: earlier, "o-unknown": earlier}) == []
    assert window(uow_factory) is None


def test_a_late_reply_uses_the_window_of_its_message(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, noted: Contacts
) -> None:
    message = a_message(content="答题")
    said(handler, message)
    for _ in range(2):
        handler.deliver_late(message, Reply.of_text("迟到的回答"))
    # The batch is written afterwards and must not undo the count.
    noted.flush_contacts()
    (follower,) = rows(uow_factory, models.Follower)
    assert (follower.window_used, window(uow_factory)) == (1, rules.LATE_FOR)


@pytest.mark.parametrize("known_by", ["event", "refusal"])
def test_who_left_has_no_window_also_after_coming_back(
    uow_factory: UnitOfWorkFactory,
    handler: CallbackHandler,
    noted: Contacts,
    clock: FakeClock,
    known_by: str,
) -> None:
    said(handler, a_message(content="帮助"))
    noted.flush_contacts()
    clock.advance(60)
    if known_by == "event":
        said(handler, an_event("unsubscribe", created_at=NOON + 60))
    else:
        with uow_factory.begin() as uow:
            service.mark_unfollowed(uow, [owner(uow_factory)])
    assert window(uow_factory) is None
    with uow_factory.begin(read_only=True) as uow:
        assert owner(uow_factory) not in set(uow.session.scalars(service.following_select()))
    said(handler, an_event("subscribe", created_at=NOON + 120))
    assert window(uow_factory) is None
    with uow_factory.begin(read_only=True) as uow:
        assert owner(uow_factory) in set(uow.session.scalars(service.following_select()))


def test_a_refusal_marks_only_those_it_was_about(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, clock: FakeClock
) -> None:
    said(handler, an_event("subscribe", openid="o-other", created_at=NOON))
    with uow_factory.begin() as uow:
        service.mark_unfollowed(uow, [owner(uow_factory)])
    by_person = {row.citizen_id: row for row in rows(uow_factory, models.Follower)}
    left, other = by_person[owner(uow_factory)], by_person[owner(uow_factory, "o-other")]
    assert (left.subscribed, left.unsubscribed_at) == (False, clock.now())
    assert (other.subscribed, other.unsubscribed_at) == (True, None)


def test_two_followers_who_become_one_keep_the_newer_window(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, noted: Contacts
) -> None:
    said(handler, an_event("subscribe", openid="o-other", created_at=NOON - 30))
    with uow_factory.begin() as uow:
        service.record_messages(uow, {OPENID: uow.now, "o-other": uow.now - timedelta(hours=2)})
    use(uow_factory, 2)
    with uow_factory.begin() as uow:
        for openid in (OPENID, "o-other"):
            accounts.learn_unionid(uow, "official_account", openid, "union-1")
    (row,) = rows(uow_factory, models.Follower)
    assert (row.window_used, window(uow_factory)) == (2, rules.LATE_FOR)


@pytest.mark.race
def test_a_person_who_is_locked_is_recorded_the_next_time(
    uow_factory: UnitOfWorkFactory,
    handler: CallbackHandler,
    noted: Contacts,
    database_kind: str,
) -> None:
    if database_kind == "sqlite":
        pytest.skip("SQLite has one writer, and no locked row to skip")
    said(handler, a_message(content="帮助"))
    with uow_factory.begin() as holding:
        privacy.lock_citizen(holding, owner(uow_factory))
        noted.flush_contacts()
        assert window(uow_factory) is None
    noted.flush_contacts()
    assert window(uow_factory) == rules.LATE_FOR


@pytest.mark.race
def test_batches_of_many_processes_do_not_wait_for_each_other(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler
) -> None:
    people = [f"o-{number}" for number in range(12)]
    for openid in people:
        said(handler, an_event("subscribe", openid=openid, created_at=NOON - 60))

    def note(order: list[str]) -> None:
        with uow_factory.begin() as uow:
            service.record_messages(uow, dict.fromkeys(order, uow.now))

    at_once([lambda order=order: note(order) for order in (people, people[::-1]) * 3])
    with uow_factory.begin(read_only=True) as uow:
        heard = uow.session.scalars(
            select(models.Follower.heard_at).where(models.Follower.heard_at.is_not(None))
        ).all()
    assert set(heard) == {uow_factory.dependencies.clock.now()}
