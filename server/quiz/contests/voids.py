"""The void questions of a contest: they count as right in every paper that has them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select

from server.base.uow import UnitOfWork
from server.quiz.models import QuestionVoid


class VoidedVersion(NamedTuple):
    """A voided question version, in papers begun at `since` or later; None for all papers."""

    question_id: int
    since: datetime | None


def voids_at(uow: UnitOfWork, contest_id: int, marking: int) -> list[VoidedVersion]:
    """The voids in force at one of the contest's markings."""
    if not marking:
        return []
    asked = select(QuestionVoid.question_id, QuestionVoid.since).where(
        QuestionVoid.contest_id == contest_id,
        QuestionVoid.from_marking <= marking,
        or_(QuestionVoid.until_marking.is_(None), QuestionVoid.until_marking > marking),
    )
    return [VoidedVersion(*row) for row in uow.session.execute(asked)]


def voided_for(voids: Iterable[VoidedVersion], started_at: datetime) -> frozenset[int]:
    """The voided versions that count as right in a paper begun at an instant."""
    return frozenset(
        one.question_id for one in voids if one.since is None or one.since <= started_at
    )
