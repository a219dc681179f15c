"""The contest pages of the console: list, draft, page, change, publish, pause, close."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from werkzeug.datastructures import MultiDict

from server.base.access import Organizer, Permission
from server.base.clock import beijing_day
from server.base.errors import NotFound
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused, Page, Pages, Redirect, Section, page
from server.base.web.schema import Query
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.programme import service as programmes
from server.quiz.bank import named_banks
from server.quiz.contests import drafts, editing
from server.quiz.contests.blueprint import BlueprintLine
from server.quiz.contests.contest_list import CONTESTS, ContestQuery
from server.quiz.contests.editing import ContestDraft, EditableContest
from server.quiz.contests.forms import (
    ChangeForm,
    ContestForm,
    ReasonForm,
    fill_contest,
    fill_rules,
    fill_window,
    read_plan,
)
from server.quiz.contests.presets import list_presets, preset_body
from server.quiz.contests.rule_form import has_detailed_parts
from server.quiz.contests.rules_page import say_each_rule, say_end, say_minute
from server.quiz.contests.service import ContestView
from server.quiz.enums import Season, Timer
from server.quiz.errors import NoSuchPreset
from server.quiz.rule_check import RuleSetRefused, read_rule_set

PAGES = Pages("contests", Path(__file__).with_name("pages"))
_PRESET, _COPY = "preset:", "copy:"


class NewQuery(Query, frozen=True, kw_only=True):
    """The source of a new contest, `preset:<slug>` or `copy:<public id>`, and its bank."""

    base: str = f"{_PRESET}default"
    bank: str = ""


class PreviewQuery(Query, frozen=True, kw_only=True):
    """The fields of the form while it is filled in, as text."""

    base: str = ""
    form_key: str = ""
    title: str = ""
    programme: str = ""
    bank: str = ""
    opens_at: str = ""
    closes_at: str = ""
    papers_per_day: str = ""
    papers_total: str = ""
    single: str = ""
    multiple: str = ""
    judge: str = ""
    any_kind: str = ""
    cover_topics: str | None = None
    points_per_question: str = ""
    timer: str = ""
    paper_seconds: str = ""
    seconds_per_question: str = ""
    season: str = ""
    divisions: str = ""
    warm_up_questions: str = ""
    reason: str = ""


@page(
    PAGES,
    "GET",
    "/contests",
    needs=Permission.CONTEST_READ,
    query=ContestQuery,
    menu="quiz.contest.menu",
    section=Section.CONTENT,
)
def list_contests(uow: UnitOfWork, organizer: Organizer, query: ContestQuery) -> Page:
    """The contests of the organizer's place and below, and published ones of higher places."""
    return Page(
        "contests/list.html",
        shown=read_table(uow, organizer, CONTESTS, query),
        presets=list_presets(),
        may_write=organizer.has_permission(Permission.CONTEST_WRITE),
    )


@page(
    PAGES,
    "GET",
    "/contests/new",
    needs=Permission.CONTEST_WRITE,
    form=ContestForm,
    query=NewQuery,
)
def show_draft_form(
    uow: UnitOfWork, organizer: Organizer, form: ContestForm, query: NewQuery
) -> Page:
    """Show a form filled from a preset or from another contest."""
    if not form.is_submitted():
        form.base.data = query.base
        form.form_key.data = uow.new_ref("frm")
        body = _base_body(uow, organizer, query.base)
        fill_rules(form, body)
        fill_window(form, beijing_day(uow.now))
        form.title.data, form.bank.data = str(body.get("title", "")), query.bank or None
        if query.base.startswith(_COPY):
            source = editing.show_contest(uow, organizer, query.base.removeprefix(_COPY))
            form.title.data, form.bank.data = source.view.title, source.view.bank
            form.programme.data = source.view.programme_slug or ""
    _offer_choices(uow, organizer, form)
    return Page("contests/form.html", form=form, contest=None, detailed=False)


@page(
    PAGES,
    "POST",
    "/contests/new",
    needs=Permission.CONTEST_WRITE,
    form=ContestForm,
    query=NewQuery,
)
def draft_contest(
    uow: UnitOfWork, organizer: Organizer, form: ContestForm, query: NewQuery
) -> Redirect:
    """Create a draft."""
    plan = read_plan(form, _base_body(uow, organizer, form.base.data or query.base))
    ref, new = _refuse_fields(lambda: editing.draft_contest(uow, organizer, plan))
    said = "quiz.contest.drafted" if new else "quiz.contest.drafted_before"
    return Redirect(f"/contests/{ref}", said=said)


@page(PAGES, "GET", "/contests/rules-preview", needs=Permission.CONTEST_WRITE, query=PreviewQuery)
def preview_rules(uow: UnitOfWork, organizer: Organizer, query: PreviewQuery) -> Page:
    """The rules page of a form that is not saved yet."""
    values = {name: getattr(query, name) for name in query.__struct_fields__}
    form = ContestForm(MultiDict({k: v for k, v in values.items() if v is not None}))
    if not form.validate():
        return Page("contests/rules.html", sentences=[], refused=True)
    plan = read_plan(form, _base_body(uow, organizer, query.base))
    try:
        view = _unsaved_view(uow.now, plan)
    except RuleSetRefused:
        return Page("contests/rules.html", sentences=[], refused=True)
    return Page(
        "contests/rules.html", sentences=list(say_each_rule(uow.texts, view)), refused=False
    )


@page(PAGES, "GET", "/contests/<ref>", needs=Permission.CONTEST_READ)
def show_contest(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show a contest: state, rules as citizens read them, the bank beside its blueprint."""
    shown = editing.show_contest(uow, organizer, ref)
    may_write = organizer.has_permission(Permission.CONTEST_WRITE)
    bank_name = named_banks.name_bank(uow, organizer, shown.view.bank)
    return Page(
        "contests/contest.html",
        contest=shown,
        facts=list(_list_facts(uow.texts, shown, bank_name)),
        bank_name=bank_name,
        blueprint=[_show_part(uow.texts, line) for line in shown.blueprint],
        sentences=list(say_each_rule(uow.texts, shown.view)),
        may_write=shown.own and may_write,
        may_copy=may_write,
        may_approve=shown.own and organizer.has_permission(Permission.CONTEST_APPROVE),
    )


@page(PAGES, "GET", "/contests/<ref>/edit", needs=Permission.CONTEST_WRITE, form=ChangeForm)
def show_change_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: ChangeForm) -> Page:
    """Show the form for a contest, with its rules page beside it."""
    shown = _own_contest(uow, organizer, ref)
    if not form.is_submitted():
        form.base.data = f"{_COPY}{ref}"
        fill_contest(form, shown)
    _offer_choices(uow, organizer, form)
    return Page(
        "contests/form.html", form=form, contest=shown, detailed=has_detailed_parts(shown.body)
    )


@page(PAGES, "POST", "/contests/<ref>/edit", needs=Permission.CONTEST_WRITE, form=ChangeForm)
def change_contest(uow: UnitOfWork, organizer: Organizer, ref: str, form: ChangeForm) -> Redirect:
    """Change a contest."""
    shown = _own_contest(uow, organizer, ref)
    plan = read_plan(form, shown.body)
    reason = form.reason.data
    _refuse_fields(lambda: editing.change_contest(uow, organizer, ref, plan, reason))
    said = "quiz.contest.changed_draft" if shown.is_draft else "quiz.contest.changed"
    return Redirect(f"/contests/{ref}", said=said)


@page(PAGES, "POST", "/contests/<ref>/publish", needs=Permission.CONTEST_APPROVE)
def publish_contest(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Publish a draft."""
    editing.publish_contest(uow, organizer, ref)
    return Redirect(f"/contests/{ref}", said="quiz.contest.published")


@page(PAGES, "POST", "/contests/<ref>/delete", needs=Permission.CONTEST_WRITE)
def delete_draft(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Delete a draft."""
    drafts.delete_draft(uow, organizer, ref)
    return Redirect("/contests", said="quiz.contest.deleted")


@page(PAGES, "GET", "/contests/<ref>/return", needs=Permission.CONTEST_APPROVE, form=ReasonForm)
def show_return_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: ReasonForm) -> Page:
    """Ask why a draft is returned."""
    return _reason_page(_own_contest(uow, organizer, ref), form, "return")


@page(PAGES, "POST", "/contests/<ref>/return", needs=Permission.CONTEST_APPROVE, form=ReasonForm)
def return_draft(uow: UnitOfWork, organizer: Organizer, ref: str, form: ReasonForm) -> Redirect:
    """Return a draft to its author."""
    drafts.return_draft(uow, organizer, ref, form.reason.data)
    return Redirect(f"/contests/{ref}", said="quiz.contest.returned")


@page(PAGES, "GET", "/contests/<ref>/pause", needs=Permission.CONTEST_APPROVE, form=ReasonForm)
def show_pause_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: ReasonForm) -> Page:
    """Ask for the reason for a pause."""
    return _reason_page(_own_contest(uow, organizer, ref), form, "pause")


@page(PAGES, "POST", "/contests/<ref>/pause", needs=Permission.CONTEST_APPROVE, form=ReasonForm)
def pause_contest(uow: UnitOfWork, organizer: Organizer, ref: str, form: ReasonForm) -> Redirect:
    """Pause a contest."""
    editing.pause_contest(uow, organizer, ref, form.reason.data)
    return Redirect(f"/contests/{ref}", said="quiz.contest.paused")


@page(PAGES, "POST", "/contests/<ref>/resume", needs=Permission.CONTEST_APPROVE)
def resume_contest(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Resume a paused contest."""
    editing.resume_contest(uow, organizer, ref)
    return Redirect(f"/contests/{ref}", said="quiz.contest.resumed")


@page(PAGES, "GET", "/contests/<ref>/close", needs=Permission.CONTEST_APPROVE, form=ReasonForm)
def show_close_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: ReasonForm) -> Page:
    """Ask for the reason for an early end."""
    return _reason_page(_own_contest(uow, organizer, ref), form, "close")


@page(PAGES, "POST", "/contests/<ref>/close", needs=Permission.CONTEST_APPROVE, form=ReasonForm)
def close_contest(uow: UnitOfWork, organizer: Organizer, ref: str, form: ReasonForm) -> Redirect:
    """End a contest now."""
    editing.close_contest(uow, organizer, ref, form.reason.data)
    return Redirect(f"/contests/{ref}", said="quiz.contest.closed")


def _list_facts(
    texts: Texts, shown: EditableContest, bank_name: str
) -> Iterator[tuple[str, str, str | None]]:
    say = texts.fill_text
    yield say("quiz.contest.state_title"), say(f"quiz.contest.state.{shown.state}"), None
    yield say("quiz.contest.form.opens_at"), say_minute(shown.view.opens_at), None
    yield say("quiz.contest.form.closes_at"), say_end(shown.view.closes_at), None
    yield say("quiz.contest.form.bank"), bank_name, None


def _show_part(texts: Texts, line: BlueprintLine) -> tuple[str, BlueprintLine, str]:
    """Return a part's name, the part, and when it repeats."""
    say, kind = texts.fill_text, line.part.kind
    name = say("quiz.contest.part_whole" if kind is None else f"quiz.rules.kind_{kind.value}")
    if line.division is not None:
        name = f"{line.division.title} · {name}"
    if line.repeats_on_day is None:
        return name, line, say("quiz.contest.part_never")
    told_day = say("quiz.contest.part_day", day=line.repeats_on_day, papers=line.papers)
    return name, line, told_day


def _own_contest(uow: UnitOfWork, organizer: Organizer, ref: str) -> EditableContest:
    shown = editing.show_contest(uow, organizer, ref)
    if not shown.own:
        raise NotFound
    return shown


def _reason_page(shown: EditableContest, form: ReasonForm, act: str) -> Page:
    return Page("contests/reason.html", contest=shown, form=form, act=act)


def _base_body(uow: UnitOfWork, organizer: Organizer, base: str) -> Mapping[str, Any]:
    """The rule set that a form starts from.

    Raises: NotFound (404).
    """
    if base.startswith(_COPY):
        return editing.show_contest(uow, organizer, base.removeprefix(_COPY)).body
    try:
        return preset_body(base.removeprefix(_PRESET))
    except NoSuchPreset:
        raise NotFound from None


def _offer_choices(uow: UnitOfWork, organizer: Organizer, form: ContestForm) -> None:
    say = uow.texts.fill_text
    form.bank.choices = [
        (slug, named_banks.name_bank(uow, organizer, slug))
        for slug in editing.list_banks(uow, organizer)
    ]
    form.timer.choices = [(one.value, say(f"quiz.timer.{one.value}")) for one in Timer]
    form.season.choices = [(one.value, say(f"quiz.season.{one.value}")) for one in Season]
    known = programmes.list_titles(uow)
    form.programme.choices = [("", say("quiz.contest.form.programme_none")), *known]


def _unsaved_view(now: datetime, plan: ContestDraft) -> ContestView:
    return ContestView(
        id=0, ref="", slug="", title=plan.title, programme_slug=None, bank=plan.bank,
        opens_at=plan.opens_at, closes_at=plan.closes_at, rules=read_rule_set(plan.body),
        valid_from=now,
    )  # fmt: skip


def _refuse_fields(act: Callable[[], Any]) -> Any:
    """Run a change; show an invalid rule as an error of the form field that sets it."""
    try:
        return act()
    except RuleSetRefused as refusal:
        reason = refusal.reasons[0]
        for name, said in _FIELD_OF_REASON.items():
            if reason.startswith(name):
                raise FieldRefused(*said) from None
        raise FieldRefused("title", "quiz.contest.form.rules_wrong") from None


_FIELD_OF_REASON: Mapping[str, tuple[str, str]] = {
    "questions_per_paper": ("single", "quiz.contest.form.no_questions"),
    "seconds_per_question": ("seconds_per_question", "quiz.contest.form.item_seconds_missing"),
    "divisions": ("divisions", "quiz.contest.form.divisions_wrong"),
    "title": ("title", "quiz.contest.form.rules_wrong"),
}

declare_list_pages(PAGES, CONTESTS, needs=Permission.CONTEST_READ)
