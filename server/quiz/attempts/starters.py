"""The people who have started a paper, for other slices to count."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from server.quiz.models import Entry


def starter_ids() -> Select[Any]:
    """A subquery of the citizens who started a paper in any contest."""
    return select(Entry.citizen_id)
