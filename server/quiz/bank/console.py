"""Pages of the question bank: the list, one question, its stages and its versions."""

from __future__ import annotations

from pathlib import Path

from wtforms.fields import SelectChoice

from server.base.access import Organizer, Permission
from server.base.errors import NotFound
from server.base.kept_pictures import MadePicture
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
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.console.picture_fields import read_picture
from server.quiz.bank import lifecycle, named_banks, pictures, questions
from server.quiz.bank.files.reasons import RowRefused
from server.quiz.bank.forms import (
    PickForm,
    QuestionForm,
    RemarkForm,
    fill_form,
    label_choices,
    place_reason,
    read_form,
)
from server.quiz.bank.tables import QUESTIONS, QuestionQuery
from server.quiz.enums import QuestionStage

PAGES = Pages("bank", Path(__file__).with_name("pages"))
_P = Permission


class VersionsQuery(Query, frozen=True, kw_only=True):
    """The numbers of two versions; by default the newest and the one before."""

    left: int | None = None
    right: int | None = None


@page(
    PAGES, "GET", "/questions", needs=_P.QUESTION_READ, query=QuestionQuery,
    menu="quiz.bank.title", section=Section.CONTENT,
)  # fmt: skip
def list_questions(uow: UnitOfWork, organizer: Organizer, query: QuestionQuery) -> Page:
    """The bank of the organizer's place, and the live questions above it."""
    approves = organizer.has_permission(_P.QUESTION_APPROVE)
    return Page(
        "bank/questions.html",
        list=read_table(uow, organizer, QUESTIONS, query),
        waiting=questions.count_waiting(uow, organizer) if approves else 0,
        batches=questions.list_waiting_batches(uow, organizer) if approves else [],
        shows_waiting=query.stage is QuestionStage.REVIEW,
        may_write=organizer.has_permission(_P.QUESTION_WRITE),
        may_approve=approves,
    )


@page(PAGES, "GET", "/questions/new", needs=_P.QUESTION_WRITE, form=QuestionForm)
def ask_new_question(uow: UnitOfWork, organizer: Organizer, form: QuestionForm) -> Page:
    """Show an empty form for a question."""
    banks = named_banks.list_writable_banks(uow, organizer)
    form.bank.choices = [SelectChoice(*one) for one in banks]
    label_choices(uow.texts, form)
    return Page("bank/edit.html", form=form, view=None, action="/console/questions/new")


def convert_upload(
    _preflight: PagePreflight,
    form: QuestionForm,
    ref: str | None = None,  # noqa: ARG001 - required, as a part of the path
) -> MadePicture | None:
    """Convert the picture of a form before the transaction; None without one."""
    return read_picture(form.picture, pictures.convert_picture)


@page(
    PAGES, "POST", "/questions/new", needs=_P.QUESTION_WRITE, form=QuestionForm,
    ask=convert_upload,
)  # fmt: skip
def write_new_question(
    uow: UnitOfWork, organizer: Organizer, form: QuestionForm, asked: MadePicture | None
) -> Redirect:
    """Store a new question as a draft."""
    ref = _write_question(uow, organizer, form, asked, None)
    return Redirect(f"/questions/{ref}", said="quiz.bank.kept")


def _write_question(
    uow: UnitOfWork,
    organizer: Organizer,
    form: QuestionForm,
    made: MadePicture | None,
    ref: str | None,
) -> str:
    audience = picture = None
    if ref is not None:
        row = questions.read_versions(uow, organizer, ref)[0].row
        audience, picture = row.audience, row.picture
    if made is not None:
        picture = pictures.keep_picture(uow, made)
    elif form.picture_gone.data:
        picture = None
    try:
        draft = read_form(form, audience, picture)
    except RowRefused as refusal:
        raise FieldRefused(*place_reason(refusal)) from None
    bank = form.bank.data if ref is None else None
    if bank:
        named_banks.check_writable(uow, organizer, bank)
    return lifecycle.write_question(uow, organizer, draft, ref, bank or "")


@page(PAGES, "GET", "/questions/<ref>", needs=_P.QUESTION_READ)
def show_question(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show one question as a citizen sees it, its stage, its versions and the possible actions."""
    versions = questions.read_versions(uow, organizer, ref)
    newest = versions[0]
    writes = newest.writable and organizer.has_permission(_P.QUESTION_WRITE)
    decides = newest.writable and organizer.has_permission(_P.QUESTION_APPROVE)
    in_review = newest.stage is QuestionStage.REVIEW
    return Page(
        "bank/question.html",
        view=newest,
        versions=versions,
        may_edit=writes and not in_review,
        may_send=writes and newest.stage is QuestionStage.DRAFT,
        may_decide=decides and in_review and not newest.own,
        own_in_review=decides and in_review and newest.own,
        may_retire=writes and newest.stage in (QuestionStage.DRAFT, QuestionStage.LIVE),
    )


@page(PAGES, "GET", "/questions/<ref>/versions", needs=_P.QUESTION_READ, query=VersionsQuery)
def compare_versions(uow: UnitOfWork, organizer: Organizer, ref: str, query: VersionsQuery) -> Page:
    """Two versions of a question side by side."""
    versions = questions.read_versions(uow, organizer, ref)
    by_number = {one.row.version: one for one in versions}
    right = by_number.get(query.right or versions[0].row.version)
    left = by_number.get(query.left or versions[min(1, len(versions) - 1)].row.version)
    if left is None or right is None:
        raise NotFound
    return Page(
        "bank/versions.html",
        ref=ref, left=left, right=right, versions=versions,
        differences=questions.compare_versions(uow.texts, left, right),
    )  # fmt: skip


@page(PAGES, "GET", "/questions/<ref>/edit", needs=_P.QUESTION_WRITE, form=QuestionForm)
def ask_changes(uow: UnitOfWork, organizer: Organizer, ref: str, form: QuestionForm) -> Page:
    """Show the form with the newest version of a question."""
    row = lifecycle.read_latest(uow, organizer, ref)
    view = questions.read_versions(uow, organizer, ref)[0]
    if not form.is_submitted():
        fill_form(form, view)
    label_choices(uow.texts, form)
    return Page("bank/edit.html", form=form, view=view, action=f"/console/questions/{row.ref}/edit")


@page(
    PAGES, "POST", "/questions/<ref>/edit", needs=_P.QUESTION_WRITE, form=QuestionForm,
    ask=convert_upload,
)  # fmt: skip
def change_question(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: QuestionForm, asked: MadePicture | None
) -> Redirect:
    """Store the changed question as a draft."""
    _write_question(uow, organizer, form, asked, ref)
    return Redirect(f"/questions/{ref}", said="quiz.bank.kept")


@page(PAGES, "POST", "/questions/<ref>/send", needs=_P.QUESTION_WRITE)
def send_question(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Send a draft to review."""
    lifecycle.send_question(uow, organizer, ref)
    return Redirect(f"/questions/{ref}", said="quiz.bank.sent")


@page(PAGES, "POST", "/questions/<ref>/approve", needs=_P.QUESTION_APPROVE)
def approve_question(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Publish a question of somebody else that waits for review."""
    lifecycle.approve_question(uow, organizer, ref)
    return Redirect(f"/questions/{ref}", said="quiz.bank.approved")


@page(PAGES, "GET", "/questions/<ref>/return", needs=_P.QUESTION_APPROVE, form=RemarkForm)
def ask_remark(uow: UnitOfWork, organizer: Organizer, ref: str, form: RemarkForm) -> Page:
    """Ask for the remark with which a question is returned."""
    lifecycle.read_latest(uow, organizer, ref)
    return Page(
        "bank/remark.html", form=form, ref=ref, title="quiz.bank.return",
        about="quiz.bank.return_about", action=f"/console/questions/{ref}/return",
    )  # fmt: skip


@page(PAGES, "POST", "/questions/<ref>/return", needs=_P.QUESTION_APPROVE, form=RemarkForm)
def return_question(uow: UnitOfWork, organizer: Organizer, ref: str, form: RemarkForm) -> Redirect:
    """Return a question to its author."""
    lifecycle.return_question(uow, organizer, ref, form.remark.data)
    return Redirect(f"/questions/{ref}", said="quiz.bank.returned")


@page(PAGES, "GET", "/questions/<ref>/retire", needs=_P.QUESTION_WRITE, form=RemarkForm)
def ask_reason(uow: UnitOfWork, organizer: Organizer, ref: str, form: RemarkForm) -> Page:
    """Ask for the reason for which a question is retired."""
    lifecycle.read_latest(uow, organizer, ref)
    return Page(
        "bank/remark.html", form=form, ref=ref, title="quiz.bank.retire",
        about="quiz.bank.retire_about", action=f"/console/questions/{ref}/retire",
    )  # fmt: skip


@page(PAGES, "POST", "/questions/<ref>/retire", needs=_P.QUESTION_WRITE, form=RemarkForm)
def retire_question(uow: UnitOfWork, organizer: Organizer, ref: str, form: RemarkForm) -> Redirect:
    """Retire a live question, or discard a draft."""
    lifecycle.retire_question(uow, organizer, ref, form.remark.data)
    return Redirect(f"/questions/{ref}", said="quiz.bank.retired")


@page(PAGES, "GET", "/questions/picked/send", needs=_P.QUESTION_WRITE, form=PickForm)
def show_picked_drafts(uow: UnitOfWork, organizer: Organizer, form: PickForm) -> Page:  # noqa: ARG001 - the page reads no rows
    """Explain how questions are picked."""
    return Page("bank/picked.html", form=form)


@page(PAGES, "POST", "/questions/picked/send", needs=_P.QUESTION_WRITE, form=PickForm)
def send_picked(uow: UnitOfWork, organizer: Organizer, form: PickForm) -> Redirect:
    """Send the drafts among the picked questions to review."""
    done = lifecycle.send_many(uow, organizer, refs=form.picked.data or [])
    return Redirect("/questions", said="quiz.bank.sent_many", facts={"count": done.changed})


@page(PAGES, "GET", "/questions/picked/approve", needs=_P.QUESTION_APPROVE, form=PickForm)
def show_picked_waiting(uow: UnitOfWork, organizer: Organizer, form: PickForm) -> Page:  # noqa: ARG001 - the page reads no rows
    """Explain how questions are picked."""
    return Page("bank/picked.html", form=form)


@page(PAGES, "POST", "/questions/picked/approve", needs=_P.QUESTION_APPROVE, form=PickForm)
def approve_picked(uow: UnitOfWork, organizer: Organizer, form: PickForm) -> Redirect:
    """Publish those of the picked questions that wait for review."""
    done = lifecycle.approve_many(uow, organizer, refs=form.picked.data or [])
    facts = {"count": done.changed, "own": done.own}
    said = "quiz.bank.approved_many_own" if done.own else "quiz.bank.approved_many"
    return Redirect("/questions?stage=review", said=said, facts=facts)


declare_list_pages(PAGES, QUESTIONS, needs=_P.QUESTION_READ)
