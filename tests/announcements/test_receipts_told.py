"""A receipt that changes a result changes the inbox copy, and gives the place in the limit back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.accounts import privacy
from server.announcements.audience.facts import outreach_key
from server.announcements.enums import Channel, RecipientState, TryState
from server.announcements.models import Announcement, MassBatch, Recipient
from server.announcements.receipts import applying, tasks
from server.base.jobs import TaskContext
from server.base.outbox_rows import OutboxState, idle_values
from server.base.templates import OFFICIAL_NOTICE, templates_of_kind
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices import service as notices
from server.notices.models import InboxMessage, Outreach
from server.notices.service import NotPushed
from tests.kit.accounts import a_citizen
from tests.kit.announcements import (
    a_doubtful_one,
    a_recipient,
    a_sent_one,
    a_try,
    an_announcement,
)
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.locks import meet
from tests.kit.receipts import (
    a_mass_receipt,
    a_subscription_receipt,
    a_template_receipt,
    an_item,
    apply,
    store,
)

SENT, UNKNOWN, IN_DOUBT = RecipientState.SENT, RecipientState.UNKNOWN, RecipientState.IN_DOUBT
REFUSED = RecipientState.REFUSED
OFFICIAL = Channel.OFFICIAL_SUBSCRIPTION
FAILED, DELIVERED = "err(20001)", "send success"
SAID = "微信没有接收"
DOUBT = "微信没有告诉我们是否送到"


def an_announcement_with_letter(uow: UnitOfWork) -> Announcement:
    row = an_announcement(uow)
    written = notices.SharedLetter(key=row.ref, title=row.title, body=row.body)
    row.letter_id = notices.post_shared_letter(uow, written)
    return row


def give_copy(uow: UnitOfWork, row: Announcement, citizen_id: int, reason: str | None) -> None:
    assert row.letter_id is not None
    notices.post_copies(uow, row.letter_id, [(citizen_id, reason)])


def a_mass(uow: UnitOfWork, states: list[RecipientState], message_id: str = "88") -> MassBatch:
    """A mass message with copies, those in doubt with the sentence of it."""
    row = an_announcement_with_letter(uow)
    batch = MassBatch(
        announcement_id=row.id,
        client_msg_id=f"batch-{message_id}",
        message_id=message_id,
        size=len(states),
        made_at=uow.now,
        **idle_values(OutboxState.DONE),
    )
    uow.session.add(batch)
    uow.session.flush()
    for state in states:
        citizen_id = a_citizen(uow).id
        one = a_recipient(uow, row, citizen_id, state=state)
        attempt = TryState.ACCEPTED if state is SENT else TryState(state.value)
        a_try(uow, one, Channel.MASS, attempt, mass_batch_id=batch.id)
        doubt = state is UNKNOWN
        give_copy(uow, row, citizen_id, NotPushed.UNKNOWN.value if doubt else None)
    return batch


def sentences(uow_factory: UnitOfWorkFactory) -> list[str | None]:
    with uow_factory.begin(read_only=True) as uow:
        copies = select(InboxMessage.not_pushed_reason).order_by(InboxMessage.citizen_id)
        return list(uow.session.scalars(copies))


def places(uow_factory: UnitOfWorkFactory) -> list[tuple[int, str]]:
    with uow_factory.begin(read_only=True) as uow:
        rows = uow.session.execute(select(Outreach.citizen_id, Outreach.key))
        return sorted((row.citizen_id, row.key) for row in rows)


def states(uow_factory: UnitOfWorkFactory) -> list[RecipientState]:
    with uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(Recipient.state).order_by(Recipient.id)))


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (FAILED, [SAID, SAID]),
        (DELIVERED, [None, None]),
        ("wait for review", [None, DOUBT]),
    ],
)
def test_copies_of_a_mass_message_say_what_its_receipt_said(
    uow_factory: UnitOfWorkFactory, status: str, told: list[str | None]
) -> None:
    with uow_factory.begin() as uow:
        a_mass(uow, [SENT, UNKNOWN])
        other = an_announcement_with_letter(uow)
        give_copy(uow, other, a_citizen(uow).id, None)
    assert sentences(uow_factory) == [None, DOUBT, None]
    store(uow_factory, a_mass_receipt("88", status))
    assert apply(uow_factory) == 1
    assert sentences(uow_factory) == [*told, None]


def test_an_erased_recipient_of_a_refused_mass_message_gets_no_copy(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        a_mass(uow, [SENT, SENT])
        gone = uow.session.scalars(select(Recipient.citizen_id).order_by(Recipient.id)).first()
        assert gone is not None
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, gone)
    store(uow_factory, a_mass_receipt("88", FAILED))
    assert apply(uow_factory) == 1
    assert sentences(uow_factory) == [SAID]
    assert states(uow_factory) == [REFUSED, REFUSED]


def test_refused_mass_messages_are_applied_one_in_a_transaction(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    """Each has up to ten thousand recipients to lock; a statement cannot name those of several."""
    with uow_factory.begin() as uow:
        for number in range(3):
            a_mass(uow, [SENT, SENT], str(number))
        template = a_citizen(uow, app="official_account")
        a_sent_one(uow, an_announcement(uow), template.id, "t")
    store(
        uow_factory,
        *(a_mass_receipt(str(number), FAILED) for number in range(3)),
        a_template_receipt(template.openid, "t"),
    )
    with uow_factory.begin() as uow:
        first = applying.apply_due(uow)
    assert (first.matched, first.more) == (2, True)
    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    assert tasks.apply_receipts(context) == 2
    assert sentences(uow_factory) == [SAID] * 6


@pytest.mark.parametrize(
    ("status", "kept"), [("failed:user block", False), ("success", True), ("delayed", True)]
)
def test_a_message_that_was_not_delivered_gives_the_place_in_the_limit_back(
    uow_factory: UnitOfWorkFactory, status: str, kept: bool
) -> None:
    with uow_factory.begin() as uow:
        person, other = (a_citizen(uow, app="official_account") for _ in range(2))
        row, second = an_announcement_with_letter(uow), an_announcement_with_letter(uow)
        for one in (person, other):
            for sent in (row, second):
                a_sent_one(uow, sent, one.id, f"{sent.ref}-{one.id}")
                notices.reserve_outreach(uow, outreach_key(sent), {one.id}, 9, 9)
        key, message_id = outreach_key(row), f"{row.ref}-{person.id}"
        mine = (person.id, key)
    before = places(uow_factory)
    assert mine in before
    store(uow_factory, a_template_receipt(person.openid, message_id, status))
    assert apply(uow_factory) == 1
    assert places(uow_factory) == [one for one in before if kept or one != mine]
    with uow_factory.begin() as uow:
        limits = (2, 9) if not kept else (3, 9)
        assert notices.reserve_outreach(uow, "another", {person.id}, *limits) == {person.id}


@pytest.mark.race
def test_the_place_is_given_back_beside_another_sender_that_counts(
    uow_factory: UnitOfWorkFactory,
) -> None:
    """Both hold the citizen, so the sender counts before or after, and never half."""
    with uow_factory.begin() as uow:
        person = a_citizen(uow, app="official_account")
        row = an_announcement_with_letter(uow)
        a_sent_one(uow, row, person.id, "1")
        notices.reserve_outreach(uow, outreach_key(row), {person.id}, 1, 3)
    store(uow_factory, a_template_receipt(person.openid, "1", "failed:user block"))
    got: list[set[int]] = []

    def count_as_sender() -> None:
        with uow_factory.begin() as uow:
            applying.accounts.lock_citizens(uow, {person.id})
            got.append(notices.reserve_outreach(uow, "reminder", {person.id}, 1, 3))

    refused = meet(uow_factory, applying.apply_due, count_as_sender, lambda _uow: None)
    assert refused == []
    assert got == [{person.id}]
    assert places(uow_factory) == [(person.id, "reminder")]


def test_a_call_in_doubt_that_was_delivered_leaves_no_sentence(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, app="official_account")
        row = an_announcement_with_letter(uow)
        a_doubtful_one(uow, row, person.id)
        give_copy(uow, row, person.id, NotPushed.UNKNOWN.value)
        notices.reserve_outreach(uow, outreach_key(row), {person.id}, 1, 3)
    store(uow_factory, a_template_receipt(person.openid, "77"))
    clock.advance(200)
    assert apply(uow_factory) == 1
    assert (sentences(uow_factory), states(uow_factory)) == ([None], [SENT])
    assert len(places(uow_factory)) == 1


# --- the template of a parked receipt


def notice_of(uow: UnitOfWork, slug: str) -> Announcement:
    contents = {OFFICIAL.value: {"template": slug, "fields": {}}}
    return an_announcement(uow, contents=contents, ladder=[OFFICIAL.value])


def template_ids() -> list[tuple[str, str]]:
    """Slug and id of two templates of the official account's notices."""
    first, second, *_ = templates_of_kind(OFFICIAL_NOTICE)
    return [(one.slug, one.id) for one in (first, second)]


def a_parked_receipt(uow_factory: UnitOfWorkFactory, openid: str, template: str) -> None:
    item = an_item("9", "43101", template)
    store(uow_factory, a_subscription_receipt(openid, item, app="official_account"))


def test_a_parked_receipt_adopts_the_call_of_its_own_template(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    (first, _), (second, wanted) = template_ids()
    with uow_factory.begin() as uow:
        person = a_citizen(uow, app="official_account")
        for slug in (first, second):
            a_sent_one(uow, notice_of(uow, slug), person.id, None, OFFICIAL)
    a_parked_receipt(uow_factory, person.openid, wanted)
    clock.advance(300)
    assert apply(uow_factory) == 1
    assert states(uow_factory) == [SENT, REFUSED]


@pytest.mark.parametrize("state", [UNKNOWN, IN_DOUBT, SENT])
def test_a_parked_receipt_of_another_template_adopts_no_call(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, state: RecipientState
) -> None:
    ((slug, _), *_) = template_ids()
    with uow_factory.begin() as uow:
        person = a_citizen(uow, app="official_account")
        row = notice_of(uow, slug)
        if state is SENT:
            a_sent_one(uow, row, person.id, None, OFFICIAL)
        else:
            a_doubtful_one(uow, row, person.id, state, OFFICIAL)
    a_parked_receipt(uow_factory, person.openid, "template-of-another-system")
    clock.advance(300)
    assert apply(uow_factory) == 0
    assert states(uow_factory) == [state]


@pytest.mark.parametrize("contents", [{}, {OFFICIAL.value: {"template": "gone", "fields": {}}}])
def test_a_call_whose_template_is_unknown_today_is_adopted(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, contents: dict[str, object]
) -> None:
    """The operator may have taken a template out of the file after the sending."""
    with uow_factory.begin() as uow:
        person = a_citizen(uow, app="official_account")
        row = an_announcement(uow, contents=contents)
        a_doubtful_one(uow, row, person.id, UNKNOWN, OFFICIAL)
    a_parked_receipt(uow_factory, person.openid, "some-template")
    clock.advance(300)
    assert apply(uow_factory) == 1
    assert states(uow_factory) == [REFUSED]
