"""Runs the long jobs of the console that wait."""

from __future__ import annotations

from server import slices
from server.base.jobs import TaskContext
from server.base.outbox import deliver_due
from server.base.uow import UnitOfWorkFactory
from server.console.long_jobs import QUEUE


def run_jobs(uow_factory: UnitOfWorkFactory) -> int:
    """Run every waiting job; return how many ended."""
    jobs = {job.name: job for one in slices.SLICES for job in one.jobs}
    context = TaskContext(uow_factory=uow_factory, gateway=None, jobs=jobs)
    ended = 0
    while found := deliver_due(context, QUEUE).ended:
        ended += found
    return ended
