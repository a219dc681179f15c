"""Files of questions that organizers upload: how they are read, compared and stored as drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from server.audit.service import record_owned
from server.base.access import Scope
from server.base.jobs import TaskContext
from server.base.ownership import scope_of
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.console.checked_files import CheckedUpload, KeptFile, UploadActs, UploadWords
from server.console.file_findings import FileFindings
from server.console.long_jobs import JobRun
from server.console.models import CheckedFile
from server.console.sheets.headings import LEFT_OUT
from server.console.sheets.reasons import sort_by_line
from server.quiz.bank import importing
from server.quiz.bank.files.headings import OPTIONS
from server.quiz.bank.files.reading import ReadingOptions, Table
from server.quiz.bank.files.reasons import QuestionReason
from server.quiz.bank.files.rows import Draft
from server.quiz.bank.files.wording import say_reason
from server.quiz.bank.named_banks import TITLED, BankChoice, own_bank
from server.quiz.bank.picture_imports import PictureWork, place_pictures, read_upload
from server.quiz.bank.places import place_ref
from server.quiz.models import QuestionHeading, QuestionImport
from server.quiz.words import word_table


@dataclass(frozen=True, kw_only=True)
class QuestionsRead:
    """The file's questions, and the names of its pictures by their digests."""

    table: Table
    names: Mapping[str, str]


def column_names() -> list[str]:
    """The columns that a heading can be assigned to, and LEFT_OUT."""
    return [*word_table("columns"), *OPTIONS[:6], LEFT_OUT]


def _read_file(context: TaskContext, job: JobRun, file: KeptFile) -> QuestionsRead:
    """Read the file and store its pictures."""
    options = ReadingOptions(
        columns=file.columns, from_zero=file.said["from_zero"], no_heading=file.said["no_heading"]
    )
    read = read_upload(file.name, file.content, options)
    work = PictureWork(
        organizer=job.organizer, remembered=file.said.get("pictures", {}),
        report_progress=job.report_progress,
    )  # fmt: skip
    table, names = place_pictures(context.uow_factory, read, work)
    ending = _ending_of(_bank_of(file.said, file.owner))
    drafts = [
        replace(draft, ref=place_ref(_end_ref(draft, ending), file.owner)) for draft in table.drafts
    ]
    return QuestionsRead(table=replace(table, drafts=drafts), names=dict(names))


def _bank_of(said: Mapping[str, Any], owner: Scope) -> BankChoice:
    """The bank that was chosen at the upload."""
    chosen = said.get("bank")
    return own_bank(owner) if not chosen else BankChoice(slug=chosen, title=said["bank_title"])


def _ending_of(bank: BankChoice) -> str:
    """The ending of generated ids in a titled bank; the place's own bank has none."""
    return f"-{bank.slug[-5:]}" if bank.slug.startswith(TITLED) else ""


def _end_ref(draft: Draft, ending: str) -> str:
    """Add the ending to a generated id, so that it is unique in the place; keep the file's ids."""
    return draft.ref if draft.has_own_ref or not ending else f"{draft.ref[:28]}{ending}"


def _lock_bank(uow: UnitOfWork, file: KeptFile) -> None:
    bank = _bank_of(file.said, file.owner)
    importing.lock_bank(uow, bank.slug, file.owner, bank.title)


def _compare_questions(uow: UnitOfWork, file: KeptFile, read: QuestionsRead) -> FileFindings:
    table = read.table
    slug = _bank_of(file.said, file.owner).slug
    found = importing.compare_with_bank(uow, slug, table.drafts)
    return FileFindings(
        changes=found,
        counts={
            "added": len(found.added),
            "changed": len(found.changed),
            "unchanged": len(found.unchanged),
        },
        problems=sort_by_line(table.every_problem, found.problems),
        warnings=sort_by_line(table.warnings, found.warnings),
        refused=bool(table.refused),
        columns=table.columns,
        ignored=table.ignored,
        said={"pictures": read.names},
    )


def _store_drafts(uow: UnitOfWork, row: CheckedFile, found: FileFindings) -> None:
    owner = scope_of(row)
    importing.store_drafts(
        uow,
        _bank_of(row.said, owner).slug,
        found.changes,
        owner=owner,
        writer_id=row.writer_id,
        batch=row.ref,
    )


def _say_reason(texts: Texts, code: str, facts: Mapping[str, Any]) -> str:
    return say_reason(texts, QuestionReason(code=code, facts=facts))


QUESTION_FILES: CheckedUpload[QuestionsRead] = CheckedUpload(
    check_name="quiz.check_questions",
    store_name="quiz.import_questions",
    ref_prefix="imp",
    table=QuestionImport,
    headings=QuestionHeading,
    counts=("added", "changed", "unchanged"),
    words=UploadWords(
        check_job="quiz.bank_import.check_job",
        store_job="quiz.bank_import.store_job",
        checked="quiz.bank_import.job_checked",
        stored="quiz.bank_import.job_stored",
    ),
    acts=UploadActs(
        upload="quiz.upload_questions",
        assign="quiz.assign_columns",
        confirm="quiz.import_questions",
        store="quiz.import_questions",
        drop="quiz.drop_import",
    ),
    subject="question_import",
    record=record_owned,
    say_reason=_say_reason,
    read=_read_file,
    lock=_lock_bank,
    compare=_compare_questions,
    store=_store_drafts,
)
