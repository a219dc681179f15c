"""Pages for importing files of units: upload, result of the check, storing."""

from __future__ import annotations

from pathlib import Path

from wtforms import FileField

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
from server.organizers.unit_files import COLUMN_TITLES, UNIT_FILES

PAGES = Pages("import_pages", Path(__file__).with_name("pages"))
_WRITE = Permission.UNIT_WRITE


class UnitUploadForm(ConsoleForm):
    """Form with a file of units."""

    file = FileField("organizers.unit_import.file", description="organizers.unit_import.file_hint")


def _name_columns(texts: Texts) -> list[tuple[str, str]]:
    return [(name, texts.fill_text(key)) for name, key in COLUMN_TITLES.items()]


UPLOADS = UploadPages(
    upload=UNIT_FILES,
    path="/units",
    title="organizers.units.title",
    import_title="organizers.unit_import.title",
    dropped="organizers.unit_import.dropped",
    needs=_WRITE,
    name_columns=_name_columns,
    example=ExampleFile(
        title="organizers.unit_example.title",
        columns=[COLUMN_TITLES[name] for name in ("name", "kind", "city", "county", "full_name")],
        rows="organizers.unit_example.rows",
        notes="organizers.unit_example.notes",
    ),
)


@page(PAGES, "GET", "/units/import", needs=_WRITE, form=UnitUploadForm)
def ask_file(uow: UnitOfWork, organizer: Organizer, form: UnitUploadForm) -> Page:
    """Ask for a file; list the last ones."""
    files = UNIT_FILES.list_files(uow, organizer)
    return Page("import_pages/unit_import.html", declared=UPLOADS, form=form, files=files)


@page(PAGES, "POST", "/units/import", needs=_WRITE, form=UnitUploadForm)
def upload_file(uow: UnitOfWork, organizer: Organizer, form: UnitUploadForm) -> Redirect:
    """Keep the file for the check."""
    name, content = read_given_file(form.file, "organizers.unit_import.file_missing")
    ref = UNIT_FILES.keep_file(uow, organizer, name, content)
    return Redirect(f"/units/imports/{ref}")


@page(PAGES, "GET", "/units/imports/<ref>", needs=_WRITE)
def show_file(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show a file: its progress, the result of its check, the next steps."""
    row = UNIT_FILES.find_file(uow, organizer, ref)
    return Page("import_pages/unit_file.html", **describe_file(uow, organizer, UPLOADS, row))


declare_upload_pages(PAGES, UPLOADS)
