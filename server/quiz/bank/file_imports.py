"""Files that organizers upload: kept, checked by a worker, confirmed, stored by a worker.

The check is a dry run. Parsing happens outside of transactions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import undefer

from server.audit.service import Subject, record_change
from server.base.access import Organizer, Scope, System
from server.base.errors import NotFound
from server.base.ownership import owned_by, scope_of, visible_to, writable_by
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.bank import importing
from server.quiz.bank.files.headings import LEFT_OUT, OPTIONS
from server.quiz.bank.files.reading import ReadingOptions, Table, read_questions
from server.quiz.bank.files.reasons import FileRefused, Problem, sort_by_line
from server.quiz.bank.places import bank_slug, place_ref
from server.quiz.enums import ImportState
from server.quiz.errors import ImportNotReady
from server.quiz.models import QuestionHeading, QuestionImport
from server.quiz.words import word_table

TASK = "quiz.read_imports"
# Problems that a report holds; their number is complete.
MOST_TOLD = 1000
_LISTED = 20
_SYSTEM = System(name="import-questions")
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
        done_rows=0, total_rows=0, **owned_by(organizer.scope),
    )  # fmt: skip
    uow.session.add(row)
    uow.session.flush()
    record_change(
        uow, organizer, "quiz.upload_questions", Subject("question_import", row.ref),
        after={"file": row.file_name, "bytes": len(file.content)},
    )  # fmt: skip
    uow.enqueue_after_commit(TASK, row.id)
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
    row.state, row.done_rows, row.report = ImportState.WAITING, 0, None
    for title, meaning in columns.items():
        if not title.startswith("#"):
            _remember_heading(uow, organizer, scope_of(row), title, meaning)
    record_change(
        uow, organizer, "quiz.assign_columns", Subject("question_import", ref, scope_of(row)),
        after={"columns": dict(columns), **said},
    )  # fmt: skip
    uow.enqueue_after_commit(TASK, row.id)


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
    row.state, row.done_rows = ImportState.CONFIRMED, 0
    row.said = {**row.said, "good_only": good_only}
    record_change(
        uow, organizer, "quiz.import_questions", Subject("question_import", ref, scope_of(row)),
        after={"good_only": good_only, "added": report.get("added"),
               "changed": report.get("changed")},
    )  # fmt: skip
    uow.enqueue_after_commit(TASK, row.id)


def drop_import(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Give an import up before it is stored.

    Raises: NotFound (404), ImportNotReady (409).
    """
    states = (ImportState.WAITING, ImportState.CHECKED, ImportState.CONFIRMED)
    row = _locked_in(uow, organizer, ref, *states)
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


def read_imports(uow_factory: UnitOfWorkFactory) -> int:
    """Check waiting files and store confirmed ones; return how many."""
    with uow_factory.begin(_SYSTEM, read_only=True) as uow:
        states = (ImportState.WAITING, ImportState.CONFIRMED)
        asked = select(QuestionImport.id, QuestionImport.state)
        due = uow.session.execute(asked.where(QuestionImport.state.in_(states))).all()
    for row_id, state in due:
        if state is ImportState.WAITING:
            _check_file(uow_factory, row_id)
        else:
            _store_file(uow_factory, row_id)
    return len(due)


def _read_file(uow_factory: UnitOfWorkFactory, row_id: int) -> Table | FileRefused | None:
    """The file's questions, the reason for refusing it, or None when it was dropped."""
    with uow_factory.begin(_SYSTEM, read_only=True) as uow:
        row = uow.session.get(QuestionImport, row_id, options=[undefer(QuestionImport.content)])
        if row is None or row.content is None:
            return None
        name, content, said, owner = row.file_name, row.content, row.said, scope_of(row)
    options = ReadingOptions(
        columns=said["columns"], from_zero=said["from_zero"], no_heading=said["no_heading"]
    )
    try:
        table = read_questions(name, content, options)
    except FileRefused as refusal:
        return refusal
    drafts = [replace(draft, ref=place_ref(draft.ref, owner)) for draft in table.drafts]
    return replace(table, drafts=drafts)


def _check_file(uow_factory: UnitOfWorkFactory, row_id: int) -> None:
    read = _read_file(uow_factory, row_id)
    if isinstance(read, Table):
        _show_progress(uow_factory, row_id, len(read.drafts))
    with uow_factory.begin(_SYSTEM) as uow:
        row = uow.session.get(QuestionImport, row_id, with_for_update=True)
        if row is None or read is None or row.state is not ImportState.WAITING:
            return
        row.report = _report_of(uow, row, read)
        row.state = ImportState.CHECKED


def _report_of(uow: UnitOfWork, row: QuestionImport, read: Table | FileRefused) -> dict[str, Any]:
    if isinstance(read, FileRefused):
        told = _told(Problem(line=read.line, why=read.why))
        return {**EMPTY_REPORT, "refused": True, "problems": [told], "problem_count": 1}
    found = importing.compare_with_bank(uow, bank_slug(scope_of(row)), read.drafts)
    problems = sort_by_line(read.every_problem, found.problems)
    warnings = sort_by_line(read.warnings, found.warnings)
    return {
        "refused": bool(read.refused),
        "problems": [_told(one) for one in problems[:MOST_TOLD]],
        "problem_count": len(problems),
        "warnings": [_told(one) for one in warnings[:MOST_TOLD]],
        "warning_count": len(warnings),
        "added": len(found.added),
        "changed": len(found.changed),
        "unchanged": len(found.unchanged),
        "columns": [asdict(column) for column in read.columns],
        "ignored": read.ignored,
    }


def _told(problem: Problem) -> list[Any]:
    return [problem.sheet, problem.line, problem.why.code, dict(problem.why.facts)]


def _store_file(uow_factory: UnitOfWorkFactory, row_id: int) -> None:
    """Store the questions in one transaction; a bank that changed meanwhile is compared again."""
    read = _read_file(uow_factory, row_id)
    if not isinstance(read, Table):
        return
    _show_progress(uow_factory, row_id, len(read.drafts))
    with uow_factory.begin(_SYSTEM) as uow:
        row = uow.session.get(QuestionImport, row_id, with_for_update=True)
        if row is None or row.state is not ImportState.CONFIRMED:
            return
        owner = scope_of(row)
        slug = bank_slug(owner)
        importing.lock_bank(uow, slug, owner)
        found = importing.compare_with_bank(uow, slug, read.drafts)
        if read.refused or (found.problems and not row.said["good_only"]):
            row.state, row.report = ImportState.CHECKED, _report_of(uow, row, read)
            return
        importing.store_drafts(
            uow, slug, found, owner=owner, writer_id=row.writer_id, batch=row.ref
        )
        row.state, row.content = ImportState.STORED, None
        row.report = _report_of_stored(row, found)
        row.done_rows = row.total_rows
        record_change(
            uow, _SYSTEM, "quiz.import_questions", Subject("question_import", row.ref, owner),
            after={"added": len(found.added), "changed": len(found.changed)},
        )  # fmt: skip


def _report_of_stored(row: QuestionImport, found: importing.Comparison) -> dict[str, Any]:
    return {
        **(row.report or EMPTY_REPORT),
        "added": len(found.added),
        "changed": len(found.changed),
        "unchanged": len(found.unchanged),
    }


def _show_progress(uow_factory: UnitOfWorkFactory, row_id: int, count: int) -> None:
    """Store between two transactions that the rows are read: half of the work is done."""
    with uow_factory.begin(_SYSTEM) as uow:
        read = update(QuestionImport).where(QuestionImport.id == row_id)
        uow.session.execute(read.values(done_rows=count, total_rows=2 * count))
