"""Uploaded files that change many rows: upload, check, confirmation, storing, result.

A slice declares a `CheckedUpload` with its tables and the functions that read, compare and store.
A long job checks the file, which stores nothing; after the organizer's confirmation a second job
stores everything in one transaction, and compares again, because the rows may have changed. Parsing
happens outside of transactions. `upload_pages.py` declares the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import undefer

from server.base.access import Organizer, Scope
from server.base.errors import AlreadyDone, NotFound
from server.base.jobs import TaskContext
from server.base.ownership import Owned, owned_by, scope_of, visible_to, writable_by
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.console.exports import ExportFormat, write_export
from server.console.file_findings import FileFindings, report_findings, report_refused
from server.console.long_jobs import JobResult, JobRun, LongJob, cancel_job, find_job, start_job
from server.console.models import CheckedFile, ConsoleJob, FileState, RememberedHeading
from server.console.sheets.reasons import FileRefused

_LISTED = 20
# The states in which the organizer still has something to do.
UNFINISHED = (FileState.WAITING, FileState.CHECKED, FileState.CONFIRMED)
Read = TypeVar("Read")
# Writes an audit entry: act, kind and ref of its object, the object's row, and facts.
Recorder = Callable[
    [UnitOfWork, Organizer, str, tuple[str, str], Owned, Mapping[str, object]], None
]


class FileNotReady(AlreadyDone):
    """The file is not in the state that this step needs: not checked, or stored already."""

    code = "file_not_ready"


@dataclass(frozen=True, kw_only=True)
class UploadActs:
    """The acts of the audit trail, by the step of a file."""

    upload: str
    assign: str
    confirm: str
    store: str
    drop: str


@dataclass(frozen=True, kw_only=True)
class KeptFile:
    """An uploaded file with the organizer's settings, and the place that owns its rows."""

    name: str
    content: bytes = field(repr=False)
    said: Mapping[str, Any]
    owner: Scope

    @property
    def columns(self) -> Mapping[str, str]:
        """The columns assigned by hand: the name of each by its key (`column_key`)."""
        return self.said.get("columns") or {}


@dataclass(frozen=True, kw_only=True)
class UploadWords:
    """Text keys of the jobs of one kind of file: their titles, and their results with counts."""

    check_job: str
    store_job: str
    checked: str
    stored: str


@dataclass(frozen=True, kw_only=True)
class CheckedUpload(Generic[Read]):
    """One kind of file: its tables, its texts, and how its rows are read, compared and stored.

    `counts` names the numbers of a report. `record` writes the audit entry of an act with its facts
    (the audit slice is on a higher floor), `subject` is the kind of its object. `read` parses
    outside of transactions and may raise FileRefused; `lock` is taken before `compare` and `store`
    of the second job.
    """

    check_name: str
    store_name: str
    ref_prefix: str
    table: type[CheckedFile]
    headings: type[RememberedHeading]
    counts: tuple[str, ...]
    words: UploadWords
    acts: UploadActs
    subject: str
    record: Recorder
    say_reason: Callable[[Texts, str, Mapping[str, Any]], str]
    read: Callable[[TaskContext, JobRun, KeptFile], Read]
    lock: Callable[[UnitOfWork, KeptFile], None]
    compare: Callable[[UnitOfWork, KeptFile, Read], FileFindings]
    store: Callable[[UnitOfWork, CheckedFile, FileFindings], None]

    @cached_property
    def check_job(self) -> LongJob:
        """The job that checks a file."""
        return LongJob(
            name=self.check_name, title=self.words.check_job, run=self._check_file, cancellable=True
        )

    @cached_property
    def store_job(self) -> LongJob:
        """The job that stores a confirmed file."""
        return LongJob(
            name=self.store_name, title=self.words.store_job, run=self._store_file, cancellable=True
        )

    @property
    def jobs(self) -> tuple[LongJob, LongJob]:
        """Both jobs, for the manifest."""
        return (self.check_job, self.store_job)

    @property
    def empty_report(self) -> Mapping[str, Any]:
        """The report of a file that was not checked yet."""
        return {
            "refused": False, "problems": [], "problem_count": 0, "warnings": [],
            "warning_count": 0, "columns": [], "ignored": [], **dict.fromkeys(self.counts, 0),
        }  # fmt: skip

    def keep_file(
        self, uow: UnitOfWork, organizer: Organizer, name: str, content: bytes, **said: Any
    ) -> str:
        """Keep a file for the check; return its ref.

        Headings that were assigned by hand before are assigned again.
        """
        remembered = writable_by(
            select(self.headings).where(self.headings.owner == organizer.scope.spelled),
            organizer,
            self.headings,
        )
        columns = {row.title: row.meaning for row in uow.session.scalars(remembered)}
        values: dict[str, Any] = {
            "ref": uow.new_ref(self.ref_prefix), "file_name": name[-200:], "content": content,
            "said": {"columns": columns, **said}, "state": FileState.WAITING,
            "writer_id": organizer.id, "made_at": uow.now, **owned_by(organizer.scope),
        }  # fmt: skip
        row = self.table(**values)
        uow.session.add(row)
        uow.session.flush()
        facts = {"file": row.file_name, "bytes": len(content)}
        self._record_act(uow, organizer, self.acts.upload, row, facts)
        self._start_job(uow, organizer, row, self.check_job)
        return row.ref

    def find_file(self, uow: UnitOfWork, organizer: Organizer, ref: str) -> CheckedFile:
        """A file of the organizer's place.

        Raises: NotFound (404).
        """
        asked = select(self.table).where(self.table.ref == ref)
        row: CheckedFile | None = uow.session.scalar(visible_to(asked, organizer, self.table))
        if row is None:
            raise NotFound
        return row

    def list_files(self, uow: UnitOfWork, organizer: Organizer) -> list[CheckedFile]:
        """The last files of the organizer's place, the newest first."""
        asked = select(self.table).order_by(self.table.id.desc()).limit(_LISTED)
        return list(uow.session.scalars(visible_to(asked, organizer, self.table)))

    def assign_columns(
        self,
        uow: UnitOfWork,
        organizer: Organizer,
        ref: str,
        columns: Mapping[str, str],
        **said: Any,
    ) -> None:
        """Assign columns by hand and check the file again; their headings are remembered.

        Raises: NotFound (404), FileNotReady (409).
        """
        row = self._find_locked(uow, organizer, ref, FileState.CHECKED)
        row.said = {**row.said, **said, "columns": {**row.said.get("columns", {}), **columns}}
        row.state, row.report = FileState.WAITING, None
        for title, meaning in columns.items():
            if not title.startswith("#"):
                self._remember_heading(uow, organizer, scope_of(row), title, meaning)
        facts = {"columns": dict(columns), **said}
        self._record_act(uow, organizer, self.acts.assign, row, facts)
        self._start_job(uow, organizer, row, self.check_job)

    def _remember_heading(
        self, uow: UnitOfWork, organizer: Organizer, owner: Scope, title: str, meaning: str
    ) -> None:
        table = self.headings
        known = writable_by(
            update(table)
            .where(table.owner == owner.spelled, table.title == title[:80])
            .values(meaning=meaning)
            .returning(table.id),
            organizer,
            table,
        )
        if uow.session.execute(known).first() is None:
            values: dict[str, Any] = {"title": title[:80], "meaning": meaning, **owned_by(owner)}
            uow.session.add(table(**values))
            uow.session.flush()

    def confirm_file(
        self, uow: UnitOfWork, organizer: Organizer, ref: str, *, good_only: bool
    ) -> None:
        """Confirm the file and start the job that stores its rows.

        `good_only` leaves refused rows out; otherwise one of them refuses the file.
        Raises: NotFound (404), FileNotReady (409).
        """
        row = self._find_locked(uow, organizer, ref, FileState.CHECKED)
        report = row.report or self.empty_report
        if report["refused"] or (report["problem_count"] and not good_only):
            raise FileNotReady
        row.state, row.said = FileState.CONFIRMED, {**row.said, "good_only": good_only}
        facts = {"good_only": good_only, **self._counts_of(report)}
        self._record_act(uow, organizer, self.acts.confirm, row, facts)
        self._start_job(uow, organizer, row, self.store_job)

    def drop_file(self, uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
        """Discard a file before it is stored.

        Raises: NotFound (404), FileNotReady (409).
        """
        row = self._find_locked(uow, organizer, ref, *UNFINISHED)
        job = self.find_running_job(uow, organizer, row)
        if job is not None:
            cancel_job(uow, organizer, job.ref)
        row.state, row.content = FileState.DROPPED, None
        self._record_act(uow, organizer, self.acts.drop, row, {})

    def _record_act(
        self,
        uow: UnitOfWork,
        organizer: Organizer,
        act: str,
        row: CheckedFile,
        facts: Mapping[str, object],
    ) -> None:
        self.record(uow, organizer, act, (self.subject, row.ref), row, facts)

    def _find_locked(
        self, uow: UnitOfWork, organizer: Organizer, ref: str, *states: FileState
    ) -> CheckedFile:
        asked = select(self.table).where(self.table.ref == ref)
        asked = writable_by(asked, organizer, self.table).with_for_update()
        row: CheckedFile | None = uow.session.scalar(asked)
        if row is None:
            raise NotFound
        if row.state not in states:
            raise FileNotReady
        return row

    def find_running_job(
        self, uow: UnitOfWork, organizer: Organizer, row: CheckedFile
    ) -> ConsoleJob | None:
        """The job that checks or stores the file; None when somebody else started it."""
        busy = row.state in (FileState.WAITING, FileState.CONFIRMED)
        if not busy or row.said.get("job_of") != organizer.id:
            return None
        return find_job(uow, organizer, row.said["job"])

    def say_problems(
        self, texts: Texts, told: Sequence[Sequence[Any]]
    ) -> list[tuple[str, int, str]]:
        """Sheet, line and sentence of each problem of a report."""
        return [
            (sheet, line, self.say_reason(texts, code, facts)) for sheet, line, code, facts in told
        ]

    def _start_job(
        self, uow: UnitOfWork, organizer: Organizer, row: CheckedFile, job: LongJob
    ) -> None:
        title = {"file": row.file_name}
        ref = start_job(uow, organizer, job, {"file": row.ref}, title_facts=title)
        row.said = {**row.said, "job": ref, "job_of": organizer.id}

    def _load_file(self, context: TaskContext, job: JobRun) -> tuple[int, KeptFile]:
        """The id of the job's file and its content. Raises: FileNotReady when it was dropped."""
        with context.uow_factory.begin(job.organizer, read_only=True) as uow:
            row_id = self.find_file(uow, job.organizer, job.arguments["file"]).id
            row = uow.session.get(self.table, row_id, options=[undefer(self.table.content)])
            if row is None or row.content is None:
                raise FileNotReady
            kept = KeptFile(
                name=row.file_name, content=row.content, said=row.said, owner=scope_of(row)
            )
            return row_id, kept

    def _check_file(self, context: TaskContext, job: JobRun) -> JobResult:
        """Check a file: a dry run, whose report is kept with the file."""
        row_id, kept = self._load_file(context, job)
        try:
            read: Read | FileRefused = self.read(context, job, kept)
        except FileRefused as refusal:
            read = refusal
        job.report_progress(1, 2)
        with context.uow_factory.begin(job.organizer) as uow:
            row = self._lock_row(uow, row_id, FileState.WAITING)
            if isinstance(read, FileRefused):
                row.report = report_refused(self.empty_report, read)
            else:
                findings = self.compare(uow, kept, read)
                row.report, row.said = report_findings(findings), {**row.said, **findings.said}
            row.state = FileState.CHECKED
            result = self._told_result(uow.texts, row.report)
            job.settle_in(uow, result)
        return result

    def _store_file(self, context: TaskContext, job: JobRun) -> JobResult:
        """Store the rows in one transaction, compared again with what is stored by now."""
        row_id, kept = self._load_file(context, job)
        try:
            read = self.read(context, job, kept)
        except FileRefused:
            raise FileNotReady from None
        job.report_progress(1, 2)
        with context.uow_factory.begin(job.organizer) as uow:
            self.lock(uow, kept)
            row = self._lock_row(uow, row_id, FileState.CONFIRMED)
            findings = self.compare(uow, kept, read)
            row.report = report = report_findings(findings)
            if report["refused"] or (report["problem_count"] and not row.said["good_only"]):
                row.state = FileState.CHECKED
                result = self._told_result(uow.texts, report)
            else:
                self.store(uow, row, findings)
                row.state, row.content = FileState.STORED, None
                self._record_act(uow, job.organizer, self.acts.store, row, findings.counts)
                result = JobResult(said=self.words.stored, facts=self._counts_of(report))
            job.settle_in(uow, result)
        return result

    def _lock_row(self, uow: UnitOfWork, row_id: int, state: FileState) -> CheckedFile:
        row = uow.session.get(self.table, row_id, with_for_update=True)
        if row is None or row.state is not state:
            raise FileNotReady
        return row

    def _counts_of(self, report: Mapping[str, Any]) -> dict[str, int]:
        return {name: int(report[name]) for name in self.counts}

    def _told_result(self, texts: Texts, report: Mapping[str, Any]) -> JobResult:
        """The result of a check, with its problems as a file to download."""
        said = self.words.checked
        facts = {**self._counts_of(report), "problem_count": int(report["problem_count"])}
        if not report["problems"]:
            return JobResult(said=said, facts=facts)
        title, kind = texts.fill_text("console.upload.reasons"), ExportFormat.CSV
        heads = [
            (texts.fill_text("console.upload.sheet"), "text"),
            (texts.fill_text("console.upload.line"), "number"),
            (texts.fill_text("console.upload.reason"), "long"),
        ]
        content, _ = write_export(kind, title, heads, self.say_problems(texts, report["problems"]))
        return JobResult(
            said=said, facts=facts, failed=True, file_name=f"{title}.{kind.value}",
            media=kind.media, content=content,
        )  # fmt: skip
