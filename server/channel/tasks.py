"""Background tasks of the official account: late replies, unionids, clean-up.

A row is claimed and the claim committed before WeChat is called; no call is made in a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.base.jobs import Task, TaskContext
from server.base.outbox import deliver_due
from server.base.retention import drop_all_overdue
from server.channel import (
    codes,
    late_replies,
    rule_stats,
    rules,
    service,
    sweep,
    unionids,
)
from server.channel.personal_data import PERSONAL
from server.channel.sweep import SweepPart
from server.wechat.errors import RecipientGone, WeChatError
from server.wechat.gateway import FollowerDetails
from server.wechat.retries import pause_after


def say_late(context: TaskContext, *_row_ids: int) -> int:
    """Send due late replies, the oldest first."""
    return deliver_due(context, late_replies.QUEUE).moved


def learn_unionids(context: TaskContext, *_row_ids: int) -> int:
    """Request the unionids of new followers from WeChat."""
    return deliver_due(context, unionids.QUEUE).moved


def fetch_code_pictures(context: TaskContext, *_row_ids: int) -> int:
    """Fetch the mini-program codes of new channels from WeChat."""
    return deliver_due(context, codes.QUEUE).moved


def sweep_followers(context: TaskContext, *_row_ids: int) -> int:
    """Link listed followers who are known citizens; return how many."""
    with context.uow_factory.begin() as uow:
        part = sweep.claim_part(uow)
    if part is None:
        return 0
    try:
        return _sweep_part(context, part)
    except RecipientGone:
        # The cursor is the openid of a person who has closed the account.
        with context.uow_factory.begin() as uow:
            sweep.begin_again(uow, part, rules.SWEEP_EVERY)
    except WeChatError as trouble:
        with context.uow_factory.begin() as uow:
            sweep.retry_later(uow, part, pause_after(trouble, 1, _current_time(context)))
    return 0


def _sweep_part(context: TaskContext, part: SweepPart) -> int:
    steady = context.uow_factory.dependencies.clock.monotonic
    until = steady() + rules.SWEEP_SECONDS
    page = context.gateway.follower_page(part.cursor)
    place, moved = part.place, 0
    end = min(part.place + rules.SWEEP_PART, len(page.openids))
    while place < end and steady() < until:
        some = page.openids[place : min(place + rules.SWEEP_BATCH, end)]
        moved += _link_followers(context, some)
        place += len(some)
    with context.uow_factory.begin() as uow:
        if place < len(page.openids):
            sweep.go_on(uow, part, cursor=part.cursor, place=place)
        elif page.following:
            sweep.go_on(uow, part, cursor=page.following, place=0)
        else:
            sweep.begin_again(uow, part, rules.SWEEP_REST)
    return moved


def _link_followers(context: TaskContext, openids: Sequence[str]) -> int:
    with context.uow_factory.begin(read_only=True) as uow:
        wanted = service.unlinked_openids(uow, openids)
    listed = _fetch_followers(context, wanted) if wanted else []
    with context.uow_factory.begin(read_only=True) as uow:
        known = service.known_among(uow, listed)
    for one in known:
        with context.uow_factory.begin() as uow:
            service.link_follower(uow, one)
    return len(known)


def _fetch_followers(context: TaskContext, openids: Sequence[str]) -> list[FollowerDetails]:
    """WeChat's data of followers, without those who have closed their accounts."""
    try:
        return list(context.gateway.fetch_followers(openids))
    except RecipientGone:
        if len(openids) == 1:
            return []
    # WeChat refuses the whole batch when one account is closed.
    half = len(openids) // 2
    return [*_fetch_followers(context, openids[:half]), *_fetch_followers(context, openids[half:])]


def delete_overdue(context: TaskContext, *_row_ids: int) -> int:
    """Delete data of people who unfollowed a week ago, old messages, and rare unknown texts."""
    with context.uow_factory.begin(read_only=True) as reading:
        gone = service.gone_for_good(reading)
    moved = 0
    for citizen_id in gone:
        # One citizen per transaction, so that no transaction waits while holding another citizen.
        with context.uow_factory.begin() as uow:
            moved += service.forget_the_gone(uow, citizen_id)
    moved += sum(drop_all_overdue(context.uow_factory, one) for one in PERSONAL)
    with context.uow_factory.begin() as uow:
        moved += rule_stats.drop_rare(uow)
    return moved


def _current_time(context: TaskContext) -> datetime:
    return context.uow_factory.dependencies.clock.now()


QUEUES = (late_replies.QUEUE, unionids.QUEUE, codes.QUEUE)
TASKS = (
    Task(name=late_replies.SAY_LATE, step=say_late, every_seconds=2.0),
    Task(name=unionids.LEARN_UNIONID, step=learn_unionids, every_seconds=5.0),
    Task(name=codes.TASK, step=fetch_code_pictures, every_seconds=30.0),
    Task(name="channel.sweep_followers", step=sweep_followers, every_seconds=30.0),
    Task(name="channel.tidy", step=delete_overdue, every_seconds=60.0),
)
