"""Queues that claim and settle many rows in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from server.base.jobs import TaskContext
from server.base.outbox import begin_calls, end_overdue, lease_due, lease_range, settle_calls
from server.base.outbox_rows import Done, GiveUp, Outcome, PutOff, Queue, Retry
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.kit.clock import FakeClock
from tests.kit.outbox import Letter, a_queue, letters, letters_table, post, states, without_jitter


class Batches:
    """Batch hooks that record what they were given."""

    def __init__(self) -> None:
        self.locked: list[list[int]] = []
        self.prepared: list[list[str]] = []
        self.settled: list[list[tuple[str, Outcome]]] = []
        self.absent: set[int] = set()

    def lock_many(self, _uow: UnitOfWork, row_ids: Sequence[int]) -> Collection[int]:
        self.locked.append(list(row_ids))
        return set(row_ids) - self.absent

    def prepare_many(self, uow: UnitOfWork, rows: Sequence[Any]) -> list[Any]:
        self.prepared.append([row.text for row in rows])
        answers: dict[str, Any] = {"x": GiveUp(reason="no address"), "z": PutOff(until=uow.now)}
        return [answers.get(row.text, row.text) for row in rows]

    def settle_many(self, _uow: UnitOfWork, ended: Sequence[tuple[Any, Outcome]]) -> None:
        self.settled.append([(row.text, outcome) for row, outcome in ended])


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
        lock_many=batches.lock_many,
        prepare_many=batches.prepare_many,
        settle_many=batches.settle_many,
    )


def test_many_rows_are_locked_prepared_and_settled_by_one_call_each(
    context: TaskContext, queue: Queue, batches: Batches
) -> None:
    post(context.uow_factory, *"xyzw")
    with context.uow_factory.begin() as uow:
        begun = begin_calls(uow, queue, lease_due(uow, queue, 10))
    ids = [row.id for row in letters(context.uow_factory)]
    assert [call.letter for call in begun.calls] == ["y", "w"]
    assert (begun.settled.ended, begun.settled.postponed) == (1, 1)
    outcomes = [Done(result="1"), Retry(reason="busy")]
    with context.uow_factory.begin() as uow:
        claims = [call.claim for call in begun.calls]
        assert settle_calls(uow, queue, list(zip(claims, outcomes, strict=True))).moved == 2
    assert batches.locked == [ids, [ids[1], ids[3]]]
    assert batches.prepared == [["x", "y", "z", "w"]]
    assert [[text for text, _ in some] for some in batches.settled] == [["x", "z"], ["y", "w"]]
    assert states(context.uow_factory) == ["given_up", "done", "queued", "queued"]


def test_rows_whose_owner_is_gone_are_neither_claimed_nor_settled(
    context: TaskContext, queue: Queue, batches: Batches, clock: FakeClock
) -> None:
    post(context.uow_factory, *"ab")
    first, second = (row.id for row in letters(context.uow_factory))
    batches.absent = {first}
    with context.uow_factory.begin() as uow:
        begun = begin_calls(uow, queue, lease_due(uow, queue, 10))
    assert [call.claim.row_id for call in begun.calls] == [second]
    batches.absent = {second}
    with context.uow_factory.begin() as uow:
        assert settle_calls(uow, queue, [(begun.calls[0].claim, Done())]).moved == 0
    clock.advance(60)
    assert end_overdue(context.uow_factory, queue) == 0
    assert states(context.uow_factory) == ["queued", "claimed"]
    batches.absent = set()
    assert end_overdue(context.uow_factory, queue) == 1
    assert states(context.uow_factory) == ["queued", "in_doubt"]


def test_a_range_is_leased_by_ids_and_no_row_of_it_twice(
    context: TaskContext, queue: Queue, clock: FakeClock
) -> None:
    post(context.uow_factory, *"abcde")
    ids = [row.id for row in letters(context.uow_factory)]
    with context.uow_factory.begin() as uow:
        # The oldest due is the last one; the order of a range is that of the ids.
        last = uow.session.scalars(select(Letter).where(Letter.id == ids[4])).one()
        last.outbox_due_at = clock.now().replace(hour=0)
    with context.uow_factory.begin() as uow:
        first = lease_range(uow, queue, 2, Letter.id >= ids[1])
        rest = lease_range(uow, queue, 9, Letter.id >= ids[1])
    assert [claim.row_id for claim in first] == ids[1:3]
    assert [claim.row_id for claim in rest] == ids[3:]
