"""Pushes go out in the background: claimed, committed, sent, settled.

No call to WeChat is made while a transaction is open.
"""

from __future__ import annotations

from server.base.jobs import Shop, Task
from server.notices import pushes
from server.notices.pushes import Claim
from server.wechat.errors import InDoubt, NoGrant, TryLater, WeChatError
from server.wechat.retries import FOR_EVERYBODY, NOT_DONE, pause_after, reason_of

AT_ONCE = 100


def send_pushes(shop: Shop, *_row_ids: int) -> int:
    """Send what is due, the longest waiting first; how many rows were moved."""
    with shop.desk.work() as work:
        moved = pushes.end_lost(work)
    for _ in range(AT_ONCE):
        with shop.desk.work() as work:
            step = pushes.claim_next(work)
        if step is None:
            break
        moved += 1
        if step.claim is not None and not _send(shop, step.claim):
            break
    return moved


def _send(shop: Shop, claim: Claim) -> bool:
    """Send one; False when the next one would fail too."""
    message_id, trouble = "", None
    try:
        message_id = shop.gateway.send_subscription(claim.message)
    except WeChatError as refusal:
        trouble = refusal
    with shop.desk.work() as work:
        if trouble is None:
            pushes.settle_sent(work, claim, message_id)
        elif isinstance(trouble, InDoubt):
            pushes.settle_unknown(work, claim, reason_of(trouble))
        # A busy WeChat says that it delivered nothing.
        elif isinstance(trouble, (*NOT_DONE, TryLater)):
            pushes.put_back(work, claim, pause_after(trouble, claim.tries, work.now))
        else:
            no_grant = isinstance(trouble, NoGrant)
            pushes.settle_refused(work, claim, reason_of(trouble), no_grant=no_grant)
    return not isinstance(trouble, FOR_EVERYBODY)


TASKS = (Task(name=pushes.TASK, step=send_pushes, every_seconds=5.0),)
