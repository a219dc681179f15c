"""Files of units that administrators upload: checked by a long job, confirmed, stored by another.

The check is a dry run. Parsing happens outside of transactions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import undefer

from server.audit.service import Subject, record_change
from server.base.access import Organizer, Scope
from server.base.errors import NotFound
from server.base.jobs import TaskContext
from server.base.ownership import owned_by, scope_of, visible_to, writable_by
from server.base.texts import FIRST_LANGUAGE, Texts
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.console.exports import ExportFormat, write_export
from server.console.long_jobs import JobResult, JobRun, LongJob, cancel_job, find_job, start_job
from server.console.models import ConsoleJob
from server.console.sheets.reasons import FileRefused, Problem, sort_by_line
from server.organizers.errors import UnitFileNotReady
from server.organizers.models import UnitFile, UnitFileState
from server.organizers.unit_importing import (
    KnownUnit,
    UnitComparison,
    UnitTable,
    compare_units,
    read_units,
)
from server.organizers.unit_places import Places
from server.units import service as units

# Problems that a report holds; their number is complete.
MOST_TOLD = 1000
_LISTED = 20
# Titles of columns that a reason can name.
_COLUMNS: Mapping[str, str] = {
    "name": "organizers.units.name",
    "kind": "organizers.units.kind",
    "city": "organizers.units.city",
    "county": "organizers.units.county",
    "full_name": "organizers.units.full_name",
    "state": "organizers.people.state",
}
# The report of a file that was not checked yet.
EMPTY_REPORT: Mapping[str, Any] = {
    "refused": False, "problems": [], "problem_count": 0, "warnings": [], "warning_count": 0,
    "added": 0, "known": 0, "ignored": [],
}  # fmt: skip


def keep_file(uow: UnitOfWork, organizer: Organizer, name: str, content: bytes) -> str:
    """Keep a file for the check; return its ref."""
    row = UnitFile(
        ref=uow.new_ref("unf"), file_name=name[-200:], content=content, said={},
        state=UnitFileState.WAITING, writer_id=organizer.id, made_at=uow.now,
        **owned_by(organizer.scope),
    )  # fmt: skip
    uow.session.add(row)
    uow.session.flush()
    record_change(
        uow, organizer, "organizers.upload_units", Subject("unit_file", row.ref),
        after={"file": row.file_name, "bytes": len(content)},
    )  # fmt: skip
    _start_job(uow, organizer, row, CHECK_JOB)
    return row.ref


def find_file(uow: UnitOfWork, organizer: Organizer, ref: str) -> UnitFile:
    """A file of the organizer's place.

    Raises: NotFound (404).
    """
    asked = select(UnitFile).where(UnitFile.ref == ref)
    row: UnitFile | None = uow.session.scalar(visible_to(asked, organizer, UnitFile))
    if row is None:
        raise NotFound
    return row


def list_files(uow: UnitOfWork, organizer: Organizer) -> list[UnitFile]:
    """The last files of the organizer's place, the newest first."""
    asked = select(UnitFile).order_by(UnitFile.id.desc()).limit(_LISTED)
    return list(uow.session.scalars(visible_to(asked, organizer, UnitFile)))


def confirm_file(uow: UnitOfWork, organizer: Organizer, ref: str, *, good_only: bool) -> None:
    """Let a worker add the file's units.

    `good_only` leaves refused rows out; otherwise one of them refuses the file.
    Raises: NotFound (404), UnitFileNotReady (409).
    """
    row = _locked_in(uow, organizer, ref, UnitFileState.CHECKED)
    report = row.report or EMPTY_REPORT
    if report["refused"] or (report["problem_count"] and not good_only):
        raise UnitFileNotReady
    row.state, row.said = UnitFileState.CONFIRMED, {**row.said, "good_only": good_only}
    record_change(
        uow, organizer, "organizers.confirm_units", Subject("unit_file", ref, scope_of(row)),
        after={"good_only": good_only, "added": report["added"]},
    )  # fmt: skip
    _start_job(uow, organizer, row, STORE_JOB)


def drop_file(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Give a file up before it is stored.

    Raises: NotFound (404), UnitFileNotReady (409).
    """
    states = (UnitFileState.WAITING, UnitFileState.CHECKED, UnitFileState.CONFIRMED)
    row = _locked_in(uow, organizer, ref, *states)
    job = find_running_job(uow, organizer, row)
    if job is not None:
        cancel_job(uow, organizer, job.ref)
    row.state, row.content = UnitFileState.DROPPED, None
    subject = Subject("unit_file", ref, scope_of(row))
    record_change(uow, organizer, "organizers.drop_unit_file", subject)


def _locked_in(uow: UnitOfWork, organizer: Organizer, ref: str, *states: UnitFileState) -> UnitFile:
    asked = select(UnitFile).where(UnitFile.ref == ref)
    asked = writable_by(asked, organizer, UnitFile).with_for_update()
    row: UnitFile | None = uow.session.scalar(asked)
    if row is None:
        raise NotFound
    if row.state not in states:
        raise UnitFileNotReady
    return row


def find_running_job(uow: UnitOfWork, organizer: Organizer, row: UnitFile) -> ConsoleJob | None:
    """The job that checks or stores the file; None when somebody else started it."""
    busy = row.state in (UnitFileState.WAITING, UnitFileState.CONFIRMED)
    if not busy or row.said.get("job_of") != organizer.id:
        return None
    return find_job(uow, organizer, row.said["job"])


def _start_job(uow: UnitOfWork, organizer: Organizer, row: UnitFile, job: LongJob) -> None:
    title = {"file": row.file_name}
    ref = start_job(uow, organizer, job, {"file": row.ref}, title_facts=title)
    row.said = {**row.said, "job": ref, "job_of": organizer.id}


def _read_file(uow_factory: UnitOfWorkFactory, job: JobRun) -> tuple[int, UnitTable | FileRefused]:
    """The id of the file, and its units or the reason for refusing it."""
    with uow_factory.begin(job.organizer, read_only=True) as uow:
        row_id = find_file(uow, job.organizer, job.arguments["file"]).id
        row = uow.session.get(UnitFile, row_id, options=[undefer(UnitFile.content)])
        if row is None or row.content is None:
            raise UnitFileNotReady
        content, owner = row.content, scope_of(row)
    try:
        return row_id, read_units(content, _all_places(), owner)
    except FileRefused as refusal:
        return row_id, refusal


def _all_places() -> Places:
    return Places(units.load_regions())


def _compare(uow: UnitOfWork, owner: Scope, table: UnitTable) -> UnitComparison:
    known = [
        KnownUnit(name=unit.name, kind=unit.kind, city=unit.city, county=unit.county, open=is_open)
        for unit, is_open in units.list_names(uow, owner)
    ]
    return compare_units(table.drafts, known, _all_places(), owner)


def check_file(context: TaskContext, job: JobRun) -> JobResult:
    """Check a file: a dry run, whose report is kept with the file."""
    row_id, table = _read_file(context.uow_factory, job)
    job.report_progress(1, 2)
    with context.uow_factory.begin(job.organizer) as uow:
        row = _row_in(uow, row_id, UnitFileState.WAITING)
        if isinstance(table, FileRefused):
            report = _report_refused(table)
        else:
            report = _report_of(table, _compare(uow, scope_of(row), table))
        row.state, row.report = UnitFileState.CHECKED, report
        result = _told_result(uow.texts, report)
        job.settle_in(uow, result)
    return result


def _row_in(uow: UnitOfWork, row_id: int, state: UnitFileState) -> UnitFile:
    row = uow.session.get(UnitFile, row_id, with_for_update=True)
    if row is None or row.state is not state:
        raise UnitFileNotReady
    return row


def _report_refused(refusal: FileRefused) -> dict[str, Any]:
    told = [_problem_cells(Problem(line=refusal.line, why=refusal.why))]
    return {**EMPTY_REPORT, "refused": True, "problems": told, "problem_count": 1}


def _report_of(table: UnitTable, found: UnitComparison) -> dict[str, Any]:
    problems = sort_by_line(table.problems, found.problems)
    return {
        "refused": False,
        "problems": [_problem_cells(one) for one in problems[:MOST_TOLD]],
        "problem_count": len(problems),
        "warnings": [_problem_cells(one) for one in found.warnings[:MOST_TOLD]],
        "warning_count": len(found.warnings),
        "added": len(found.added),
        "known": found.known,
        "ignored": table.ignored,
    }


def _problem_cells(problem: Problem) -> list[Any]:
    return [problem.sheet, problem.line, problem.why.code, dict(problem.why.facts)]


def _told_result(texts: Texts, report: Mapping[str, Any]) -> JobResult:
    """The result of a check, with its problems as a file to download."""
    said = "organizers.unit_import.job_checked"
    facts = {name: int(report[name]) for name in ("added", "known", "problem_count")}
    if not report["problems"]:
        return JobResult(said=said, facts=facts)
    title = texts.fill_text("organizers.unit_import.reasons")
    heads = [
        (texts.fill_text("organizers.unit_import.sheet"), "text"),
        (texts.fill_text("organizers.unit_import.line"), "number"),
        (texts.fill_text("organizers.unit_import.reason"), "long"),
    ]
    kind, rows = ExportFormat.CSV, say_problems(texts, report["problems"])
    content, _ = write_export(kind, title, heads, rows)
    return JobResult(
        said=said, facts=facts, failed=True, file_name=f"{title}.{kind.value}", media=kind.media,
        content=content,
    )  # fmt: skip


def say_problems(texts: Texts, told: Sequence[Sequence[Any]]) -> list[tuple[str, int, str]]:
    """Sheet, line and sentence of each problem of a report."""
    return [(sheet, line, _say_reason(texts, code, facts)) for sheet, line, code, facts in told]


def _say_reason(texts: Texts, code: str, facts: Mapping[str, Any]) -> str:
    named = {
        name: _name_column(texts, value) if name in ("column", "columns") else value
        for name, value in facts.items()
    }
    return texts.fill_text(f"organizers.unit_file.{code}", language=FIRST_LANGUAGE, **named)


def _name_column(texts: Texts, fact: Any) -> Any:
    """The title of a column that a reason names; any other fact unchanged."""
    title = _COLUMNS.get(fact) if isinstance(fact, str) else None
    return fact if title is None else texts.fill_text(title)


def store_file(context: TaskContext, job: JobRun) -> JobResult:
    """Add the units in one transaction; a directory that changed meanwhile is compared again."""
    row_id, table = _read_file(context.uow_factory, job)
    if isinstance(table, FileRefused):
        raise UnitFileNotReady
    job.report_progress(1, 2)
    with context.uow_factory.begin(job.organizer) as uow:
        units.lock_directory(uow)
        row = _row_in(uow, row_id, UnitFileState.CONFIRMED)
        result = _store_rows(uow, job.organizer, row, table)
        job.settle_in(uow, result)
    return result


def _store_rows(
    uow: UnitOfWork, organizer: Organizer, row: UnitFile, table: UnitTable
) -> JobResult:
    found = _compare(uow, scope_of(row), table)
    row.report = report = _report_of(table, found)
    if report["problem_count"] and not row.said["good_only"]:
        row.state = UnitFileState.CHECKED
        return _told_result(uow.texts, report)
    units.add_units(uow, [(one.place, one.name, one.kind, one.full_name) for one in found.added])
    row.state, row.content = UnitFileState.STORED, None
    record_change(
        uow, organizer, "organizers.import_units", Subject("unit_file", row.ref, scope_of(row)),
        after={"added": len(found.added), "known": found.known},
    )  # fmt: skip
    facts = {"added": len(found.added), "known": found.known}
    return JobResult(said="organizers.unit_import.job_stored", facts=facts)


CHECK_JOB = LongJob(
    name="organizers.check_units", title="organizers.unit_import.check_job", run=check_file,
    cancellable=True,
)  # fmt: skip
STORE_JOB = LongJob(
    name="organizers.import_units", title="organizers.unit_import.store_job", run=store_file,
    cancellable=True,
)  # fmt: skip
JOBS = (CHECK_JOB, STORE_JOB)
