"""The pages of review: sending to it, approval with the typed count, return, test send."""

from __future__ import annotations

from typing import Any

from server.announcements.approval import reviewing, test_sends
from server.announcements.approval.forms import (
    ApprovalForm,
    ReturnAnnouncementForm,
    TestSendForm,
)
from server.announcements.approval.hashing import hash_content
from server.announcements.approval.stages import read_stage
from server.announcements.compose import drafts
from server.announcements.compose.console import PAGES as PAGES
from server.announcements.compose.console import own_announcement
from server.announcements.compose.drafts import ContentRefused
from server.announcements.compose.forms import place_faults
from server.announcements.compose.pictures import picture_address
from server.announcements.compose.previewing import preview_for
from server.announcements.enums import AnnouncementState
from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused, Note, Page, PagePreflight, Redirect, page

_P = Permission


@page(PAGES, "POST", "/announcements/<ref>/send", needs=_P.ANNOUNCEMENT_WRITE)
def send_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Send a draft to review."""
    try:
        reviewing.send_to_review(uow, organizer, ref)
    except ContentRefused as refusal:
        draft = drafts.read_draft(own_announcement(uow, organizer, ref))
        raise FieldRefused(*next(place_faults(draft, refusal.faults))) from None
    return Redirect(f"/announcements/{ref}", said="announcements.sent_to_review")


@page(
    PAGES, "GET", "/announcements/<ref>/approve", needs=_P.ANNOUNCEMENT_APPROVE, form=ApprovalForm
)
def show_approval_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: ApprovalForm) -> Page:
    """Show everything that is approved: text, channels, people, start; the count is typed."""
    row = own_announcement(uow, organizer, ref)
    if not form.is_submitted():
        form.content_hash.data = hash_content(row)
    return Page(
        "announcements/approve.html",
        row=row,
        form=form,
        stage=read_stage(uow, organizer, row),
        shown=preview_for(uow, organizer, row, 0),
        picture=picture_address(row.picture) if row.picture else None,
    )


@page(
    PAGES, "POST", "/announcements/<ref>/approve", needs=_P.ANNOUNCEMENT_APPROVE, form=ApprovalForm
)
def approve_announcement(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: ApprovalForm
) -> Redirect:
    """Approve what was shown; the last approval fixes the recipients and the start."""
    shown, counted = form.content_hash.data or "", form.counted.data
    last = reviewing.approve_announcement(uow, organizer, ref, shown, counted)
    said = "announcements.approved" if last else "announcements.approved_first"
    if own_announcement(uow, organizer, ref).state is AnnouncementState.FREEZING:
        said = "announcements.approved_freezing"
    return Redirect(f"/announcements/{ref}", said=said)


@page(
    PAGES, "GET", "/announcements/<ref>/return", needs=_P.ANNOUNCEMENT_APPROVE,
    form=ReturnAnnouncementForm,
)  # fmt: skip
def show_return_form(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: ReturnAnnouncementForm
) -> Page:
    """Ask why an announcement is returned."""
    row = own_announcement(uow, organizer, ref)
    return Page("announcements/return.html", form=form, row=row)


@page(
    PAGES, "POST", "/announcements/<ref>/return", needs=_P.ANNOUNCEMENT_APPROVE,
    form=ReturnAnnouncementForm,
)  # fmt: skip
def return_announcement(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: ReturnAnnouncementForm
) -> Redirect:
    """Return an announcement to its author."""
    reviewing.return_announcement(uow, organizer, ref, form.reason.data)
    return Redirect(f"/announcements/{ref}", said="announcements.returned")


def _send_test(preflight: PagePreflight, form: TestSendForm, ref: str) -> str:
    return test_sends.send_test(preflight, ref, form.channel.data)


@page(PAGES, "GET", "/announcements/<ref>/test", needs=_P.ANNOUNCEMENT_WRITE, form=TestSendForm)
def show_test_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: TestSendForm) -> Page:
    """Offer the channels for a test send to the organizer's own WeChat account."""
    row = own_announcement(uow, organizer, ref)
    form.channel.choices = [
        (one.value, uow.texts.fill_text(f"announcements.channel.{one.value}"))
        for one in test_sends.channels_of(row)
    ]
    bound = test_sends.is_bound(uow, organizer)
    return Page("announcements/test.html", form=form, row=row, bound=bound)


@page(
    PAGES, "POST", "/announcements/<ref>/test", needs=_P.ANNOUNCEMENT_WRITE, form=TestSendForm,
    ask=_send_test,
)  # fmt: skip
def send_test(
    uow: UnitOfWork,
    organizer: Organizer,
    ref: str,
    form: TestSendForm,
    asked: str,
) -> Any:
    """Tell what became of the test send."""
    own_announcement(uow, organizer, ref)
    note = Note(act="announcements.send_test", facts={"channel": form.channel.data or ""})
    return Redirect(f"/announcements/{ref}", said=asked, note=note)
