"""The console pages of a contest's final ranks: freeze, seal, publish, versions."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from server.base.access import Organizer, Permission
from server.base.clock import BEIJING
from server.base.errors import NotFound
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork
from server.base.web.page import (
    Download,
    FieldRefused,
    Note,
    Page,
    Pages,
    Redirect,
    Section,
    page,
)
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.console.long_jobs import JobResult, JobRun, LongJob, start_job
from server.quiz.contests.rules_page import say_end, say_minute
from server.quiz.errors import FreezeTooEarly
from server.quiz.sealing import overview, stepping
from server.quiz.sealing import service as sealing
from server.quiz.sealing.board_list import RANKS, RankQuery, settle_query
from server.quiz.sealing.forms import FinalReasonForm, FreezeForm, SealForm
from server.quiz.sealing.overview import FinalOverview
from server.quiz.sealing.version_view import check_version

PAGES = Pages("sealing", Path(__file__).with_name("pages"))
_SEAL = Permission.CONTEST_SEAL
# More players are sealed by a job.
INSTANT_PLAYERS = 3000


@page(
    PAGES,
    "GET",
    "/ranks",
    needs=Permission.PERSON_READ,
    query=RankQuery,
    menu="quiz.ranks.title",
    section=Section.CONTENT,
)
def list_ranks(uow: UnitOfWork, organizer: Organizer, query: RankQuery) -> Page:
    """Ranks of people of the organizer's place in a contest; by default the newest contest."""
    settled = settle_query(uow, organizer, query)
    return Page("sealing/ranks.html", shown=read_table(uow, organizer, RANKS, settled))


declare_list_pages(PAGES, RANKS, needs=Permission.PERSON_READ)


@page(PAGES, "GET", "/contests/<ref>/final", needs=Permission.CONTEST_READ)
def show_final_ranks(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show the three steps with their state and the possible actions, and the versions."""
    shown = overview.show_overview(uow, organizer, ref)
    return Page(
        "sealing/final.html",
        shown=shown,
        say_minute=say_minute,
        say_end=say_end,
        may_seal=shown.own and organizer.has_permission(_SEAL),
        now=uow.now,
    )


@page(PAGES, "GET", "/contests/<ref>/final/freeze", needs=_SEAL, form=FreezeForm)
def show_freeze_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: FreezeForm) -> Page:
    """Ask for the start of the freeze; the form proposes an hour before the end."""
    shown = _own_overview(uow, organizer, ref)
    if not form.is_submitted():
        proposed = max(shown.closes_at - sealing.USUAL_FREEZE, uow.now + 2 * sealing.SETTLING)
        form.freezes_at.data = proposed.astimezone(BEIJING).replace(tzinfo=None)
    return Page("sealing/act.html", shown=shown, form=form, act="freeze")


@page(PAGES, "POST", "/contests/<ref>/final/freeze", needs=_SEAL, form=FreezeForm)
def freeze_contest(uow: UnitOfWork, organizer: Organizer, ref: str, form: FreezeForm) -> Redirect:
    """Freeze the public boards from an instant on."""
    given: datetime = form.freezes_at.data
    at = given.replace(tzinfo=BEIJING)
    try:
        sealing.freeze_contest(uow, organizer, ref, at, form.reason.data)
    except FreezeTooEarly:
        raise FieldRefused("freezes_at", "quiz.error.freeze_too_early") from None
    return Redirect(f"/contests/{ref}/final", said="quiz.final.freeze_set")


@page(PAGES, "GET", "/contests/<ref>/final/lift", needs=_SEAL, form=FinalReasonForm)
def show_lift_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: FinalReasonForm) -> Page:
    """Ask why the freeze is lifted."""
    shown = _own_overview(uow, organizer, ref)
    return Page("sealing/act.html", shown=shown, form=form, act="lift")


@page(PAGES, "POST", "/contests/<ref>/final/lift", needs=_SEAL, form=FinalReasonForm)
def lift_freeze(uow: UnitOfWork, organizer: Organizer, ref: str, form: FinalReasonForm) -> Redirect:
    """Lift the freeze."""
    sealing.lift_freeze(uow, organizer, ref, form.reason.data)
    return Redirect(f"/contests/{ref}/final", said="quiz.final.freeze_lifted")


@page(PAGES, "GET", "/contests/<ref>/final/seal", needs=_SEAL, form=SealForm)
def show_seal_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: SealForm) -> Page:
    """Ask for the reason for the sealing, and whether undecided holds are accepted."""
    shown = _own_overview(uow, organizer, ref)
    return Page("sealing/act.html", shown=shown, form=form, act="seal")


@page(PAGES, "POST", "/contests/<ref>/final/seal", needs=_SEAL, form=SealForm)
def seal_contest(uow: UnitOfWork, organizer: Organizer, ref: str, form: SealForm) -> Redirect:
    """Seal the final ranks, at once or by a job."""
    shown = _own_overview(uow, organizer, ref)
    accept, reason = bool(form.accept_open.data), form.reason.data
    if sealing.count_players(uow, organizer, ref) > INSTANT_PLAYERS:
        version = sealing.begin_sealing(uow, organizer, ref, reason, accept_open=accept)
        facts = {"title": shown.title}
        start_job(uow, organizer, SEAL_JOB, {"version": version.id}, title_facts=facts)
        return Redirect(f"/contests/{ref}/final", said="quiz.final.seal_begun")
    sealing.seal_contest(uow, organizer, ref, reason, accept_open=accept)
    return Redirect(f"/contests/{ref}/final", said="quiz.final.sealed")


@page(PAGES, "GET", "/contests/<ref>/final/<version>", needs=Permission.CONTEST_READ)
def show_version(uow: UnitOfWork, organizer: Organizer, ref: str, version: str) -> Page:
    """Show one version: the points to check before its publication, and its changes."""
    found = overview.find_version(uow, organizer, ref, version)
    shown = overview.show_overview(uow, organizer, ref)
    names = organizer.has_permission(Permission.PERSON_READ)
    moves, count = overview.list_moves(uow, organizer, ref, found)
    return Page(
        "sealing/version.html",
        shown=shown,
        version=found,
        moves=moves if names else [],
        count=count,
        check=check_version(uow, organizer, found, names=names),
        names=names,
        may_publish=shown.may_publish(found) and organizer.has_permission(_SEAL),
        say_minute=say_minute,
        may_save=names and not organizer.scope.above,
    )


@page(PAGES, "GET", "/contests/<ref>/final/<version>/file", needs=Permission.PERSON_READ)
def save_version(uow: UnitOfWork, organizer: Organizer, ref: str, version: str) -> Download:
    """Download the signed bytes of a version; only for the place that owns the contest."""
    number, content = overview.pack_version(uow, organizer, ref, version)
    return Download(
        file_name=f"{ref}-final-{number}.zip",
        media="application/zip",
        content=content,
        note=Note(act="quiz.save_final_ranks", facts={"version": number}, reason=""),
    )


@page(PAGES, "POST", "/contests/<ref>/final/<version>/publish", needs=_SEAL)
def publish_version(uow: UnitOfWork, organizer: Organizer, ref: str, version: str) -> Redirect:
    """Publish the draft."""
    sealing.publish_version(uow, organizer, ref, version)
    return Redirect(f"/contests/{ref}/final", said="quiz.final.published")


@page(PAGES, "GET", "/contests/<ref>/final/<version>/drop", needs=_SEAL, form=FinalReasonForm)
def show_drop_form(
    uow: UnitOfWork, organizer: Organizer, ref: str, version: str, form: FinalReasonForm
) -> Page:
    """Ask why a draft is not published."""
    shown = _own_overview(uow, organizer, ref)
    found = overview.find_version(uow, organizer, ref, version)
    return Page("sealing/act.html", shown=shown, form=form, act="drop", version=found)


@page(PAGES, "POST", "/contests/<ref>/final/<version>/drop", needs=_SEAL, form=FinalReasonForm)
def drop_version(
    uow: UnitOfWork, organizer: Organizer, ref: str, version: str, form: FinalReasonForm
) -> Redirect:
    """Do not publish the draft."""
    sealing.drop_version(uow, organizer, ref, version, form.reason.data)
    return Redirect(f"/contests/{ref}/final", said="quiz.final.dropped")


def _own_overview(uow: UnitOfWork, organizer: Organizer, ref: str) -> FinalOverview:
    shown = overview.show_overview(uow, organizer, ref)
    if not shown.own:
        raise NotFound
    return shown


def _run_sealing(context: TaskContext, job: JobRun) -> JobResult:
    """Make the version of a large contest in short transactions, which a repeat continues."""
    version_id = job.arguments["version"]
    stepping.finish_version(context.uow_factory, version_id, job.report_progress)
    with context.uow_factory.begin(read_only=True) as uow:
        version = sealing.version_by_id(uow, version_id)
        facts = {"number": version.number, "count": version.rank_count}
    return JobResult(said="quiz.final.job_done", facts=facts)


SEAL_JOB = LongJob(name="quiz.seal_final_ranks", title="quiz.final.job_title", run=_run_sealing)
JOBS = (SEAL_JOB,)
