"""The pages on which organizers watch an announcement."""

from __future__ import annotations

from pathlib import Path

from server.announcements.compose.correcting import write_correction
from server.announcements.watching.desk import watch_announcement
from server.announcements.watching.recipients import RECIPIENTS, RecipientQuery
from server.announcements.watching.steering import (
    cancel_announcement,
    pause_announcement,
    resume_announcement,
)
from server.announcements.watching.withdrawing import withdraw_announcement
from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Redirect, page
from server.console.forms import ConsoleForm, reason_field
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table

PAGES = Pages("announcement_results", Path(__file__).with_name("pages"))


@page(
    PAGES,
    "GET",
    "/announcement-recipients",
    needs=Permission.ANNOUNCEMENT_READ,
    query=RecipientQuery,
)
def list_recipients(uow: UnitOfWork, organizer: Organizer, query: RecipientQuery) -> Page:
    """The recipients of announcements of the organizer's place."""
    return Page(
        "announcement_results/list.html", shown=read_table(uow, organizer, RECIPIENTS, query)
    )


declare_list_pages(PAGES, RECIPIENTS, needs=Permission.ANNOUNCEMENT_READ)


@page(PAGES, "GET", "/announcements/<ref>/progress", needs=Permission.ANNOUNCEMENT_READ)
def show_progress(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show how far the sending of an announcement is, and what came of it."""
    return Page(
        "announcement_results/progress.html",
        shown=watch_announcement(uow, organizer, ref),
        list_of=f"/console/announcement-recipients?announcement={ref}",
    )


class WithdrawForm(ConsoleForm):
    """Form for a withdrawal: the reason that citizens read."""

    reason = reason_field(
        "announcements.watching.why", "announcements.watching.why_hint", public=True
    )


@page(
    PAGES,
    "GET",
    "/announcements/<ref>/withdraw",
    needs=Permission.ANNOUNCEMENT_APPROVE,
    form=WithdrawForm,
)
def show_withdraw_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: WithdrawForm) -> Page:
    """Ask why an announcement is withdrawn."""
    shown = watch_announcement(uow, organizer, ref)
    return Page("announcement_results/withdraw.html", form=form, shown=shown)


@page(
    PAGES,
    "POST",
    "/announcements/<ref>/withdraw",
    needs=Permission.ANNOUNCEMENT_APPROVE,
    form=WithdrawForm,
)
def withdraw(uow: UnitOfWork, organizer: Organizer, ref: str, form: WithdrawForm) -> Redirect:
    """Withdraw an announcement."""
    withdraw_announcement(uow, organizer, ref, form.reason.data)
    return Redirect(f"/announcements/{ref}/progress", said="announcements.watching.withdrawn")


@page(PAGES, "POST", "/announcements/<ref>/pause", needs=Permission.ANNOUNCEMENT_APPROVE)
def pause(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Pause an announcement that is being sent."""
    pause_announcement(uow, organizer, ref)
    return Redirect(f"/announcements/{ref}/progress", said="announcements.watching.paused")


@page(PAGES, "POST", "/announcements/<ref>/resume", needs=Permission.ANNOUNCEMENT_APPROVE)
def resume(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Continue a paused announcement."""
    resume_announcement(uow, organizer, ref)
    return Redirect(f"/announcements/{ref}/progress", said="announcements.watching.resumed")


@page(PAGES, "POST", "/announcements/<ref>/correct", needs=Permission.ANNOUNCEMENT_WRITE)
def correct(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Make a draft that corrects an announcement which is over, or show the existing one."""
    made = write_correction(uow, organizer, ref)
    return Redirect(f"/announcements/{made}", said="announcements.correction.drafted")


class CancelForm(ConsoleForm):
    """Form for a cancellation: its reason, for the colleagues."""

    reason = reason_field("announcements.watching.why_cancel", "announcements.watching.cancel_hint")


@page(
    PAGES,
    "GET",
    "/announcements/<ref>/cancel",
    needs=Permission.ANNOUNCEMENT_APPROVE,
    form=CancelForm,
)
def show_cancel_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: CancelForm) -> Page:
    """Ask why an announcement is cancelled."""
    shown = watch_announcement(uow, organizer, ref)
    return Page("announcement_results/cancel.html", form=form, shown=shown)


@page(
    PAGES,
    "POST",
    "/announcements/<ref>/cancel",
    needs=Permission.ANNOUNCEMENT_APPROVE,
    form=CancelForm,
)
def cancel(uow: UnitOfWork, organizer: Organizer, ref: str, form: CancelForm) -> Redirect:
    """Cancel what is not sent yet."""
    cancel_announcement(uow, organizer, ref, form.reason.data)
    return Redirect(f"/announcements/{ref}/progress", said="announcements.watching.cancelled")
