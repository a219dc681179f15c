"""The pages about the people of an activity: lists, the waitlist explained, seats, guests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from server.activities import service as activities
from server.base.access import Organizer, Permission
from server.base.clock import BEIJING
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Redirect, Section, page
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.signups import people, printing
from server.signups.forms import (
    GroupForm,
    GuestForm,
    RemoveForm,
    SeatsForm,
    ShowForm,
    TicketsForm,
    offer_questions,
    read_group,
    read_guest,
)
from server.signups.kinds import LIVE
from server.signups.people import PersonLine
from server.signups.people_list import BADGES, PEOPLE, PeopleQuery

PAGES = Pages("signups", Path(__file__).with_name("pages"))
# A longer waitlist is shown in part; the list of people has all of it.
MOST_SHOWN = 200


@page(
    PAGES,
    "GET",
    "/signups",
    needs=Permission.SIGNUP_READ,
    query=PeopleQuery,
    menu="signups.people.menu",
    section=Section.CONTENT,
)
def list_people(uow: UnitOfWork, organizer: Organizer, query: PeopleQuery) -> Page:
    """The people who signed up for activities of the organizer's place."""
    return Page("signups/list.html", shown=read_table(uow, organizer, PEOPLE, query))


declare_list_pages(PAGES, PEOPLE, needs=Permission.SIGNUP_READ)


@page(PAGES, "GET", "/signups/<ref>", needs=Permission.SIGNUP_READ)
def show_person(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show one sign-up, with the name and the number masked until a reason is given."""
    shown = people.show_person(uow, organizer, ref)
    return Page(
        "signups/person.html",
        shown=shown,
        badge=BADGES.get(shown.line.row.state, "plain"),
        made_at=f"{shown.line.row.made_at.astimezone(BEIJING):%Y-%m-%d %H:%M}",
        minutes=people.SHOWN_MINUTES,
        may_remove=organizer.has_permission(Permission.SIGNUP_WRITE)
        and shown.line.row.state in LIVE,
    )


@page(PAGES, "GET", "/signups/<ref>/contact", needs=Permission.SIGNUP_READ, form=ShowForm)
def show_contact_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: ShowForm) -> Page:
    """Ask why the name and the number are needed."""
    shown = people.show_person(uow, organizer, ref)
    return Page("signups/reason.html", form=form, shown=shown, act="contact")


@page(PAGES, "POST", "/signups/<ref>/contact", needs=Permission.SIGNUP_READ, form=ShowForm)
def show_contact(uow: UnitOfWork, organizer: Organizer, ref: str, form: ShowForm) -> Redirect:
    """Record the reason; the page then shows the name and the number for some minutes."""
    people.record_showing(uow, organizer, ref, form.reason.data)
    return Redirect(f"/signups/{ref}")


@page(PAGES, "GET", "/signups/<ref>/remove", needs=Permission.SIGNUP_WRITE, form=RemoveForm)
def show_remove_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: RemoveForm) -> Page:
    """Ask why somebody is removed."""
    shown = people.show_person(uow, organizer, ref)
    return Page("signups/reason.html", form=form, shown=shown, act="remove")


@page(PAGES, "POST", "/signups/<ref>/remove", needs=Permission.SIGNUP_WRITE, form=RemoveForm)
def remove_person(uow: UnitOfWork, organizer: Organizer, ref: str, form: RemoveForm) -> Redirect:
    """Remove somebody; the seats go to the waitlist."""
    people.remove_person(uow, organizer, ref, form.reason.data)
    return Redirect(f"/signups/{ref}", said="signups.people.removed")


@page(PAGES, "GET", "/activities/<ref>/people", needs=Permission.SIGNUP_READ)
def show_people(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show the counters of an activity, and its waitlist with the rule for each person."""
    activity = activities.own_activity(uow, organizer, ref)
    seating = activities.seating_of(uow, organizer, ref)
    say = uow.texts.fill_text
    return Page(
        "signups/people.html",
        activity=activity,
        counters=[
            (say("signups.people.seats"), str(seating.seats), None),
            (say("signups.people.taken"), str(seating.taken), None),
            (say("signups.people.free"), str(seating.seats - seating.taken), None),
            (say("signups.people.offered"), str(seating.offered), None),
            (say("signups.people.waiting"), str(seating.waiting), None),
            (say("signups.people.entered"), str(seating.entered), None),
        ],
        waiting=people.read_waitlist(uow, organizer, ref, MOST_SHOWN),
        most=MOST_SHOWN,
        left=max(0, seating.waiting - MOST_SHOWN),
        may_write=organizer.has_permission(Permission.SIGNUP_WRITE),
    )


@page(PAGES, "GET", "/activities/<ref>/seats", needs=Permission.SIGNUP_WRITE, form=SeatsForm)
def show_seats_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: SeatsForm) -> Page:
    """Show the form for the number of seats, and the people to put back if too many have seats."""
    activity = activities.own_activity(uow, organizer, ref)
    seating = activities.seating_of(uow, organizer, ref)
    if not form.is_submitted():
        form.seats.data = seating.seats
    lacking = max(0, seating.taken - (form.seats.data or seating.taken))
    seated = people.read_seated(uow, organizer, ref) if lacking else []
    form.put_back.choices = [(one.row.ref, _name_seated(uow, organizer, one)) for one in seated]
    if lacking and not form.put_back.data:
        form.put_back.data = _propose_leaving(seated, lacking)
    return Page(
        "signups/seats.html", form=form, activity=activity, seating=seating, lacking=lacking
    )


@page(PAGES, "POST", "/activities/<ref>/seats", needs=Permission.SIGNUP_WRITE, form=SeatsForm)
def change_seats(uow: UnitOfWork, organizer: Organizer, ref: str, form: SeatsForm) -> Redirect:
    """Change the number of seats."""
    # The form has the last sign-up first, but the earliest sign-up must come first on the waitlist.
    put_back = list(reversed(form.put_back.data or []))
    people.change_seats(uow, organizer, ref, form.seats.data, put_back)
    return Redirect(f"/activities/{ref}/people", said="signups.people.seats_changed")


@page(PAGES, "GET", "/activities/<ref>/guest", needs=Permission.SIGNUP_WRITE, form=GuestForm)
def show_guest_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: GuestForm) -> Page:
    """Show the form for a person who telephoned."""
    activity = activities.own_activity(uow, organizer, ref)
    questions = people.questions_of(uow, organizer, ref)
    offer_questions(form, questions)
    return Page("signups/guest.html", form=form, activity=activity, questions=questions)


@page(PAGES, "POST", "/activities/<ref>/guest", needs=Permission.SIGNUP_WRITE, form=GuestForm)
def enter_guest(uow: UnitOfWork, organizer: Organizer, ref: str, form: GuestForm) -> Redirect:
    """Enter a person who telephoned."""
    questions = people.questions_of(uow, organizer, ref)
    entered = people.enter_guests(uow, organizer, ref, [read_guest(form, questions)])
    return _said_entered(ref, entered)


@page(PAGES, "GET", "/activities/<ref>/group", needs=Permission.SIGNUP_WRITE, form=GroupForm)
def show_group_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: GroupForm) -> Page:
    """Show the form for a group with its list."""
    activity = activities.own_activity(uow, organizer, ref)
    questions = people.questions_of(uow, organizer, ref)
    offer_questions(form, questions)
    return Page("signups/group.html", form=form, activity=activity, questions=questions)


@page(PAGES, "POST", "/activities/<ref>/group", needs=Permission.SIGNUP_WRITE, form=GroupForm)
def enter_group(uow: UnitOfWork, organizer: Organizer, ref: str, form: GroupForm) -> Redirect:
    """Enter a group by its list."""
    label = " ".join((form.label.data or "").split())
    group = read_group(form, people.questions_of(uow, organizer, ref))
    entered = people.enter_guests(uow, organizer, ref, group, label)
    return _said_entered(ref, entered)


@page(PAGES, "GET", "/activities/<ref>/tickets", needs=Permission.SIGNUP_WRITE, form=TicketsForm)
def show_tickets_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: TicketsForm) -> Page:
    """Ask whose tickets are printed."""
    activity = activities.own_activity(uow, organizer, ref)
    groups = printing.list_groups(uow, organizer, ref)
    everybody = uow.texts.fill_text("signups.print.everybody")
    form.group.choices = [("", everybody), *((one, one) for one in groups)]
    return Page("signups/tickets.html", form=form, activity=activity)


@page(PAGES, "POST", "/activities/<ref>/tickets", needs=Permission.SIGNUP_WRITE, form=TicketsForm)
def print_tickets(uow: UnitOfWork, organizer: Organizer, ref: str, form: TicketsForm) -> Redirect:
    """Print the tickets of entered people in the background."""
    label = form.group.data or ""
    job = printing.begin_printing(uow, organizer, ref, label, form.reason.data)
    return Redirect(f"/jobs/{job}")


def _said_entered(ref: str, entered: people.Entered) -> Redirect:
    said = "signups.people.entered_lots" if entered.entered else "signups.people.entered_guests"
    return Redirect(f"/activities/{ref}/people", said=said, facts=vars(entered))


def _name_seated(uow: UnitOfWork, _organizer: Organizer, line: PersonLine) -> str:
    at = f"{line.row.made_at.astimezone(BEIJING):%m-%d %H:%M}"
    return uow.texts.fill_text(
        "signups.people.seated_line", name=line.name, phone=line.phone,
        count=line.row.party_size, at=at,
    )  # fmt: skip


def _propose_leaving(seated: Sequence[PersonLine], lacking: int) -> list[str]:
    """The last sign-ups, as many as are needed to free the missing seats."""
    chosen: list[str] = []
    freed = 0
    for line in seated:
        if freed >= lacking:
            break
        chosen.append(line.row.ref)
        freed += line.row.party_size
    return chosen
