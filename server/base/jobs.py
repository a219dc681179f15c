"""Background jobs: a due row is the job, a queue entry only wakes a worker up.

A task claims its rows itself, and its sweep finds rows whose wake-up was lost. Every task runs at
least once and must be idempotent. The only module that uses huey.

Queue entries are JSON: a task's name and keys, which are row ids or names. huey's own format is
pickle, by which anybody who can write to Redis could run code in the worker; nothing here is ever
pickled or unpickled.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, NoReturn

import msgspec
from huey import RedisHuey
from huey.api import Task as QueuedTask
from huey.consumer import Consumer
from huey.serializer import Serializer
from msgspec import Meta
from sqlalchemy import Integer, String, or_, update
from sqlalchemy.orm import Mapped, mapped_column

from server.base import ids
from server.base.clock import SystemClock
from server.base.errors import AppError
from server.base.redis.client import RedisClient, RedisUnavailable
from server.base.sql.tables import Base, UtcDateTime, insert_for
from server.base.uow import UnitOfWorkFactory
from server.base.web.metrics import TASKS

_log = logging.getLogger(__name__)
_QUEUE = "kepu"
# Limits of a wake-up; it names only a few rows, sweeps find larger numbers.
_MOST_KEYS, _MOST_BYTES = 1000, 32 * 1024
_LONGEST_NAME = 200
# Renewed by every round of a sweep; after this time another worker runs the sweeps of a killed one.
LEASE = timedelta(seconds=5)
_FIRST_AGAIN_SECONDS = 1.0


class Lease(Base):
    """The holder of a sweep; `fence` grows with every change of holder."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    holder: Mapped[str] = mapped_column(String(40))
    fence: Mapped[int] = mapped_column(Integer)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, kw_only=True)
class TaskContext:
    """Dependencies of a background task, which opens its own units of work.

    `jobs` are the kinds of organizers' long work by name.
    """

    uow_factory: UnitOfWorkFactory
    gateway: Any
    jobs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task: returns how many rows it processed; `every_seconds` makes it a sweep too."""

    name: str
    step: Callable[..., int]
    every_seconds: float | None = None


class _WakeUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A queue entry: the name of a task and its keys."""

    task: str
    keys: Annotated[
        list[int | Annotated[str, Meta(max_length=_LONGEST_NAME)]], Meta(max_length=_MOST_KEYS)
    ]


_READ_WAKE_UP = msgspec.json.Decoder(_WakeUp)


class _NoPickle(Serializer):  # type: ignore[misc]  # huey is untyped
    """Replaces huey's pickle serializer for results and revocations, which are unused here."""

    def serialize(self, _data: object) -> NoReturn:
        raise TypeError("only bells go into the queue")

    def deserialize(self, _data: bytes) -> NoReturn:
        raise TypeError("only bells come out of the queue")


class _BellQueue(RedisHuey):  # type: ignore[misc]  # huey is untyped
    """huey's queue for wake-ups; an entry in another format is dropped and counted."""

    def __init__(self, kv: RedisClient, known: frozenset[str] | None) -> None:
        pool = kv.redis_for_jobs().connection_pool
        super().__init__(_QUEUE, connection_pool=pool, results=False, serializer=_NoPickle())
        self._known = known

    def declare_step(self, step: Callable[[str, list[int | str]], None]) -> Callable[..., Any]:
        """Register the function that handles every wake-up; calling the returned task sends one."""
        self.wrapper = self.task()(step)
        enqueue: Callable[..., Any] = self.wrapper
        return enqueue

    def serialize_task(self, task: QueuedTask) -> bytes:
        name, keys = task.args
        return msgspec.json.encode(_WakeUp(task=name, keys=keys))

    def deserialize_task(self, data: bytes) -> QueuedTask:
        call = _READ_WAKE_UP.decode(data)
        if self._known is None or call.task not in self._known:
            raise msgspec.ValidationError("no task of ours")
        made: QueuedTask = self.wrapper.task_class((call.task, call.keys))
        return made

    def dequeue(self) -> QueuedTask | None:
        """The next wake-up, None when there is none or when the entry is foreign."""
        data = self.storage.dequeue()
        if data is None:
            return None
        try:
            if len(data) > _MOST_BYTES:
                raise msgspec.ValidationError("longer than any bell")
            return self.deserialize_task(data)
        except (ValueError, RecursionError) as trouble:
            # The bytes are not logged, because their author is unknown.
            _log.error(
                "foreign queue entry dropped",
                extra={"count": len(data), "outcome": type(trouble).__name__},
            )
            TASKS.labels("bell", "foreign").inc()
            return None

    def is_revoked(self, *_given: object, **_named: object) -> bool:
        """Always false: wake-ups are never revoked, and such data in Redis is ignored."""
        return False

    def read_schedule(self, _timestamp: datetime | None = None) -> list[QueuedTask]:
        """Always empty: wake-ups are never delayed, and such data in Redis is ignored."""
        return []


class TaskQueue:
    """Sends wake-ups from any process; rows of a lost one are found by the sweep."""

    def __init__(self, kv: RedisClient) -> None:
        self._kv = kv
        self._call: Callable[..., Any] | None = None
        self._lock = threading.Lock()

    def enqueue_task(self, task: str, *keys: int | str) -> None:
        """Wake a task up; never raises, because the rows are in the database."""
        try:
            if self._kv.away:
                raise RedisUnavailable
            with self._lock:
                if self._call is None:
                    self._call = _declare_tasks(_BellQueue(self._kv, None), None, ())
            self._call(task, list(keys))
        except Exception as trouble:
            # After any failure the sweep finds the rows.
            _log.warning("wake-up failed", extra={"task": task, "outcome": type(trouble).__name__})


def _declare_tasks(
    queue: _BellQueue, context: TaskContext | None, tasks: Sequence[Task]
) -> Callable[..., Any]:
    steps = {task.name: task for task in tasks}

    def run_named(name: str, keys: list[int | str]) -> None:
        if context is not None:
            run_step(context, steps[name], *keys)

    return queue.declare_step(run_named)


def run_step(context: TaskContext, task: Task, *keys: int | str) -> int:
    """Run a task once; a failure is logged and counted, its rows stay due."""
    try:
        moved = task.step(context, *keys)
    except AppError as refusal:
        _log.warning("task refused", extra={"task": task.name, "code": refusal.code})
        TASKS.labels(task.name, refusal.code).inc()
        return 0
    except Exception as trouble:
        _log.error("task failed", exc_info=trouble, extra={"task": task.name})
        TASKS.labels(task.name, "failed").inc()
        return 0
    TASKS.labels(task.name, "done").inc()
    if moved:
        _log.info("task processed rows", extra={"task": task.name, "count": moved})
    return moved


def run_until_idle(context: TaskContext, tasks: Sequence[Task], *, rounds: int = 1000) -> int:
    """Run every sweep until none finds anything; return how many rows were processed."""
    total = 0
    for _ in range(rounds):
        moved = sum(run_step(context, task) for task in tasks if task.every_seconds is not None)
        total += moved
        if not moved:
            break
    return total


class Worker:
    """A worker process: handles wake-ups and runs the sweeps on time.

    `first` must have succeeded once before any of them; until then it is tried every second.
    """

    def __init__(
        self,
        context: TaskContext,
        tasks: Sequence[Task],
        kv: RedisClient,
        *,
        first: Task | None = None,
        threads: int = 4,
    ) -> None:
        self._context = context
        self._first = first
        self._tasks = tasks
        self._me = ids.new_ref("wrk")
        self._stop = threading.Event()
        queue = _BellQueue(kv, frozenset(task.name for task in tasks))
        _declare_tasks(queue, context, tasks)
        self._consumer = Consumer(
            queue, workers=threads, periodic=False, max_delay=0.3, check_worker_health=True
        )

    def run_worker(self) -> None:
        """Run until SIGTERM or SIGINT."""
        self._run_first()
        sweeper = threading.Thread(target=self._run_sweeps, name="sweeper", daemon=True)
        sweeper.start()
        try:
            self._consumer.run()
        finally:
            self._stop.set()
            sweeper.join(timeout=10)

    def _run_first(self) -> None:
        while self._first is not None and not self._stop.is_set():
            try:
                self._first.step(self._context)
                break
            except Exception as trouble:
                # Any failure: without this step no call may be made.
                outcome = type(trouble).__name__
                _log.warning("worker waits", extra={"task": self._first.name, "outcome": outcome})
                self._stop.wait(_FIRST_AGAIN_SECONDS)

    def _run_sweeps(self) -> None:
        steady = SystemClock().monotonic
        due = {task.name: 0.0 for task in self._tasks if task.every_seconds is not None}
        while not self._stop.wait(0.25):
            for task in self._tasks:
                if task.every_seconds is None or steady() < due[task.name]:
                    continue
                due[task.name] = steady() + task.every_seconds
                if self._may_sweep(task):
                    run_step(self._context, task)

    def _may_sweep(self, task: Task) -> bool:
        try:
            return take_lease(self._context.uow_factory, task.name, self._me)
        except AppError as refusal:
            _log.warning("sweep lease not taken", extra={"task": task.name, "code": refusal.code})
        except Exception as trouble:
            # The single scheduler thread must survive any failure of one sweep.
            _log.error("sweep lease not taken", exc_info=trouble, extra={"task": task.name})
        return False


def take_lease(uow_factory: UnitOfWorkFactory, name: str, holder: str) -> bool:
    """Take or renew a sweep's lease; False while another worker holds it.

    Uses the system clock, because the campaign's may be shifted in the demo.
    """
    now = SystemClock().now()
    with uow_factory.begin() as uow:
        session = uow.session
        session.execute(
            insert_for(session, Lease)
            .values(name=name, holder=holder, fence=0, until=now - LEASE)
            .on_conflict_do_nothing()
        )
        taken = session.execute(
            update(Lease)
            .where(Lease.name == name, or_(Lease.holder == holder, Lease.until < now))
            .values(holder=holder, until=now + LEASE, fence=Lease.fence + 1)
        )
        return int(getattr(taken, "rowcount", 0)) == 1
