"""The pages on which announcements are listed, written and previewed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from server.activities import service as activities
from server.announcements.compose import drafts
from server.announcements.compose.announcement_list import ANNOUNCEMENTS, AnnouncementQuery
from server.announcements.compose.drafts import AnnouncementDraft, ContentRefused
from server.announcements.compose.faults import LADDER, check_contents
from server.announcements.compose.forms import (
    INBOX_WAY,
    LADDER_WAY,
    MASS_WAY,
    BasicsForm,
    ContentsForm,
    fill_basics,
    fill_contents,
    place_faults,
    read_basics,
    read_form_contents,
)
from server.announcements.compose.input_rules import EMOJI_IN_SCRIPT, chosen_inputs
from server.announcements.compose.pictures import (
    ConvertedPicture,
    convert_announcement_picture,
    keep_announcement_picture,
    picture_address,
)
from server.announcements.compose.previewing import MOST_PEOPLE, preview_for
from server.announcements.enums import Purpose
from server.announcements.models import Announcement
from server.base.access import Organizer, Permission
from server.base.errors import NotFound
from server.base.ownership import scope_of
from server.base.pictures import PictureRefused
from server.base.topics import announcement_topics
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
from server.base.web.uploads import UPLOAD_LIMIT_BYTES
from server.channel import service as channel_service
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table

PAGES = Pages("announcements", Path(__file__).parents[1] / "pages")
_P = Permission


class CopyAnnouncementQuery(Query, frozen=True, kw_only=True):
    """The source of a new announcement: the public id of another one, or nothing."""

    copy: str = ""


class PreviewPersonQuery(Query, frozen=True, kw_only=True):
    """The number of the recipient in the list of examples, from 0."""

    person: int = 0


@page(
    PAGES, "GET", "/announcements", needs=_P.ANNOUNCEMENT_READ, query=AnnouncementQuery,
    menu="announcements.menu", section=Section.CONTENT,
)  # fmt: skip
def list_announcements(uow: UnitOfWork, organizer: Organizer, query: AnnouncementQuery) -> Page:
    """The announcements of the organizer's place and below, and those sent from above."""
    return Page(
        "announcements/list.html",
        shown=read_table(uow, organizer, ANNOUNCEMENTS, query),
        may_write=organizer.has_permission(_P.ANNOUNCEMENT_WRITE),
    )


declare_list_pages(PAGES, ANNOUNCEMENTS, needs=_P.ANNOUNCEMENT_READ)


def _convert_upload(
    _preflight: PagePreflight,
    form: BasicsForm,
    ref: str | None = None,  # noqa: ARG001 - required, as a part of the path
    query: CopyAnnouncementQuery | None = None,  # noqa: ARG001 - given by the page
) -> ConvertedPicture | None:
    """Convert the picture of a form before the transaction; None without one."""
    given = form.picture.data
    content: bytes = given.read(UPLOAD_LIMIT_BYTES + 1) if given else b""
    if not content:
        return None
    if len(content) > UPLOAD_LIMIT_BYTES:
        raise FieldRefused("picture", "announcements.fault.picture.file_large")
    try:
        return convert_announcement_picture(content)
    except PictureRefused as refusal:
        raise FieldRefused("picture", f"announcements.fault.picture.{refusal.code}") from None


@page(
    PAGES, "GET", "/announcements/new", needs=_P.ANNOUNCEMENT_WRITE, form=BasicsForm,
    query=CopyAnnouncementQuery,
)  # fmt: skip
def show_new_form(
    uow: UnitOfWork, organizer: Organizer, form: BasicsForm, query: CopyAnnouncementQuery
) -> Page:
    """Show an empty form, or one filled from another announcement."""
    source = drafts.read_announcement(uow, organizer, query.copy) if query.copy else None
    _offer_choices(uow, organizer, form, None)
    if not form.is_submitted():
        form.form_key.data = uow.new_ref("frm")
        if source is not None:
            fill_basics(form, drafts.copy_draft(organizer, source))
    return _basics_page(form, None, source)


@page(
    PAGES, "POST", "/announcements/new", needs=_P.ANNOUNCEMENT_WRITE, form=BasicsForm,
    query=CopyAnnouncementQuery, ask=_convert_upload,
)  # fmt: skip
def write_announcement(
    uow: UnitOfWork,
    organizer: Organizer,
    form: BasicsForm,
    query: CopyAnnouncementQuery,
    asked: ConvertedPicture | None,
) -> Redirect:
    """Store a new draft, with the contents and the audience of its source."""
    base = AnnouncementDraft(title="")
    if query.copy:
        source = drafts.read_announcement(uow, organizer, query.copy)
        base = drafts.copy_draft(organizer, source)
    draft = _read_form(uow, organizer, form, base, asked)
    key = form.form_key.data or None
    ref = _refuse_fields(draft, lambda: drafts.write_announcement(uow, organizer, draft, key))
    return Redirect(f"/announcements/{ref}", said="announcements.drafted")


@page(PAGES, "GET", "/announcements/<ref>/edit", needs=_P.ANNOUNCEMENT_WRITE, form=BasicsForm)
def show_edit_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: BasicsForm) -> Page:
    """Show the form with the shared parts of an announcement."""
    row = own_announcement(uow, organizer, ref)
    _offer_choices(uow, organizer, form, row)
    if not form.is_submitted():
        fill_basics(form, drafts.read_draft(row))
    return _basics_page(form, row, None)


@page(
    PAGES, "POST", "/announcements/<ref>/edit", needs=_P.ANNOUNCEMENT_WRITE, form=BasicsForm,
    ask=_convert_upload,
)  # fmt: skip
def change_basics(
    uow: UnitOfWork,
    organizer: Organizer,
    ref: str,
    form: BasicsForm,
    asked: ConvertedPicture | None,
) -> Redirect:
    """Change the shared parts; an approved announcement becomes a draft again."""
    old = drafts.read_draft(own_announcement(uow, organizer, ref))
    draft = _read_form(uow, organizer, form, old, asked)
    _refuse_fields(draft, lambda: drafts.change_announcement(uow, organizer, ref, draft))
    return Redirect(f"/announcements/{ref}", said="announcements.changed")


@page(PAGES, "GET", "/announcements/<ref>/contents", needs=_P.ANNOUNCEMENT_WRITE, form=ContentsForm)
def show_contents_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: Any) -> Page:
    """Show the form with the content of each channel; limits are checked while typing."""
    row = own_announcement(uow, organizer, ref)
    draft = drafts.read_draft(row)
    if not form.is_submitted():
        fill_contents(form, draft)
    return Page(
        "announcements/contents.html",
        form=form,
        row=row,
        channels=chosen_inputs(draft.ladder),
        emoji=EMOJI_IN_SCRIPT,
    )


@page(
    PAGES, "POST", "/announcements/<ref>/contents", needs=_P.ANNOUNCEMENT_WRITE, form=ContentsForm
)
def change_contents(uow: UnitOfWork, organizer: Organizer, ref: str, form: Any) -> Redirect:
    """Change the contents; a value that WeChat would refuse is refused here."""
    draft = read_form_contents(form, drafts.read_draft(own_announcement(uow, organizer, ref)))

    def store() -> None:
        faults = list(check_contents(draft.ladder, draft.contents))
        if faults:
            raise ContentRefused(faults)
        drafts.change_announcement(uow, organizer, ref, draft)

    _refuse_fields(draft, store)
    return Redirect(f"/announcements/{ref}", said="announcements.changed")


@page(PAGES, "GET", "/announcements/<ref>/preview", needs=_P.PERSON_READ, query=PreviewPersonQuery)
def show_preview(
    uow: UnitOfWork, organizer: Organizer, ref: str, query: PreviewPersonQuery
) -> Page:
    """Show what one recipient gets through each channel, with the payload as it is sent."""
    row = own_announcement(uow, organizer, ref)
    number = max(0, min(query.person, MOST_PEOPLE - 1))
    return Page(
        "announcements/preview.html", row=row, shown=preview_for(uow, organizer, row, number)
    )


@page(PAGES, "POST", "/announcements/<ref>/delete", needs=_P.ANNOUNCEMENT_WRITE)
def delete_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Delete a draft."""
    drafts.delete_announcement(uow, organizer, ref)
    return Redirect("/announcements", said="announcements.deleted")


@page(PAGES, "POST", "/announcements/<ref>/recall", needs=_P.ANNOUNCEMENT_WRITE)
def recall_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Take an announcement back from review or from its schedule."""
    drafts.recall_announcement(uow, organizer, ref)
    return Redirect(f"/announcements/{ref}", said="announcements.recalled")


def own_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> Announcement:
    """An announcement of the organizer's place.

    Raises: NotFound (404).
    """
    row = drafts.read_announcement(uow, organizer, ref)
    if not organizer.scope.covers_scope(scope_of(row)):
        raise NotFound
    return row


def _basics_page(form: BasicsForm, row: Announcement | None, source: Announcement | None) -> Page:
    shown = row or source
    return Page(
        "announcements/form.html",
        form=form,
        row=row,
        source=source,
        picture=picture_address(shown.picture) if shown and shown.picture else None,
        pages=sorted(channel_service.released_pages()),
    )


def _read_form(
    uow: UnitOfWork,
    organizer: Organizer,
    form: BasicsForm,
    base: AnnouncementDraft,
    made: ConvertedPicture | None,
) -> AnnouncementDraft:
    chosen = form.activity_ref.data
    if (form.purpose.data == Purpose.CORRECTION) != (base.corrects_id is not None):
        raise FieldRefused("purpose", "console.form.no_choice")
    if (
        base.corrects_id is None
        and chosen
        and chosen not in dict(activities.own_titles(uow, organizer))
    ):
        raise FieldRefused("activity_ref", "announcements.fault.activity_ref.missing")
    picture = None if form.picture_gone.data else base.picture
    if made is not None:
        picture = keep_announcement_picture(uow, made)
    return read_basics(form, base, picture)


def _offer_choices(
    uow: UnitOfWork, organizer: Organizer, form: BasicsForm, row: Announcement | None
) -> None:
    say = uow.texts.fill_text
    correction = row is not None and row.corrects_id is not None
    purposes = (Purpose.CORRECTION,) if correction else (Purpose.NEWS, Purpose.CHANGE)
    form.purpose.choices = [
        (one.value, say(f"announcements.purpose.{one.value}")) for one in purposes
    ]
    form.way.choices = [
        (one, say(f"announcements.way.{one}")) for one in (LADDER_WAY, MASS_WAY, INBOX_WAY)
    ]
    form.channels.choices = [
        (one.value, say(f"announcements.channel.{one.value}")) for one in LADDER
    ]
    none = ("", say("announcements.form.none"))
    form.activity_ref.choices = [none, *activities.own_titles(uow, organizer)]
    form.topic.choices = [none, *((one.slug, one.name) for one in announcement_topics())]


def _refuse_fields(draft: AnnouncementDraft, act: Callable[[], Any]) -> Any:
    """Run a change; show each fault of the content beside the input that has it."""
    try:
        return act()
    except ContentRefused as refusal:
        first, *others = place_faults(draft, refusal.faults)
        raise FieldRefused(*first, *others) from None
