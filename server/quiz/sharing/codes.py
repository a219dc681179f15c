"""Fetches missing mini-program codes of posters in the background.

Every call generates the same card's code again, so the call may be repeated.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from server.base.jobs import TaskContext
from server.base.outbox_rows import Backoff, Done, Lost, Outcome, Queue
from server.base.uow import UnitOfWork
from server.quiz.models import Share
from server.wechat.errors import WeChatError
from server.wechat.retries import outcome_of

_log = logging.getLogger(__name__)

TASK = "quiz.fetch_share_codes"
PAGE = "packages/quiz/round/index"
ASK_AGAIN_AFTER = timedelta(seconds=60)


def _prepare_ref(_uow: UnitOfWork, row: Share) -> str:
    return row.ref


def _fetch_code(context: TaskContext, ref: Any) -> Outcome:
    try:
        return Done(result=context.gateway.mini_program_code(ref, PAGE))
    except WeChatError as trouble:
        _log.warning("poster waits for its code", extra={"code": trouble.code})
        now = context.uow_factory.dependencies.clock.now()
        return outcome_of(trouble, now, repeatable=True)


def _keep_picture(_uow: UnitOfWork, row: Share, outcome: Outcome) -> None:
    if isinstance(outcome, Done):
        row.code_picture = outcome.result


QUEUE = Queue(
    name="share_codes",
    task=TASK,
    table=Share,
    prepare=_prepare_ref,
    send=_fetch_code,
    settle=_keep_picture,
    lost=Lost.QUEUED,
    lease=ASK_AGAIN_AFTER,
    backoff=Backoff(first=ASK_AGAIN_AFTER, most=ASK_AGAIN_AFTER),
)
