"""The pages of the entrance: counters, list, admission by hand, walk-ins, grants.

All of them belong to one activity of the organizer's place and are reached from its desk.
"""

from __future__ import annotations

from pathlib import Path

from server.activities import service as activities
from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Redirect, page
from server.checkin import desk, service, sign_in_sheet
from server.checkin.desk_list import BADGES, PARTIES, PartyQuery
from server.checkin.forms import (
    ADMIT_REASONS,
    AdmitForm,
    SheetForm,
    UndoForm,
    WalkInForm,
    read_walk_in,
)
from server.checkin.wording import say_minute
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table

PAGES = Pages("checkin", Path(__file__).with_name("pages"))
_READ, _WRITE = Permission.CHECKIN_READ, Permission.CHECKIN_WRITE


@page(PAGES, "GET", "/activities/<ref>/checkin", needs=_READ)
def show_desk(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show the counters of an activity, a search for people, and conflicting scans."""
    counters = desk.count_people(uow, organizer, ref)
    return Page(
        "checkin/desk.html",
        activity=activities.own_activity(uow, organizer, ref),
        counters=counters,
        missing=max(0, counters.expected - counters.admitted),
        conflicts=desk.list_conflicts(uow, organizer, ref),
        may_write=organizer.has_permission(_WRITE),
        say_minute=say_minute,
    )


@page(PAGES, "GET", "/attendances", needs=_READ, query=PartyQuery)
def list_attendances(uow: UnitOfWork, organizer: Organizer, query: PartyQuery) -> Page:
    """The people with a seat and those who came, filtered."""
    return Page(
        "checkin/attendances.html",
        shown=read_table(uow, organizer, PARTIES, query),
        chosen=_chosen_activity(uow, organizer, query),
    )


declare_list_pages(PAGES, PARTIES, needs=_READ)


@page(PAGES, "GET", "/attendances/<ref>", needs=_READ, form=AdmitForm)
def show_attendance(uow: UnitOfWork, organizer: Organizer, ref: str, form: AdmitForm) -> Page:
    """Show one sign-up at the entrance, with the form that admits its people."""
    shown = desk.show_party(uow, organizer, ref)
    say = uow.texts.fill_text
    form.why.choices = [(one, say(f"checkin.admit_reason.{one}")) for one in ADMIT_REASONS]
    return Page(
        "checkin/attendance.html",
        shown=shown,
        form=form,
        badge=BADGES.get(shown.state, "plain"),
        may_write=organizer.has_permission(_WRITE),
        say_minute=say_minute,
    )


@page(PAGES, "POST", "/attendances/<ref>", needs=_WRITE, form=AdmitForm)
def admit_people(uow: UnitOfWork, organizer: Organizer, ref: str, form: AdmitForm) -> Redirect:
    """Admit the people of a sign-up by hand."""
    why = uow.texts.fill_text(f"checkin.admit_reason.{form.why.data}")
    reason = "：".join(filter(None, (why, form.more.data)))
    service.admit_by_hand(uow, organizer, ref, reason)
    return Redirect(f"/attendances/{ref}", said="checkin.desk.admitted_by_hand")


@page(PAGES, "GET", "/attendances/<ref>/undo", needs=_WRITE, form=UndoForm)
def show_undo_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: UndoForm) -> Page:
    """Ask for the reason for undoing an admission."""
    return Page("checkin/undo.html", shown=desk.show_party(uow, organizer, ref), form=form)


@page(PAGES, "POST", "/attendances/<ref>/undo", needs=_WRITE, form=UndoForm)
def undo_admission(uow: UnitOfWork, organizer: Organizer, ref: str, form: UndoForm) -> Redirect:
    """Undo an admission."""
    service.undo_admission(uow, organizer, ref, form.reason.data)
    return Redirect(f"/attendances/{ref}", said="checkin.desk.undone")


@page(PAGES, "POST", "/attendances/<ref>/leave", needs=_WRITE)
def note_leaving(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Record that the people of a sign-up leave."""
    service.check_out_by_hand(uow, organizer, ref)
    return Redirect(f"/attendances/{ref}", said="checkin.desk.left_by_hand")


@page(PAGES, "GET", "/activities/<ref>/walk-in", needs=_WRITE, form=WalkInForm)
def show_walk_in_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: WalkInForm) -> Page:
    """Show the number of places left, and the form for people without a sign-up."""
    activity = activities.own_activity(uow, organizer, ref)
    seating = activities.seating_of(uow, organizer, ref)
    counters = desk.count_people(uow, organizer, ref)
    say = uow.texts.fill_text
    room = max(activity.room_limit or 0, seating.seats)
    return Page(
        "checkin/walk_in.html",
        form=form,
        activity=activity,
        absent_minutes=uow.settings.checkin.absent_minutes,
        room=[
            (say("checkin.walk_in.room"), str(room), None),
            (say("checkin.walk_in.free"), str(room - seating.taken), None),
            (say("checkin.walk_in.inside"), str(counters.inside), None),
        ],
    )


@page(PAGES, "POST", "/activities/<ref>/walk-in", needs=_WRITE, form=WalkInForm)
def admit_walk_in(uow: UnitOfWork, organizer: Organizer, ref: str, form: WalkInForm) -> Redirect:
    """Admit people who came without a sign-up."""
    wish = read_walk_in(form)
    service.admit_walk_in(uow, organizer, ref, wish)
    return Redirect(
        f"/activities/{ref}/walk-in",
        said="checkin.walk_in.done",
        facts={"count": wish.party_size},
    )


@page(PAGES, "GET", "/activities/<ref>/sheet", needs=_WRITE, form=SheetForm)
def show_sheet_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: SheetForm) -> Page:
    """Ask for the purpose of the printed list."""
    activity = activities.own_activity(uow, organizer, ref)
    return Page("checkin/sheet.html", form=form, activity=activity)


@page(PAGES, "POST", "/activities/<ref>/sheet", needs=_WRITE, form=SheetForm)
def print_sheet(uow: UnitOfWork, organizer: Organizer, ref: str, form: SheetForm) -> Redirect:
    """Draw the printed list in the background."""
    job = sign_in_sheet.begin_printing(uow, organizer, ref, form.reason.data)
    return Redirect(f"/jobs/{job}")


def _chosen_activity(
    uow: UnitOfWork, organizer: Organizer, query: PartyQuery
) -> tuple[str, str] | None:
    """The activity to which the list is limited, for the way back to its desk."""
    titles = dict(activities.own_titles(uow, organizer)) if query.activity else {}
    title = titles.get(query.activity or "")
    return None if title is None or query.activity is None else (query.activity, title)
