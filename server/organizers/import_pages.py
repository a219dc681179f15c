"""Pages for importing files of units: upload, result of the check, storing."""

from __future__ import annotations

from pathlib import Path

from wtforms import FileField

from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused, Page, Pages, Redirect, page
from server.console.forms import ConsoleForm
from server.console.sheets.grids import MIB
from server.organizers import unit_files
from server.organizers.models import UnitFileState

PAGES = Pages("import_pages", Path(__file__).with_name("pages"))
_WRITE = Permission.UNIT_WRITE
# The longest body that the server takes, without the form around the file.
MOST_UPLOADED = 5 * MIB
_SHOWN_PROBLEMS = 200


class UnitUploadForm(ConsoleForm):
    """A file of units."""

    file = FileField("organizers.unit_import.file", description="organizers.unit_import.file_hint")


@page(PAGES, "GET", "/units/import", needs=_WRITE, form=UnitUploadForm)
def ask_file(uow: UnitOfWork, organizer: Organizer, form: UnitUploadForm) -> Page:
    """Ask for a file; list the last ones."""
    files = unit_files.list_files(uow, organizer)
    return Page("import_pages/unit_import.html", form=form, files=files)


@page(PAGES, "POST", "/units/import", needs=_WRITE, form=UnitUploadForm)
def upload_file(uow: UnitOfWork, organizer: Organizer, form: UnitUploadForm) -> Redirect:
    """Keep the file for the check."""
    given = form.file.data
    content: bytes = given.read(MOST_UPLOADED + 1) if given else b""
    if len(content) > MOST_UPLOADED:
        raise FieldRefused("file", "organizers.unit_import.file_large")
    if not content:
        raise FieldRefused("file", "organizers.unit_import.file_missing")
    ref = unit_files.keep_file(uow, organizer, str(given.filename or ""), content)
    return Redirect(f"/units/imports/{ref}")


@page(PAGES, "GET", "/units/imports/<ref>", needs=_WRITE)
def show_file(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """A file: its progress, the result of its check, what comes next."""
    row = unit_files.find_file(uow, organizer, ref)
    report = row.report or unit_files.EMPTY_REPORT
    return Page(
        "import_pages/unit_file.html",
        row=row,
        report=report,
        problems=unit_files.say_problems(uow.texts, report["problems"][:_SHOWN_PROBLEMS]),
        warnings=unit_files.say_problems(uow.texts, report["warnings"][:_SHOWN_PROBLEMS]),
        busy=row.state in (UnitFileState.WAITING, UnitFileState.CONFIRMED),
        job=unit_files.find_running_job(uow, organizer, row),
    )


@page(PAGES, "POST", "/units/imports/<ref>/all", needs=_WRITE)
def store_all(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Add the file's units, when no row was refused."""
    unit_files.confirm_file(uow, organizer, ref, good_only=False)
    return Redirect(f"/units/imports/{ref}")


@page(PAGES, "POST", "/units/imports/<ref>/good", needs=_WRITE)
def store_good(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Add the file's good rows and leave the refused ones out."""
    unit_files.confirm_file(uow, organizer, ref, good_only=True)
    return Redirect(f"/units/imports/{ref}")


@page(PAGES, "POST", "/units/imports/<ref>/drop", needs=_WRITE)
def drop_file(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Give the file up."""
    unit_files.drop_file(uow, organizer, ref)
    return Redirect("/units/import", said="organizers.unit_import.dropped")
