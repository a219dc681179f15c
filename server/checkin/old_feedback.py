"""Erases the words of feedback after a year; the ratings stay as figures."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update

from server.base.uow import UnitOfWork
from server.checkin.feedback_models import ActivityFeedback

# Long enough for the report and the awards of the year.
WORDS_KEPT = timedelta(days=365)
_BATCH = 2000


def count_old_words(uow: UnitOfWork, at: datetime) -> int:
    """How many answers have words that must be erased at an instant."""
    asked = select(func.count()).select_from(ActivityFeedback).where(_is_old(at))
    return uow.session.scalar(asked) or 0


def erase_old_words(uow: UnitOfWork) -> int:
    """Erase the words of old answers, a batch at a time; return how many.

    Locks: those rows, skipping those that an erasure of a citizen holds.
    """
    old = (
        select(ActivityFeedback.id)
        .where(_is_old(uow.now))
        .order_by(ActivityFeedback.id)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    )
    blanked = update(ActivityFeedback).where(ActivityFeedback.id.in_(old)).values(words="")
    done: Any = uow.session.execute(blanked.execution_options(synchronize_session=False))
    return int(done.rowcount)


def _is_old(at: datetime) -> ColumnElement[bool]:
    return and_(ActivityFeedback.words != "", ActivityFeedback.made_at <= at - WORDS_KEPT)
