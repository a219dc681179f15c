"""Background tasks that keep the figures."""

from __future__ import annotations

from server.base.jobs import Task, TaskContext
from server.dashboard import counting, funnel


def count_changes(context: TaskContext, *_ids: int) -> int:
    """Count all noted participations, one batch per transaction; return how many."""
    with context.uow_factory.begin(read_only=True) as reading:
        if counting.is_complete(reading):
            return 0
    total = 0
    while True:
        with context.uow_factory.begin() as uow:
            count = counting.count_batch(uow)
        total += count
        if count < counting.BATCH:
            return total


def renew_funnel(context: TaskContext, *_ids: int) -> int:
    """Count the funnel when it is due; return how many places have figures."""
    # Counted in a read-only transaction: on SQLite a writing one would block all other writers.
    with context.uow_factory.begin(read_only=True) as reading:
        if not funnel.is_funnel_due(reading):
            return 0
        counts = funnel.read_steps(reading)
    with context.uow_factory.begin() as uow:
        return funnel.store_funnel(uow, counts)


FIGURE_TASKS = (
    Task(name="dashboard.count_changes", step=count_changes, every_seconds=5),
    Task(name="dashboard.count_funnel", step=renew_funnel, every_seconds=15),
)
