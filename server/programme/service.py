"""Public views of the campaign and its programmes; `storing` writes them.

The running campaign is the newest that has begun, else the first that will begin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from server.base.clock import beijing_day
from server.base.errors import Invalid, NotFound
from server.base.uow import UnitOfWork
from server.base.web.cursor import decode_cursor, encode_cursor
from server.programme.changes import NotedParticipation as NotedParticipation
from server.programme.changes import PersonSum as PersonSum
from server.programme.changes import citizens_after as citizens_after
from server.programme.changes import drop_changes as drop_changes
from server.programme.changes import pending_changes as pending_changes
from server.programme.changes import sum_by_person as sum_by_person
from server.programme.changes import sum_counted as sum_counted
from server.programme.kinds import Kind as Kind
from server.programme.kinds import Precision as Precision
from server.programme.kinds import Role as Role
from server.programme.kinds import State as State
from server.programme.models import Campaign, CampaignHost, Programme, ProgrammeOrganiser
from server.programme.models import Participation as Participation
from server.programme.participation import ATTENDED as ATTENDED
from server.programme.participation import Fact as Fact
from server.programme.participation import TookPart as TookPart
from server.programme.participation import citizens_who as citizens_who
from server.programme.participation import parts_taken as parts_taken
from server.programme.participation import record_missing as record_missing
from server.programme.participation import record_participation as record_participation
from server.programme.participation import recorded_refs as recorded_refs
from server.programme.participation import refs_after as refs_after
from server.programme.participation import withdraw_participation as withdraw_participation
from server.programme.rules import state_on
from server.units import service as units

_LAST_POSITION = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class ProgrammeView:
    """A programme as other slices see it; dates are None when units set them."""

    id: int
    slug: str
    title: str
    start: date | None
    end: date | None


@dataclass(frozen=True, kw_only=True)
class Organiser:
    """A unit with its role, in the notice's order."""

    id: str
    name: str
    role: Role


@dataclass(frozen=True, kw_only=True)
class ProgrammeDetail:
    """A programme with everything that citizens may read."""

    slug: str
    title: str
    kind: Kind
    form: str | None
    start: date | None
    end: date | None
    precision: Precision | None
    date_text: str | None
    state: State | None
    today: date
    notice_text: str
    notice_year: int
    place: str | None
    place_code: str | None
    owner_assumed: bool
    open_list: bool
    organisers: list[Organiser]
    content: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class CampaignDetail:
    """The campaign with everything that citizens may read."""

    slug: str
    title: str
    title_za: str | None
    theme: str
    start: date
    end: date
    precision: Precision
    date_text: str
    today: date
    shift_weeks: int
    notice_year: int
    notice_text: str
    phone: str | None
    target: Mapping[str, Any]
    summary: Mapping[str, Any]
    summary_on: date
    organisers: list[Organiser]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Filter of programmes; every given part must hold."""

    kind: Kind | None = None
    city: str | None = None
    since: date | None = None
    until: date | None = None


def find_campaign(uow: UnitOfWork) -> CampaignDetail:
    """The running campaign.

    Raises: NotFound (404) when none is loaded.
    """
    row = _running_campaign(uow)
    if row is None:
        raise NotFound
    hosts = uow.session.scalars(
        select(CampaignHost.unit_id)
        .where(CampaignHost.campaign_id == row.id)
        .order_by(CampaignHost.position)
    ).all()
    names = units.units_by_id(uow, hosts)
    return CampaignDetail(
        slug=row.slug,
        title=row.title,
        title_za=row.title_za,
        theme=row.theme,
        start=row.start_on,
        end=row.end_on,
        precision=row.precision,
        date_text=row.date_text,
        today=beijing_day(uow.now),
        shift_weeks=row.shift_weeks,
        notice_year=row.notice_year,
        notice_text=row.notice_text,
        phone=row.phone,
        target=row.target,
        summary=row.summary,
        summary_on=row.summary_on,
        organisers=[
            Organiser(id=names[unit].ref, name=names[unit].name, role=Role.HOST) for unit in hosts
        ],
    )


def list_programmes(
    uow: UnitOfWork, wanted: Wanted, *, limit: int, after: str | None
) -> tuple[list[ProgrammeDetail], str | None]:
    """One page of the running campaign's programmes in the notice's order, and the next cursor.

    Raises: Invalid (422) for an unknown city, a period that ends before it begins, a bad cursor.
    """
    conditions = _filter_conditions(wanted)
    if after is not None:
        conditions.append(Programme.position > _position_from_cursor(after))
    running = _running_campaign(uow)
    if running is None:
        return [], None
    rows = uow.session.scalars(
        select(Programme)
        .where(Programme.campaign_id == running.id, *conditions)
        .order_by(Programme.position)
        .limit(limit + 1)
    ).all()
    more = len(rows) > limit
    page = rows[:limit]
    return _details_of(uow, running, page), encode_cursor(page[-1].position) if more else None


def list_titles(uow: UnitOfWork) -> list[tuple[str, str]]:
    """Slug and title of the running campaign's programmes, in the notice's order."""
    running = _running_campaign(uow)
    if running is None:
        return []
    rows = select(Programme.slug, Programme.title).where(Programme.campaign_id == running.id)
    return [(row.slug, row.title) for row in uow.session.execute(rows.order_by(Programme.position))]


def find_programme(uow: UnitOfWork, slug: str) -> ProgrammeDetail:
    """One programme of the running campaign.

    Raises: NotFound (404).
    """
    running = _running_campaign(uow)
    row = _by_slug(uow, running, slug)
    if running is None or row is None:
        raise NotFound
    return _details_of(uow, running, [row])[0]


def programme_by_slug(uow: UnitOfWork, slug: str) -> ProgrammeView | None:
    """The running campaign's programme with this slug, for other slices to refer to."""
    row = _by_slug(uow, _running_campaign(uow), slug)
    if row is None:
        return None
    return ProgrammeView(
        id=row.id, slug=row.slug, title=row.title, start=row.start_on, end=row.end_on
    )


def _running_campaign(uow: UnitOfWork) -> Campaign | None:
    today = beijing_day(uow.now)
    rows = uow.session.scalars(select(Campaign).order_by(Campaign.start_on, Campaign.id)).all()
    begun = [row for row in rows if row.start_on <= today]
    return begun[-1] if begun else next(iter(rows), None)


def _by_slug(uow: UnitOfWork, running: Campaign | None, slug: str) -> Programme | None:
    if running is None or "\0" in slug:
        return None
    return uow.session.scalars(
        select(Programme).where(Programme.campaign_id == running.id, Programme.slug == slug)
    ).first()


def _filter_conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.since and wanted.until and wanted.since > wanted.until:
        raise Invalid((("query", "to"), "the period ends before it begins"))
    if wanted.kind is not None:
        conditions.append(Programme.kind == wanted.kind)
    if wanted.city is not None:
        conditions.append(_open_to_city(wanted.city))
    # A programme without dates matches no period.
    if wanted.since is not None:
        conditions.append(Programme.end_on >= wanted.since)
    if wanted.until is not None:
        conditions.append(Programme.start_on <= wanted.until)
    return conditions


def _open_to_city(code: str) -> ColumnElement[bool]:
    places = units.load_regions()
    city = places.find_city(code)
    if city is None:
        raise Invalid((("query", "city"), "no such city"))
    inside = [places.region.code, city.code, *(county.code for county in city.counties)]
    return or_(Programme.place_code.is_(None), Programme.place_code.in_(inside))


def _position_from_cursor(after: str) -> int:
    (position,) = decode_cursor(after, int)
    if not isinstance(position, int) or not 0 <= position <= _LAST_POSITION:
        raise Invalid((("query", "after"), "an unreadable cursor"))
    return position


def _details_of(
    uow: UnitOfWork, running: Campaign, rows: Sequence[Programme]
) -> list[ProgrammeDetail]:
    today = beijing_day(uow.now)
    organisers = _organisers_of(uow, [row.id for row in rows])
    return [
        ProgrammeDetail(
            slug=row.slug,
            title=row.title,
            kind=row.kind,
            form=row.form,
            start=row.start_on,
            end=row.end_on,
            precision=row.precision,
            date_text=row.date_text,
            state=state_on(today, row.start_on, row.end_on),
            today=today,
            notice_text=row.notice_text,
            notice_year=running.notice_year,
            place=row.place,
            place_code=row.place_code,
            owner_assumed=row.owner_assumed,
            open_list=row.open_list,
            organisers=organisers.get(row.id, []),
            content=row.content,
        )
        for row in rows
    ]


def _organisers_of(uow: UnitOfWork, ids: list[int]) -> dict[int, list[Organiser]]:
    rows = uow.session.execute(
        select(ProgrammeOrganiser.programme_id, ProgrammeOrganiser.unit_id, ProgrammeOrganiser.role)
        .where(ProgrammeOrganiser.programme_id.in_(ids))
        .order_by(ProgrammeOrganiser.position)
    ).all()
    names = units.units_by_id(uow, {row.unit_id for row in rows})
    found: dict[int, list[Organiser]] = {}
    for row in rows:
        unit = names[row.unit_id]
        organiser = Organiser(id=unit.ref, name=unit.name, role=row.role)
        found.setdefault(row.programme_id, []).append(organiser)
    return found
