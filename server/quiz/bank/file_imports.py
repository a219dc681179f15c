"""Files that organizers upload: kept, checked by a long job, confirmed, stored by a long job.

The check is a dry run. Parsing happens outside of transactions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import undefer

from server.audit.service import Subject, record_change
from server.base.access import Organizer, Scope
from server.base.errors import NotFound
from server.base.jobs import TaskContext
from server.base.ownership import owned_by, scope_of, visible_to, writable_by
from server.base.texts import Texts
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.console.exports import ExportFormat, write_export
from server.console.long_jobs import (
    JobResult,
    JobRun,
    LongJob,
    cancel_job,
    find_job,
    start_job,
)
from server.console.models import ConsoleJob
from server.console.sheets.headings import LEFT_OUT
from server.console.sheets.reasons import FileRefused, Problem, sort_by_line
from server.quiz.bank import importing
from server.quiz.bank.files.headings import OPTIONS
from server.quiz.bank.files.reading import ReadingOptions, Table
from server.quiz.bank.files.reasons import QuestionReason
from server.quiz.bank.files.wording import say_reason
from server.quiz.bank.picture_imports import PictureWork, place_pictures, read_upload
from server.quiz.bank.places import bank_slug, place_ref
from server.quiz.enums import ImportState
from server.quiz.errors import ImportNotReady
from server.quiz.models import QuestionHeading, QuestionImport
from server.quiz.words import word_table

# Problems that a report holds; their number is complete.
MOST_TOLD = 1000
_LISTED = 20
# The report of a file that was not checked yet.
EMPTY_REPORT: Mapping[str, Any] = {
    "refused": False, "problems": [], "problem_count": 0, "warnings": [], "warning_count": 0,
    "added": 0, "changed": 0, "unchanged": 0, "columns": [], "ignored": [],
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class QuestionFile:
    """A file, or a pasted text, with what the organizer said about it."""

    name: str
    content: bytes
    from_zero: bool = False
    no_heading: bool = False


def column_names() -> list[str]:
    """The columns that a heading can be assigned to, and LEFT_OUT."""
    return [*word_table("columns"), *OPTIONS[:6], LEFT_OUT]


def keep_file(uow: UnitOfWork, organizer: Organizer, file: QuestionFile) -> str:
    """Keep a file for the check; return the import's ref.

    Headings that were assigned by hand before are assigned again.
    """
    remembered = writable_by(
        select(QuestionHeading).where(QuestionHeading.owner == organizer.scope.spelled),
        organizer,
        QuestionHeading,
    )
    columns = {row.title: row.meaning for row in uow.session.scalars(remembered)}
    said = {"columns": columns, "from_zero": file.from_zero, "no_heading": file.no_heading}
    row = QuestionImport(
        ref=uow.new_ref("imp"), file_name=file.name[-200:], content=file.content, said=said,
        state=ImportState.WAITING, writer_id=organizer.id, made_at=uow.now,
        **owned_by(organizer.scope),
    )  # fmt: skip
    uow.session.add(row)
    uow.session.flush()
    record_change(
        uow, organizer, "quiz.upload_questions", Subject("question_import", row.ref),
        after={"file": row.file_name, "bytes": len(file.content)},
    )  # fmt: skip
    _start_job(uow, organizer, row, CHECK_JOB)
    return row.ref


def find_import(uow: UnitOfWork, organizer: Organizer, ref: str) -> QuestionImport:
    """An import of the organizer's place.

    Raises: NotFound (404).
    """
    asked = select(QuestionImport).where(QuestionImport.ref == ref)
    row: QuestionImport | None = uow.session.scalar(visible_to(asked, organizer, QuestionImport))
    if row is None:
        raise NotFound
    return row


def list_imports(uow: UnitOfWork, organizer: Organizer) -> list[QuestionImport]:
    """The last imports of the organizer's place, the newest first."""
    asked = select(QuestionImport).order_by(QuestionImport.id.desc()).limit(_LISTED)
    return list(uow.session.scalars(visible_to(asked, organizer, QuestionImport)))


def say_columns_of(
    uow: UnitOfWork, organizer: Organizer, ref: str, columns: Mapping[str, str], **said: bool
) -> None:
    """Assign headings by hand and check the file again; the headings are remembered.

    Raises: NotFound (404), ImportNotReady (409).
    """
    row = _locked_in(uow, organizer, ref, ImportState.CHECKED)
    row.said = {**row.said, **said, "columns": {**row.said["columns"], **columns}}
    row.state, row.report = ImportState.WAITING, None
    for title, meaning in columns.items():
        if not title.startswith("#"):
            _remember_heading(uow, organizer, scope_of(row), title, meaning)
    record_change(
        uow, organizer, "quiz.assign_columns", Subject("question_import", ref, scope_of(row)),
        after={"columns": dict(columns), **said},
    )  # fmt: skip
    _start_job(uow, organizer, row, CHECK_JOB)


def _remember_heading(
    uow: UnitOfWork, organizer: Organizer, owner: Scope, title: str, meaning: str
) -> None:
    known = writable_by(
        update(QuestionHeading)
        .where(QuestionHeading.owner == owner.spelled, QuestionHeading.title == title[:80])
        .values(meaning=meaning)
        .returning(QuestionHeading.id),
        organizer,
        QuestionHeading,
    )
    if uow.session.execute(known).first() is None:
        facts = {"title": title[:80], "meaning": meaning, **owned_by(owner)}
        uow.session.add(QuestionHeading(**facts))
        uow.session.flush()


def confirm_import(uow: UnitOfWork, organizer: Organizer, ref: str, *, good_only: bool) -> None:
    """Let a worker store the file's questions as drafts.

    `good_only` leaves refused rows out; otherwise one of them refuses the file.
    Raises: NotFound (404), ImportNotReady (409).
    """
    row = _locked_in(uow, organizer, ref, ImportState.CHECKED)
    report = row.report or {}
    if report.get("refused") or (report.get("problem_count") and not good_only):
        raise ImportNotReady(ref=ref)
    row.state = ImportState.CONFIRMED
    row.said = {**row.said, "good_only": good_only}
    record_change(
        uow, organizer, "quiz.import_questions", Subject("question_import", ref, scope_of(row)),
        after={"good_only": good_only, "added": report.get("added"),
               "changed": report.get("changed")},
    )  # fmt: skip
    _start_job(uow, organizer, row, STORE_JOB)


def drop_import(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Give an import up before it is stored.

    Raises: NotFound (404), ImportNotReady (409).
    """
    states = (ImportState.WAITING, ImportState.CHECKED, ImportState.CONFIRMED)
    row = _locked_in(uow, organizer, ref, *states)
    job = find_running_job(uow, organizer, row)
    if job is not None:
        cancel_job(uow, organizer, job.ref)
    row.state, row.content = ImportState.DROPPED, None
    record_change(
        uow, organizer, "quiz.drop_import", Subject("question_import", ref, scope_of(row))
    )


def _locked_in(
    uow: UnitOfWork, organizer: Organizer, ref: str, *states: ImportState
) -> QuestionImport:
    asked = select(QuestionImport).where(QuestionImport.ref == ref)
    asked = writable_by(asked, organizer, QuestionImport).with_for_update()
    row: QuestionImport | None = uow.session.scalar(asked)
    if row is None:
        raise NotFound
    if row.state not in states:
        raise ImportNotReady(ref=ref)
    return row


@dataclass(frozen=True, kw_only=True)
class _FileRead:
    """The file's questions, or the reason for refusing it; `names` are those of its pictures."""

    table: Table | FileRefused
    names: Mapping[str, str] = field(default_factory=dict)


def _read_file(uow_factory: UnitOfWorkFactory, job: JobRun, row_id: int) -> _FileRead | None:
    """Read the file and store its pictures; None when it was dropped."""
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.get(QuestionImport, row_id, options=[undefer(QuestionImport.content)])
        if row is None or row.content is None:
            return None
        name, content, said, owner = row.file_name, row.content, row.said, scope_of(row)
    options = ReadingOptions(
        columns=said["columns"], from_zero=said["from_zero"], no_heading=said["no_heading"]
    )
    try:
        read = read_upload(name, content, options)
    except FileRefused as refusal:
        return _FileRead(table=refusal)
    work = PictureWork(
        organizer=job.organizer, remembered=said.get("pictures", {}),
        report_progress=job.report_progress,
    )  # fmt: skip
    table, names = place_pictures(uow_factory, read, work)
    drafts = [replace(draft, ref=place_ref(draft.ref, owner)) for draft in table.drafts]
    return _FileRead(table=replace(table, drafts=drafts), names=names)


def check_file(context: TaskContext, job: JobRun) -> JobResult:
    """Check a file: a dry run, whose report is kept with the import."""
    row_id = _id_of_import(context.uow_factory, job)
    read = _read_file(context.uow_factory, job, row_id)
    if read is not None and isinstance(read.table, Table):
        job.report_progress(len(read.table.drafts), 2 * len(read.table.drafts))
    with context.uow_factory.begin(job.organizer) as uow:
        row = uow.session.get(QuestionImport, row_id, with_for_update=True)
        if row is None or read is None or row.state is not ImportState.WAITING:
            raise ImportNotReady(ref=job.arguments["import"])
        row.report = report = _report_of(uow, row, read.table)
        row.state, row.said = ImportState.CHECKED, {**row.said, "pictures": dict(read.names)}
        result = _told_result(uow, "quiz.bank_import.job_checked", report)
        job.settle_in(uow, result)
    return result


def _told_result(uow: UnitOfWork, said: str, report: Mapping[str, Any]) -> JobResult:
    """The result of a check, with its problems as a file to download."""
    facts = {name: int(report[name]) for name in ("added", "changed", "problem_count")}
    if not report["problems"]:
        return JobResult(said=said, facts=facts)
    kind, texts = ExportFormat.CSV, uow.texts
    heads = [
        (texts.fill_text("quiz.bank_import.sheet"), "text"),
        (texts.fill_text("quiz.bank_import.line"), "number"),
        (texts.fill_text("quiz.bank_import.reason"), "long"),
    ]
    rows = say_problems(texts, report["problems"])
    content, _ = write_export(kind, texts.fill_text("quiz.bank_import.reasons"), heads, rows)
    name = f"{texts.fill_text('quiz.bank_import.reasons')}.{kind.value}"
    return JobResult(
        said=said, facts=facts, failed=True, file_name=name, media=kind.media, content=content
    )


def say_problems(texts: Texts, told: Sequence[Sequence[Any]]) -> list[tuple[str, int, str]]:
    """Sheet, line and sentence of each problem of a report."""
    return [
        (sheet, line, say_reason(texts, QuestionReason(code=code, facts=facts)))
        for sheet, line, code, facts in told
    ]


def _id_of_import(uow_factory: UnitOfWorkFactory, job: JobRun) -> int:
    with uow_factory.begin(job.organizer, read_only=True) as uow:
        return find_import(uow, job.organizer, job.arguments["import"]).id


def find_running_job(
    uow: UnitOfWork, organizer: Organizer, row: QuestionImport
) -> ConsoleJob | None:
    """The job that checks or stores the file; None when somebody else started it."""
    busy = row.state in (ImportState.WAITING, ImportState.CONFIRMED)
    if not busy or row.said.get("job_of") != organizer.id:
        return None
    return find_job(uow, organizer, row.said["job"])


def _start_job(uow: UnitOfWork, organizer: Organizer, row: QuestionImport, job: LongJob) -> None:
    title = {"file": row.file_name}
    ref = start_job(uow, organizer, job, {"import": row.ref}, title_facts=title)
    row.said = {**row.said, "job": ref, "job_of": organizer.id}


def _report_of(uow: UnitOfWork, row: QuestionImport, read: Table | FileRefused) -> dict[str, Any]:
    if isinstance(read, FileRefused):
        told = _problem_cells(Problem(line=read.line, why=read.why))
        return {**EMPTY_REPORT, "refused": True, "problems": [told], "problem_count": 1}
    found = importing.compare_with_bank(uow, bank_slug(scope_of(row)), read.drafts)
    problems = sort_by_line(read.every_problem, found.problems)
    warnings = sort_by_line(read.warnings, found.warnings)
    return {
        "refused": bool(read.refused),
        "problems": [_problem_cells(one) for one in problems[:MOST_TOLD]],
        "problem_count": len(problems),
        "warnings": [_problem_cells(one) for one in warnings[:MOST_TOLD]],
        "warning_count": len(warnings),
        "added": len(found.added),
        "changed": len(found.changed),
        "unchanged": len(found.unchanged),
        "columns": [asdict(column) for column in read.columns],
        "ignored": read.ignored,
    }


def _problem_cells(problem: Problem) -> list[Any]:
    return [problem.sheet, problem.line, problem.why.code, dict(problem.why.facts)]


def store_file(context: TaskContext, job: JobRun) -> JobResult:
    """Store the questions in one transaction; a bank that changed meanwhile is compared again."""
    row_id = _id_of_import(context.uow_factory, job)
    read = _read_file(context.uow_factory, job, row_id)
    if read is None or not isinstance(read.table, Table):
        raise ImportNotReady(ref=job.arguments["import"])
    table = read.table
    job.report_progress(len(table.drafts), 2 * len(table.drafts))
    with context.uow_factory.begin(job.organizer) as uow:
        row = uow.session.get(QuestionImport, row_id, with_for_update=True)
        if row is None or row.state is not ImportState.CONFIRMED:
            raise ImportNotReady(ref=job.arguments["import"])
        result = _store_rows(uow, job.organizer, row, table)
        job.settle_in(uow, result)
    return result


def _store_rows(
    uow: UnitOfWork, organizer: Organizer, row: QuestionImport, read: Table
) -> JobResult:
    owner = scope_of(row)
    slug = bank_slug(owner)
    importing.lock_bank(uow, slug, owner)
    found = importing.compare_with_bank(uow, slug, read.drafts)
    if read.refused or (found.problems and not row.said["good_only"]):
        row.state, row.report = ImportState.CHECKED, _report_of(uow, row, read)
        return _told_result(uow, "quiz.bank_import.job_checked", row.report)
    importing.store_drafts(
        uow, slug, found, owner=owner, writer_id=row.writer_id, batch=row.ref
    )  # fmt: skip
    row.state, row.content = ImportState.STORED, None
    row.report = report = _report_of_stored(row, found)
    record_change(
        uow, organizer, "quiz.import_questions", Subject("question_import", row.ref, owner),
        after={"added": len(found.added), "changed": len(found.changed)},
    )  # fmt: skip
    facts = {"added": int(report["added"]), "changed": int(report["changed"])}
    return JobResult(said="quiz.bank_import.job_stored", facts=facts)


def _report_of_stored(row: QuestionImport, found: importing.Comparison) -> dict[str, Any]:
    return {
        **(row.report or EMPTY_REPORT),
        "added": len(found.added),
        "changed": len(found.changed),
        "unchanged": len(found.unchanged),
    }


CHECK_JOB = LongJob(
    name="quiz.check_questions", title="quiz.bank_import.check_job", run=check_file,
    cancellable=True,
)  # fmt: skip
STORE_JOB = LongJob(
    name="quiz.import_questions", title="quiz.bank_import.store_job", run=store_file,
    cancellable=True,
)  # fmt: skip
JOBS = (CHECK_JOB, STORE_JOB)
