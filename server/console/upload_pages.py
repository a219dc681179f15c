"""The pages that every kind of checked file has: columns by hand, storing, discarding.

A slice declares the upload itself, and the page of one file, in its own words; both templates use
the macros of `console/uploads.html`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wtforms import BooleanField, SelectMultipleField

from server.base.access import Organizer, Permission
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.base.web.page import Download, FieldRefused, Page, Pages, Redirect, page
from server.base.web.schema import Query
from server.console.checked_files import CheckedUpload
from server.console.exports import ExportFormat, Notes, write_template
from server.console.forms import ConsoleForm
from server.console.models import CheckedFile, FileState
from server.console.sheets.grids import MIB
from server.console.sheets.headings import LEFT_OUT

# The longest file that the server takes.
MOST_UPLOADED = 5 * MIB
# At most this many problems and warnings are listed on the page of a file.
_SHOWN_PROBLEMS = 200


class ColumnsForm(ConsoleForm):
    """Form with the meaning of each column of a file; a kind of file adds its own switches."""

    key = SelectMultipleField("console.upload.columns", choices=[], validate_choice=False)
    meaning = SelectMultipleField("console.upload.columns", choices=[], validate_choice=False)


class ExampleQuery(Query, frozen=True, kw_only=True):
    """The format of an example file."""

    file_format: ExportFormat = ExportFormat.XLSX


@dataclass(frozen=True, kw_only=True)
class ExampleFile:
    """A file to fill in. It imports unchanged.

    `columns` are text keys of headings. `rows` is the key of a text with a line per row, its cells
    separated by |; `notes` that of a text with lines of column | explanation; `title` names the
    file and its first sheet.
    """

    title: str
    columns: Sequence[str]
    rows: str
    notes: str


@dataclass(frozen=True, kw_only=True)
class UploadPages:
    """The pages of one kind of file below `path`, the page of its list.

    `title` is the text key of that list, `import_title` of the upload; `name_columns` gives pairs
    of column and title; `dropped` is the message after discarding a file.
    """

    upload: CheckedUpload[Any]
    path: str
    title: str
    import_title: str
    dropped: str
    needs: Permission
    name_columns: Callable[[Texts], Sequence[tuple[str, str]]]
    example: ExampleFile
    columns_form: type[ColumnsForm] = ColumnsForm


def read_given_file(field: Any, missing: str) -> tuple[str, bytes]:
    """Name and content of the file in the field `file`.

    Raises: FieldRefused for an empty file or one above the limit, or with the key `missing` for
    none.
    """
    given = field.data
    content: bytes = given.read(MOST_UPLOADED + 1) if given else b""
    if len(content) > MOST_UPLOADED:
        raise FieldRefused("file", "console.form.file_large")
    if not content:
        chosen = given is not None and bool(given.filename)
        raise FieldRefused("file", "console.form.file_empty" if chosen else missing)
    return str(given.filename or ""), content


def describe_file(
    uow: UnitOfWork, organizer: Organizer, declared: UploadPages, row: CheckedFile
) -> dict[str, Any]:
    """The data of a file's page: its report, its problems as texts, its running job."""
    upload = declared.upload
    report = row.report or upload.empty_report
    return {
        "row": row,
        "here_path": f"{declared.path}/imports/{row.ref}",
        "declared": declared,
        "report": report,
        "problems": upload.say_problems(uow.texts, report["problems"][:_SHOWN_PROBLEMS]),
        "warnings": upload.say_problems(uow.texts, report["warnings"][:_SHOWN_PROBLEMS]),
        "busy": row.state in (FileState.WAITING, FileState.CONFIRMED),
        "job": upload.find_running_job(uow, organizer, row),
    }


def declare_upload_pages(pages: Pages, declared: UploadPages) -> None:
    """Declare the pages to assign columns, to store and to discard, below `declared.path`."""
    here, label = f"{declared.path}/imports/<ref>", pages.tag
    form = {"form": declared.columns_form}
    acts: Sequence[tuple[str, str, str, Callable[..., Any], Mapping[str, Any]]] = (
        ("GET", f"{here}/columns", f"ask_columns_{label}", _columns_page(declared), form),
        ("POST", f"{here}/columns", f"assign_columns_{label}", _columns_act(declared), form),
        ("POST", f"{here}/all", f"store_all_{label}", _store_act(declared, good_only=False), {}),
        ("POST", f"{here}/good", f"store_good_{label}", _store_act(declared, good_only=True), {}),
        (
            "GET",
            f"{declared.path}/import/example",
            f"load_example_{label}",
            _example_page(declared),
            {"query": ExampleQuery},
        ),
        ("POST", f"{here}/drop", f"drop_file_{label}", _drop_act(declared), {}),
    )
    for method, path, name, function, given in acts:
        function.__name__ = name
        page(pages, method, path, needs=declared.needs, **given)(function)


def _example_page(declared: UploadPages) -> Callable[..., Download]:
    def load_example(uow: UnitOfWork, organizer: Organizer, query: ExampleQuery) -> Download:  # noqa: ARG001 - the page reads no rows
        """An example file with explanations."""
        return write_example(uow.texts, declared.example, query.file_format)

    return load_example


def write_example(texts: Texts, example: ExampleFile, kind: ExportFormat) -> Download:
    """Write an example file; for ZIP it is XLSX.

    Raises: ValueError for a row with another number of cells than there are columns.
    """
    kind = ExportFormat.XLSX if kind is ExportFormat.ZIP else kind
    title = texts.fill_text(example.title)
    heads = [(texts.fill_text(key), "text") for key in example.columns]
    rows = [line.split("|") for line in texts.fill_text(example.rows).strip().splitlines()]
    if any(len(row) != len(heads) for row in rows):
        raise ValueError(f"{example.rows}: a row has not {len(heads)} cells")
    lines = texts.fill_text(example.notes).strip().splitlines()
    notes = Notes(
        title=texts.fill_text("console.upload.notes"),
        lines=[(name, words) for name, _, words in (line.partition("|") for line in lines)],
    )
    content = write_template(kind, title, heads, rows, notes)
    return Download(file_name=f"{title}.{kind.value}", media=kind.media, content=content)


def _columns_page(declared: UploadPages) -> Callable[..., Page]:
    def ask_columns(uow: UnitOfWork, organizer: Organizer, ref: str, form: ColumnsForm) -> Page:
        """Ask for the meaning of each column of the file."""
        row = declared.upload.find_file(uow, organizer, ref)
        if not form.is_submitted():
            form.process(data={one.name: row.said.get(one.name) for one in _switches_of(form)})
        return Page(
            "console/columns.html",
            declared=declared,
            form=form,
            switches=_switches_of(form),
            row=row,
            columns=(row.report or declared.upload.empty_report).get("columns", []),
            choices=[*declared.name_columns(uow.texts), (LEFT_OUT, "")],
        )

    return ask_columns


def _columns_act(declared: UploadPages) -> Callable[..., Redirect]:
    def assign_columns(
        uow: UnitOfWork, organizer: Organizer, ref: str, form: ColumnsForm
    ) -> Redirect:
        """Assign columns and check the file again."""
        known = {LEFT_OUT, *(name for name, _ in declared.name_columns(uow.texts))}
        pairs = pair_columns(form.key.data or [], form.meaning.data or [])
        columns = {key: one for key, one in pairs.items() if one in known}
        said = {str(one.name): bool(one.data) for one in _switches_of(form)}
        declared.upload.assign_columns(uow, organizer, ref, columns, **said)
        return Redirect(f"{declared.path}/imports/{ref}")

    return assign_columns


def _switches_of(form: ColumnsForm) -> list[BooleanField]:
    return [one for one in form if isinstance(one, BooleanField)]


def pair_columns(keys: Iterable[str], meanings: Iterable[str]) -> dict[str, str]:
    """The columns that were assigned, by their key."""
    return {key: meaning for key, meaning in zip(keys, meanings, strict=False) if meaning}


def _store_act(declared: UploadPages, *, good_only: bool) -> Callable[..., Redirect]:
    def store_rows(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
        """Store the file's rows; refused ones are left out, or refuse the file."""
        declared.upload.confirm_file(uow, organizer, ref, good_only=good_only)
        return Redirect(f"{declared.path}/imports/{ref}")

    return store_rows


def _drop_act(declared: UploadPages) -> Callable[..., Redirect]:
    def drop_file(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
        """Discard the file."""
        declared.upload.drop_file(uow, organizer, ref)
        return Redirect(f"{declared.path}/import", said=declared.dropped)

    return drop_file
