"""The pages that move, postpone, date or cancel a published activity with its people.

Each shows first who gets a message. An editor changes the date, because a hall that is closed at
noon cannot wait for a second person; cancelling cannot be undone and is an approver's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from wtforms import BooleanField
from wtforms.validators import InputRequired

from server.activities import service as activities
from server.activities.service import ActivityState, DraftRefused
from server.base.access import Organizer, Permission
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused, Page, Pages, Redirect, page
from server.console.forms import ConsoleForm, reason_field
from server.signups import changes
from server.signups.changes import ToldPeople
from server.signups.kinds import LIVE

PAGES = Pages("signup_changes", Path(__file__).with_name("pages"))
_WRITE, _APPROVE = Permission.ACTIVITY_WRITE, Permission.ACTIVITY_APPROVE


class WhyForm(ConsoleForm):
    """Form with the reason for postponing or cancelling, and a mark that the preview was read."""

    reason = reason_field("signups.change.reason", "signups.change.reason_hint", public=True)
    agreed = BooleanField(
        "signups.change.agreed", validators=[InputRequired("signups.change.agreed_missing")]
    )


class NewDateForm(activities.MoveForm):
    """Form for a new date or place, with the reason and a mark that the preview was read."""

    reason = reason_field("signups.change.reason", "signups.change.reason_hint", public=True)
    agreed = BooleanField(
        "signups.change.agreed", validators=[InputRequired("signups.change.agreed_missing")]
    )


@page(PAGES, "GET", "/activities/<ref>/move", needs=_WRITE, form=NewDateForm)
def show_move_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: NewDateForm) -> Page:
    """Show the date and place of an activity, with the people who will get a message."""
    shown = activities.show_activity(uow, organizer, ref)
    dated = shown.row.state is not ActivityState.POSTPONED
    if not form.is_submitted():
        activities.fill_move(form, shown.draft, dated=dated)
    return _show_form(uow, organizer, ref, form, "move" if dated else "date")


@page(PAGES, "POST", "/activities/<ref>/move", needs=_WRITE, form=NewDateForm)
def move_activity(uow: UnitOfWork, organizer: Organizer, ref: str, form: NewDateForm) -> Redirect:
    """Give an activity a new date or place."""
    row = activities.own_activity(uow, organizer, ref)
    postponed = row.state is ActivityState.POSTPONED
    act = changes.set_new_date if postponed else changes.move_activity
    move = activities.read_move(form, form.reason.data)
    told = _refuse_fields(lambda: act(uow, organizer, ref, move))
    return _say_done(ref, "dated" if postponed else "moved", told)


@page(PAGES, "GET", "/activities/<ref>/postpone", needs=_WRITE, form=WhyForm)
def show_postpone_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: WhyForm) -> Page:
    """Ask why an activity is postponed, with the people who will get a message."""
    return _show_form(uow, organizer, ref, form, "postpone")


@page(PAGES, "POST", "/activities/<ref>/postpone", needs=_WRITE, form=WhyForm)
def postpone_activity(uow: UnitOfWork, organizer: Organizer, ref: str, form: WhyForm) -> Redirect:
    """Postpone an activity to an unknown date."""
    told = changes.postpone_activity(uow, organizer, ref, form.reason.data)
    return _say_done(ref, "postponed", told)


@page(PAGES, "GET", "/activities/<ref>/cancel", needs=_APPROVE, form=WhyForm)
def show_cancel_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: WhyForm) -> Page:
    """Ask why an activity is cancelled, with the people who will get a message."""
    return _show_form(uow, organizer, ref, form, "cancel")


@page(PAGES, "POST", "/activities/<ref>/cancel", needs=_APPROVE, form=WhyForm)
def cancel_activity(uow: UnitOfWork, organizer: Organizer, ref: str, form: WhyForm) -> Redirect:
    """Cancel an activity permanently."""
    told = changes.cancel_activity(uow, organizer, ref, form.reason.data)
    return _say_done(ref, "cancelled", told)


def _show_form(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: ConsoleForm, act: str
) -> Page:
    people = changes.count_told(uow, organizer, ref)
    shown = activities.show_activity(uow, organizer, ref)
    return Page(
        "signup_changes/change.html",
        form=form,
        activity=shown.row,
        act=act,
        now=list(activities.say_times(uow.texts, shown)),
        told=list(_say_states(uow.texts, people)),
        guests=people.guests,
    )


def _say_states(texts: Texts, people: ToldPeople) -> Iterator[tuple[str, str, str | None]]:
    """Each state in which there are sign-ups, with their number."""
    for state in LIVE:
        count = people.states.get(state, 0)
        if count:
            name = texts.fill_text(f"signups.state.{state.value}")
            yield name, texts.fill_text("signups.change.count", count=count), None


def _refuse_fields(act: Callable[[], int]) -> int:
    """Run a change; show each fault beside the field that has it."""
    try:
        return act()
    except DraftRefused as refusal:
        first, *others = activities.place_move_faults(refusal.faults)
        raise FieldRefused(*first, *others) from None


def _say_done(ref: str, what: str, told: int) -> Redirect:
    said = f"signups.change.{what}" if told else "signups.change.nobody_told"
    return Redirect(f"/activities/{ref}", said=said, facts={"count": told})
