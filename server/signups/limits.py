"""Limits of one person: places at a time, places in a series, and the pause after absences."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from server.activities.service import ActivityTimes
from server.base.clock import BEIJING
from server.base.uow import UnitOfWork
from server.signups.errors import NoShowPause, SignUpLimitReached
from server.signups.models import SignUp
from server.signups.places import HeldPlaces
from server.signups.store import Held


def check_limits(
    uow: UnitOfWork,
    citizen_id: int,
    places: HeldPlaces,
    wanted: ActivityTimes,
    leaving: Held | None,
) -> None:
    """Refuse a citizen who has as many places as allowed, or was absent too often.

    Raises: SignUpLimitReached, NoShowPause (409).
    """
    kept = [one for one in places.held if leaving is None or one.id != leaving.id]
    most = uow.settings.signups.most_places
    if len(kept) >= most:
        raise SignUpLimitReached(most=most)
    if wanted.series_id is not None and wanted.most_signups is not None:
        same = [one for one in kept if places.times[one.activity_id].series_id == wanted.series_id]
        if len(same) >= wanted.most_signups:
            raise SignUpLimitReached(most=wanted.most_signups)
    _refuse_absent(uow, citizen_id)


def _refuse_absent(uow: UnitOfWork, citizen_id: int) -> None:
    rule = uow.settings.signups
    if rule.absences_most <= 0:
        return
    newest = uow.session.scalars(
        select(SignUp.absent_at)
        .where(SignUp.citizen_id == citizen_id, SignUp.absent_at.is_not(None))
        .order_by(SignUp.absent_at.desc())
        .limit(rule.absences_most)
    ).all()
    if len(newest) < rule.absences_most:
        return
    first, last = newest[-1], newest[0]
    if first is None or last is None or last - first > timedelta(days=rule.absences_days):
        return
    until = last + timedelta(days=rule.pause_days)
    if uow.now < until:
        raise NoShowPause(until=_say_moment(until), absences=rule.absences_most)


def _say_moment(at: datetime) -> str:
    local = at.astimezone(BEIJING)
    return f"{local.month}月{local.day}日{local:%H:%M}"
