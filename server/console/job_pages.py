"""The pages of an organizer's own long work: list, progress, result, cancelling."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from server.base.access import Organizer, Permission
from server.base.errors import NotFound
from server.base.outbox_rows import OutboxState
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.base.web.page import Download, Page, Redirect, page
from server.console import home
from server.console.form_session import PREFIX
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.console.long_jobs import cancel_job, find_job
from server.console.models import ConsoleJob
from server.console.tables import Column, ColumnKind, ListQuery, Table

# The same table of pages as that of the first page.
PAGES = home.PAGES
_BADGES = {"waiting": "plain", "running": "mind", "done": "good", "failed": "bad"}


def state_of(row: ConsoleJob) -> str:
    """The state in the words of organizers: waiting, running, done or failed."""
    if row.outbox_state is OutboxState.QUEUED:
        return "waiting"
    if row.outbox_state is OutboxState.CLAIMED:
        return "running"
    return "failed" if row.failed else "done"


def say_outcome(texts: Texts, row: ConsoleJob) -> str:
    """The outcome in words; empty before the end."""
    kind, _, code = row.said.partition(":")
    if kind == "error":
        return texts.error_text(code, row.facts)
    return texts.fill_text(row.said, **row.facts) if row.said else ""


def find_own_jobs(_uow: UnitOfWork, organizer: Organizer, _query: ListQuery) -> Select[Any]:
    """The jobs that this organizer started."""
    return _jobs_of(organizer.id)


def _jobs_of(organizer_id: int) -> Select[Any]:
    return select(ConsoleJob).where(ConsoleJob.organizer == organizer_id)


def say_title(texts: Texts, row: ConsoleJob) -> str:
    """The job's title."""
    return texts.fill_text(row.title, **row.title_facts)


JOBS = Table(
    name="console.jobs",
    path="/jobs",
    title="console.job.title",
    empty="console.job.none",
    key=ConsoleJob.id,
    select=find_own_jobs,
    sort="-created_at",
    free=True,
    columns=(
        Column(
            name="title",
            title="console.job.what",
            value=lambda row: row.ref,
            say=say_title,
            address=lambda row: f"{PREFIX}/jobs/{row.ref}",
        ),
        Column(
            name="state",
            title="console.job.state",
            value=state_of,
            words="console.job_state",
            badge=lambda row: _BADGES[state_of(row)],
        ),
        Column(
            name="outcome",
            title="console.job.outcome",
            value=lambda row: row.said,
            say=say_outcome,
            kind=ColumnKind.LONG,
        ),
        Column(
            name="created_at",
            title="console.job.started",
            value=lambda row: row.created_at,
            sort=ConsoleJob.created_at,
            kind=ColumnKind.DATE,
        ),
        Column(
            name="ended_at",
            title="console.job.ended",
            value=lambda row: row.ended_at,
            kind=ColumnKind.DATE,
        ),
    ),
)


@page(
    PAGES, "GET", "/jobs", needs=Permission.CONSOLE_OPEN, query=ListQuery, menu="console.job.title"
)
def list_jobs(uow: UnitOfWork, organizer: Organizer, query: ListQuery) -> Page:
    """List the organizer's imports, exports and other long jobs."""
    return Page("console/jobs.html", shown=read_table(uow, organizer, JOBS, query))


@page(PAGES, "GET", "/jobs/<ref>", needs=Permission.CONSOLE_OPEN)
def show_job(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show the progress of one job, then its outcome and its file."""
    row = find_job(uow, organizer, ref)
    state = state_of(row)
    return Page(
        "console/job.html",
        job=row,
        title=say_title(uow.texts, row),
        outcome=say_outcome(uow.texts, row),
        state=state,
        badge=_BADGES[state],
        running=state in ("waiting", "running"),
        may_cancel=state == "waiting" or (state == "running" and row.cancellable),
    )


@page(PAGES, "GET", "/jobs/<ref>/file", needs=Permission.CONSOLE_OPEN)
def save_job_file(uow: UnitOfWork, organizer: Organizer, ref: str) -> Download:
    """Download the result or the list of errors."""
    row = find_job(uow, organizer, ref)
    if row.result_file is None:
        raise NotFound
    return Download(file_name=row.result_title, media=row.result_media, content=row.result_file)


@page(PAGES, "POST", "/jobs/<ref>/cancel", needs=Permission.CONSOLE_OPEN)
def stop_job(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Cancel a job that waits, or stop one that runs."""
    stopped = cancel_job(uow, organizer, ref)
    said = "console.job.cancel_asked" if stopped else "console.job.cannot_cancel"
    return Redirect(f"/jobs/{ref}", said=said)


declare_list_pages(PAGES, JOBS, needs=Permission.CONSOLE_OPEN)
