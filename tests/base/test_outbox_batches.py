"""Queues that claim and settle many rows in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, update

from server.base.errors import Unavailable
from server.base.jobs import TaskContext
from server.base.outbox import lease_due
from server.base.outbox_batches import (
    begin_batch,
    end_overdue_batch,
    pick_due,
    pick_oldest,
    settle_batch,
)
from server.base.outbox_rows import (
    Call,
    Done,
    GiveUp,
    InDoubt,
    Outcome,
    Owners,
    PutOff,
    Queue,
    Retry,
)
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.kit.clock import FakeClock
from tests.kit.outbox import Letter, a_queue, letters, letters_table, post, states, without_jitter


class Batches:
    """Batch hooks that record what they were given."""

    def __init__(self) -> None:
        self.locked: list[tuple[set[Any], list[Outcome]]] = []
        self.prepared: list[list[str]] = []
        self.settled: list[list[tuple[str, Outcome]]] = []
        self.rename: tuple[int, str] | None = None

    def lock_many(self, uow: UnitOfWork, owners: Owners, outcomes: Sequence[Outcome]) -> None:
        self.locked.append(({text for (text,) in owners}, list(outcomes)))
        if self.rename is not None:
            row_id, text = self.rename
            uow.session.execute(update(Letter).where(Letter.id == row_id).values(text=text))

    def prepare_many(self, uow: UnitOfWork, rows: Sequence[Any]) -> list[Any]:
        self.prepared.append([row.text for row in rows])
        answers: dict[str, Any] = {"x": GiveUp(reason="no address"), "z": PutOff(until=uow.now)}
        return [answers.get(row.text, row.text) for row in rows]

    def settle_many(self, _uow: UnitOfWork, ended: Sequence[tuple[Any, Outcome]]) -> None:
        self.settled.append([(row.text, outcome) for row, outcome in ended])
        for row, outcome in ended:
            row.note = f"{row.text}{type(outcome).__name__}"


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory) -> Iterator[TaskContext]:
    with letters_table(uow_factory):
        yield TaskContext(uow_factory=without_jitter(uow_factory), gateway=None)


@pytest.fixture
def batches() -> Batches:
    return Batches()


@pytest.fixture
def queue(batches: Batches) -> Queue:
    return replace(
        a_queue(lambda _context, _text: Done()),
        owners=("text",),
        lock_many=batches.lock_many,
        prepare_many=batches.prepare_many,
        settle_many=batches.settle_many,
    )


def ids_of(context: TaskContext) -> list[int]:
    return [row.id for row in letters(context.uow_factory)]


def begin(context: TaskContext, queue: Queue, row_ids: Sequence[int] | None = None) -> list[Call]:
    with context.uow_factory.begin() as uow:
        return begin_batch(uow, queue, ids_of(context) if row_ids is None else row_ids).calls


def settle(context: TaskContext, queue: Queue, *ended: tuple[Call, Outcome]) -> int:
    with context.uow_factory.begin() as uow:
        return settle_batch(uow, queue, [(call.claim, outcome) for call, outcome in ended]).moved


def test_many_rows_are_locked_prepared_and_settled_by_one_call_each(
    context: TaskContext, queue: Queue, batches: Batches
) -> None:
    post(context.uow_factory, *"xyzw")
    with context.uow_factory.begin() as uow:
        begun = begin_batch(uow, queue, ids_of(context))
    assert [call.letter for call in begun.calls] == ["y", "w"]
    assert (begun.settled.ended, begun.settled.postponed) == (1, 1)
    done, busy = Done(result="1"), Retry(reason="busy")
    first, second = begun.calls
    assert settle(context, queue, (first, done), (second, busy)) == 2
    assert batches.locked == [(set("xyzw"), []), ({"y", "w"}, [done, busy])]
    assert batches.prepared == [["x", "y", "z", "w"]]
    assert [[text for text, _ in some] for some in batches.settled] == [["x", "z"], ["y", "w"]]
    assert states(context.uow_factory) == ["given_up", "done", "queued", "queued"]
    rows = letters(context.uow_factory)
    assert [row.note for row in rows] == ["xGiveUp", "yDone", "zPutOff", "wRetry"]
    assert [row.outbox_tries for row in rows] == [0, 1, 0, 1]
    assert rows[3].outbox_reason == "busy"


def test_a_batch_takes_as_many_statements_as_one_row(context: TaskContext, queue: Queue) -> None:
    counts = []
    for size in (1, 50):
        post(context.uow_factory, *(["a"] * size))
        seen: list[str] = []
        engine = context.uow_factory.engine
        event.listen(engine, "before_cursor_execute", lambda *given, seen=seen: seen.append("x"))
        with context.uow_factory.begin() as uow:
            calls = begin_batch(uow, queue, pick_due(uow, queue, 100)).calls
        with context.uow_factory.begin() as uow:
            settle_batch(uow, queue, [(call.claim, Done()) for call in calls])
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_row_that_is_given_to_another_owner_meanwhile_is_left_alone(
    context: TaskContext, queue: Queue, batches: Batches, clock: FakeClock
) -> None:
    post(context.uow_factory, *"ab")
    first, second = ids_of(context)
    batches.rename = (first, "c")
    (call,) = begin(context, queue)
    assert call.claim.row_id == second
    batches.rename = (second, "d")
    # The result of a call must not be lost: the caller settles again.
    with pytest.raises(Unavailable):
        settle(context, queue, (call, Done()))
    clock.advance(60)
    batches.rename = (second, "e")
    assert end_overdue_batch(context.uow_factory, queue) == 0
    assert states(context.uow_factory) == ["queued", "claimed"]
    batches.rename = None
    assert end_overdue_batch(context.uow_factory, queue) == 1
    assert states(context.uow_factory) == ["queued", "in_doubt"]


def test_a_row_is_claimed_by_one_worker_only(context: TaskContext, queue: Queue) -> None:
    post(context.uow_factory, *"ab")
    assert len(begin(context, queue)) == 2
    assert begin(context, queue) == []


def test_a_row_that_another_worker_has_leased_is_not_claimed(
    context: TaskContext, queue: Queue, clock: FakeClock
) -> None:
    post(context.uow_factory, "a")
    with context.uow_factory.begin() as uow:
        assert len(lease_due(uow, queue, 1)) == 1
    assert begin(context, queue) == []
    clock.advance(queue.lease.total_seconds())
    assert len(begin(context, queue)) == 1


def test_the_fence_of_a_lost_claim_holds_for_each_row(
    context: TaskContext, queue: Queue, clock: FakeClock
) -> None:
    queue = replace(queue, lost=queue.lost.QUEUED)
    post(context.uow_factory, *"ab")
    slow = begin(context, queue)
    clock.advance(queue.lease.total_seconds())
    end_overdue_batch(context.uow_factory, queue)
    quick = begin(context, queue, ids_of(context)[:1])
    assert settle(context, queue, *((call, Done()) for call in slow)) == 0
    assert settle(context, queue, *((call, Done()) for call in quick)) == 1
    assert states(context.uow_factory) == ["done", "queued"]


def test_a_row_in_doubt_is_settled_by_a_late_result_but_not_put_back_by_one(
    context: TaskContext, queue: Queue
) -> None:
    post(context.uow_factory, *"ab")
    first, second = begin(context, queue)
    settle(context, queue, (first, InDoubt(reason="timeout")), (second, InDoubt(reason="timeout")))
    assert settle(context, queue, (first, Retry(reason="busy")), (second, Done())) == 1
    assert states(context.uow_factory) == ["in_doubt", "done"]


def test_rows_are_picked_by_ids_or_by_age_without_a_change(
    context: TaskContext, queue: Queue, clock: FakeClock
) -> None:
    post(context.uow_factory, *"abcde")
    ids = ids_of(context)
    with context.uow_factory.begin() as uow:
        old = uow.session.get_one(Letter, ids[4])
        old.outbox_due_at = clock.now() - timedelta(hours=1)
        late = uow.session.get_one(Letter, ids[0])
        late.outbox_due_at = clock.now() + timedelta(hours=1)
    with context.uow_factory.begin(read_only=True) as uow:
        assert pick_due(uow, queue, 2, Letter.id >= ids[1]) == ids[1:3]
        assert pick_due(uow, queue, 9, Letter.id >= ids[3]) == ids[3:]
        assert pick_oldest(uow, queue, 2) == [ids[4], ids[1]]
        assert pick_due(uow, queue, 9) == ids[1:]
    assert all(row.outbox_claim is None for row in letters(context.uow_factory))


def test_a_queue_for_single_calls_refuses_batches(context: TaskContext) -> None:
    post(context.uow_factory, "a")
    queue = a_queue(lambda _context, _text: Done())
    with pytest.raises(TypeError), context.uow_factory.begin() as uow:
        begin_batch(uow, queue, [1])


def test_a_column_that_was_not_read_is_no_attribute(context: TaskContext, queue: Queue) -> None:
    def read_note(_uow: UnitOfWork, rows: Sequence[Any]) -> list[Any]:
        return [row.note for row in rows]

    post(context.uow_factory, "a")
    with pytest.raises(AttributeError, match="note"):
        begin(context, replace(queue, prepare_many=read_note))
    assert len(begin(context, replace(queue, prepare_many=read_note, columns=("note",)))) == 1
