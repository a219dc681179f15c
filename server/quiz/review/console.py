"""The review desk: doubtful and reported questions, answers, voids."""

from __future__ import annotations

from pathlib import Path

from wtforms.fields import SelectChoice

from server.base.access import Organizer, Permission
from server.base.clock import beijing_midnight, say_instant
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused, Page, Pages, Redirect, Section, page
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.console.tables import Column, ColumnKind, Filter, FilterKind, Table
from server.quiz.enums import DoubtSign, ReportDecision
from server.quiz.models import Question
from server.quiz.review import answering, desk, voiding
from server.quiz.review.desk import DeskLine, DeskQuery
from server.quiz.review.forms import (
    LiftForm,
    ReportAnswerForm,
    VoidDecisionForm,
    VoidForm,
    label_choices,
)

PAGES = Pages("review", Path(__file__).with_name("pages"))
_P = Permission
_WHY = (*(one.value for one in DoubtSign), "many_reports", "reported", "proposed")


def _say_why(texts: Texts, line: DeskLine) -> str:
    return "、".join(texts.fill_text(f"quiz.doubt.{one}") for one in line.why)


def _say_facility(_texts: Texts, line: DeskLine) -> str:
    return "" if line.facility is None else f"{100 * line.facility:.1f}%"


def _say_discrimination(_texts: Texts, line: DeskLine) -> str:
    return "" if line.discrimination is None else f"{line.discrimination:.2f}"


DESK = Table(
    name="quiz.review",
    path="/review",
    title="quiz.review.title",
    empty="quiz.review.empty",
    query=DeskQuery,
    select=desk.select_desk,
    key=Question.id,
    prepare=desk.describe_lines,
    sort="-why",
    columns=(
        Column(
            name="question", title="quiz.question_column.ref", value=lambda line: line.ref,
            address=lambda line: f"/console/review/{line.ref}/{line.version}", sort=Question.ref,
        ),
        Column(
            name="version", title="quiz.bank.version", value=lambda line: line.version,
            kind=ColumnKind.NUMBER, shown=False,
        ),
        Column(
            name="stem", title="quiz.question_column.stem", value=lambda line: line.stem,
            kind=ColumnKind.LONG,
        ),
        Column(
            name="why", title="quiz.review.why", value=lambda line: line.why, say=_say_why,
            kind=ColumnKind.LONG, sort=desk.weigh_question(),
        ),
        Column(
            name="reports", title="quiz.review.reports", value=lambda line: line.reports,
            kind=ColumnKind.NUMBER, sort=desk.open_reports(),
        ),
        Column(
            name="dealt", title="quiz.review.dealt", value=lambda line: line.dealt,
            kind=ColumnKind.NUMBER,
        ),
        Column(
            name="facility", title="quiz.review.facility",
            value=lambda line: line.facility, say=_say_facility, kind=ColumnKind.NUMBER,
        ),
        Column(
            name="discrimination", title="quiz.review.discrimination",
            value=lambda line: line.discrimination, say=_say_discrimination,
            kind=ColumnKind.NUMBER,
        ),
        Column(
            name="since", title="quiz.review.first_report", value=lambda line: line.since,
            kind=ColumnKind.DATE, shown=False,
        ),
    ),
    filters=(
        Filter(name="words", title="quiz.bank.search", kind=FilterKind.SEARCH,
               hint="quiz.review.search_hint"),
        Filter(
            name="why", title="quiz.review.why",
            choices=[(one, f"quiz.doubt.{one}") for one in _WHY],
        ),
    ),
)  # fmt: skip


@page(
    PAGES, "GET", "/review", needs=_P.REPORT_READ, query=DeskQuery,
    menu="quiz.review.title", section=Section.CONTENT,
)  # fmt: skip
def list_desk(uow: UnitOfWork, organizer: Organizer, query: DeskQuery) -> Page:
    """The questions that wait for a decision."""
    return Page("review/desk.html", shown=read_table(uow, organizer, DESK, query))


declare_list_pages(PAGES, DESK, needs=_P.REPORT_READ)


@page(PAGES, "GET", "/review/<ref>/<number>", needs=_P.REPORT_READ)
def show_reviewed(uow: UnitOfWork, organizer: Organizer, ref: str, number: str) -> Page:
    """Show one question version with its statistics, reports, voids and history."""
    found = desk.read_reviewed(uow, organizer, ref, number)
    own = found.view.own
    return Page(
        "review/question.html",
        found=found,
        may_answer=found.waits
        and found.view.writable
        and organizer.has_permission(_P.REPORT_WRITE),
        may_void=organizer.has_permission(_P.VOID_WRITE),
        may_decide=organizer.has_permission(_P.VOID_APPROVE) and not own,
        own=own,
        moment=say_instant,
    )


@page(PAGES, "GET", "/review/<ref>/<number>/answer", needs=_P.REPORT_WRITE, form=ReportAnswerForm)
def ask_answer(
    uow: UnitOfWork, organizer: Organizer, ref: str, number: str, form: ReportAnswerForm
) -> Page:
    """Ask for the decision about the reports, and for the answer to the citizens."""
    question = voiding.find_own_version(uow, organizer, ref, number)
    label_choices(
        uow.texts, form.decision, "quiz.review.decide_no_fault", "quiz.review.decide_mended"
    )
    return Page("review/answer.html", form=form, question=question)


@page(PAGES, "POST", "/review/<ref>/<number>/answer", needs=_P.REPORT_WRITE, form=ReportAnswerForm)
def answer_question(
    uow: UnitOfWork, organizer: Organizer, ref: str, number: str, form: ReportAnswerForm
) -> Redirect:
    """Answer the reports; a question that is to be mended is opened in the bank's form."""
    question = voiding.find_own_version(uow, organizer, ref, number)
    decision = ReportDecision(form.decision.data)
    answering.answer_reports(uow, organizer, question, decision, form.answer.data)
    if decision is ReportDecision.MENDED and organizer.has_permission(_P.QUESTION_WRITE):
        return Redirect(f"/questions/{ref}/edit", said="quiz.review.mend_now")
    said = "quiz.review.answered" if decision is ReportDecision.NO_FAULT else "quiz.review.to_mend"
    return Redirect(f"/review/{ref}/{number}", said=said)


@page(PAGES, "GET", "/review/<ref>/<number>/void", needs=_P.VOID_WRITE, form=VoidForm)
def ask_void(uow: UnitOfWork, organizer: Organizer, ref: str, number: str, form: VoidForm) -> Page:
    """Ask for which contests a version is void."""
    view = desk.find_view(uow, organizer, ref, number)
    form.contests.choices = [
        SelectChoice(contest.ref, contest.title)
        for contest in voiding.contests_with(uow, organizer, view.row)
    ]
    return Page("review/void.html", form=form, question=view.row)


@page(PAGES, "POST", "/review/<ref>/<number>/void", needs=_P.VOID_WRITE, form=VoidForm)
def propose_void(
    uow: UnitOfWork, organizer: Organizer, ref: str, number: str, form: VoidForm
) -> Redirect:
    """Propose a void; an approver decides."""
    view = desk.find_view(uow, organizer, ref, number)
    day = form.since.data
    since = None if day is None else beijing_midnight(day)
    chosen = form.contests.data or []
    if not chosen:
        raise FieldRefused("contests", "quiz.error.no_contest_chosen")
    voiding.propose_void(uow, organizer, view.row, chosen, since, form.reason.data)
    return Redirect(f"/review/{ref}/{number}", said="quiz.review.proposed")


@page(
    PAGES, "GET", "/review/voids/<ref>/decision", needs=_P.VOID_APPROVE, form=VoidDecisionForm
)  # fmt: skip
def ask_void_decision(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: VoidDecisionForm
) -> Page:
    """Ask for the decision about a proposed void."""
    row, question, title = voiding.describe_void(uow, organizer, ref)
    label_choices(uow.texts, form.decision, "quiz.review.approve_void", "quiz.review.refuse_void")
    return Page("review/decision.html", form=form, void=row, question=question, contest=title)


@page(
    PAGES, "POST", "/review/voids/<ref>/decision", needs=_P.VOID_APPROVE, form=VoidDecisionForm
)  # fmt: skip
def decide_void(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: VoidDecisionForm
) -> Redirect:
    """Approve the void and rescore, or refuse it."""
    _, question, _ = voiding.describe_void(uow, organizer, ref)
    reason = form.reason.data
    if form.decision.data == "approve":
        job = voiding.approve_void(uow, organizer, ref, reason)
        return Redirect(f"/jobs/{job}", said="quiz.review.voided")
    voiding.refuse_void(uow, organizer, ref, reason)
    return Redirect(f"/review/{question.ref}/{question.version}", said="quiz.review.void_refused")


@page(PAGES, "GET", "/review/voids/<ref>/lift", needs=_P.VOID_APPROVE, form=LiftForm)
def ask_lift(uow: UnitOfWork, organizer: Organizer, ref: str, form: LiftForm) -> Page:
    """Ask why a void is lifted."""
    row, question, title = voiding.describe_void(uow, organizer, ref)
    return Page("review/lift.html", form=form, void=row, question=question, contest=title)


@page(PAGES, "POST", "/review/voids/<ref>/lift", needs=_P.VOID_APPROVE, form=LiftForm)
def lift_void(uow: UnitOfWork, organizer: Organizer, ref: str, form: LiftForm) -> Redirect:
    """Lift a void and rescore."""
    job = voiding.lift_void(uow, organizer, ref, form.reason.data)
    return Redirect(f"/jobs/{job}", said="quiz.review.lifted")
