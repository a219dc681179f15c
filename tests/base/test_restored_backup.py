"""A restored database makes no call again that was made after its backup was taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, insert, select, update

from server.base.jobs import TaskContext
from server.base.outbox import deliver_due
from server.base.outbox_control import read_figures
from server.base.outbox_rows import Done, GiveUp, InDoubt, Lost, OutboxState, Outcome, Queue
from server.base.redis.client import RedisUnavailable
from server.base.redis.high_mark import HighMark
from server.base.restored_backup import (
    OutboxMark,
    count_held,
    drop_calls,
    hold_calls,
    release_calls,
    watch_restores,
)
from server.base.uow import UnitOfWorkFactory
from tests.kit.clock import FakeClock
from tests.kit.outbox import (
    Letter,
    a_queue,
    claim_one,
    letters,
    letters_table,
    post,
    states,
    without_jitter,
)

TABLES: tuple[Any, ...] = (OutboxMark.__table__, Letter.__table__)


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory) -> Iterator[TaskContext]:
    with letters_table(uow_factory):
        yield TaskContext(uow_factory=without_jitter(uow_factory), gateway=None)


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def queue(heard: list[str]) -> Queue:
    return a_letter_queue(heard)


def a_letter_queue(heard: list[str], **more: Any) -> Queue:
    def send(_context: TaskContext, text: Any) -> Outcome:
        heard.append(text)
        return Done(result="+")

    return a_queue(send, **more)


def take_backup(context: TaskContext) -> dict[str, list[dict[str, Any]]]:
    with context.uow_factory.begin(read_only=True) as uow:
        return {
            table.name: [dict(row) for row in uow.session.execute(select(table)).mappings()]
            for table in TABLES
        }


def restore_backup(context: TaskContext, backup: dict[str, list[dict[str, Any]]]) -> None:
    with context.uow_factory.begin() as uow:
        for table in TABLES:
            restore_table(uow.session, table, backup[table.name])


def restore_table(session: Any, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    session.execute(delete(table))
    if rows:
        session.execute(insert(table), list(rows))


def watch(context: TaskContext, queue: Queue) -> int:
    return watch_restores(context.uow_factory, (queue,))


def lose_redis(context: TaskContext) -> None:
    kv = context.uow_factory.dependencies.kv
    kv.kv.run_command("FLUSHALL")


def mark_file(context: TaskContext) -> Path:
    return context.uow_factory.dependencies.settings.var / "outbox-mark"


def sent_after_the_backup(
    context: TaskContext, queue: Queue, *texts: str
) -> dict[str, list[dict[str, Any]]]:
    """A backup with queued letters, which a worker then sends while it counts on."""
    assert watch(context, queue) == 0
    post(context.uow_factory, *texts)
    backup = take_backup(context)
    deliver_due(context, queue)
    assert watch(context, queue) == 0
    return backup


def held_of(context: TaskContext, queue: Queue) -> int:
    with context.uow_factory.begin(read_only=True) as uow:
        return count_held(uow, queue)


def test_what_was_sent_after_the_backup_is_not_sent_again(
    context: TaskContext, queue: Queue, heard: list[str]
) -> None:
    backup = sent_after_the_backup(context, queue, "a", "b")
    restore_backup(context, backup)
    assert watch(context, queue) == 2
    deliver_due(context, queue)
    assert heard == ["a", "b"]
    assert (states(context.uow_factory), held_of(context, queue)) == (["queued"] * 2, 2)


def test_without_the_watch_it_would_be_sent_again(
    context: TaskContext, queue: Queue, heard: list[str]
) -> None:
    backup = sent_after_the_backup(context, queue, "a", "b")
    restore_backup(context, backup)
    deliver_due(context, queue)
    assert heard == ["a", "b", "a", "b"]


@pytest.mark.parametrize("left", ["file", "redis"])
def test_one_of_file_and_redis_is_enough(
    context: TaskContext, queue: Queue, heard: list[str], left: str
) -> None:
    backup = sent_after_the_backup(context, queue, "a")
    restore_backup(context, backup)
    if left == "file":
        lose_redis(context)
    else:
        mark_file(context).unlink()
    assert watch(context, queue) == 1
    deliver_due(context, queue)
    assert heard == ["a"]


def test_a_database_on_a_new_machine_is_taken_for_a_restored_one(
    context: TaskContext, queue: Queue, heard: list[str]
) -> None:
    backup = sent_after_the_backup(context, queue, "a")
    restore_backup(context, backup)
    lose_redis(context)
    mark_file(context).unlink()
    assert watch(context, queue) == 1
    deliver_due(context, queue)
    assert heard == ["a"]


def test_without_redis_the_file_tells(
    context: TaskContext, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RedisUnavailable

    monkeypatch.setattr(HighMark, "read_mark", fails)
    monkeypatch.setattr(HighMark, "raise_mark", fails)
    backup = sent_after_the_backup(context, queue, "a")
    restore_backup(context, backup)
    assert watch(context, queue) == 1


def test_a_lost_redis_or_file_alone_holds_nothing(
    context: TaskContext, queue: Queue, heard: list[str]
) -> None:
    watch(context, queue)
    post(context.uow_factory, "a")
    lose_redis(context)
    assert watch(context, queue) == 0
    mark_file(context).unlink()
    assert watch(context, queue) == 0
    mark_file(context).write_bytes(b"\xff no number")
    assert watch(context, queue) == 0
    deliver_due(context, queue)
    assert heard == ["a"]


def test_the_first_start_and_an_empty_database_hold_nothing(
    context: TaskContext, queue: Queue, heard: list[str]
) -> None:
    post(context.uow_factory, "a")
    assert watch(context, queue) == 0
    # The database was made anew; Redis and the file remember the old one.
    with context.uow_factory.begin() as uow:
        uow.session.execute(delete(OutboxMark))
        uow.session.execute(delete(Letter))
    watch(context, queue)
    post(context.uow_factory, "b")
    assert watch(context, queue) == 0
    deliver_due(context, queue)
    assert heard == ["b"]


def test_calls_of_later_are_made_after_a_restore(
    context: TaskContext, queue: Queue, heard: list[str], clock: FakeClock
) -> None:
    watch(context, queue)
    post(context.uow_factory, "planned")
    with context.uow_factory.begin() as uow:
        uow.session.execute(update(Letter).values(outbox_due_at=uow.now + timedelta(days=1)))
    backup = take_backup(context)
    watch(context, queue)
    restore_backup(context, backup)
    assert watch(context, queue) == 0
    post(context.uow_factory, "new")
    deliver_due(context, queue)
    clock.advance(86400)
    deliver_due(context, queue)
    assert heard == ["new", "planned"]


@pytest.mark.parametrize(
    ("lost", "held", "state"), [(Lost.QUEUED, 1, "queued"), (Lost.IN_DOUBT, 0, "in_doubt")]
)
def test_a_claim_of_the_backup_is_not_called_again(
    context: TaskContext,
    heard: list[str],
    clock: FakeClock,
    lost: Lost,
    held: int,
    state: str,
) -> None:
    queue = a_letter_queue(heard, lost=lost)
    watch(context, queue)
    post(context.uow_factory, "a")
    assert claim_one(context.uow_factory, queue) is not None
    backup = take_backup(context)
    watch(context, queue)
    restore_backup(context, backup)
    assert watch(context, queue) == held
    clock.advance(queue.lease.total_seconds() + 1)
    deliver_due(context, queue)
    assert (heard, states(context.uow_factory)) == ([], [state])


def test_released_calls_are_made(
    context: TaskContext, queue: Queue, heard: list[str], rung: list[Any]
) -> None:
    post(context.uow_factory, "a", "b")
    with context.uow_factory.begin() as uow:
        assert hold_calls(uow, queue) == 2
        assert hold_calls(uow, queue) == 2
    deliver_due(context, queue)
    assert heard == []
    with context.uow_factory.begin() as uow:
        assert (release_calls(uow, queue), release_calls(uow, queue)) == (2, 0)
    assert ("tests.letters", ()) in rung
    deliver_due(context, queue)
    assert (heard, states(context.uow_factory)) == (["a", "b"], ["done"] * 2)


@pytest.mark.parametrize(("lost", "end"), [(Lost.QUEUED, GiveUp), (Lost.IN_DOUBT, InDoubt)])
def test_calls_can_be_given_up_however_many_they_are(
    context: TaskContext, heard: list[str], lost: Lost, end: type[Outcome]
) -> None:
    """A call that must not be repeated may have been made, so it ends in doubt."""
    ended: list[Outcome] = []
    queue = a_letter_queue(
        heard, settle=lambda _uow, _row, outcome: ended.append(outcome), lost=lost
    )
    post(context.uow_factory, *(str(number) for number in range(250)))
    with context.uow_factory.begin() as uow:
        hold_calls(uow, queue)
        assert drop_calls(uow, queue) == 250
    with context.uow_factory.begin(read_only=True) as uow:
        assert read_figures(uow, queue).held == 250
    while deliver_due(context, queue).moved:
        continue
    assert (heard, len(ended)) == ([], 250)
    assert {(type(one), getattr(one, "reason", "")) for one in ended} == {(end, "dropped")}
    assert {row.outbox_reason for row in letters(context.uow_factory)} == {"dropped"}
    with context.uow_factory.begin(read_only=True) as uow:
        told = read_figures(uow, queue)
    assert (told.held, told.in_flight, told.given_up + told.in_doubt) == (0, 0, 250)


def test_figures_tell_held_calls_apart_from_those_in_flight(
    context: TaskContext, queue: Queue
) -> None:
    post(context.uow_factory, "a")
    with context.uow_factory.begin() as uow:
        hold_calls(uow, queue)
    post(context.uow_factory, "b")
    claim_one(context.uow_factory, queue)
    with context.uow_factory.begin(read_only=True) as uow:
        told = read_figures(uow, queue)
    assert (told.held, told.in_flight, told.waiting, told.due) == (1, 1, 0, 0)


def test_rows_that_are_over_are_left_alone(context: TaskContext, queue: Queue) -> None:
    post(context.uow_factory, "a", "b")
    ends = {"a": OutboxState.IN_DOUBT, "b": OutboxState.DONE}
    with context.uow_factory.begin() as uow:
        for text, state in ends.items():
            uow.session.execute(
                update(Letter).where(Letter.text == text).values(outbox_state=state)
            )
        assert hold_calls(uow, queue) == 0
    assert states(context.uow_factory) == ["in_doubt", "done"]


def test_workers_of_several_machines_count_together(context: TaskContext, queue: Queue) -> None:
    dependencies = context.uow_factory.dependencies
    other_var = dependencies.settings.var / "other"
    other_var.mkdir()
    settings = replace(dependencies.settings, var=other_var)
    other = UnitOfWorkFactory(context.uow_factory.engine, replace(dependencies, settings=settings))
    post(context.uow_factory, "a")
    for factory in (context.uow_factory, other, context.uow_factory, other):
        assert watch_restores(factory, (queue,)) == 0
    with context.uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(OutboxMark.count)) == 4
