"""Facts about many citizens for messages: who wants them, when not to disturb, and openids.

Announcements select, count and freeze people by these statements, in one query over their tables.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import time
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, Text, cast, exists, false, not_, or_, select

from server.accounts.models import App, Citizen, Identity
from server.base.access import Scope
from server.base.ownership import people_within
from server.base.sql.many import is_any
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork

_citizen, _identity = table_of(Citizen), table_of(Identity)
_PRESENT = (Citizen.erased_at.is_(None), Citizen.merged_into.is_(None))


@dataclass(frozen=True, kw_only=True)
class CitizenFilter:
    """Conditions on citizens; all that are not empty must hold, with any of their values.

    The place is one condition: somebody lives in one of the cities or in one of the counties.
    `announced` leaves out people who want no announcements at all, or none about the topic `about`.
    Units: `cities` and `counties` are codes, `unit_ids` row ids; `topics` were chosen by people.
    """

    cities: tuple[str, ...] = ()
    counties: tuple[str, ...] = ()
    unit_ids: tuple[int, ...] = ()
    topics: tuple[str, ...] = ()
    announced: bool = False
    about: str | None = None


def citizens_of(scope: Scope, chosen: CitizenFilter) -> Select[Any]:
    """The ids of present citizens of a place that meet the conditions, none erased or merged."""
    found = people_within(select(Citizen.id).where(*_PRESENT), scope, Citizen)
    places = [
        column.in_(codes)
        for column, codes in ((Citizen.city, chosen.cities), (Citizen.county, chosen.counties))
        if codes
    ]
    if places:
        found = found.where(or_(*places))
    if chosen.unit_ids:
        found = found.where(Citizen.unit_id.in_(chosen.unit_ids))
    if chosen.topics:
        found = found.where(or_(*(_lists(Citizen.topics, slug) for slug in chosen.topics)))
    if chosen.announced:
        found = found.where(not_(_is_opted_out(chosen.about)))
    return found


def _is_opted_out(topic: str | None) -> ColumnElement[bool]:
    muted = false() if topic is None else _lists(Citizen.muted_topics, topic)
    return or_(Citizen.announcements_off, muted)


def facts_of_citizens(topic: str | None) -> Select[Any]:
    """One row for each present citizen, for a join: `citizen_id` and facts for an announcement.

    Columns: `nickname` (None unless it passed the check), `city`, `unit_id`, `opted_out` and
    `chose_topic` (about `topic`), `quiet_from` and `quiet_to` (HH:MM of Beijing, both or none),
    `in_mini_program` and `in_official_account` (an openid is known).
    """
    chose = false() if topic is None else _lists(Citizen.topics, topic)
    facts: list[Any] = [
        Citizen.id.label("citizen_id"),
        Citizen.nickname,
        Citizen.city,
        Citizen.unit_id,
        _is_opted_out(topic).label("opted_out"),
        chose.label("chose_topic"),
        Citizen.quiet_from,
        Citizen.quiet_to,
        _has_openid(App.MINI_PROGRAM).label("in_mini_program"),
        _has_openid(App.OFFICIAL_ACCOUNT).label("in_official_account"),
    ]
    return select(*facts).where(*_PRESENT)


def has_announcements_off(uow: UnitOfWork, citizen_id: int) -> bool:
    """Whether a citizen wants no announcements at all."""
    asked = select(Citizen.announcements_off).where(Citizen.id == citizen_id)
    return bool(uow.session.scalar(asked))


def openids_of(
    uow: UnitOfWork,
    citizen_ids: Collection[int],
    app: Literal["official_account", "mini_program"],
) -> dict[int, str]:
    """The openids of citizens in one of the apps, where they have one; the newest of several."""
    rows = uow.session.execute(
        select(_identity.c.citizen_id, _identity.c.openid)
        .where(is_any(_identity.c.citizen_id, citizen_ids), _identity.c.app == App(app))
        .order_by(_identity.c.id)
    )
    return dict(rows.all())


def quiet_hours_of(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, tuple[time, time]]:
    """The quiet hours of those citizens who have some, from and to in Beijing time."""
    rows = uow.session.execute(
        select(_citizen.c.id, _citizen.c.quiet_from, _citizen.c.quiet_to).where(
            is_any(_citizen.c.id, citizen_ids),
            _citizen.c.quiet_from.is_not(None),
            _citizen.c.quiet_to.is_not(None),
        )
    )
    return {
        row.id: (time.fromisoformat(row.quiet_from), time.fromisoformat(row.quiet_to))
        for row in rows
    }


def _lists(column: Any, slug: str) -> ColumnElement[bool]:
    # Both databases store JSON lists as text; a slug has no character that JSON escapes.
    return cast(column, Text).contains(f'"{slug}"', autoescape=True)


def _has_openid(app: App) -> ColumnElement[bool]:
    return exists().where(Identity.citizen_id == Citizen.id, Identity.app == app)
