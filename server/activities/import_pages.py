"""Pages for importing files of activities: upload, result of the check, storing as drafts."""

from __future__ import annotations

from pathlib import Path

from wtforms import FileField

from server.activities.activity_files import ACTIVITY_FILES, COLUMN_TITLES
from server.base.access import Organizer, Permission
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Redirect, page
from server.console.forms import ConsoleForm
from server.console.upload_pages import (
    ExampleFile,
    UploadPages,
    declare_upload_pages,
    describe_file,
    read_given_file,
)

PAGES = Pages("activity_files", Path(__file__).with_name("pages"))
_WRITE = Permission.ACTIVITY_WRITE
_EXAMPLE = (
    "title", "kind", "city", "county", "venue", "address", "starts_at", "ends_at", "seats",
    "signup_opens_at", "signup_closes_at", "party_max", "waitlist", "offer_minutes", "speaker",
    "speaker_post", "abstract", "audiences", "office_phone", "notes", "live_link",
)  # fmt: skip


class ActivityUploadForm(ConsoleForm):
    """Form with a file of activities."""

    file = FileField("activities.import.file", description="activities.import.file_hint")


def _name_columns(texts: Texts) -> list[tuple[str, str]]:
    return [(name, texts.fill_text(key)) for name, key in COLUMN_TITLES.items()]


UPLOADS = UploadPages(
    upload=ACTIVITY_FILES,
    path="/activities",
    title="activities.menu",
    import_title="activities.import.title",
    dropped="activities.import.dropped",
    needs=_WRITE,
    name_columns=_name_columns,
    example=ExampleFile(
        title="activities.example.title",
        columns=[COLUMN_TITLES[name] for name in _EXAMPLE],
        rows="activities.example.rows",
        notes="activities.example.notes",
    ),
)


@page(PAGES, "GET", "/activities/import", needs=_WRITE, form=ActivityUploadForm)
def ask_file(uow: UnitOfWork, organizer: Organizer, form: ActivityUploadForm) -> Page:
    """Ask for a file; list the last ones."""
    files = ACTIVITY_FILES.list_files(uow, organizer)
    return Page("activity_files/import.html", declared=UPLOADS, form=form, files=files)


@page(PAGES, "POST", "/activities/import", needs=_WRITE, form=ActivityUploadForm)
def upload_file(uow: UnitOfWork, organizer: Organizer, form: ActivityUploadForm) -> Redirect:
    """Keep the file for the check."""
    name, content = read_given_file(form.file, "activities.import.file_missing")
    ref = ACTIVITY_FILES.keep_file(uow, organizer, name, content)
    return Redirect(f"/activities/imports/{ref}")


@page(PAGES, "GET", "/activities/imports/<ref>", needs=_WRITE)
def show_file(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show a file: its progress, the result of its check, the next steps."""
    row = ACTIVITY_FILES.find_file(uow, organizer, ref)
    return Page("activity_files/file.html", **describe_file(uow, organizer, UPLOADS, row))


declare_upload_pages(PAGES, UPLOADS)
