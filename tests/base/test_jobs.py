"""The worker: what the queue may hold, and that one sweep's failure stops no other sweep."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from server.base import jobs
from server.base.database_away import DatabaseAway
from server.base.jobs import Task, TaskContext, TaskQueue, Worker, take_lease
from server.base.redis.client import RedisClient, create_client
from server.base.uow import UnitOfWorkFactory
from server.base.web.metrics import TASKS
from tests.kit.gateway import RecordingGateway


@pytest.mark.parametrize("trouble", [DatabaseAway(), ValueError("a defect")])
def test_a_lease_that_cannot_be_taken_ends_no_sweeper(
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: Exception,
) -> None:
    settings, clock = uow_factory.dependencies.settings, uow_factory.dependencies.clock
    task = Task(name="some.sweep", step=lambda _context: 0, every_seconds=1)
    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    worker = Worker(context, (task,), create_client(settings.redis_url, settings.var, clock))

    def fails(*_: object) -> bool:
        raise trouble

    with monkeypatch.context() as broken:
        broken.setattr(jobs, "take_lease", fails)
        assert not worker._may_sweep(task)
    assert "sweep lease not taken" in caplog.text
    assert worker._may_sweep(task)
    assert not take_lease(uow_factory, task.name, "another")


def test_no_sweep_begins_before_the_first_step_has_succeeded(
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A worker that starts while the database is away waits, and does nothing meanwhile."""
    settings, clock = uow_factory.dependencies.settings, uow_factory.dependencies.clock
    done: list[str] = []

    def come_back(_context: TaskContext) -> int:
        done.append("tried")
        if len(done) < 3:
            raise DatabaseAway
        return 0

    def note_sweeps(_self: Worker) -> None:
        done.append("sweeps")

    def note_consumer() -> None:
        done.append("consumer")

    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    first = Task(name="some.first", step=come_back)
    kv = create_client(settings.redis_url, settings.var, clock)
    worker = Worker(context, (), kv, first=first)
    monkeypatch.setattr(jobs, "_FIRST_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(Worker, "_run_sweeps", note_sweeps)
    monkeypatch.setattr(worker._consumer, "run", note_consumer)
    worker.run_worker()
    assert (done[:3], sorted(done[3:])) == (["tried"] * 3, ["consumer", "sweeps"])
    assert caplog.text.count("worker waits") == 2


class MakesAFolder:
    """What runs a command when it is unpickled."""

    def __init__(self, at: Path) -> None:
        self.at = at

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.at),)


@dataclass
class Rung:
    """A worker without its threads: each `next` is one turn of one of them."""

    kv: RedisClient
    worker: Worker
    moved: list[tuple[int | str, ...]] = field(default_factory=list)

    def put(self, data: bytes, key: str = "huey.redis.kepu") -> None:
        self.kv.redis_for_jobs().lpush(key, data)

    def next(self) -> None:
        self.worker._consumer._create_worker().loop()

    @property
    def left(self) -> int:
        return int(self.kv.redis_for_jobs().llen("huey.redis.kepu"))  # type: ignore[arg-type]


@pytest.fixture
def rung_worker(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> Iterator[Rung]:
    moved: list[tuple[int | str, ...]] = []

    def step(_context: TaskContext, *keys: int | str) -> int:
        moved.append(keys)
        return len(keys)

    kv = create_client(
        uow_factory.dependencies.settings.redis_url,
        uow_factory.dependencies.settings.var,
        uow_factory.dependencies.clock,
    )
    worker = Worker(
        TaskContext(uow_factory=uow_factory, gateway=gateway),
        (Task(name="some.task", step=step),),
        kv,
    )
    yield Rung(kv, worker, moved)
    kv.close()


def test_a_bell_carries_the_task_with_ids_and_names_as_json(rung_worker: Rung) -> None:
    TaskQueue(rung_worker.kv).enqueue_task("some.task", 7, 2**80, "total/city:450100")
    (entry,) = rung_worker.kv.redis_for_jobs().lrange("huey.redis.kepu", 0, -1)  # type: ignore[misc]
    assert json.loads(entry) == {"task": "some.task", "keys": [7, 2**80, "total/city:450100"]}
    rung_worker.next()
    assert rung_worker.moved == [(7, 2**80, "total/city:450100")]


FOREIGN = {
    "text": b"not a bell",
    "no text": b"\xff\xfe\x00",
    "empty": b"",
    "another task": b'{"task":"os.system","keys":[1]}',
    "another type": b'{"task":"some.task","keys":[{"rm":"-rf"}]}',
    "a number with a point": b'{"task":"some.task","keys":[1.5]}',
    "a long name": b'{"task":"some.task","keys":["%s"]}' % (b"x" * 201),
    "more than a bell": b'{"task":"some.task","keys":[1],"on_error":"x"}',
    "deep": b'{"task":' + b"[" * 20_000,
    "long": b'{"task":"some.task","keys":[' + b"1," * 20_000 + b"1]}",
}


@pytest.mark.parametrize("kind", ["pickle", *FOREIGN])
def test_foreign_bytes_in_the_queue_are_counted_and_never_run(
    rung_worker: Rung, tmp_path: Path, kind: str
) -> None:
    trap = tmp_path / "ran"
    before = TASKS.labels("bell", "foreign")._value.get()
    rung_worker.put(FOREIGN.get(kind) if kind in FOREIGN else pickle.dumps(MakesAFolder(trap)))  # type: ignore[arg-type]
    TaskQueue(rung_worker.kv).enqueue_task("some.task", 8)
    rung_worker.next()
    assert (rung_worker.moved, trap.exists()) == ([], False)
    assert TASKS.labels("bell", "foreign")._value.get() == before + 1
    rung_worker.next()
    assert (rung_worker.moved, rung_worker.left) == ([(8,)], 0)


def test_what_huey_would_unpickle_elsewhere_in_redis_is_not_looked_at(
    rung_worker: Rung, tmp_path: Path
) -> None:
    trap = pickle.dumps(MakesAFolder(tmp_path / "ran"))
    redis = rung_worker.kv.redis_for_jobs()
    queue = rung_worker.worker._consumer.huey
    TaskQueue(rung_worker.kv).enqueue_task("some.task", 9)
    task = queue.wrapper.task_class(("some.task", [9]))
    for name in (*queue._revoke_keys(task), queue.wrapper.task_class.__name__):
        redis.hset(queue.storage.result_key, name, trap)  # type: ignore[arg-type]
    redis.zadd(queue.storage.schedule_key, {trap: 1})
    assert queue.read_schedule() == []
    rung_worker.next()
    queue.execute(task)
    assert rung_worker.moved == [(9,), (9,)]
    assert not (tmp_path / "ran").exists()


def test_the_trap_of_these_tests_closes_where_pickle_is_read(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(MakesAFolder(tmp_path / "ran")))
    assert (tmp_path / "ran").exists()
