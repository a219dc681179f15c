"""Receipts as they come: every form, every word, twice, at the same moment, in a storm."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from server.announcements.enums import ReceiptKind, ReceiptWord
from server.announcements.receipts.reading import read_reports
from server.announcements.receipts.storing import REPORTS, store_reports
from server.base.errors import Unavailable
from server.base.group_commit import GroupCommit
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.metrics import RECEIPTS, UNKNOWN_WORDS
from server.channel.callback_handler import CallbackHandler, Events
from server.channel.models import SeenMessage
from server.notices import chat as notices
from server.wechat.callback.inbound import Message
from server.wechat.callback.replies import Reply
from tests.kit.accounts import a_citizen
from tests.kit.channel import at_once, rows
from tests.kit.receipts import (
    a_mass_receipt,
    a_report,
    a_subscription_receipt,
    a_template_receipt,
    an_item,
    store,
    stored,
)

D, B, F = ReceiptWord.DELIVERED, ReceiptWord.BLOCKED, ReceiptWord.FAILED


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("success", D),
        ("failed:user block", B),
        ("failed: system failed", F),
        ("failed:system failed", F),
        ("failed:freq limit", F),
        ("failed:something new", F),
        ("delayed", None),
    ],
)
def test_each_word_of_a_template_receipt_has_a_meaning_or_none(
    status: str, word: ReceiptWord | None
) -> None:
    before = UNKNOWN_WORDS.labels("template_receipt")._value.get()
    (report,) = read_reports(a_template_receipt("o-1", "7", status))
    assert (report.kind, report.message_id, report.word) == (ReceiptKind.TEMPLATE, "7", word)
    assert report.status == status
    counted = UNKNOWN_WORDS.labels("template_receipt")._value.get() - before
    assert counted == (status in ("failed:something new", "delayed"))


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("send success", D),
        ("sendsuccess", D),
        ("send fail", F),
        ("err(20001)", F),
        ("sending", None),
    ],
)
def test_a_mass_receipt_has_counts_and_one_word(status: str, word: ReceiptWord | None) -> None:
    told = {"TotalCount": 9, "FilterCount": 8, "SentCount": 7, "ErrorCount": 1}
    (report,) = read_reports(a_mass_receipt("9", status, **told))
    assert report.word is word
    assert report.counts == {"total": 9, "filtered": 8, "sent": 7, "error": 1}
    assert report.openid == ""


@pytest.mark.parametrize("framed", [True, False])
def test_subscription_receipts_come_alone_or_in_a_list_with_a_frame_or_without(
    framed: bool,
) -> None:
    one = read_reports(a_subscription_receipt("o-1", an_item("1"), framed=framed))
    two = read_reports(
        a_subscription_receipt("o-1", an_item("1"), an_item("2", "43101"), framed=framed)
    )
    assert [(report.message_id, report.word) for report in one] == [("1", D)]
    assert [(report.message_id, report.word) for report in two] == [("1", D), ("2", B)]
    assert {report.template_id for report in two} == {"a-template"}


def test_both_apps_have_receipts_of_subscription_messages(uow_factory: UnitOfWorkFactory) -> None:
    store(
        uow_factory,
        a_subscription_receipt("o-1", an_item("1")),
        a_subscription_receipt("o-1", an_item("1", "47003"), app="official_account"),
    )
    assert {(row.kind, row.word) for row in stored(uow_factory)} == {
        (ReceiptKind.SUBSCRIPTION, D),
        (ReceiptKind.OFFICIAL_SUBSCRIPTION, F),
    }


def test_an_event_without_a_message_id_is_counted_and_stores_nothing(
    uow_factory: UnitOfWorkFactory,
) -> None:
    before = UNKNOWN_WORDS.labels("receipt")._value.get()
    store(
        uow_factory,
        a_report("templatesendjobfinish", {"Status": "success"}),
        a_report("subscribe_msg_sent_event", {"List": "nothing"}),
        a_template_receipt("o-1", "x" * 41),
    )
    assert stored(uow_factory) == []
    assert UNKNOWN_WORDS.labels("receipt")._value.get() - before == 3


def count(outcome: str) -> float:
    return RECEIPTS.labels("template", outcome)._value.get()


def test_the_first_receipt_of_a_message_stays_and_a_differing_one_is_counted(
    uow_factory: UnitOfWorkFactory,
) -> None:
    before = {name: count(name) for name in ("stored", "repeated", "differing")}
    with uow_factory.begin() as uow:
        person = a_citizen(uow, app="official_account")
    first = a_template_receipt(person.openid, "1", "success")
    store(uow_factory, first, first)
    store(uow_factory, first)
    store(uow_factory, a_template_receipt(person.openid, "1", "failed:user block"))
    (row,) = stored(uow_factory)
    assert (row.word, row.citizen_id) == (D, person.id)
    assert {name: count(name) - before[name] for name in before} == {
        "stored": 1,
        "repeated": 3,
        "differing": 1,
    }


def an_official_handler(uow_factory: UnitOfWorkFactory, group: GroupCommit) -> CallbackHandler:
    envelope: Any = None
    events = Events(
        handlers=notices.HANDLERS,
        idle=notices.IDLE,
        reports=[(event, group) for event, _ in REPORTS],
    )
    return CallbackHandler(uow_factory, envelope, events)


@pytest.mark.race
def test_many_receipts_at_the_same_moment_are_each_stored_once_in_few_transactions(
    uow_factory: UnitOfWorkFactory,
) -> None:
    batches: list[int] = []

    def counted(uow: UnitOfWork, messages: Sequence[Message]) -> None:
        batches.append(len(messages))
        store_reports(uow, messages)

    handler = an_official_handler(uow_factory, GroupCommit(uow_factory, counted))
    events = [a_template_receipt("o-1", str(number % 50)) for number in range(200)]
    shares = [events[place::20] for place in range(20)]
    replies = at_once(
        [lambda share=share: [handler.apply_effects(one) for one in share] for share in shares]  # type: ignore[misc]
    )
    assert {reply.says_something for share in replies for reply in share} == {False}
    assert len(stored(uow_factory)) == 50
    assert sum(batches) == 200
    assert len(batches) < 100
    assert rows(uow_factory, SeenMessage) == []


def test_an_item_that_cannot_be_stored_fails_alone(uow_factory: UnitOfWorkFactory) -> None:
    group = GroupCommit(uow_factory, _refuse_wrong)
    begun, may_end = threading.Event(), threading.Event()
    _refuse_wrong.hooks = (begun, may_end)  # type: ignore[attr-defined]
    results: dict[str, str] = {}

    def run(name: str) -> None:
        try:
            group.store_item(a_template_receipt("o-1", name))
            results[name] = "stored"
        except ValueError:
            results[name] = "refused"

    threads = [threading.Thread(target=run, args=("first",))]
    threads[0].start()
    assert begun.wait(60)
    threads += [threading.Thread(target=run, args=(name,)) for name in ("wrong", "second")]
    for thread in threads[1:]:
        thread.start()
    while len(group._waiting) < 2:
        pass
    may_end.set()
    for thread in threads:
        thread.join(60)
    assert results == {"first": "stored", "wrong": "refused", "second": "stored"}
    assert [row.message_id for row in stored(uow_factory)] == ["first", "second"]


def _refuse_wrong(uow: UnitOfWork, messages: Sequence[Message]) -> None:
    begun, may_end = _refuse_wrong.hooks  # type: ignore[attr-defined]
    begun.set()
    assert may_end.wait(60)
    store_reports(uow, messages)
    if any(message.fields["MsgID"] == "wrong" for message in messages):
        raise ValueError("wrong")


def test_a_receipt_that_was_not_stored_is_refused_so_that_wechat_repeats_it(
    uow_factory: UnitOfWorkFactory,
) -> None:
    troubles = [Unavailable()]

    def fails_once(uow: UnitOfWork, messages: Sequence[Message]) -> None:
        store_reports(uow, messages)
        if troubles:
            raise troubles.pop()

    handler = an_official_handler(uow_factory, GroupCommit(uow_factory, fails_once))
    message = a_template_receipt("o-1", "1")
    assert handler.reply_without_effects(message) is None
    with pytest.raises(Unavailable):
        handler.apply_effects(message)
    assert stored(uow_factory) == []
    assert handler.apply_effects(message) == Reply()
    assert len(stored(uow_factory)) == 1


def test_a_refused_subscription_message_is_stored_and_ends_the_grants_too(
    uow_factory: UnitOfWorkFactory,
) -> None:
    handler = an_official_handler(uow_factory, GroupCommit(uow_factory, store_reports))
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
    handler.apply_effects(a_subscription_receipt(person.openid, an_item("1")))
    assert rows(uow_factory, SeenMessage) == []
    handler.apply_effects(a_subscription_receipt(person.openid, an_item("2", "43101")))
    assert len(rows(uow_factory, SeenMessage)) == 1
    assert [row.word for row in stored(uow_factory)] == [D, B]
