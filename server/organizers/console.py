"""Pages of organizers' accounts for system administrators."""

from __future__ import annotations

from pathlib import Path

from wtforms import StringField
from wtforms.validators import AnyOf, InputRequired, Length

from server.base.access import Organizer, Permission, Role
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Redirect, Section, page
from server.console.forms import ConsoleForm, NameField, WatchedForm, reason_field
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.organizers import leaving, people
from server.organizers.account_list import ACCOUNTS, AccountQuery

PAGES = Pages("organizers", Path(__file__).with_name("pages"))
ROLES = [role.value for role in Role]


class InviteForm(ConsoleForm):
    """Form for an invitation: the new account."""

    username = StringField(
        "organizers.form.username",
        description="organizers.form.username_wrong",
        validators=[
            InputRequired("organizers.form.username_missing"),
            Length(max=32, message="organizers.form.username_wrong"),
        ],
        render_kw={"autocomplete": "off", "autocapitalize": "none"},
    )
    name = NameField(
        "organizers.form.name",
        validators=[
            InputRequired("organizers.form.name_missing"),
            Length(max=40, message="organizers.form.name_missing"),
        ],
    )
    role = StringField(
        "organizers.form.role", validators=[AnyOf(ROLES, message="console.form.no_choice")]
    )
    place = StringField("organizers.form.place")


class RoleForm(WatchedForm):
    """Form for a change of role or place, with its reason."""

    role = StringField(
        "organizers.form.role", validators=[AnyOf(ROLES, message="console.form.no_choice")]
    )
    place = StringField("organizers.form.place")
    reason = reason_field("organizers.form.reason")


class ClosingForm(ConsoleForm):
    """Form for closing an account: the reason."""

    reason = reason_field("organizers.form.reason")


class LeaveForm(ClosingForm):
    """Form for leaving a post: the successor and the reason."""

    successor = StringField(
        "organizers.form.successor",
        validators=[InputRequired("organizers.form.successor_missing")],
    )


@page(
    PAGES,
    "GET",
    "/organizers",
    needs=Permission.ORGANIZER_READ,
    query=AccountQuery,
    menu="organizers.people.title",
    section=Section.SYSTEM,
)
def list_organizers(uow: UnitOfWork, organizer: Organizer, query: AccountQuery) -> Page:
    """The accounts of the organizer's place."""
    return Page(
        "organizers/organizers.html",
        shown=read_table(uow, organizer, ACCOUNTS, query),
        writes=organizer.has_permission(Permission.ORGANIZER_WRITE),
    )


@page(PAGES, "GET", "/organizers/invite", needs=Permission.ORGANIZER_WRITE, form=InviteForm)
def show_invitation(uow: UnitOfWork, organizer: Organizer, form: InviteForm) -> Page:
    """Show the form for an invitation."""
    places = people.places_to_give(uow, organizer)
    return Page("organizers/invite.html", form=form, places=places, roles=ROLES)


@page(PAGES, "POST", "/organizers/invite", needs=Permission.ORGANIZER_WRITE, form=InviteForm)
def invite_organizer(uow: UnitOfWork, organizer: Organizer, form: InviteForm) -> Page:
    """Create the account and show its link once."""
    new = people.NewAccount(
        username=form.username.data,
        name=form.name.data,
        role=Role(form.role.data),
        place=form.place.data or "",
    )
    issued = people.invite_organizer(uow, organizer, new)
    return Page("organizers/link_issued.html", link=issued, recovery=False)


@page(PAGES, "GET", "/organizers/<ref>", needs=Permission.ORGANIZER_READ)
def show_organizer(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show one account with the actions that are possible on it."""
    return Page(
        "organizers/organizer.html",
        account=people.show_account(uow, organizer, ref),
        writes=organizer.has_permission(Permission.ORGANIZER_WRITE),
    )


@page(PAGES, "GET", "/organizers/<ref>/role", needs=Permission.ORGANIZER_WRITE, form=RoleForm)
def show_role(uow: UnitOfWork, organizer: Organizer, ref: str, form: RoleForm) -> Page:
    """Show the form for a change of role or place."""
    account = people.show_account(uow, organizer, ref)
    if form.role.data is None:
        form.role.data, form.place.data = account.role.value, account.scope
    places = people.places_to_give(uow, organizer)
    return Page("organizers/role.html", account=account, form=form, places=places, roles=ROLES)


@page(PAGES, "POST", "/organizers/<ref>/role", needs=Permission.ORGANIZER_WRITE, form=RoleForm)
def change_role(uow: UnitOfWork, organizer: Organizer, ref: str, form: RoleForm) -> Redirect:
    """Give the account another role or place."""
    people.change_role(
        uow,
        organizer,
        ref,
        role=Role(form.role.data),
        place=form.place.data or "",
        reason=form.reason.data,
    )
    return Redirect(f"/organizers/{ref}", said="organizers.people.role_changed")


@page(PAGES, "POST", "/organizers/<ref>/link", needs=Permission.ORGANIZER_WRITE)
def renew_link(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Issue an invitation again, or a recovery link, and show it once."""
    recovery = people.show_account(uow, organizer, ref).state.value == "active"
    issued = people.renew_link(uow, organizer, ref)
    return Page("organizers/link_issued.html", link=issued, recovery=recovery)


@page(PAGES, "GET", "/organizers/<ref>/close", needs=Permission.ORGANIZER_WRITE, form=ClosingForm)
def show_closing(uow: UnitOfWork, organizer: Organizer, ref: str, form: ClosingForm) -> Page:
    """Show the form for closing an account."""
    account = people.show_account(uow, organizer, ref)
    return Page("organizers/close.html", account=account, form=form)


@page(PAGES, "POST", "/organizers/<ref>/close", needs=Permission.ORGANIZER_WRITE, form=ClosingForm)
def close_organizer(uow: UnitOfWork, organizer: Organizer, ref: str, form: ClosingForm) -> Redirect:
    """Close the account."""
    people.close_account(uow, organizer, ref, form.reason.data)
    return Redirect(f"/organizers/{ref}", said="organizers.people.closed")


@page(PAGES, "GET", "/organizers/<ref>/leave", needs=Permission.ORGANIZER_WRITE, form=LeaveForm)
def show_leaving(uow: UnitOfWork, organizer: Organizer, ref: str, form: LeaveForm) -> Page:
    """Show the form for leaving a post."""
    account = people.show_account(uow, organizer, ref)
    return Page(
        "organizers/leave.html",
        account=account,
        form=form,
        successors=leaving.successors_of(uow, organizer, ref),
        moves=leaving.preview_leaving(uow, organizer, ref),
    )


@page(PAGES, "POST", "/organizers/<ref>/leave", needs=Permission.ORGANIZER_WRITE, form=LeaveForm)
def leave_post(uow: UnitOfWork, organizer: Organizer, ref: str, form: LeaveForm) -> Redirect:
    """Hand over and close, in one step."""
    leaving.leave_post(uow, organizer, ref, successor=form.successor.data, reason=form.reason.data)
    return Redirect(f"/organizers/{ref}", said="organizers.people.left")


declare_list_pages(PAGES, ACCOUNTS, needs=Permission.ORGANIZER_READ)
