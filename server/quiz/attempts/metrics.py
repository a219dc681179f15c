"""Metrics of papers."""

from __future__ import annotations

from sqlalchemy import func, select

from server.base.uow import UnitOfWork
from server.quiz.enums import AttemptState
from server.quiz.models import Attempt
from server.quiz.rules import GRACE


def count_overdue_papers(uow: UnitOfWork) -> float:
    """Number of open papers past deadline and grace, which a sweep should have closed."""
    asked = select(func.count()).where(
        Attempt.state == AttemptState.OPEN, Attempt.deadline_at < uow.now - GRACE
    )
    return float(uow.session.scalar(asked) or 0)
