"""Limits of one person: places at a time, places in a series, and the pause after absences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from server.activities.service import ActivityTimes
from server.base.clock import BEIJING
from server.base.uow import UnitOfWork
from server.signups.errors import NoShowPause, SignUpLimitReached
from server.signups.models import SignUp
from server.signups.places import HeldPlaces
from server.signups.store import Held

# Settings allow at most a hundred absences.
_MOST_READ = 100


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


@dataclass(frozen=True, kw_only=True)
class Absences:
    """Absences of a person within the days that count, and the end of the pause that follows."""

    count: int
    paused_until: datetime | None = None


def read_absences(uow: UnitOfWork, citizen_id: int) -> Absences | None:
    """A citizen's absences as they count now; None where absences have no effect.

    The pause begins with the absence that makes as many as are allowed within the days that count.
    """
    rule = uow.settings.signups
    if rule.absences_most <= 0:
        return None
    asked = (
        select(SignUp.absent_at)
        .where(SignUp.citizen_id == citizen_id, SignUp.absent_at.is_not(None))
        .order_by(SignUp.absent_at.desc())
        .limit(_MOST_READ)
    )
    newest = [at for at in uow.session.scalars(asked) if at is not None]
    within = timedelta(days=rule.absences_days)
    count = sum(at > uow.now - within for at in newest)
    if len(newest) < rule.absences_most or newest[0] - newest[rule.absences_most - 1] > within:
        return Absences(count=count)
    until = newest[0] + timedelta(days=rule.pause_days)
    return Absences(count=count, paused_until=until if uow.now < until else None)


def say_rule(uow: UnitOfWork) -> str | None:
    """The published rule about absences as a sentence; None where they have no effect."""
    rule = uow.settings.signups
    if rule.absences_most <= 0:
        return None
    return uow.texts.fill_text(
        "signups.no_show.rule",
        days=rule.absences_days, most=rule.absences_most, pause=rule.pause_days,
    )  # fmt: skip


def say_absences(uow: UnitOfWork, absences: Absences) -> str:
    """A citizen's absences as a sentence, with the end of a pause."""
    days, until = uow.settings.signups.absences_days, absences.paused_until
    if until is not None:
        return uow.texts.fill_text(
            "signups.no_show.paused", days=days, count=absences.count, until=_say_moment(until)
        )
    name = "own" if absences.count else "none"
    return uow.texts.fill_text(f"signups.no_show.{name}", days=days, count=absences.count)


def _refuse_absent(uow: UnitOfWork, citizen_id: int) -> None:
    absences = read_absences(uow, citizen_id)
    if absences is not None and absences.paused_until is not None:
        most = uow.settings.signups.absences_most
        raise NoShowPause(until=_say_moment(absences.paused_until), absences=most)


def _say_moment(at: datetime) -> str:
    local = at.astimezone(BEIJING)
    return f"{local.month}月{local.day}日{local:%H:%M}"
