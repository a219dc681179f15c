"""Background tasks: checking nicknames and pictures, shrinking uploads, deleting limit traces.

Tasks run at least once; a verdict that arrives twice is stored once.
"""

from __future__ import annotations

from server.accounts import avatar_uploads, avatars, limit_traces, profile
from server.base.jobs import Task, TaskContext
from server.base.outbox import deliver_due
from server.base.pictures import only_one

_AT_ONCE = 20


def check_nicknames(context: TaskContext, *_ids: int) -> int:
    """Check waiting nicknames and drop expired ones; return how many were processed."""
    return deliver_due(context, profile.QUEUE).ended


def make_pictures_small(context: TaskContext, *_ids: int) -> int:
    """Make small pictures of uploaded files, one after the other; return how many."""
    with only_one() as free:
        # Another thread of this worker is running this and continues until none is left.
        return _make_each_small(context) if free else 0


def _make_each_small(context: TaskContext) -> int:
    with context.uow_factory.begin() as uow:
        moved = avatar_uploads.drop_old(uow)
    return moved + deliver_due(context, avatar_uploads.QUEUE).ended


def check_pictures(context: TaskContext, *_ids: int) -> int:
    """Apply verdicts on pictures, submit new ones, drop expired ones; return how many."""
    moved = _carry_out_verdicts(context)
    with context.uow_factory.begin() as uow:
        moved += avatars.give_up(uow)
    asked = deliver_due(context, avatars.QUEUE)
    # The verdict may have arrived before the trace id was stored.
    return moved + asked.ended + (_carry_out_verdicts(context) if asked.ended else 0)


def _carry_out_verdicts(context: TaskContext) -> int:
    with context.uow_factory.begin(read_only=True) as reading:
        due = avatars.judged_pictures(reading, _AT_ONCE)
    moved = 0
    for avatar_id in due:
        with context.uow_factory.begin() as uow:
            moved += avatars.settle_verdict(uow, avatar_id)
    return moved


def drop_limit_traces(context: TaskContext, *_ids: int) -> int:
    """Delete limit traces that no running season counts by; return how many."""
    with context.uow_factory.begin() as uow:
        return limit_traces.drop_old(uow)


QUEUES = (profile.QUEUE, avatar_uploads.QUEUE, avatars.QUEUE)
TASKS = (
    Task(name=profile.QUEUE.task, step=check_nicknames, every_seconds=30),
    Task(name=avatar_uploads.TASK, step=make_pictures_small, every_seconds=5),
    Task(name=avatars.TASK, step=check_pictures, every_seconds=5),
    Task(name="accounts.drop_limit_traces", step=drop_limit_traces, every_seconds=600),
)
