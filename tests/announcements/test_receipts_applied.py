"""Receipts move the ledger forward: on time, early, late, twice, in doubt, unknown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from server.accounts import identities, privacy
from server.announcements.enums import Channel, ReceiptWord, RecipientState, TryState
from server.announcements.models import MassBatch, Recipient, SendReceipt, SendTry
from server.announcements.receipts import tasks
from server.announcements.receipts.applying import apply_due
from server.announcements.receipts.delivered import apply_delivered
from server.base.jobs import TaskContext
from server.base.outbox_rows import OutboxState, idle_values, queued_values
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.wechat.callback.inbound import Message
from tests.kit.accounts import Person, a_citizen
from tests.kit.announcements import (
    a_doubtful_one,
    a_recipient,
    a_sent_one,
    a_try,
    an_announcement,
)
from tests.kit.channel import at_once
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.receipts import (
    a_mass_receipt,
    a_subscription_receipt,
    a_template_receipt,
    an_item,
    apply,
    store,
    stored,
)

SENT, REFUSED = RecipientState.SENT, RecipientState.REFUSED
UNKNOWN, IN_DOUBT = RecipientState.UNKNOWN, RecipientState.IN_DOUBT
D, B, F = ReceiptWord.DELIVERED, ReceiptWord.BLOCKED, ReceiptWord.FAILED


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        return a_citizen(uow, app="official_account")


def ledger(uow_factory: UnitOfWorkFactory) -> list[Recipient]:
    with uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(Recipient).order_by(Recipient.id)))


def results(uow_factory: UnitOfWorkFactory) -> list[tuple[RecipientState, str | None, object]]:
    return [(row.state, row.reason, row.receipt) for row in ledger(uow_factory)]


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("success", (SENT, None, D)),
        ("failed:user block", (REFUSED, "user_block", B)),
        ("failed: system failed", (REFUSED, "system_failed", F)),
        ("failed:freq limit", (REFUSED, "freq_limit", F)),
        ("failed:something new", (REFUSED, "not_delivered", F)),
        ("delayed", (SENT, None, None)),
    ],
)
def test_a_template_receipt_moves_the_row_as_its_word_says(
    uow_factory: UnitOfWorkFactory,
    person: Person,
    status: str,
    result: tuple[RecipientState, str | None, ReceiptWord | None],
) -> None:
    with uow_factory.begin() as uow:
        a_sent_one(uow, an_announcement(uow), person.id, "1")
        a_sent_one(uow, an_announcement(uow), person.id, "2")
    store(uow_factory, a_template_receipt(person.openid, "1", status))
    assert apply(uow_factory) == 1
    assert results(uow_factory) == [result, (SENT, None, None)]
    (receipt,) = stored(uow_factory)
    assert receipt.applied_at is not None
    assert apply(uow_factory) == 0


def test_subscription_receipts_of_both_apps_move_their_own_rows(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, unionid="u-1")
        identities.settle_identity(uow, identities.App("official_account"), "o-1", "u-1")
        for channel in (Channel.MINI_SUBSCRIPTION, Channel.OFFICIAL_SUBSCRIPTION):
            a_sent_one(uow, an_announcement(uow), person.id, "1", channel)
    store(
        uow_factory,
        a_subscription_receipt(person.openid, an_item("1", "43101")),
        a_subscription_receipt("o-1", an_item("1"), app="official_account"),
    )
    assert apply(uow_factory) == 2
    assert results(uow_factory) == [(REFUSED, "no_grant", B), (SENT, None, D)]


def test_a_second_receipt_changes_nothing_even_when_it_differs(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        a_sent_one(uow, an_announcement(uow), person.id, "1")
    store(uow_factory, a_template_receipt(person.openid, "1", "success"))
    apply(uow_factory)
    store(uow_factory, a_template_receipt(person.openid, "1", "failed:user block"))
    assert apply(uow_factory) == 0
    assert results(uow_factory) == [(SENT, None, D)]


def test_a_receipt_before_the_answer_of_its_call_waits_for_it(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        row = a_recipient(uow, an_announcement(uow), person.id, state=RecipientState.CLAIMED)
        a_try(uow, row, Channel.TEMPLATE, TryState.CLAIMED)
    store(uow_factory, a_template_receipt(person.openid, "1"))
    assert apply(uow_factory) == 0
    clock.advance(300)
    assert apply(uow_factory) == 0, "an answer may still come: no adoption"
    with uow_factory.begin() as uow:
        recipient, attempt = _only_send(uow)
        recipient.state, attempt.state, attempt.message_id = SENT, TryState.ACCEPTED, "1"
    clock.advance(60)
    assert apply(uow_factory) == 1
    assert results(uow_factory) == [(SENT, None, D)]


def _only_send(uow: UnitOfWork) -> tuple[Recipient, SendTry]:
    row = uow.session.execute(
        select(Recipient, SendTry).join(SendTry, SendTry.recipient_id == Recipient.id)
    ).one()
    return row[0], row[1]


@pytest.mark.parametrize("state", [UNKNOWN, IN_DOUBT])
@pytest.mark.parametrize(
    ("status", "result"),
    [("success", (SENT, None, D)), ("failed:user block", (REFUSED, "user_block", B))],
)
def test_a_receipt_adopts_the_call_whose_answer_was_lost(
    uow_factory: UnitOfWorkFactory,
    person: Person,
    clock: FakeClock,
    state: RecipientState,
    status: str,
    result: tuple[RecipientState, str | None, ReceiptWord],
) -> None:
    with uow_factory.begin() as uow:
        row = a_doubtful_one(uow, an_announcement(uow), person.id, state)
        if state is IN_DOUBT:
            for name, value in queued_values(uow.now).items():
                setattr(row, name, value)
    clock.advance(30)
    store(uow_factory, a_template_receipt(person.openid, "77", status))
    assert apply(uow_factory) == 0
    clock.advance(120)
    assert apply(uow_factory) == 1
    assert results(uow_factory) == [result]
    (row,) = ledger(uow_factory)
    assert (row.outbox_state, row.outbox_claim) == (OutboxState.DONE, None)
    with uow_factory.begin(read_only=True) as uow:
        assert _only_send(uow)[1].message_id == "77"


def test_an_accepted_notice_without_an_id_is_found_by_its_citizen(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    """WeChat answers a notice of the official account without an id; its event has one."""
    with uow_factory.begin() as uow:
        for channel in (Channel.OFFICIAL_SUBSCRIPTION, Channel.TEMPLATE):
            a_sent_one(uow, an_announcement(uow), person.id, None, channel)
    event = a_subscription_receipt(person.openid, an_item("9", "43101"), app="official_account")
    store(uow_factory, event, a_template_receipt(person.openid, "8", "failed:user block"))
    clock.advance(300)
    assert apply(uow_factory) == 1
    assert results(uow_factory) == [(REFUSED, "no_grant", B), (SENT, None, None)]


def test_nothing_is_adopted_when_two_calls_are_possible_or_the_window_is_over(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        for _ in range(2):
            a_doubtful_one(uow, an_announcement(uow), person.id)
        other = a_citizen(uow, app="official_account")
        a_doubtful_one(uow, an_announcement(uow), other.id)
        third = a_citizen(uow, app="official_account")
        a_doubtful_one(uow, an_announcement(uow), third.id, channel=Channel.CUSTOMER_MESSAGE)
    store(
        uow_factory,
        a_template_receipt(person.openid, "1"),
        a_template_receipt(third.openid, "3"),
    )
    clock.advance(3601)
    store(uow_factory, a_template_receipt(other.openid, "2"))
    clock.advance(200)
    assert apply(uow_factory) == 0
    assert {row.state for row in ledger(uow_factory)} == {UNKNOWN}
    assert len(stored(uow_factory)) == 3


def test_of_two_receipts_for_one_call_in_doubt_the_earlier_one_adopts_it(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        a_doubtful_one(uow, an_announcement(uow), person.id)
    store(uow_factory, a_template_receipt(person.openid, "9"))
    clock.advance(1)
    store(uow_factory, a_template_receipt(person.openid, "1", "failed:user block"))
    clock.advance(600)
    assert apply(uow_factory) == 1
    assert results(uow_factory) == [(SENT, None, D)]


def test_an_unmatched_receipt_waits_for_over_an_hour_and_is_kept(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    store(uow_factory, a_template_receipt(person.openid, "1"))
    looks, waited = 0, timedelta()
    while (due := stored(uow_factory)[0].due_at) is not None:
        wait = max(due - clock.now(), timedelta(seconds=1))
        clock.advance(wait.total_seconds())
        waited += wait
        assert apply(uow_factory) == 0
        looks += 1
    assert timedelta(hours=1) < waited < timedelta(hours=3)
    assert looks < 50
    with uow_factory.begin() as uow:
        a_sent_one(uow, an_announcement(uow), person.id, "1")
    assert apply(uow_factory) == 0
    assert stored(uow_factory)[0].applied_at is None


def test_a_receipt_seven_days_late_still_counts(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        a_sent_one(uow, an_announcement(uow), person.id, "1")
    clock.advance(7 * 86_400)
    store(uow_factory, a_template_receipt(person.openid, "1", "failed:user block"))
    assert apply(uow_factory) == 1
    assert results(uow_factory) == [(REFUSED, "user_block", B)]


def test_a_receipt_about_somebody_else_moves_nothing(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        other = a_citizen(uow, app="official_account")
        a_sent_one(uow, an_announcement(uow), person.id, "1")
    store(uow_factory, a_template_receipt(other.openid, "1", "failed:user block"))
    assert apply(uow_factory) == 0
    assert results(uow_factory) == [(SENT, None, None)]


def test_receipts_in_any_order_and_number_leave_the_same_ledger(
    uow_factory: UnitOfWorkFactory,
) -> None:
    found = set()
    for place, turn in enumerate((1, -1, 1)):
        with uow_factory.begin() as uow:
            announcement = an_announcement(uow)
            people = [a_citizen(uow, app="official_account") for _ in range(4)]
            for number, one in enumerate(people):
                a_sent_one(uow, announcement, one.id, f"{place}-{number}")
        words = ("success", "failed:user block", "failed: system failed", "success")
        reports = [
            a_template_receipt(one.openid, f"{place}-{number}", words[number])
            for number, one in enumerate(people)
        ][::turn]
        for report in reports * (place + 1):
            store(uow_factory, report)
            apply(uow_factory)
        rows = [row for row in ledger(uow_factory) if row.announcement_id == announcement.id]
        found.add(tuple((row.state, row.reason, row.receipt) for row in rows))
    assert len(found) == 1


def test_an_erased_citizen_has_no_receipts_left_and_a_late_one_moves_the_anonymous_row(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        a_sent_one(uow, an_announcement(uow), person.id, "1")
        a_sent_one(uow, an_announcement(uow), person.id, "2")
    store(uow_factory, a_template_receipt(person.openid, "1"))
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, person.id)
    assert stored(uow_factory) == []
    store(uow_factory, a_template_receipt(person.openid, "2", "failed:user block"))
    assert [row.citizen_id for row in stored(uow_factory)] == [None]
    assert apply(uow_factory) == 1
    assert results(uow_factory) == [(SENT, None, None), (REFUSED, "user_block", B)]


def a_mixed_ledger(uow: UnitOfWork, start: str) -> list[Message]:
    """Recipients in every state that a delivered receipt may meet, with their receipts."""
    row = an_announcement(uow)
    made = []
    for number in range(9):
        one = a_citizen(uow, app="official_account")
        message_id = f"{start}{number}"
        recipient = (
            a_doubtful_one(uow, row, one.id)
            if number == 1
            else a_sent_one(uow, row, one.id, message_id)
        )
        if number == 2:  # the ladder has left this channel
            recipient.channel = Channel.MINI_SUBSCRIPTION
        elif number == 3:
            recipient.receipt = B
        elif number == 4:
            recipient.state = RecipientState.CANCELLED
        openid = a_citizen(uow, app="official_account").openid if number == 5 else one.openid
        status = {6: "failed:user block", 7: "delayed"}.get(number, "success")
        made.append(a_template_receipt(openid, message_id, status))
    return [
        *made,
        a_template_receipt("o-nobody", f"{start}8"),
        a_template_receipt("o-x", f"{start}9"),
    ]


def test_delivered_receipts_in_one_statement_leave_the_ledger_as_one_by_one(
    uow_factory: UnitOfWorkFactory,
) -> None:
    found = []
    for start, step in (("a", apply), ("b", apply_one_by_one)):
        with uow_factory.begin() as uow:
            receipts = a_mixed_ledger(uow, start)
        store(uow_factory, *receipts)
        matched = step(uow_factory)
        rows = ledger(uow_factory)[-9:]
        applied = [one.applied_at is not None for one in stored(uow_factory)[-10:]]
        states = [(row.state, row.reason, row.receipt, row.channel) for row in rows]
        found.append((matched, states, applied))
    assert found[0] == found[1]
    # Delivered, of a left channel, with a receipt, cancelled, blocked, delayed, and one more.
    assert found[0][0] == 7


def apply_one_by_one(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin() as uow:
        return apply_due(uow).matched


@pytest.mark.race
def test_two_workers_apply_each_delivered_receipt_once(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        row = an_announcement(uow)
        people = [a_citizen(uow, app="official_account") for _ in range(40)]
        for number, one in enumerate(people):
            a_sent_one(uow, row, one.id, str(number))
    receipts = [a_template_receipt(one.openid, str(n)) for n, one in enumerate(people)]
    store(uow_factory, *receipts)

    def work() -> int:
        with uow_factory.begin() as uow:
            return apply_delivered(uow, 30)

    assert sum(at_once([work] * 3)) + apply(uow_factory) == 40
    assert {state for state, *_ in results(uow_factory)} == {SENT}
    assert [one.receipt for one in ledger(uow_factory)] == [D] * 40


def a_batch(uow: UnitOfWork, states: list[RecipientState]) -> MassBatch:
    announcement = an_announcement(uow)
    batch = MassBatch(
        announcement_id=announcement.id,
        client_msg_id="batch-1",
        message_id="88",
        size=len(states),
        made_at=uow.now,
        **idle_values(OutboxState.DONE),
    )
    uow.session.add(batch)
    uow.session.flush()
    for state in states:
        row = a_recipient(uow, announcement, a_citizen(uow).id, state=state)
        attempt = TryState.ACCEPTED if state is SENT else TryState(state.value)
        a_try(uow, row, Channel.MASS, attempt, mass_batch_id=batch.id)
    return batch


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("send success", [(SENT, None, None)] * 2),
        ("err(20001)", [(REFUSED, "mass_refused", None)] * 2),
        ("wait for review", [(SENT, None, None), (UNKNOWN, None, None)]),
    ],
)
def test_a_mass_receipt_has_counts_for_the_batch_and_one_result_for_its_rows(
    uow_factory: UnitOfWorkFactory, status: str, result: list[tuple[object, ...]]
) -> None:
    with uow_factory.begin() as uow:
        a_batch(uow, [SENT, UNKNOWN])
    counts = {"TotalCount": 2, "FilterCount": 2, "SentCount": 1, "ErrorCount": 1}
    store(uow_factory, a_mass_receipt("88", status, **counts))
    assert apply(uow_factory) == 1
    assert results(uow_factory) == result
    with uow_factory.begin(read_only=True) as uow:
        batch = uow.session.scalars(select(MassBatch)).one()
        told = (batch.total_count, batch.filter_count, batch.sent_count, batch.error_count)
        assert (batch.status, told) == (status, (2, 2, 1, 1))


def test_the_task_applies_more_than_a_batch_and_ends(
    uow_factory: UnitOfWorkFactory,
    person: Person,
    gateway: RecordingGateway,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "apply_due", lambda uow: apply_due(uow, 2))
    with uow_factory.begin() as uow:
        for number in range(5):
            a_sent_one(uow, an_announcement(uow), person.id, str(number))
    store(uow_factory, *(a_template_receipt(person.openid, str(number)) for number in range(7)))
    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    assert tasks.apply_receipts(context) == 5
    assert tasks.apply_receipts(context) == 0


def test_receipts_are_deleted_after_thirty_days(
    uow_factory: UnitOfWorkFactory,
    person: Person,
    gateway: RecordingGateway,
    clock: FakeClock,
) -> None:
    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    store(uow_factory, a_template_receipt(person.openid, "1"))
    clock.advance(timedelta(days=30).total_seconds() - 1)
    assert tasks.drop_old_receipts(context) == 0
    clock.advance(1)
    assert tasks.drop_old_receipts(context) == 1
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(SendReceipt)).all() == []
