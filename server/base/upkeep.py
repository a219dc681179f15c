"""The house's own sweep: answers kept for repeated requests die after two days."""

from __future__ import annotations

from server.base.jobs import Shop, Task
from server.base.web import idempotency


def drop_kept_answers(shop: Shop, *_ids: int) -> int:
    """Drop answers older than two days."""
    with shop.desk.work() as work:
        return idempotency.drop_old(work)


TASKS: tuple[Task, ...] = (
    Task(name="base.drop_kept_answers", step=drop_kept_answers, every_seconds=600),
)
