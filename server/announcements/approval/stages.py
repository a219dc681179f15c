"""The stage of an announcement as pages show it: its people, its start, the missing approvals."""

from __future__ import annotations

from dataclasses import dataclass

from server.announcements.approval import reviewing
from server.announcements.audience.forecast import forecast
from server.announcements.audience.plan import Forecast
from server.announcements.audience.selecting import count_recipients
from server.announcements.compose.announcement_list import say_channels, say_moment
from server.announcements.compose.drafts import EDITABLE
from server.announcements.enums import AnnouncementState
from server.announcements.errors import WrongAudienceRule
from server.announcements.models import Announcement
from server.base.access import Organizer
from server.base.ownership import scope_of
from server.base.uow import UnitOfWork

# While a large audience is frozen, its forecast would change with every look.
_FORETOLD = tuple(state for state in EDITABLE if state is not AnnouncementState.FREEZING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Facts for a page; `counted` is None for a rule that cannot be used, and for other places.

    `moved` tells that quiet hours put the start off, `left` how many approvals are missing, `may`
    whether this organizer's approval is one of them, `frozen` how many recipients are frozen so
    far.
    """

    channels: str
    counted: int | None
    starts_at: str
    moved: bool
    left: int
    may: bool
    frozen: int
    forecast: Forecast | None


def read_stage(uow: UnitOfWork, organizer: Organizer, row: Announcement) -> Stage:
    """The stage of an announcement that the organizer may read."""
    own = organizer.scope.covers_scope(scope_of(row))
    start = row.starts_at or reviewing.planned_start(uow, row)
    return Stage(
        channels=say_channels(uow, row),
        counted=_count_people(uow, row) if own else row.audience_size,
        starts_at=say_moment(start),
        moved=row.starts_at is None and reviewing.moves_start(uow, row),
        left=row.approvals_needed - len(reviewing.approvers_of(uow, row)) if own else 0,
        frozen=row.frozen_count or 0,
        forecast=_forecast_of(uow, organizer, row) if own and row.state in _FORETOLD else None,
        may=own
        and row.state is AnnouncementState.REVIEW
        and reviewing.may_approve(uow, organizer, row),
    )


def _forecast_of(uow: UnitOfWork, organizer: Organizer, row: Announcement) -> Forecast | None:
    try:
        return forecast(uow, organizer, row)
    except WrongAudienceRule:
        return None


def _count_people(uow: UnitOfWork, row: Announcement) -> int | None:
    if row.state is AnnouncementState.FREEZING:
        return row.counted
    if row.audience_size is not None:
        return row.audience_size
    try:
        return count_recipients(uow, row)
    except WrongAudienceRule:
        return None
