"""Operators' view and control of queues: figures, pause, resume."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import and_, delete, func, select

from server.base.errors import Conflict
from server.base.outbox import is_paused
from server.base.outbox_rows import DROPPED, HELD, OutboxPause, OutboxState, Queue
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork

_WAITING = (OutboxState.QUEUED, OutboxState.CLAIMED)


class QueueUnknown(Conflict):
    """A queue of this name does not exist. Facts: `known`, the names that do."""

    code = "queue_unknown"


@dataclass(frozen=True, kw_only=True)
class QueueFigures:
    """Figures of one queue.

    `waiting` rows are neither leased nor claimed, `due` of them could be called now, `in_flight`
    rows are leased or claimed, `held` ones wait for an operator after a restore; `in_doubt` and
    `given_up` count the rows that are still stored.
    `oldest_seconds` is the age of the oldest unfinished row, 0 without one.
    """

    name: str
    waiting: int
    due: int
    in_flight: int
    held: int
    in_doubt: int
    given_up: int
    oldest_seconds: float
    paused: bool

    @property
    def by_state(self) -> dict[str, int]:
        """The counts by the state names of the metrics."""
        return {
            "waiting": self.waiting,
            "due": self.due,
            "in_flight": self.in_flight,
            "held": self.held,
            "in_doubt": self.in_doubt,
            "given_up": self.given_up,
        }


def read_figures(uow: UnitOfWork, queue: Queue) -> QueueFigures:
    """Read the figures of a queue; finished rows are not counted."""
    table = queue.table
    state = table.outbox_state
    queued = state == OutboxState.QUEUED
    leased = and_(queued, table.outbox_until > uow.now)
    held = and_(leased, table.outbox_claim.in_((HELD, DROPPED)))
    row = uow.session.execute(
        select(
            func.count().filter(queued).label("queued"),
            func.count().filter(and_(queued, table.outbox_due_at <= uow.now)).label("due"),
            func.count().filter(leased).label("leased"),
            func.count().filter(held).label("held"),
            func.count().filter(state == OutboxState.CLAIMED).label("claimed"),
            func.count().filter(state == OutboxState.IN_DOUBT).label("in_doubt"),
            func.count().filter(state == OutboxState.GIVEN_UP).label("given_up"),
            func.min(table.outbox_since).filter(state.in_(_WAITING)).label("oldest"),
        ).where(state.in_((*_WAITING, OutboxState.IN_DOUBT, OutboxState.GIVEN_UP)))
    ).one()
    return QueueFigures(
        name=queue.name,
        waiting=row.queued - row.leased,
        due=row.due - row.leased,
        in_flight=row.leased - row.held + row.claimed,
        held=row.held,
        in_doubt=row.in_doubt,
        given_up=row.given_up,
        oldest_seconds=0.0 if row.oldest is None else (uow.now - row.oldest).total_seconds(),
        paused=is_paused(uow, queue.name),
    )


def metric_families(figures: Sequence[QueueFigures]) -> Iterator[Metric]:
    """The figures of queues for Prometheus."""
    rows = GaugeMetricFamily(
        "kepu_outbox_rows", "Rows of a queue by state", labels=["queue", "state"]
    )
    oldest = GaugeMetricFamily(
        "kepu_outbox_oldest_seconds", "Age of the oldest row that is not over", labels=["queue"]
    )
    paused = GaugeMetricFamily("kepu_outbox_paused", "1 while paused", labels=["queue"])
    for one in figures:
        for state, count in one.by_state.items():
            rows.add_metric([one.name, state], count)
        oldest.add_metric([one.name], one.oldest_seconds)
        paused.add_metric([one.name], float(one.paused))
    yield from (rows, oldest, paused)


def pause_queue(uow: UnitOfWork, queue: Queue, reason: str, until: datetime | None = None) -> None:
    """Stop new calls of a queue in all processes; running calls are still settled.

    Rows can still be added to the queue.
    """
    values = {"paused_at": uow.now, "until": until, "reason": reason}
    made = insert_for(uow.session, OutboxPause).values(queue=queue.name, **values)
    uow.session.execute(made.on_conflict_do_update(index_elements=["queue"], set_=values))


def resume_queue(uow: UnitOfWork, queue: Queue) -> bool:
    """Resume a queue; False when it was not paused."""
    gone = uow.session.execute(delete(OutboxPause).where(OutboxPause.queue == queue.name))
    uow.enqueue_after_commit(queue.task)
    return int(getattr(gone, "rowcount", 0)) == 1


def find_queue(queues: Sequence[Queue], name: str) -> Queue:
    """The queue with this name.

    Raises: QueueUnknown (409).
    """
    for queue in queues:
        if queue.name == name:
            return queue
    raise QueueUnknown(known=[queue.name for queue in queues])
