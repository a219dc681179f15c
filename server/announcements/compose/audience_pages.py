"""The page on which the audience of an announcement is chosen, with its count."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from server.activities import service as activities
from server.announcements.audience.rule import (
    AudienceRule,
    SignUpBand,
    read_rule,
    rule_content,
)
from server.announcements.audience.selecting import count_by_rule
from server.announcements.compose import drafts
from server.announcements.compose.audience_form import (
    AudienceForm,
    PlaceChoices,
    fill_audience,
    find_units,
    list_place_choices,
    read_form_audience,
    spell_units,
)
from server.announcements.compose.console import PAGES, own_announcement
from server.announcements.errors import FixedAudience, UnknownUnit, WrongAudienceRule
from server.announcements.models import Announcement
from server.base.access import Organizer, Permission
from server.base.ownership import scope_of
from server.base.topics import announcement_topics
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused, Page, Redirect, page
from server.base.web.schema import Query
from server.programme import service as programmes
from server.quiz import service as quiz

_P = Permission


class AudienceQuery(Query, frozen=True, kw_only=True):
    """The values of the form while it is being filled in, as the browser sends them."""

    cities: tuple[str, ...] = ()
    counties: tuple[str, ...] = ()
    unit_names: str = ""
    topics: tuple[str, ...] = ()
    programme: str = ""
    took_part_from: str = ""
    took_part_to: str = ""
    contest: str = ""
    completed: str = ""
    minimum_score: str = ""
    best_rank: str = ""
    last_rank: str = ""
    activities: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    activity_from: str = ""
    activity_to: str = ""
    scenes: str = ""
    came_from: str = ""
    came_to: str = ""


@page(PAGES, "GET", "/announcements/<ref>/audience", needs=_P.ANNOUNCEMENT_WRITE, form=AudienceForm)
def show_audience_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: AudienceForm) -> Page:
    """Show the form with the rule of the audience."""
    row = _chosen_audience(uow, organizer, ref)
    places = _show_stored(uow, organizer, row, form)
    return Page("announcements/audience.html", form=form, row=row, places=places)


@page(
    PAGES, "POST", "/announcements/<ref>/audience", needs=_P.ANNOUNCEMENT_WRITE, form=AudienceForm
)
def change_audience(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: AudienceForm
) -> Redirect:
    """Change the audience; an approved announcement becomes a draft again."""
    row, rule = _read_rule(uow, organizer, ref, form)
    draft = drafts.with_audience(drafts.read_draft(row), rule)
    drafts.change_announcement(uow, organizer, ref, draft)
    return Redirect(f"/announcements/{ref}", said="announcements.audience_changed")


@page(
    PAGES, "GET", "/announcements/<ref>/audience/count", needs=_P.ANNOUNCEMENT_WRITE,
    query=AudienceQuery,
)  # fmt: skip
def count_audience(uow: UnitOfWork, organizer: Organizer, ref: str, query: AudienceQuery) -> Page:
    """The number of people whom the form selects before it is saved, or what is wrong with it."""
    form = AudienceForm(_spell_values(query))
    counted, refused = _count_form(uow, organizer, ref, form)
    return Page("announcements/audience_count.html", counted=counted, refused=refused)


def _count_form(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: AudienceForm
) -> tuple[int | None, str]:
    """The count, or None with the sentence about what is wrong."""
    _prepare_form(uow, organizer, _chosen_audience(uow, organizer, ref), form)
    if not form.validate():
        return None, uow.texts.fill_text("announcements.fault.audience.other")
    try:
        return count_by_rule(uow, *_read_rule(uow, organizer, ref, form)), ""
    except FieldRefused as refusal:
        return None, uow.texts.fill_text(refusal.said)
    except UnknownUnit as unknown:
        return None, uow.texts.error_text(unknown.code, unknown.facts)


def _spell_values(query: AudienceQuery) -> MultiDict[str, Any]:
    """The values of a query as a form gets them; an empty one is left out."""
    values: MultiDict[str, Any] = MultiDict()
    for name in query.__struct_fields__:
        value = getattr(query, name)
        if value:
            values.setlist(name, list(value) if isinstance(value, tuple) else [value])
    return values


def _read_rule(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: AudienceForm
) -> tuple[Announcement, AudienceRule]:
    """An announcement of the organizer's place, and the rule of a form for it.

    Raises: NotFound (404), FixedAudience (409), FieldRefused, UnknownUnit (422).
    """
    row = _chosen_audience(uow, organizer, ref)
    found = find_units(uow, scope_of(row), form.unit_names.data or "")
    try:
        return row, read_rule(rule_content(read_form_audience(form, found)))
    except WrongAudienceRule as refusal:
        raise FieldRefused(*_place_of_rule(refusal.part)) from None


def _chosen_audience(uow: UnitOfWork, organizer: Organizer, ref: str) -> Announcement:
    """An announcement of the organizer's place whose audience is chosen.

    Raises: NotFound (404), FixedAudience (409) for a correction.
    """
    row = own_announcement(uow, organizer, ref)
    if row.corrects_id is not None:
        raise FixedAudience(ref=ref)
    return row


def _show_stored(
    uow: UnitOfWork, organizer: Organizer, row: Announcement, form: AudienceForm
) -> list[PlaceChoices]:
    """Prepare a form, and show the stored rule unless the form was sent; return the places."""
    places = _prepare_form(uow, organizer, row, form)
    if not form.is_submitted():
        rule = drafts.read_draft(row).audience
        fill_audience(form, rule)
        form.unit_names.data = spell_units(uow, rule)
    return places


def _prepare_form(
    uow: UnitOfWork, organizer: Organizer, row: Announcement, form: AudienceForm
) -> list[PlaceChoices]:
    """Offer the choices of a form; return the places that it offers."""
    say, none = uow.texts.fill_text, ("", uow.texts.fill_text("announcements.form.any"))
    form.topics.choices = [(one.slug, one.name) for one in announcement_topics()]
    form.programme.choices = [none, *programmes.list_titles(uow)]
    form.contest.choices = [none, *quiz.visible_titles(uow, organizer)]
    form.activities.choices = activities.own_titles(uow, organizer)
    form.states.choices = [
        (one.value, say(f"announcements.signup.{one.value}")) for one in SignUpBand
    ]
    return list_place_choices(uow, scope_of(row))


def _place_of_rule(part: str) -> tuple[str, str]:
    """The input of a wrong part of a rule, and its sentence."""
    field = {"took_part": "took_part_to", "signups": "activity_to", "came_by": "scenes"}
    known = {"took_part", "signups", "came_by", "contest", "cities", "topics"}
    name = part if part in known else "scenes"
    sentence = name if name in ("took_part", "signups", "came_by", "contest") else "other"
    return field.get(name, name), f"announcements.fault.audience.{sentence}"
