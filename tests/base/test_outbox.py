"""Calls made from rows: once, outside of any transaction, whatever happens to their worker."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from server import slices
from server.base import outbox
from server.base.jobs import TaskContext
from server.base.outbox import (
    begin_calls,
    deliver_due,
    end_overdue,
    lease_due,
    release_leases,
    settle_calls,
)
from server.base.outbox_control import pause_queue, read_figures, resume_queue
from server.base.outbox_rows import (
    Backoff,
    Claim,
    Done,
    GiveUp,
    InDoubt,
    Lost,
    OutboxState,
    Outcome,
    PutOff,
    Queue,
    Retry,
)
from server.base.settings import Settings
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.outbox import (
    Letter,
    a_queue,
    letters,
    letters_table,
    post,
    states,
    without_jitter,
    write_line,
)

MINUTE = 60


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory) -> Iterator[TaskContext]:
    with letters_table(uow_factory):
        yield TaskContext(uow_factory=without_jitter(uow_factory), gateway=None)


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def queue(heard: list[str]) -> Queue:
    def send(_context: TaskContext, text: Any) -> Outcome:
        heard.append(text)
        return Done(result="+")

    return a_queue(send)


def answering(*outcomes: Outcome, **more: Any) -> tuple[Queue, list[str]]:
    """A queue whose calls end as told, the last one for ever, and what was called."""
    called: list[str] = []

    def send(_context: TaskContext, text: Any) -> Outcome:
        called.append(text)
        return outcomes[min(len(called), len(outcomes)) - 1]

    return a_queue(send, **more), called


def claimed(context: TaskContext, queue: Queue) -> Claim:
    """One row claimed, as by a worker that is about to call."""
    with context.uow_factory.begin() as uow:
        leased = lease_due(uow, queue, 1)
        (call,) = begin_calls(uow, queue, leased).calls
    return call.claim


def settled(context: TaskContext, queue: Queue, claim: Claim, outcome: Outcome) -> int:
    with context.uow_factory.begin() as uow:
        return settle_calls(uow, queue, [(claim, outcome)]).moved


def notes(uow_factory: UnitOfWorkFactory) -> list[str]:
    return [row.note for row in letters(uow_factory)]


def test_due_rows_are_called_once_the_oldest_first(
    context: TaskContext, queue: Queue, heard: list[str], clock: FakeClock
) -> None:
    for text in ("a", "b", "c"):
        post(context.uow_factory, text)
        clock.advance(1)
    with context.uow_factory.begin() as uow:
        late = uow.session.scalars(select(Letter).where(Letter.text == "a")).one()
        late.outbox_due_at = uow.now
    assert [deliver_due(context, queue).ended for _ in range(2)] == [3, 0]
    assert (heard, states(context.uow_factory), notes(context.uow_factory)) == (
        ["b", "c", "a"],
        ["done"] * 3,
        ["+"] * 3,
    )


def test_the_claim_is_committed_and_no_transaction_is_open_during_the_call(
    context: TaskContext,
) -> None:
    seen: list[Any] = []

    def send(_context: TaskContext, _text: Any) -> Outcome:
        seen.append((context.uow_factory.depth, states(context.uow_factory)))
        return Done()

    post(context.uow_factory, "a")
    deliver_due(context, a_queue(send))
    assert seen == [(0, ["claimed"])]


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (Done(), "done", None),
        (GiveUp(reason="refused:1"), "given_up", "refused:1"),
        (InDoubt(reason="no answer"), "in_doubt", "no answer"),
    ],
)
def test_what_is_over_is_never_called_again(
    context: TaskContext, clock: FakeClock, outcome: Outcome, state: str, reason: str | None
) -> None:
    queue, called = answering(outcome)
    post(context.uow_factory, "a")
    for _ in range(3):
        deliver_due(context, queue)
        clock.advance(86_400)
    (row,) = letters(context.uow_factory)
    assert (str(row.outbox_state), row.outbox_reason, called) == (state, reason, ["a"])


def test_a_refusal_for_now_rests_longer_each_time_and_no_shorter_than_it_asks(
    context: TaskContext, clock: FakeClock
) -> None:
    queue, called = answering(Retry(reason="busy"))
    post(context.uow_factory, "a")
    for count, seconds in enumerate((2, 4, 8), start=1):
        deliver_due(context, queue)
        clock.advance(seconds - 1)
        deliver_due(context, queue)
        assert len(called) == count
        clock.advance(1)
    queue, called = answering(Retry(reason="rate", after=timedelta(minutes=5)))
    deliver_due(context, queue)
    clock.advance(299)
    deliver_due(context, queue)
    assert len(called) == 1
    clock.advance(1)
    deliver_due(context, queue)
    assert len(called) == 2


def test_chance_spreads_what_failed_together(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    backoff = Backoff(first=timedelta(seconds=100), jitter=0.25)
    with letters_table(uow_factory):
        post(uow_factory, *map(str, range(20)))
        queue, _ = answering(Retry(reason="busy"), backoff=backoff)
        deliver_due(TaskContext(uow_factory=uow_factory, gateway=None), queue)
        rests = {(row.outbox_due_at - clock.now()).total_seconds() for row in letters(uow_factory)}  # type: ignore[operator]
    assert len(rests) == 20
    assert all(100 <= rest <= 125 for rest in rests)


def test_after_so_many_tries_a_row_is_given_up_and_its_slice_is_told(
    context: TaskContext, clock: FakeClock
) -> None:
    told: list[Outcome] = []
    queue, called = answering(
        Retry(reason="busy"), most_tries=3, settle=lambda _work, _row, outcome: told.append(outcome)
    )
    post(context.uow_factory, "a")
    for _ in range(5):
        deliver_due(context, queue)
        clock.advance(MINUTE)
    (row,) = letters(context.uow_factory)
    assert (str(row.outbox_state), row.outbox_reason) == ("given_up", "too_many_tries")
    assert (len(called), told[-1]) == (3, GiveUp(reason="too_many_tries"))


def test_a_row_that_has_waited_for_too_long_is_given_up_without_a_call(
    context: TaskContext, queue: Queue, heard: list[str], clock: FakeClock
) -> None:
    old = a_queue(queue.send, keep_for=timedelta(hours=1))
    post(context.uow_factory, "a")
    clock.advance(3600)
    assert deliver_due(context, old).ended == 1
    (row,) = letters(context.uow_factory)
    assert (str(row.outbox_state), row.outbox_reason, heard) == ("given_up", "too_old", [])


def test_what_would_meet_everybody_ends_the_run_and_frees_the_others(context: TaskContext) -> None:
    queue, called = answering(Retry(reason="quota", for_everybody=True), Done())
    post(context.uow_factory, "a", "b")
    assert deliver_due(context, queue).postponed == 1
    assert called == ["a"]
    deliver_due(context, queue)
    assert (called, states(context.uow_factory)) == (["a", "b"], ["queued", "done"])


def test_what_is_prepared_to_no_call_is_settled_at_once(
    context: TaskContext, clock: FakeClock
) -> None:
    until = clock.now() + timedelta(hours=1)

    def prepare(_work: UnitOfWork, row: Letter) -> object:
        return {"x": GiveUp(reason="no address"), "z": PutOff(until=until)}.get(row.text, row.text)

    queue, called = answering(Done(), prepare=prepare)
    post(context.uow_factory, "x", "y", "z")
    assert deliver_due(context, queue).moved == 3
    assert (called, states(context.uow_factory)) == (["y"], ["given_up", "done", "queued"])
    assert letters(context.uow_factory)[2].outbox_tries == 0


def test_a_call_that_raises_leaves_its_claim_and_frees_the_others(context: TaskContext) -> None:
    def send(_context: TaskContext, _text: Any) -> Outcome:
        raise RuntimeError("a mistake of ours")

    post(context.uow_factory, "a", "b")
    with pytest.raises(RuntimeError):
        deliver_due(context, a_queue(send))
    assert [
        (row.outbox_state, row.outbox_claim is None) for row in letters(context.uow_factory)
    ] == [
        (OutboxState.CLAIMED, False),
        (OutboxState.QUEUED, True),
    ]


def test_a_full_batch_wakes_the_queue_again(
    context: TaskContext, queue: Queue, rung: list[Any]
) -> None:
    two = a_queue(queue.send, batch=2)
    post(context.uow_factory, *"abcde")
    assert [deliver_due(context, two).ended for _ in range(3)] == [2, 2, 1]
    assert rung == [("tests.letters", ())] * 2


# --- the fence ---------------------------------------------------------------------------------


def a_stale_settlement(context: TaskContext, queue: Queue, clock: FakeClock) -> tuple[Claim, Claim]:
    """A claim that ran out and is settled after another worker has claimed the row anew."""
    post(context.uow_factory, "a")
    stale = claimed(context, queue)
    clock.advance(MINUTE)
    assert end_overdue(context.uow_factory, queue) == 0  # queued again, not over
    fresh = claimed(context, queue)
    settled(context, queue, stale, Done(result="stale"))
    return stale, fresh


@pytest.fixture
def repeatable(heard: list[str]) -> Queue:
    return a_queue(lambda _context, _text: Done(), lost=Lost.QUEUED)


@pytest.mark.race
def test_a_stale_settlement_changes_nothing(
    context: TaskContext, repeatable: Queue, clock: FakeClock
) -> None:
    _, fresh = a_stale_settlement(context, repeatable, clock)
    assert (states(context.uow_factory), notes(context.uow_factory)) == (["claimed"], [""])
    assert settled(context, repeatable, fresh, Done(result="fresh")) == 1
    assert (states(context.uow_factory), notes(context.uow_factory)) == (["done"], ["fresh"])


@pytest.mark.race
def test_without_the_fence_a_stale_settlement_is_written_too(
    context: TaskContext, repeatable: Queue, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "holds_fence", lambda _row, _claim: True)
    a_stale_settlement(context, repeatable, clock)
    assert (states(context.uow_factory), notes(context.uow_factory)) == (["done"], ["stale"])


@pytest.mark.race
def test_a_repeated_settlement_changes_nothing(context: TaskContext, queue: Queue) -> None:
    post(context.uow_factory, "a")
    claim = claimed(context, queue)
    outcomes: list[Outcome] = [Done(result="1"), Done(result="2"), Retry(reason="x")]
    assert [settled(context, queue, claim, one) for one in outcomes] == [1, 0, 0]
    assert (states(context.uow_factory), notes(context.uow_factory)) == (["done"], ["1"])


@pytest.mark.race
def test_a_claim_on_a_deleted_row_does_not_settle_the_row_that_has_its_number(
    context: TaskContext, queue: Queue
) -> None:
    """SQLite gives the number of a deleted row to the next one."""
    post(context.uow_factory, "a")
    stale = claimed(context, queue)
    with context.uow_factory.begin() as uow:
        uow.session.execute(delete(Letter))
        following = Letter(id=stale.row_id, text="b")
        following.enqueue_again(uow.now)
        uow.session.add(following)
    claimed(context, queue)
    assert settled(context, queue, stale, Done(result="stale")) == 0
    assert (states(context.uow_factory), notes(context.uow_factory)) == (["claimed"], [""])


@pytest.mark.race
def test_a_row_that_is_queued_anew_is_not_settled_by_the_claim_of_before(
    context: TaskContext, queue: Queue
) -> None:
    post(context.uow_factory, "a")
    stale = claimed(context, queue)
    with context.uow_factory.begin() as uow:
        uow.session.scalars(select(Letter)).one().enqueue_again(uow.now)
    assert settled(context, queue, stale, Done(result="stale")) == 0
    assert (states(context.uow_factory), notes(context.uow_factory)) == (["queued"], [""])


@pytest.mark.race
def test_a_late_answer_settles_what_was_in_doubt(
    context: TaskContext, queue: Queue, clock: FakeClock
) -> None:
    post(context.uow_factory, "a")
    claim = claimed(context, queue)
    clock.advance(MINUTE)
    assert deliver_due(context, queue).ended == 1
    assert states(context.uow_factory) == ["in_doubt"]
    assert settled(context, queue, claim, Retry(reason="busy")) == 0
    assert settled(context, queue, claim, Done(result="late")) == 1
    assert (states(context.uow_factory), notes(context.uow_factory)) == (["done"], ["late"])


@pytest.mark.race
def test_a_lease_that_ran_out_is_taken_by_another_and_begins_no_call(
    context: TaskContext, queue: Queue, clock: FakeClock
) -> None:
    post(context.uow_factory, "a")
    with context.uow_factory.begin() as uow:
        slow = lease_due(uow, queue, 1)
        assert lease_due(uow, queue, 1) == []
    clock.advance(MINUTE)
    with context.uow_factory.begin() as uow:
        quick = lease_due(uow, queue, 1)
        assert begin_calls(uow, queue, slow).calls == []
        assert len(begin_calls(uow, queue, quick).calls) == 1


# --- workers that are killed -------------------------------------------------------------------


def kill_in_the_call(settings: Settings, heard: Path, lost: Lost) -> None:
    """A worker of another process calls, and is killed before it can write down the answer."""
    given = [str(settings.var), settings.database_url, str(heard), lost.value]
    command = [sys.executable, "-m", "tests.kit.outbox_worker", *given]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "called\n"
        worker.send_signal(signal.SIGKILL)


@pytest.mark.race
@pytest.mark.parametrize(
    ("lost", "state", "calls"), [(Lost.IN_DOUBT, "in_doubt", 1), (Lost.QUEUED, "done", 2)]
)
def test_a_worker_killed_between_claim_and_settlement_leaves_a_claim_that_runs_out(
    context: TaskContext,
    settings: Settings,
    clock: FakeClock,
    tmp_path: Path,
    lost: Lost,
    state: str,
    calls: int,
) -> None:
    heard = tmp_path / "heard"

    def send(_context: TaskContext, text: Any) -> Outcome:
        write_line(heard, text)
        return Done()

    queue = a_queue(send, lost=lost)
    post(context.uow_factory, "a")
    kill_in_the_call(settings, heard, lost)
    assert states(context.uow_factory) == ["claimed"]
    clock.advance(MINUTE - 1)
    assert deliver_due(context, queue).moved == 0
    clock.advance(1)
    for _ in range(3):
        deliver_due(context, queue)
    assert states(context.uow_factory) == [state]
    assert heard.read_text().split() == ["a"] * calls


# --- several workers ---------------------------------------------------------------------------


def all_at_once(step: Any, count: int) -> None:
    begin = threading.Barrier(count)

    def run() -> None:
        begin.wait(timeout=30)
        step()

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(run) for _ in range(count)]:
            done.result()


@pytest.mark.race
def test_workers_at_the_same_moment_call_each_row_once(
    context: TaskContext, queue: Queue, heard: list[str]
) -> None:
    few = a_queue(queue.send, batch=3)
    texts = [f"{number:02}" for number in range(24)]
    post(context.uow_factory, *texts)
    all_at_once(lambda: [deliver_due(context, few) for _ in range(4)], 4)
    while deliver_due(context, few).moved:
        pass
    assert (sorted(heard), set(states(context.uow_factory))) == (texts, {"done"})


@pytest.mark.race
def test_the_race_is_seen_where_rows_are_looked_up_instead_of_leased(
    context: TaskContext, queue: Queue, heard: list[str]
) -> None:
    post(context.uow_factory, "a")
    looked = threading.Barrier(2)

    def look_then_call() -> None:
        with context.uow_factory.begin(read_only=True) as uow:
            queued = Letter.outbox_state == OutboxState.QUEUED
            due = uow.session.scalars(select(Letter.text).where(queued)).all()
        looked.wait(timeout=30)
        for text in due:
            queue.send(context, text)
            with context.uow_factory.begin() as uow:
                uow.session.execute(update(Letter).values(outbox_state=OutboxState.DONE))

    all_at_once(look_then_call, 2)
    assert heard == ["a", "a"]


# --- thousands ---------------------------------------------------------------------------------


@pytest.mark.race
def test_thousands_are_leased_claimed_and_settled_together(
    context: TaskContext, queue: Queue
) -> None:
    count = 3000
    with context.uow_factory.begin() as uow:
        for number in range(count):
            letter = Letter(text=str(number))
            letter.enqueue_again(uow.now)
            uow.session.add(letter)
    with context.uow_factory.begin() as uow:
        leased = lease_due(uow, queue, count)
    assert (len(leased), len({claim.token for claim in leased})) == (count, 1)
    with context.uow_factory.begin() as uow:
        release_leases(uow, queue, leased[2000:])
        calls = begin_calls(uow, queue, leased[:2000]).calls
    assert len(calls) == 2000
    outcomes: list[tuple[Claim, Outcome]] = [
        (call.claim, GiveUp(reason="refused") if int(call.letter) % 2 else Done()) for call in calls
    ]
    with context.uow_factory.begin() as uow:
        assert settle_calls(uow, queue, outcomes).ended == 2000
    with context.uow_factory.begin(read_only=True) as uow:
        told = read_figures(uow, queue)
    assert (told.waiting, told.due, told.in_flight, told.given_up) == (1000, 1000, 0, 1000)


# --- pause and figures -------------------------------------------------------------------------


def test_a_paused_queue_calls_nobody_until_it_is_resumed(
    context: TaskContext, queue: Queue, heard: list[str], rung: list[Any]
) -> None:
    post(context.uow_factory, "a")
    with context.uow_factory.begin() as uow:
        pause_queue(uow, queue, "trial")
        pause_queue(uow, queue, "trial, again")
    assert deliver_due(context, queue).moved == 0
    with context.uow_factory.begin() as uow:
        assert [resume_queue(uow, queue), resume_queue(uow, queue)] == [True, False]
    assert ("tests.letters", ()) in rung
    assert (deliver_due(context, queue).ended, heard) == (1, ["a"])


def test_a_pause_holds_from_the_next_call_on_in_the_middle_of_a_batch(context: TaskContext) -> None:
    called: list[str] = []

    def send(_context: TaskContext, text: Any) -> Outcome:
        called.append(text)
        with context.uow_factory.begin() as uow:
            pause_queue(uow, queue, "stop")
        return Done()

    queue = a_queue(send)
    post(context.uow_factory, "a", "b", "c")
    deliver_due(context, queue)
    assert (called, states(context.uow_factory)) == (["a"], ["done", "queued", "queued"])
    with context.uow_factory.begin(read_only=True) as uow:
        told = read_figures(uow, queue)
    assert (told.paused, told.due, told.in_flight) == (True, 2, 0)


def test_a_pause_with_an_end_ends_by_itself(
    context: TaskContext, queue: Queue, heard: list[str], clock: FakeClock
) -> None:
    post(context.uow_factory, "a")
    with context.uow_factory.begin() as uow:
        pause_queue(uow, queue, "quota", until=clock.now() + timedelta(hours=1))
    clock.advance(3599)
    deliver_due(context, queue)
    assert heard == []
    clock.advance(1)
    deliver_due(context, queue)
    assert heard == ["a"]


def test_figures_tell_how_a_queue_stands(
    context: TaskContext, queue: Queue, clock: FakeClock
) -> None:
    post(context.uow_factory, *"abcdefg")
    for outcome in (Done(), GiveUp(reason="x"), InDoubt(reason="x")):
        settled(context, queue, claimed(context, queue), outcome)
    claimed(context, queue)
    with context.uow_factory.begin() as uow:
        lease_due(uow, queue, 1)
        last = uow.session.scalars(select(Letter).order_by(Letter.id.desc()).limit(1)).one()
        last.outbox_due_at = uow.now + timedelta(hours=1)
    clock.advance(30)
    with context.uow_factory.begin(read_only=True) as uow:
        told = read_figures(uow, queue)
    assert told.by_state == {
        "waiting": 2,
        "due": 1,
        "in_flight": 2,
        "held": 0,
        "in_doubt": 1,
        "given_up": 1,
    }
    assert (told.oldest_seconds, told.paused) == (30.0, False)


def test_the_metrics_tell_how_each_queue_stands(app: Flask, gateway: RecordingGateway) -> None:
    gateway.answers["token_age_seconds"] = None
    text = app.test_client().get("/metrics").text
    for queue in slices.QUEUES:
        assert f'kepu_outbox_rows{{queue="{queue.name}",state="waiting"}} 0.0' in text
        assert f'kepu_outbox_oldest_seconds{{queue="{queue.name}"}} 0.0' in text
        assert f'kepu_outbox_paused{{queue="{queue.name}"}} 0.0' in text
