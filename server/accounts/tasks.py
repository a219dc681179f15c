"""Nicknames that WeChat could not judge when they were chosen are asked about again.

At least once: a verdict that comes twice is written once.
"""

from __future__ import annotations

from server.accounts import profile
from server.base.jobs import Shop, Task

_AT_ONCE = 20


def check_nicknames(shop: Shop, *_ids: int) -> int:
    """Ask about waiting nicknames and let go of those that waited too long; how many moved."""
    with shop.desk.work() as work:
        moved = profile.give_up_waiting(work)
        claimed = profile.claim_waiting(work, _AT_ONCE)
    for waiting in claimed:
        judged = profile.judge(shop.gateway, waiting)
        with shop.desk.work() as work:
            moved += profile.record(work, waiting.citizen_id, judged)
    return moved


TASKS = (Task(name="accounts.check_nicknames", step=check_nicknames, every_seconds=30),)
