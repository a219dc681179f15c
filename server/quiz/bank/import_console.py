"""Pages for importing files of questions: upload, check, columns, storing, review of an import."""

from __future__ import annotations

from server.base.access import Organizer, Permission
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused, Page, Redirect, page
from server.console.sheets.grids import MIB
from server.console.sheets.headings import LEFT_OUT
from server.quiz.bank import file_imports, lifecycle, questions
from server.quiz.bank.console import PAGES
from server.quiz.bank.file_imports import QuestionFile
from server.quiz.bank.files.wording import say_columns
from server.quiz.bank.forms import ColumnsForm, UploadForm, pair_columns
from server.quiz.enums import ImportState, QuestionStage
from server.quiz.models import QuestionImport

__all__ = ["PAGES"]

_P = Permission
# The longest body that the server takes, without the form around the file.
MOST_UPLOADED = 5 * MIB
_SHOWN_PROBLEMS = 200


@page(PAGES, "GET", "/questions/import", needs=_P.QUESTION_WRITE, form=UploadForm)
def ask_file(uow: UnitOfWork, organizer: Organizer, form: UploadForm) -> Page:
    """Ask for a file or a pasted text; list the last imports."""
    return Page("bank/import.html", form=form, imports=file_imports.list_imports(uow, organizer))


@page(PAGES, "POST", "/questions/import", needs=_P.QUESTION_WRITE, form=UploadForm)
def upload_file(uow: UnitOfWork, organizer: Organizer, form: UploadForm) -> Redirect:
    """Keep the file for the check."""
    name, content = _read_upload(uow.texts, form)
    file = QuestionFile(
        name=name,
        content=content,
        from_zero=bool(form.from_zero.data),
        no_heading=bool(form.no_heading.data),
    )
    ref = file_imports.keep_file(uow, organizer, file)
    return Redirect(f"/questions/imports/{ref}")


def _read_upload(texts: Texts, form: UploadForm) -> tuple[str, bytes]:
    pasted = (form.pasted.data or "").strip()
    given = form.file.data
    content: bytes = given.read(MOST_UPLOADED + 1) if given else b""
    if len(content) > MOST_UPLOADED:
        raise FieldRefused("file", "quiz.bank_form.file_large")
    if content:
        return str(given.filename or ""), content
    if not pasted:
        raise FieldRefused("file", "quiz.bank_form.file_missing")
    return texts.fill_text("quiz.bank_import.pasted_name"), pasted.encode()


@page(PAGES, "GET", "/questions/imports/<ref>", needs=_P.QUESTION_READ)
def show_import(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """An import: its progress, the result of its check, what comes next."""
    row = file_imports.find_import(uow, organizer, ref)
    report = row.report or file_imports.EMPTY_REPORT
    stages = questions.count_stages(uow, organizer, ref)
    return Page(
        "bank/imported.html",
        row=row,
        report=report,
        problems=file_imports.say_problems(uow.texts, report["problems"][:_SHOWN_PROBLEMS]),
        warnings=file_imports.say_problems(uow.texts, report["warnings"][:_SHOWN_PROBLEMS]),
        good=report["added"] + report["changed"],
        busy=row.state in (ImportState.WAITING, ImportState.CONFIRMED),
        job=file_imports.find_running_job(uow, organizer, row),
        drafts=stages.get(QuestionStage.DRAFT, 0),
        waiting=stages.get(QuestionStage.REVIEW, 0),
        live=stages.get(QuestionStage.LIVE, 0),
        may_write=organizer.has_permission(_P.QUESTION_WRITE),
        may_approve=organizer.has_permission(_P.QUESTION_APPROVE),
        own=row.writer_id == organizer.id,
    )


@page(PAGES, "GET", "/questions/imports/<ref>/columns", needs=_P.QUESTION_WRITE, form=ColumnsForm)
def ask_columns(uow: UnitOfWork, organizer: Organizer, ref: str, form: ColumnsForm) -> Page:
    """The columns of the file with what each means, to be assigned by hand."""
    row = file_imports.find_import(uow, organizer, ref)
    if not form.is_submitted():
        form.process(data={name: row.said[name] for name in ("from_zero", "no_heading")})
    return Page("bank/columns.html", form=form, row=row, columns=_columns_of(row), choices=[
        (name, "" if name == LEFT_OUT else say_columns(uow.texts, name))
        for name in file_imports.column_names()
    ])  # fmt: skip


def _columns_of(row: QuestionImport) -> list[dict[str, str]]:
    return list((row.report or {}).get("columns", []))


@page(PAGES, "POST", "/questions/imports/<ref>/columns", needs=_P.QUESTION_WRITE, form=ColumnsForm)
def assign_columns(uow: UnitOfWork, organizer: Organizer, ref: str, form: ColumnsForm) -> Redirect:
    """Assign columns and check the file again."""
    known = set(file_imports.column_names())
    pairs = pair_columns(form.key.data or [], form.meaning.data or [])
    file_imports.say_columns_of(
        uow, organizer, ref, {key: one for key, one in pairs.items() if one in known},
        from_zero=bool(form.from_zero.data), no_heading=bool(form.no_heading.data),
    )  # fmt: skip
    return Redirect(f"/questions/imports/{ref}")


@page(PAGES, "POST", "/questions/imports/<ref>/all", needs=_P.QUESTION_WRITE)
def store_all(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Store the file's questions, when none was refused."""
    file_imports.confirm_import(uow, organizer, ref, good_only=False)
    return Redirect(f"/questions/imports/{ref}")


@page(PAGES, "POST", "/questions/imports/<ref>/good", needs=_P.QUESTION_WRITE)
def store_good(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Store the file's good questions and leave the refused rows out."""
    file_imports.confirm_import(uow, organizer, ref, good_only=True)
    return Redirect(f"/questions/imports/{ref}")


@page(PAGES, "POST", "/questions/imports/<ref>/drop", needs=_P.QUESTION_WRITE)
def drop_import(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Give the import up."""
    file_imports.drop_import(uow, organizer, ref)
    return Redirect("/questions/import", said="quiz.bank_import.dropped")


@page(PAGES, "POST", "/questions/imports/<ref>/send", needs=_P.QUESTION_WRITE)
def send_import(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Send all drafts of an import to review."""
    file_imports.find_import(uow, organizer, ref)
    done = lifecycle.send_many(uow, organizer, batch=ref)
    facts = {"count": done.changed}
    return Redirect(f"/questions/imports/{ref}", said="quiz.bank.sent_many", facts=facts)


@page(PAGES, "POST", "/questions/imports/<ref>/approve", needs=_P.QUESTION_APPROVE)
def approve_import(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Publish all questions of an import that wait for review."""
    file_imports.find_import(uow, organizer, ref)
    done = lifecycle.approve_many(uow, organizer, batch=ref)
    facts = {"count": done.changed, "own": done.own}
    said = "quiz.bank.approved_many_own" if done.own else "quiz.bank.approved_many"
    return Redirect(f"/questions/imports/{ref}", said=said, facts=facts)
