"""One run of a worker: leases, claims and submits while recipients are due.

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
from server.announcements.ledger.queue import QUEUE, lease_batch
from server.announcements.models import Recipient
from server.base.jobs import TaskContext
from server.base.outbox import Delivered, begin_calls, is_paused, release_leases
from server.base.outbox_rows import Claim, OutboxState
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.wechat.gateway import FanOut

CONNECTIONS = 64
_LEASED = 500


class _Process:
    """The state that the runs of one process share: one run at a time, at one rate."""

    def __init__(self, uow_factory: UnitOfWorkFactory) -> None:
        self.lock = threading.Lock()
        self.pace = SendRate(uow_factory.dependencies.clock)


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


def send_due(context: TaskContext, most: int, connections: int = CONNECTIONS) -> int:
    """Send up to about `most` due messages; return how many recipients were processed.

    0 while another run of this process sends.
    """
    process = _process_of(context.uow_factory)
    if not process.lock.acquire(blocking=False):
        return 0
    try:
        with context.uow_factory.begin(read_only=True) as uow:
            if is_paused(uow, QUEUE.name) or not _has_due(uow):
                return 0
        return _Run(context, process.pace, connections).send_most(most).moved
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
        self._collector = Collector(context.uow_factory, pace)
        self._claimed = 0
        self._unsent = Delivered()

    def send_most(self, most: int) -> Delivered:
        """Send until nothing is due, `most` recipients are claimed, or calls fail for everybody."""
        collector = self._collector
        with collector.settling():
            gateway = self._context.gateway
            with gateway.open_fan_out(self._connections, collector.receive_result) as fan_out:
                while self._claimed < most and not collector.halted:
                    leased = self._lease_next()
                    if not leased or not self._send_leased(fan_out, leased):
                        break
        return self._unsent + collector.total

    def _lease_next(self) -> list[Claim]:
        """Lease recipients of the first announcement that has some due."""
        with self._uow_factory.begin(read_only=True) as uow:
            waiting = due_announcements(uow)
        for announcement_id in waiting:
            with self._uow_factory.begin() as uow:
                leased = lease_batch(uow, announcement_id, _LEASED)
            if leased:
                return leased
        return []

    def _send_leased(self, fan_out: FanOut, leased: Sequence[Claim]) -> bool:
        """Claim and submit leased recipients; False when the run must end."""
        left = list(leased)
        try:
            while left:
                room = self._collector.wait_for_room(self._connections)
                allowed = self._pace.take_calls(min(room, len(left)))
                if not allowed:
                    return False
                chunk, left = left[:allowed], left[allowed:]
                self._send_chunk(fan_out, chunk)
        finally:
            if left:
                with self._uow_factory.begin() as uow:
                    release_leases(uow, QUEUE, left)
        return True

    def _send_chunk(self, fan_out: FanOut, chunk: Sequence[Claim]) -> None:
        with self._uow_factory.begin() as uow:
            if is_paused(uow, QUEUE.name):
                # No call begins after the pause of an operator.
                self._collector.halted = True
                release_leases(uow, QUEUE, chunk)
                return
            begun = begin_calls(uow, QUEUE, chunk)
        self._claimed += len(chunk)
        self._unsent += begun.settled
        self._pace.give_back(len(chunk) - len(begun.calls))
        self._collector.add_calls(begun.calls)
        for call in begun.calls:
            fan_out.submit(call.claim.row_id, call.letter.letter)
