"""Stores a checked campaign file; loading the same file again writes nothing.

Refs and the shift of the first load are kept; a shifted load rewrites titles and date wordings.
Programmes are never deleted, because other rows refer to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, delete, insert, select, update

from server.base.clock import beijing_day
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.programme.edition import Edition, EditionDates
from server.programme.kinds import Role
from server.programme.loading import CampaignPlan, Dates, ProgrammePlan, notice_words
from server.programme.models import Campaign, CampaignHost, Programme, ProgrammeOrganiser
from server.programme.rules import moved_by_weeks, weeks_to_demo
from server.units import service as units


@dataclass
class Written:
    """Number of rows that a load added and changed."""

    created: int = 0
    changed: int = 0


def find_vanished(uow: UnitOfWork, plan: CampaignPlan) -> list[str]:
    """Slugs of stored programmes that the new file does not contain."""
    loaded = uow.session.scalars(
        select(Programme.slug)
        .join(Campaign, Campaign.id == Programme.campaign_id)
        .where(Campaign.slug == plan.slug)
        .order_by(Programme.position)
    ).all()
    kept = {item.slug for item in plan.programmes}
    return [slug for slug in loaded if slug not in kept]


def store_campaign(uow: UnitOfWork, plan: CampaignPlan, *, shift: bool) -> Written:
    """Store a checked file: insert new rows, update changed ones, leave the rest untouched.

    With `shift` all dates move so that today is in the demo's month; the first load decides by how
    many weeks.
    Locks: the campaign's row.
    """
    written = Written()
    weeks = weeks_to_demo(beijing_day(uow.now)) if shift else 0
    campaign_id, weeks = _keep_campaign(uow, plan, weeks, written)
    ids = _keep_units(uow, plan, written)
    hosts = [{"unit_id": ids[ref], "position": n} for n, ref in enumerate(plan.hosts)]
    _keep_list(uow, CampaignHost, {"campaign_id": campaign_id}, hosts, written)
    edition = _plan_edition(plan, weeks)
    for position, item in enumerate(plan.programmes, start=1):
        values = {**_programme_values(item, edition, ids), "position": position}
        programme_id = _keep_programme(uow, campaign_id, values, written)
        organisers = _organiser_rows(item, ids)
        _keep_list(uow, ProgrammeOrganiser, {"programme_id": programme_id}, organisers, written)
    return written


def _keep_campaign(
    uow: UnitOfWork, plan: CampaignPlan, weeks: int, written: Written
) -> tuple[int, int]:
    fresh = {"ref": uow.new_ref("cmp"), "shift_weeks": weeks, "loaded_at": uow.now}
    adding = insert_for(uow.session, Campaign).on_conflict_do_nothing(index_elements=["slug"])
    values = _campaign_values(plan, weeks)
    added = uow.session.execute(adding.values(**values, **fresh).returning(Campaign.id)).first()
    written.created += 1 if added else 0
    # The first load decided the shift; locking its row makes other loads wait for this one.
    found = uow.session.execute(
        select(*Campaign.__table__.c).where(Campaign.slug == plan.slug).with_for_update()
    )
    row = dict(found.one()._mapping)
    _update_row(uow, Campaign, row, _campaign_values(plan, row["shift_weeks"]), written)
    return row["id"], row["shift_weeks"]


def _keep_units(uow: UnitOfWork, plan: CampaignPlan, written: Written) -> dict[str, int]:
    named = units.load_units(uow, plan.units)
    assumed = units.load_city_associations(uow)
    written.created += named.created + assumed.created
    written.changed += named.changed + assumed.changed
    return named.ids


def _keep_programme(
    uow: UnitOfWork, campaign_id: int, values: Mapping[str, Any], written: Written
) -> int:
    columns = Programme.__table__.c
    known = uow.session.execute(
        select(*columns).where(
            Programme.campaign_id == campaign_id, Programme.slug == values["slug"]
        )
    ).first()
    if known is not None:
        row = dict(known._mapping)
        _update_row(uow, Programme, row, values, written)
        return int(row["id"])
    fresh = {"ref": uow.new_ref("prg"), "campaign_id": campaign_id}
    written.created += 1
    return uow.session.execute(
        insert(Programme).values(**values, **fresh).returning(Programme.id)
    ).scalar_one()


def _update_row(
    uow: UnitOfWork,
    table: type[Campaign] | type[Programme],
    row: Mapping[str, Any],
    values: Mapping[str, Any],
    written: Written,
) -> None:
    differing = {name: value for name, value in values.items() if row[name] != value}
    if differing:
        uow.session.execute(update(table).where(table.id == row["id"]).values(**differing))
        written.changed += 1


def _keep_list(
    uow: UnitOfWork,
    table: type[CampaignHost] | type[ProgrammeOrganiser],
    parent: dict[str, int],
    wanted: list[dict[str, Any]],
    written: Written,
) -> None:
    columns = table.__table__.c
    of_parent = and_(*(columns[name] == value for name, value in parent.items()))
    names = list(wanted[0])
    found = uow.session.execute(
        select(*(columns[name] for name in names)).where(of_parent).order_by(columns.position)
    )
    known = [dict(row._mapping) for row in found]
    if known == wanted:
        return
    uow.session.execute(delete(table).where(of_parent))
    uow.session.execute(insert(table), [{**parent, **row} for row in wanted])
    written.created += len(wanted) if not known else 0
    written.changed += 1 if known else 0


def _campaign_values(plan: CampaignPlan, weeks: int) -> dict[str, Any]:
    edition = _plan_edition(plan, weeks)
    due = _rewrite_dates(edition, plan.summary["date_text"], plan.summary_on, plan.summary_on)
    return {
        "slug": plan.slug,
        "title": edition.renew_title(plan.title),
        "title_za": plan.title_za,
        "theme": plan.theme,
        "region_code": plan.region_code,
        **_date_values(edition, plan.dates),
        "notice_year": plan.year,
        "notice_text": _notice_text(plan.dates, plan.title),
        "phone": plan.phone,
        "target": plan.target,
        "summary": {**plan.summary, "date_text": due.text, "precision": due.precision},
        "summary_on": due.start,
    }


def _programme_values(
    item: ProgrammePlan, edition: Edition, ids: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "form": item.form,
        "slug": item.slug,
        "title": edition.renew_title(item.title),
        **_date_values(edition, item.dates),
        "notice_text": _notice_text(item.dates, item.title),
        "place": item.place,
        "place_code": item.place_code,
        "owner_id": ids[item.owner],
        "owner_assumed": item.owner_assumed,
        "open_list": item.open_list,
        "content": item.content,
    }


def _plan_edition(plan: CampaignPlan, weeks: int) -> Edition:
    year = plan.year + moved_by_weeks(plan.dates.start, weeks).year - plan.dates.start.year
    words = notice_words().dates
    return Edition(notice_year=plan.year, year=year, weeks=weeks, words=words)


def _date_values(edition: Edition, dates: Dates | None) -> dict[str, Any]:
    if dates is None:
        return dict.fromkeys(("date_text", "start_on", "end_on", "precision"))
    told = _rewrite_dates(edition, dates.text, dates.start, dates.end)
    return {
        "date_text": told.text,
        "start_on": told.start,
        "end_on": told.end,
        "precision": told.precision,
    }


def _rewrite_dates(edition: Edition, text: str, start: date, end: date) -> EditionDates:
    told = edition.rewrite_dates(text, start, end)
    if told is None:  # `loading` refuses a file with such a wording
        raise ValueError(text)
    return told


def _notice_text(dates: Dates | None, title: str) -> str:
    return f"{dates.text} {title}" if dates else title


def _organiser_rows(item: ProgrammePlan, ids: Mapping[str, int]) -> list[dict[str, Any]]:
    named = [(ref, Role.HOST) for ref in item.hosts]
    named += [(ref, Role.UNDERTAKER) for ref in item.undertakers]
    return [
        {"unit_id": ids[ref], "role": role, "position": n} for n, (ref, role) in enumerate(named)
    ]
