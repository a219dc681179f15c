"""The fraud desk: flags with their evidence, hold, decision."""

from __future__ import annotations

from pathlib import Path

from wtforms import RadioField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Redirect, Section, page
from server.console.forms import ConsoleForm, reason_field
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.console.tables import Column, ColumnKind, Filter, Table
from server.quiz.enums import CaseState, Signal
from server.quiz.integrity import desk
from server.quiz.integrity import service as integrity
from server.quiz.integrity.desk import FlagQuery
from server.quiz.models import IntegrityFlag

PAGES = Pages("integrity", Path(__file__).with_name("pages"))
_STATES = ("open", "cleared", "held", "appealed", "upheld")

FLAGS = Table(
    name="quiz.flags",
    path="/integrity",
    title="quiz.integrity.title",
    empty="quiz.integrity.empty",
    query=FlagQuery,
    select=desk.select_flags,
    key=IntegrityFlag.id,
    prepare=desk.describe_flags,
    persons=True,
    columns=(
        Column(
            name="name", title="quiz.integrity.name", value=lambda row: row.name,
            address=lambda row: f"/console/integrity/{row.ref}",
        ),
        Column(
            name="signal", title="quiz.integrity.signal", value=lambda row: row.signal.value,
            words="quiz.signal",
        ),
        Column(
            name="state", title="quiz.integrity.state", value=lambda row: row.state,
            words="quiz.hold_state",
            badge=lambda row: {"open": "plain", "upheld": "bad"}.get(row.state, "mind"),
        ),
        Column(name="contest", title="quiz.integrity.contest", value=lambda row: row.contest),
        Column(name="place", title="quiz.integrity.place", value=lambda row: row.place),
        Column(
            name="found", title="quiz.integrity.found", kind=ColumnKind.DATE,
            value=lambda row: row.found_at, sort=IntegrityFlag.found_at,
        ),
    ),
    filters=(
        Filter(
            name="signal", title="quiz.integrity.signal",
            choices=[(one.value, f"quiz.signal.{one.value}") for one in Signal],
        ),
        Filter(
            name="state", title="quiz.integrity.state",
            choices=[(one, f"quiz.hold_state.{one}") for one in _STATES],
        ),
    ),
    sort="-found",
)  # fmt: skip


class HoldForm(ConsoleForm):
    """Form for a hold: the reason, which the citizen reads."""

    reason = reason_field("quiz.integrity.hold_reason", "quiz.integrity.reason_hint", public=True)


class ClearForm(ConsoleForm):
    """Form for clearing a flag: the reason, for organizers alone."""

    reason = reason_field("quiz.integrity.clear_reason", "quiz.integrity.clear_hint")


class DecisionForm(ConsoleForm):
    """Form for the decision about a hold, with the reason, which the citizen reads."""

    decision = RadioField(
        "quiz.integrity.decision",
        choices=[SelectChoice("uphold"), SelectChoice("release")],
        validators=[InputRequired("quiz.integrity.decision_missing")],
    )
    reason = reason_field(
        "quiz.integrity.decision_reason", "quiz.integrity.decision_hint", public=True
    )


@page(
    PAGES,
    "GET",
    "/integrity",
    needs=Permission.HOLD_READ,
    query=FlagQuery,
    menu="quiz.integrity.title",
    section=Section.CONTENT,
)
def list_flags(uow: UnitOfWork, organizer: Organizer, query: FlagQuery) -> Page:
    """The flags of people of the organizer's place."""
    return Page("integrity/flags.html", shown=read_table(uow, organizer, FLAGS, query))


declare_list_pages(PAGES, FLAGS, needs=Permission.HOLD_READ)


@page(PAGES, "GET", "/integrity/<ref>", needs=Permission.HOLD_READ)
def show_flagged(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show one flagged entry with its evidence and its hold."""
    found = desk.read_flagged(uow, organizer, ref)
    undecided = found.case is not None and found.case.state in (CaseState.HELD, CaseState.APPEALED)
    free = found.case is None or found.case.state is CaseState.RELEASED
    return Page(
        "integrity/flagged.html",
        found=found,
        may_clear=found.line.state == "open" and organizer.has_permission(Permission.HOLD_WRITE),
        may_hold=free and organizer.has_permission(Permission.HOLD_WRITE),
        may_decide=undecided and organizer.has_permission(Permission.HOLD_APPROVE),
    )


@page(PAGES, "GET", "/integrity/<ref>/hold", needs=Permission.HOLD_WRITE, form=HoldForm)
def ask_hold(uow: UnitOfWork, organizer: Organizer, ref: str, form: HoldForm) -> Page:
    """Ask why the results are held."""
    found = desk.read_flagged(uow, organizer, ref)
    return Page("integrity/hold.html", found=found, form=form)


@page(PAGES, "POST", "/integrity/<ref>/hold", needs=Permission.HOLD_WRITE, form=HoldForm)
def hold_results(uow: UnitOfWork, organizer: Organizer, ref: str, form: HoldForm) -> Redirect:
    """Hold the results: they leave every board at once."""
    integrity.hold_results(uow, organizer, ref, form.reason.data)
    return Redirect(f"/integrity/{ref}", said="quiz.integrity.held")


@page(PAGES, "GET", "/integrity/<ref>/clear", needs=Permission.HOLD_WRITE, form=ClearForm)
def ask_clearing(uow: UnitOfWork, organizer: Organizer, ref: str, form: ClearForm) -> Page:
    """Ask why no fault was found."""
    found = desk.read_flagged(uow, organizer, ref)
    return Page("integrity/clear.html", found=found, form=form)


@page(PAGES, "POST", "/integrity/<ref>/clear", needs=Permission.HOLD_WRITE, form=ClearForm)
def clear_flags(uow: UnitOfWork, organizer: Organizer, ref: str, form: ClearForm) -> Redirect:
    """Note that no fault was found."""
    integrity.clear_flags(uow, organizer, ref, form.reason.data)
    return Redirect("/integrity?state=open", said="quiz.integrity.cleared")


@page(PAGES, "GET", "/integrity/<ref>/decision", needs=Permission.HOLD_APPROVE, form=DecisionForm)
def ask_decision(uow: UnitOfWork, organizer: Organizer, ref: str, form: DecisionForm) -> Page:
    """Ask for the decision about a hold."""
    found = desk.read_flagged(uow, organizer, ref)
    words = ("quiz.integrity.uphold", "quiz.integrity.release")
    form.decision.choices = [
        SelectChoice(value, uow.texts.fill_text(key))
        for value, key in zip(("uphold", "release"), words, strict=True)
    ]
    return Page("integrity/decision.html", found=found, form=form)


@page(PAGES, "POST", "/integrity/<ref>/decision", needs=Permission.HOLD_APPROVE, form=DecisionForm)
def decide_hold(uow: UnitOfWork, organizer: Organizer, ref: str, form: DecisionForm) -> Redirect:
    """Uphold the hold, or release the results."""
    release = form.decision.data == "release"
    integrity.decide_flagged(uow, organizer, ref, release=release, reason=form.reason.data)
    return Redirect(f"/integrity/{ref}", said="quiz.integrity.decided")
