"""Codes of channels: an organizer names a channel, its code leads to an announcement or activity.

Visitors of the mini-program are the visits of the scene, once a citizen and day; openings of the
web page are counted without knowing whose they are. Coming by a code earns nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select

from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.clock import beijing_day
from server.base.errors import NotFound
from server.base.jobs import TaskContext
from server.base.outbox_rows import Backoff, Done, Lost, Outcome, Queue
from server.base.ownership import owned_by, scope_of, writable_by
from server.base.sql.locks import lock_name
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.channel.errors import ChannelNameTaken, TooManyChannels
from server.channel.models import ChannelCode, CodeOpening, CodeTarget, SceneVisit
from server.wechat.errors import WeChatError
from server.wechat.retries import outcome_of

_log = logging.getLogger(__name__)

TASK = "channel.fetch_code_pictures"
# The page of the mini-program that finds the object of a code. WeChat's codes take no query.
PAGE = "packages/programme/notice/index"
# Codes of one place for one object.
MOST_CODES = 30
_SUBJECT = "channel_code"
_LENGTH = 12
_ASK_AGAIN_AFTER = timedelta(seconds=60)


class SceneArrival(NamedTuple):
    """A citizen came by a code on a day, at `at` for the first time."""

    code: str
    citizen_id: int
    at: datetime


def make_channel_code(
    uow: UnitOfWork, organizer: Organizer, target: CodeTarget, target_ref: str, name: str
) -> str:
    """Store a code of the organizer's place for an object that the caller has found; return it.

    Raises: ChannelNameTaken, TooManyChannels (409).
    """
    lock_name(uow, "channel code", f"{organizer.scope.spelled} {target_ref}")
    others = list_channel_codes(uow, organizer, target, target_ref)
    mine = [one for one in others if one.owner == organizer.scope.spelled]
    if any(one.name == name for one in mine):
        raise ChannelNameTaken(name=name)
    if len(mine) >= MOST_CODES:
        raise TooManyChannels(most=MOST_CODES)
    row = ChannelCode(
        # A part of an id of 100 random bits: 60 are enough against guessing, and fit a link.
        code=uow.new_ref("chn").partition("_")[2][-_LENGTH:],
        target=target,
        target_ref=target_ref,
        name=name,
        made_at=uow.now,
        **owned_by(organizer.scope),
    )
    row.enqueue_again(uow.now)
    uow.session.add(row)
    uow.session.flush()
    record_change(
        uow,
        organizer,
        "channel.make_channel_code",
        Subject(_SUBJECT, row.code, organizer.scope),
        after={"name": name, "leads_to": target_ref},
    )
    uow.enqueue_after_commit(TASK, row.id)
    return row.code


def stop_channel_code(
    uow: UnitOfWork, organizer: Organizer, target: CodeTarget, target_ref: str, code: str
) -> None:
    """Leave a code out of the pack from now on; it stays valid. A repeat changes nothing.

    Raises: NotFound (404).
    Locks: the code.
    """
    asked = select(ChannelCode).where(
        ChannelCode.code == code,
        ChannelCode.target == target,
        ChannelCode.target_ref == target_ref,
    )
    row = uow.session.scalar(writable_by(asked, organizer, ChannelCode).with_for_update())
    if row is None:
        raise NotFound
    if row.stopped_at is not None:
        return
    row.stopped_at = uow.now
    uow.session.flush()
    subject = Subject(_SUBJECT, code, scope_of(row))
    after = {"name": row.name, "leads_to": target_ref}
    record_change(uow, organizer, "channel.stop_channel_code", subject, after=after)


def list_channel_codes(
    uow: UnitOfWork, organizer: Organizer, target: CodeTarget, target_ref: str
) -> Sequence[ChannelCode]:
    """The codes of the organizer's place and below for an object, the oldest first."""
    asked = select(ChannelCode).where(
        ChannelCode.target == target, ChannelCode.target_ref == target_ref
    )
    scoped = writable_by(asked, organizer, ChannelCode)
    return uow.session.scalars(scoped.order_by(ChannelCode.id)).all()


def codes_of_target(uow: UnitOfWork, target: CodeTarget, target_ref: str) -> Sequence[ChannelCode]:
    """The codes of all places for an object, the oldest first."""
    asked = select(ChannelCode).where(
        ChannelCode.target == target, ChannelCode.target_ref == target_ref
    )
    return uow.session.scalars(asked.order_by(ChannelCode.id)).all()


def find_channel_code(uow: UnitOfWork, code: str) -> ChannelCode | None:
    """The row of a code, also of a stopped one."""
    return uow.session.scalar(select(ChannelCode).where(ChannelCode.code == code))


def pictures_of_codes(uow: UnitOfWork, code_ids: Collection[int]) -> dict[int, bytes]:
    """The pictures of mini-program codes that WeChat has made, by row id of the code."""
    asked = select(ChannelCode.id, ChannelCode.picture).where(
        ChannelCode.id.in_(code_ids), ChannelCode.picture.is_not(None)
    )
    return {row.id: row.picture for row in uow.session.execute(asked)}


def count_code_opening(uow: UnitOfWork, code_id: int) -> None:
    """Count that the web page of a code was opened. Simultaneous openings all count."""
    made = insert_for(uow.session, CodeOpening).values(
        code_id=code_id, day=beijing_day(uow.now), opens=1
    )
    uow.session.execute(
        made.on_conflict_do_update(
            index_elements=["code_id", "day"], set_={"opens": CodeOpening.opens + 1}
        )
    )


def openings_of_codes(uow: UnitOfWork, code_ids: Collection[int]) -> dict[int, int]:
    """How often the web pages of codes were opened, by row id of the code."""
    counted = (
        select(CodeOpening.code_id, func.sum(CodeOpening.opens).label("opens"))
        .where(CodeOpening.code_id.in_(code_ids))
        .group_by(CodeOpening.code_id)
    )
    return {row.code_id: int(row.opens) for row in uow.session.execute(counted)}


def arrivals_by_codes(uow: UnitOfWork, codes: Collection[str]) -> list[SceneArrival]:
    """The visits by these codes in the order of time, each citizen once a code, app and day."""
    rows = uow.session.execute(
        select(SceneVisit.scene, SceneVisit.citizen_id, SceneVisit.at)
        .where(SceneVisit.scene.in_(codes))
        .order_by(SceneVisit.at, SceneVisit.id)
    )
    return [SceneArrival(row.scene, row.citizen_id, row.at) for row in rows]


def _prepare_code(_uow: UnitOfWork, row: ChannelCode) -> str:
    return row.code


def _fetch_picture(context: TaskContext, code: Any) -> Outcome:
    try:
        return Done(result=context.gateway.mini_program_code(code, PAGE))
    except WeChatError as trouble:
        _log.warning("mini-program code of a channel is missing", extra={"code": trouble.code})
        now = context.uow_factory.dependencies.clock.now()
        return outcome_of(trouble, now, repeatable=True)


def _keep_picture(_uow: UnitOfWork, row: ChannelCode, outcome: Outcome) -> None:
    if isinstance(outcome, Done):
        row.picture = outcome.result


# The same call makes the same code again, so a lost one is repeated.
QUEUE = Queue(
    name="channel_codes",
    task=TASK,
    table=ChannelCode,
    prepare=_prepare_code,
    send=_fetch_picture,
    settle=_keep_picture,
    lost=Lost.QUEUED,
    lease=_ASK_AGAIN_AFTER,
    backoff=Backoff(first=_ASK_AGAIN_AFTER, most=timedelta(minutes=30)),
)
