"""Subqueries of citizens by their sign-ups, for the audiences of announcements."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, select

from server.signups.kinds import LIVE, SignUpState
from server.signups.models import SignUp


def citizens_signed_up(
    activity_ids: Select[Any], states: Collection[SignUpState] = LIVE
) -> Select[Any]:
    """The citizens with a sign-up in one of these states for one of the activities."""
    return select(SignUp.citizen_id).where(
        SignUp.citizen_id.is_not(None),
        SignUp.activity_id.in_(activity_ids),
        SignUp.state.in_(states),
    )


def citizens_absent(activity_ids: Select[Any]) -> Select[Any]:
    """The citizens who had a seat in one of the activities and did not come, once it is closed."""
    return select(SignUp.citizen_id).where(
        SignUp.citizen_id.is_not(None),
        SignUp.activity_id.in_(activity_ids),
        SignUp.absent_at.is_not(None),
    )
