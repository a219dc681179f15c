"""The activity pages of the console: list, drafts, review, publication, late corrections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from server.activities import desk, lifecycle, posters
from server.activities.activity_list import ACTIVITIES, ActivityQuery, badge_of, listed_state
from server.activities.desk import ShownActivity
from server.activities.drafts import ActivityDraft, breach_faults, fault_key
from server.activities.forms import (
    AUDIENCES,
    ActivityForm,
    DescriptionForm,
    ReturnForm,
    fill_content,
    fill_descriptions,
    fill_proposals,
    place_faults,
    read_content,
    read_descriptions,
    spell_place,
)
from server.activities.kinds import ActivityKind, ActivityState
from server.activities.lifecycle import DraftRefused, may_publish
from server.activities.posters import MadePoster
from server.activities.sayings import say_content, say_seats, say_terms, say_times
from server.base.access import Organizer, Permission
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.base.web.page import (
    FieldRefused,
    Page,
    PagePreflight,
    Pages,
    Redirect,
    Section,
    page,
)
from server.base.web.schema import Query
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.console.picture_fields import read_picture
from server.programme import service as programmes
from server.units import service as units

PAGES = Pages("activities", Path(__file__).with_name("pages"))


class CopyQuery(Query, frozen=True, kw_only=True):
    """The source of a new activity: the public id of another one, or nothing."""

    copy: str = ""


@page(
    PAGES,
    "GET",
    "/activities",
    needs=Permission.ACTIVITY_READ,
    query=ActivityQuery,
    menu="activities.menu",
    section=Section.CONTENT,
)
def list_activities(uow: UnitOfWork, organizer: Organizer, query: ActivityQuery) -> Page:
    """The activities of the organizer's place and below, and published ones of higher places."""
    return Page(
        "activities/list.html",
        shown=read_table(uow, organizer, ACTIVITIES, query),
        may_write=organizer.has_permission(Permission.ACTIVITY_WRITE),
    )


declare_list_pages(PAGES, ACTIVITIES, needs=Permission.ACTIVITY_READ)


@page(
    PAGES,
    "GET",
    "/activities/new",
    needs=Permission.ACTIVITY_WRITE,
    form=ActivityForm,
    query=CopyQuery,
)
def show_new_form(
    uow: UnitOfWork, organizer: Organizer, form: ActivityForm, query: CopyQuery
) -> Page:
    """Show an empty form with proposals, or one filled from another activity."""
    source = desk.show_activity(uow, organizer, query.copy) if query.copy else None
    if not form.is_submitted():
        form.form_key.data = uow.new_ref("frm")
        fill_proposals(form, uow.now)
        if source is not None:
            fill_content(form, desk.copy_content(source.draft, uow.now))
    _offer_choices(uow, organizer, form)
    return Page(
        "activities/form.html", form=form, shown=None, **_with_poster(source), source=source
    )


def convert_upload(
    _preflight: PagePreflight,
    form: DescriptionForm,
    ref: str | None = None,  # noqa: ARG001 - required, as a part of the path
    query: CopyQuery | None = None,  # noqa: ARG001 - required, as the query of a new one
) -> MadePoster | None:
    """Convert the poster of a form before the transaction; None without one."""
    return read_picture(form.poster, posters.convert_poster)


@page(
    PAGES,
    "POST",
    "/activities/new",
    needs=Permission.ACTIVITY_WRITE,
    form=ActivityForm,
    query=CopyQuery,
    ask=convert_upload,
)
def write_activity(
    uow: UnitOfWork,
    organizer: Organizer,
    form: ActivityForm,
    query: CopyQuery,
    asked: MadePoster | None,
) -> Redirect:
    """Store a new draft; a copy has the poster of its source unless the form says otherwise."""
    source = desk.show_activity(uow, organizer, query.copy) if query.copy else None
    poster = _choose_poster(uow, organizer, form, asked, source)
    draft = read_content(form, poster, None if source is None else _series_of(source))
    key = form.form_key.data or None
    ref = _refuse_fields(lambda: lifecycle.write_activity(uow, organizer, draft, key))
    return Redirect(f"/activities/{ref}", said="activities.drafted")


@page(PAGES, "GET", "/activities/<ref>", needs=Permission.ACTIVITY_READ)
def show_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show an activity with everything that citizens read, its terms, its seats and its stage."""
    shown = desk.show_activity(uow, organizer, ref)
    state = listed_state(shown.row)
    return Page(
        "activities/activity.html",
        shown=shown,
        **_with_poster(shown),
        state=state.value,
        badge=badge_of(state),
        times=list(say_times(uow.texts, shown)),
        content=list(say_content(uow.texts, shown)),
        terms=list(say_terms(uow.texts, shown)),
        seats=list(say_seats(uow.texts, shown)),
        began=shown.row.starts_at <= uow.now,
        changes=desk.list_changes(uow, organizer, shown),
        described=shown.row.state in desk.DESCRIBED,
        may=_list_rights(organizer, shown) | _list_changes_allowed(uow, organizer, shown),
    )


@page(PAGES, "GET", "/activities/<ref>/edit", needs=Permission.ACTIVITY_WRITE, form=ActivityForm)
def show_edit_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: ActivityForm) -> Page:
    """Show the form for a draft."""
    shown = _own_activity(uow, organizer, ref)
    if not form.is_submitted():
        fill_content(form, shown.draft)
    _offer_choices(uow, organizer, form)
    return Page("activities/form.html", form=form, shown=shown, **_with_poster(shown), source=None)


@page(
    PAGES,
    "POST",
    "/activities/<ref>/edit",
    needs=Permission.ACTIVITY_WRITE,
    form=ActivityForm,
    ask=convert_upload,
)
def change_draft(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: ActivityForm, asked: MadePoster | None
) -> Redirect:
    """Change a draft."""
    shown = _own_activity(uow, organizer, ref)
    draft = read_content(form, _choose_poster(uow, organizer, form, asked, shown), shown.draft)
    _refuse_fields(lambda: lifecycle.change_draft(uow, organizer, ref, draft))
    return Redirect(f"/activities/{ref}", said="activities.changed")


@page(
    PAGES,
    "GET",
    "/activities/<ref>/describe",
    needs=Permission.ACTIVITY_WRITE,
    form=DescriptionForm,
)
def show_describe_form(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: DescriptionForm
) -> Page:
    """Show the form for the describing fields of a published activity; others are read-only."""
    shown = _own_activity(uow, organizer, ref)
    if not form.is_submitted():
        fill_descriptions(form, shown.draft)
    return Page(
        "activities/describe.html",
        form=form,
        shown=shown,
        **_with_poster(shown),
        fixed=[*say_times(uow.texts, shown), *say_seats(uow.texts, shown)],
    )


@page(
    PAGES,
    "POST",
    "/activities/<ref>/describe",
    needs=Permission.ACTIVITY_WRITE,
    form=DescriptionForm,
    ask=convert_upload,
)
def correct_descriptions(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: DescriptionForm, asked: MadePoster | None
) -> Redirect:
    """Change the describing fields of a published activity."""
    shown = _own_activity(uow, organizer, ref)
    given = read_descriptions(form, _choose_poster(uow, organizer, form, asked, shown))
    if given.live_link is not None and not given.live_link.startswith("https://"):
        raise FieldRefused("live_link", "activities.fault.live_link.not_https")
    for fault in breach_faults({"abstract": given.abstract, "notes": given.notes}):
        raise FieldRefused(fault.field, fault_key(*fault))
    desk.correct_descriptions(uow, organizer, ref, given)
    return Redirect(f"/activities/{ref}", said="activities.corrected")


@page(PAGES, "POST", "/activities/<ref>/send", needs=Permission.ACTIVITY_WRITE)
def send_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Send a draft to review."""
    _refuse_whole(lambda: lifecycle.send_activity(uow, organizer, ref))
    return Redirect(f"/activities/{ref}", said="activities.sent")


@page(PAGES, "POST", "/activities/<ref>/recall", needs=Permission.ACTIVITY_WRITE)
def recall_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Take an activity back from review."""
    desk.recall_activity(uow, organizer, ref)
    return Redirect(f"/activities/{ref}", said="activities.recalled")


@page(PAGES, "POST", "/activities/<ref>/delete", needs=Permission.ACTIVITY_WRITE)
def delete_draft(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Delete a draft."""
    desk.delete_draft(uow, organizer, ref)
    return Redirect("/activities", said="activities.deleted")


@page(PAGES, "POST", "/activities/<ref>/publish", needs=Permission.ACTIVITY_APPROVE)
def publish_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Publish an activity of another organizer."""
    lifecycle.publish_activity(uow, organizer, ref)
    return Redirect(f"/activities/{ref}", said="activities.published")


@page(PAGES, "GET", "/activities/<ref>/return", needs=Permission.ACTIVITY_APPROVE, form=ReturnForm)
def show_return_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: ReturnForm) -> Page:
    """Ask why an activity is returned."""
    return Page("activities/return.html", form=form, shown=_own_activity(uow, organizer, ref))


@page(PAGES, "POST", "/activities/<ref>/return", needs=Permission.ACTIVITY_APPROVE, form=ReturnForm)
def return_activity(uow: UnitOfWork, organizer: Organizer, ref: str, form: ReturnForm) -> Redirect:
    """Return an activity to its author."""
    lifecycle.return_activity(uow, organizer, ref, form.reason.data)
    return Redirect(f"/activities/{ref}", said="activities.returned")


def _own_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> ShownActivity:
    shown = desk.show_activity(uow, organizer, ref)
    if not shown.own:
        raise NotFound
    return shown


def _with_poster(shown: ShownActivity | None) -> dict[str, str | None]:
    """The address of the poster of an activity, for a page."""
    return {"poster": None if shown is None else posters.poster_path(shown.draft.poster)}


def _choose_poster(
    uow: UnitOfWork,
    _organizer: Organizer,
    form: DescriptionForm,
    made: MadePoster | None,
    shown: ShownActivity | None,
) -> str | None:
    """The poster after a form: a new one, none, or the present one of the activity."""
    if made is not None:
        return posters.keep_poster(uow, made)
    return None if form.poster_gone.data or shown is None else shown.draft.poster


def _list_rights(organizer: Organizer, shown: ShownActivity) -> set[str]:
    """The steps that this organizer may take with an activity now."""
    write = shown.own and organizer.has_permission(Permission.ACTIVITY_WRITE)
    approve = shown.own and organizer.has_permission(Permission.ACTIVITY_APPROVE)
    in_review = shown.row.state is ActivityState.REVIEW
    drafted = shown.row.state is ActivityState.DRAFT
    rights = {
        "edit": write and drafted,
        "send": write and drafted,
        "delete": write and drafted,
        "recall": write and in_review,
        "describe": write and shown.row.state in desk.DESCRIBED,
        "publish": approve and in_review and not shown.mine and may_publish(organizer),
        "return": approve and in_review,
        "copy": organizer.has_permission(Permission.ACTIVITY_WRITE),
        "weekly": write and shown.row.state is not ActivityState.CANCELLED,
        "people": shown.own and organizer.has_permission(Permission.SIGNUP_READ),
        "checkin": shown.own and organizer.has_permission(Permission.CHECKIN_READ),
    }
    return {name for name, given in rights.items() if given}


def _list_changes_allowed(uow: UnitOfWork, organizer: Organizer, shown: ShownActivity) -> set[str]:
    """The changes that this organizer may make to a published activity and its people now."""
    row = shown.row
    write = shown.own and organizer.has_permission(Permission.ACTIVITY_WRITE)
    approve = shown.own and organizer.has_permission(Permission.ACTIVITY_APPROVE)
    published = row.state is ActivityState.PUBLISHED
    postponed = row.state is ActivityState.POSTPONED
    ahead = published and uow.now < row.starts_at
    allowed = {
        "move": write and ahead,
        "postpone": write and ahead,
        "date": write and postponed,
        "cancel": approve and (postponed or (published and uow.now < row.ends_at)),
    }
    return {name for name, given in allowed.items() if given}


def _series_of(source: ShownActivity) -> ActivityDraft | None:
    """The series that a copy inherits, for activities of the organizer's place."""
    return source.draft if source.own else None


def _offer_choices(uow: UnitOfWork, _organizer: Organizer, form: ActivityForm) -> None:
    say = uow.texts.fill_text
    form.kind.choices = [(one.value, say(f"activities.kind.{one.value}")) for one in ActivityKind]
    form.audiences.choices = [(one, say(f"activities.audience.{one}")) for one in AUDIENCES]
    form.programme.choices = [
        ("", say("activities.form.programme_none")),
        *programmes.list_titles(uow),
    ]
    form.place.choices = [("", say("activities.form.place_none")), *_list_places(uow)]


def _list_places(uow: UnitOfWork) -> Iterator[tuple[str, str]]:
    for scope, name in units.list_places(uow):
        yield spell_place(scope.city, scope.county), name


def _refuse_fields(act: Callable[[], Any]) -> Any:
    """Run a change; show each fault of the draft beside the field that has it."""
    try:
        return act()
    except DraftRefused as refusal:
        first, *others = place_faults(refusal.faults)
        raise FieldRefused(*first, *others) from None


def _refuse_whole(act: Callable[[], Any]) -> None:
    """Run a step without a form; its refusal names the first fault of the draft."""
    try:
        act()
    except DraftRefused as refusal:
        raise FieldRefused(*place_faults(refusal.faults)[0]) from None
