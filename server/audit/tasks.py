"""Notes the signed head of the chain once a day: in a table, and in the log."""

from __future__ import annotations

import logging

from sqlalchemy import select

from server.audit.models import AuditCheckpoint, AuditHead
from server.base.clock import beijing_day
from server.base.jobs import Task, TaskContext

_log = logging.getLogger(__name__)


def note_head(context: TaskContext, *_ids: int) -> int:
    """Append today's checkpoint, if entries have been added since the last one.

    The log is outside the database: it shows when chain and checkpoints are truncated together.
    """
    with context.uow_factory.begin() as uow:
        newest = select(AuditCheckpoint).order_by(AuditCheckpoint.number.desc()).limit(1)
        last = uow.session.scalars(newest).one_or_none()
        # Locked, so that two workers do not note the same head.
        head = uow.session.scalars(select(AuditHead).with_for_update()).one_or_none()
        if head is None or head.number == 0:
            return 0
        if last is not None and (
            last.number == head.number or beijing_day(last.at) == beijing_day(uow.now)
        ):
            return 0
        noted = {name: getattr(head, name) for name in ("number", "digest", "signature")}
        uow.session.add(AuditCheckpoint(at=uow.now, **noted))
        facts = {"count": head.number, "code": head.digest}
        uow.after_commit(lambda: _log.info("audit head", extra=facts))
        return 1


TASKS = (Task(name="audit.note_head", step=note_head, every_seconds=600),)
