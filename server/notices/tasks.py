"""Pushes go out in the background: claimed, committed, sent, settled.

No call to WeChat is made while a transaction is open.
"""

from __future__ import annotations

from server.base.jobs import Task, TaskContext
from server.notices import pushes
from server.notices.pushes import Claim
from server.wechat.errors import InDoubt, NoGrant, TryLater, WeChatError
from server.wechat.retries import FOR_EVERYBODY, NOT_DONE, pause_after, reason_of

AT_ONCE = 100


def send_pushes(context: TaskContext, *_row_ids: int) -> int:
    """Send what is due, the longest waiting first; how many rows were moved."""
    with context.uow_factory.begin() as uow:
        moved = pushes.end_lost(uow)
    for _ in range(AT_ONCE):
        with context.uow_factory.begin() as uow:
            step = pushes.claim_next(uow)
        if step is None:
            break
        moved += 1
        if step.claim is not None and not _send(context, step.claim):
            break
    return moved


def _send(context: TaskContext, claim: Claim) -> bool:
    """Send one; False when the next one would fail too."""
    message_id, trouble = "", None
    try:
        message_id = context.gateway.send_subscription(claim.message)
    except WeChatError as refusal:
        trouble = refusal
    with context.uow_factory.begin() as uow:
        if trouble is None:
            pushes.settle_sent(uow, claim, message_id)
        elif isinstance(trouble, InDoubt):
            pushes.settle_unknown(uow, claim, reason_of(trouble))
        # A busy WeChat says that it delivered nothing.
        elif isinstance(trouble, (*NOT_DONE, TryLater)):
            pushes.put_back(uow, claim, pause_after(trouble, claim.tries, uow.now))
        else:
            no_grant = isinstance(trouble, NoGrant)
            pushes.settle_refused(uow, claim, reason_of(trouble), no_grant=no_grant)
    return not isinstance(trouble, FOR_EVERYBODY)


TASKS = (Task(name=pushes.TASK, step=send_pushes, every_seconds=5.0),)
