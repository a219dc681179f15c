"""Pages for importing files of questions: upload, result of the check, review of an import."""

from __future__ import annotations

from wtforms.fields import SelectChoice

from server.base.access import Organizer, Permission
from server.base.ownership import scope_of
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Redirect, page
from server.console.sheets.headings import LEFT_OUT
from server.console.upload_pages import (
    ExampleFile,
    UploadPages,
    declare_upload_pages,
    describe_file,
    read_given_file,
)
from server.quiz.bank import lifecycle, named_banks, questions
from server.quiz.bank.console import PAGES
from server.quiz.bank.file_imports import QUESTION_FILES, column_names
from server.quiz.bank.files.wording import say_columns
from server.quiz.bank.forms import QuestionColumnsForm, UploadForm
from server.quiz.bank.named_banks import own_bank
from server.quiz.enums import QuestionStage

__all__ = ["PAGES"]

_P = Permission
_EXAMPLE_COLUMNS = (
    "kind", "stem", "option_a", "option_b", "option_c", "option_d", "answer", "explanation",
    "benchmark_no", "difficulty", "source",
)  # fmt: skip


def _name_columns(texts: Texts) -> list[tuple[str, str]]:
    return [(name, say_columns(texts, name)) for name in column_names() if name != LEFT_OUT]


UPLOADS = UploadPages(
    upload=QUESTION_FILES,
    path="/questions",
    title="quiz.bank.title",
    import_title="quiz.bank.import",
    dropped="quiz.bank_import.dropped",
    needs=_P.QUESTION_WRITE,
    name_columns=_name_columns,
    example=ExampleFile(
        title="quiz.bank_example.title",
        columns=[f"quiz.question_column.{name}" for name in _EXAMPLE_COLUMNS],
        rows="quiz.bank_example.rows",
        notes="quiz.bank_example.notes",
    ),
    columns_form=QuestionColumnsForm,
)


@page(PAGES, "GET", "/questions/import", needs=_P.QUESTION_WRITE, form=UploadForm)
def ask_file(uow: UnitOfWork, organizer: Organizer, form: UploadForm) -> Page:
    """Ask for a file or a pasted text; list the last imports."""
    files = QUESTION_FILES.list_files(uow, organizer)
    new = SelectChoice(named_banks.NEW, uow.texts.fill_text("quiz.bank_form.bank_new"))
    own = [SelectChoice(*one) for one in named_banks.list_own_banks(uow, organizer)]
    form.bank.choices = [*own, new]
    return Page("bank/import.html", declared=UPLOADS, form=form, files=files)


@page(PAGES, "POST", "/questions/import", needs=_P.QUESTION_WRITE, form=UploadForm)
def upload_file(uow: UnitOfWork, organizer: Organizer, form: UploadForm) -> Redirect:
    """Keep the file for the check."""
    name, content = _read_upload(uow.texts, form)
    chosen = form.bank.data or own_bank(organizer.scope).slug
    bank = named_banks.choose_bank(uow, organizer, chosen, (form.new_bank.data or "").strip())
    ref = QUESTION_FILES.keep_file(
        uow, organizer, name, content, bank=bank.slug, bank_title=bank.title,
        from_zero=bool(form.from_zero.data), no_heading=bool(form.no_heading.data),
    )  # fmt: skip
    return Redirect(f"/questions/imports/{ref}")


def _read_upload(texts: Texts, form: UploadForm) -> tuple[str, bytes]:
    pasted = (form.pasted.data or "").strip()
    if pasted and not form.file.data:
        return texts.fill_text("quiz.bank_import.pasted_name"), pasted.encode()
    return read_given_file(form.file, "quiz.bank_form.file_missing")


@page(PAGES, "GET", "/questions/imports/<ref>", needs=_P.QUESTION_READ)
def show_import(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show an import: its progress, the result of its check, the next steps."""
    row = QUESTION_FILES.find_file(uow, organizer, ref)
    stages = questions.count_stages(uow, organizer, ref)
    shown = describe_file(uow, organizer, UPLOADS, row)
    bank = row.said.get("bank") or own_bank(scope_of(row)).slug
    return Page(
        "bank/imported.html",
        **shown,
        good=shown["report"]["added"] + shown["report"]["changed"],
        drafts=stages.get(QuestionStage.DRAFT, 0),
        waiting=stages.get(QuestionStage.REVIEW, 0),
        live=stages.get(QuestionStage.LIVE, 0),
        may_write=organizer.has_permission(_P.QUESTION_WRITE),
        may_approve=organizer.has_permission(_P.QUESTION_APPROVE),
        own=row.writer_id == organizer.id,
        bank=bank,
        bank_name=row.said.get("bank_title") or named_banks.name_bank(uow, organizer, bank),
        may_open=organizer.has_permission(_P.CONTEST_WRITE),
    )


declare_upload_pages(PAGES, UPLOADS)


@page(PAGES, "POST", "/questions/imports/<ref>/send", needs=_P.QUESTION_WRITE)
def send_import(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Send all drafts of an import to review."""
    QUESTION_FILES.find_file(uow, organizer, ref)
    done = lifecycle.send_many(uow, organizer, batch=ref)
    facts = {"count": done.changed}
    return Redirect(f"/questions/imports/{ref}", said="quiz.bank.sent_many", facts=facts)


@page(PAGES, "POST", "/questions/imports/<ref>/approve", needs=_P.QUESTION_APPROVE)
def approve_import(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Publish all questions of an import that wait for review."""
    QUESTION_FILES.find_file(uow, organizer, ref)
    done = lifecycle.approve_many(uow, organizer, batch=ref)
    facts = {"count": done.changed, "own": done.own}
    said = "quiz.bank.approved_many_own" if done.own else "quiz.bank.approved_many"
    return Redirect(f"/questions/imports/{ref}", said=said, facts=facts)
