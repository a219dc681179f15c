"""One run of a worker: picks, claims and submits while recipients are due.

A recipient is claimed only when a connection is free for its call, so a killed worker leaves no
more calls in doubt than it had connections.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from sqlalchemy import exists, select

from server.announcements.ledger.collecting import Collector
from server.announcements.ledger.control import due_announcements
from server.announcements.ledger.pace import SendRate
from server.announcements.ledger.queue import QUEUE, pick_batch, put_back
from server.announcements.models import Recipient
from server.base.jobs import TaskContext
from server.base.outbox import is_paused
from server.base.outbox_batches import begin_batch
from server.base.outbox_outcomes import Delivered
from server.base.outbox_rows import OutboxState
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.wechat.gateway import FanOut

_PICKED = 2000
# Seconds for which a run waits for the calls that its rate allows in them; a run at a lower rate
# than one call in the longest wait ends instead.
_ONE_WAIT, _LONGEST_WAIT = 0.05, 1.0


class _Process:
    """The state that the runs of one process share: one run at a time, at one rate."""

    def __init__(self, uow_factory: UnitOfWorkFactory) -> None:
        self.lock = threading.Lock()
        wanted = uow_factory.dependencies.settings.sending
        self.pace = SendRate(uow_factory.dependencies.clock, wanted.most_per_second)


_PROCESSES: WeakKeyDictionary[UnitOfWorkFactory, _Process] = WeakKeyDictionary()
_MAKING = threading.Lock()


def pace_of(uow_factory: UnitOfWorkFactory) -> SendRate:
    """The rate at which this process sends announcements."""
    return _process_of(uow_factory).pace


def _process_of(uow_factory: UnitOfWorkFactory) -> _Process:
    with _MAKING:
        if uow_factory not in _PROCESSES:
            _PROCESSES[uow_factory] = _Process(uow_factory)
        return _PROCESSES[uow_factory]


def send_due(context: TaskContext, most: int, connections: int | None = None) -> int:
    """Send up to about `most` due messages; return how many recipients were processed.

    `connections` is for tests, in place of the setting. 0 while another run of this process sends.
    """
    process = _process_of(context.uow_factory)
    if not process.lock.acquire(blocking=False):
        return 0
    try:
        with context.uow_factory.begin(read_only=True) as uow:
            if is_paused(uow, QUEUE.name) or not _has_due(uow):
                return 0
        wanted = connections or context.uow_factory.dependencies.settings.sending.connections
        return _Run(context, process.pace, wanted).send_most(most).moved
    finally:
        process.lock.release()


def _has_due(uow: UnitOfWork) -> bool:
    waiting = due_announcements(uow)
    due = exists().where(
        Recipient.outbox_state == OutboxState.QUEUED,
        Recipient.outbox_due_at <= uow.now,
        Recipient.announcement_id.in_(waiting),
    )
    return bool(waiting) and bool(uow.session.scalar(select(due)))


class _Run:
    """The claims of one run; results are settled by its collector."""

    def __init__(self, context: TaskContext, pace: SendRate, connections: int) -> None:
        self._context = context
        self._uow_factory = context.uow_factory
        self._pace = pace
        self._connections = connections
        self._collector = Collector(context.uow_factory, pace, connections)
        self._claimed = 0
        self._unsent = Delivered()

    def send_most(self, most: int) -> Delivered:
        """Send until nothing is due, `most` recipients are claimed, or calls fail for everybody."""
        collector = self._collector
        with collector.settling():
            gateway = self._context.gateway
            with gateway.open_fan_out(self._connections, collector.receive_result) as fan_out:
                while self._claimed < most and not collector.halted:
                    announcement_id, picked = self._pick_next()
                    if not picked or not self._send_picked(fan_out, announcement_id, picked):
                        break
        return self._unsent + collector.total

    def _pick_next(self) -> tuple[int, list[int]]:
        """Pick recipients of the first announcement that has some due; its row id and theirs."""
        with self._uow_factory.begin(read_only=True) as uow:
            waiting = due_announcements(uow)
        for announcement_id in waiting:
            with self._uow_factory.begin() as uow:
                picked = pick_batch(uow, announcement_id, _PICKED)
            if picked:
                return announcement_id, picked
        return 0, []

    def _send_picked(self, fan_out: FanOut, announcement_id: int, picked: Sequence[int]) -> bool:
        """Claim and submit picked recipients; False when the run must end."""
        left = list(picked)
        try:
            while left:
                room = self._collector.wait_for_room()
                allowed = self._take_calls(min(room, len(left)))
                if not allowed:
                    return False
                if not self._send_chunk(fan_out, left[:allowed]):
                    return False
                del left[:allowed]
        finally:
            if left:
                with self._uow_factory.begin() as uow:
                    put_back(uow, announcement_id, left)
        return True

    def _take_calls(self, wanted: int) -> int:
        """Take up to so many calls from the rate, also after a short wait; 0 to end the run."""
        allowed = self._pace.take_calls(wanted)
        if wanted and not allowed:
            some = min(wanted, max(1, int(self._pace.rate * _ONE_WAIT)))
            seconds = self._pace.seconds_for(some)
            if seconds <= _LONGEST_WAIT:
                self._collector.wait_seconds(seconds)
                allowed = self._pace.take_calls(0 if self._collector.halted else wanted)
        return allowed

    def _send_chunk(self, fan_out: FanOut, chunk: Sequence[int]) -> bool:
        """Claim and submit recipients; False after an operator's pause: no call begins then."""
        with self._uow_factory.begin() as uow:
            if is_paused(uow, QUEUE.name):
                self._collector.halted = True
                return False
            begun = begin_batch(uow, QUEUE, chunk)
        self._claimed += len(chunk)
        self._unsent += begun.settled
        self._pace.give_back(len(chunk) - len(begun.calls))
        self._collector.add_calls(begun.calls)
        for call in begun.calls:
            fan_out.submit(call.claim.row_id, call.letter.letter)
        return True
