"""Files of activities that organizers upload: how they are read, compared and stored as drafts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from server.activities import loading
from server.activities.drafts import add_activity, check_draft, fault_key
from server.activities.loading import RowFault, RowFaultKind
from server.activities.models import Activity, ActivityFile, ActivityHeading
from server.activities.sheet_rows import (
    HEADINGS,
    ActivitiesRefused,
    ActivityReason,
    ActivityTable,
    ReadActivity,
    SheetReader,
    read_table,
)
from server.audit.service import record_owned
from server.base.jobs import TaskContext
from server.base.ownership import scope_of
from server.base.sql.locks import lock_name
from server.base.texts import FIRST_LANGUAGE, Texts
from server.base.uow import UnitOfWork
from server.console.checked_files import CheckedUpload, KeptFile, UploadActs, UploadWords
from server.console.file_findings import FileFindings
from server.console.long_jobs import JobRun
from server.console.models import CheckedFile
from server.console.sheets.reasons import Problem, sort_by_line
from server.organizers.service import Places
from server.units import service as units

MOST_ROWS = loading.MOST_ROWS
# Titles of columns that a reason can name, and that a heading can be assigned to.
COLUMN_TITLES: Mapping[str, str] = {name: f"activities.column.{name}" for name in HEADINGS}
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class ActivityComparison:
    """The drafts that a file would add; `known` is the number of activities already there."""

    added: list[ReadActivity] = field(default_factory=list)
    known: int = 0
    problems: list[Problem] = field(default_factory=list)


def read_activities(raw: bytes, reader: SheetReader) -> ActivityTable:
    """Read a table, or the JSON list that the command reads.

    Raises: FileRefused.
    """
    if not raw.strip():
        raise ActivitiesRefused("empty", name="")
    listed = raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
    table = _read_list(raw) if listed else read_table(raw, reader)
    if not table.rows and not table.problems and not table.refused:
        raise ActivitiesRefused("no_rows")
    if len(table.rows) + len(table.problems) > MOST_ROWS:
        raise ActivitiesRefused("too_many_rows", most=MOST_ROWS)
    return table


def _read_list(raw: bytes) -> ActivityTable:
    """The rows of a JSON list; their line is their number from 1."""
    rows, faults = loading.read_numbered(raw)
    table = ActivityTable()
    for fault in faults:
        if fault.row:
            table.problems.append(Problem(line=fault.row, why=_reason_of(fault)))
        elif fault.kind is RowFaultKind.TOO_MANY:
            raise ActivitiesRefused("too_many_rows", most=MOST_ROWS)
        else:
            raise ActivitiesRefused("json_document")
    for number, row in rows:
        draft = loading.draft_of(row)
        table.rows.append(ReadActivity(line=number, sheet="", ref=row.ref, draft=draft))
    return table


def _reason_of(fault: RowFault) -> ActivityReason:
    """Name the fault of a row of a JSON list, with the title of its field."""
    known = fault.field in COLUMN_TITLES
    if fault.kind is RowFaultKind.MISSING and known:
        return ActivityReason(code="cell_missing", facts={"column": fault.field})
    if fault.kind is RowFaultKind.UNKNOWN:
        return ActivityReason(code="row_unknown", facts={"given": fault.field[:40]})
    facts = {"column": fault.field, "trouble": fault.reason[:200]}
    return ActivityReason(code="row_form" if known else "row_broken", facts=facts)


def _read_file(_context: TaskContext, _job: JobRun, file: KeptFile) -> ActivityTable:
    places = Places(units.load_regions())
    return read_activities(
        file.content, SheetReader(places=places, own=file.owner, by_hand=file.columns)
    )


def _lock_place(uow: UnitOfWork, file: KeptFile) -> None:
    lock_name(uow, "activity files", file.owner.spelled)


def _compare_rows(uow: UnitOfWork, file: KeptFile, table: ActivityTable) -> FileFindings:
    found = _compare_activities(uow, file, table)
    return FileFindings(
        changes=found,
        counts={"added": len(found.added), "known": found.known},
        problems=sort_by_line(table.refused, table.problems, found.problems),
        refused=bool(table.refused),
        columns=table.columns,
        ignored=table.ignored,
    )


def _compare_activities(
    uow: UnitOfWork, file: KeptFile, table: ActivityTable
) -> ActivityComparison:
    """Sort rows into new, known and refused ones.

    An activity with the same title and start in the same place is known: the file was imported
    before.
    """
    known = _known_activities(uow, file)
    refs = _known_refs(uow, table)
    seen: dict[tuple[str, datetime], int] = {}
    count, added, problems = 0, [], []
    for row in table.rows:
        key = (row.draft.title, row.draft.starts_at)
        if key in known:
            count += 1
            continue
        why = next(_find_reasons(uow, row, refs, seen.get(key)), None)
        if why is not None:
            problems.append(Problem(line=row.line, sheet=row.sheet, why=why))
            continue
        seen[key] = row.line
        if row.ref is not None:
            refs[row.ref] = "ref_twice"
        added.append(row)
    return ActivityComparison(added=added, known=count, problems=problems)


def _known_activities(uow: UnitOfWork, file: KeptFile) -> set[tuple[str, datetime]]:
    rows = uow.session.execute(
        select(Activity.title, Activity.starts_at).where(Activity.owner == file.owner.spelled)
    )
    return {(row.title, row.starts_at) for row in rows}


def _known_refs(uow: UnitOfWork, table: ActivityTable) -> dict[str, str]:
    """The refs of the file that exist, with the reason that refuses a row with each."""
    wanted = [row.ref for row in table.rows if row.ref is not None]
    found = uow.session.scalars(select(Activity.ref).where(Activity.ref.in_(wanted)))
    return dict.fromkeys(found, "ref_known")


def _find_reasons(
    uow: UnitOfWork, row: ReadActivity, refs: Mapping[str, str], twin: int | None
) -> Iterator[ActivityReason]:
    if row.ref is not None and _REF.fullmatch(row.ref) is None:
        yield ActivityReason(code="wrong_ref", facts={"given": row.ref[:40]})
    if row.ref is not None and row.ref in refs:
        yield ActivityReason(code=refs[row.ref], facts={"given": row.ref})
    if twin is not None:
        yield ActivityReason(code="row_twice", facts={"other": twin})
    for fault in check_draft(uow, row.draft):
        yield ActivityReason(code="content", facts={"fault": f"{fault.field}.{fault.reason}"})


def _add_drafts(uow: UnitOfWork, row: CheckedFile, found: FileFindings) -> None:
    """Store the rows as drafts of the file's place; each then goes through its review."""
    for one in found.changes.added:
        add_activity(uow, scope_of(row), one.draft, one.ref, writer_id=row.writer_id)


def _say_reason(texts: Texts, code: str, facts: Mapping[str, Any]) -> str:
    if code == "content":
        key = fault_key(*facts["fault"].split(".", 1))
        return texts.fill_text(key, language=FIRST_LANGUAGE)
    named = {
        name: _name_columns(texts, value) if name in ("column", "columns") else value
        for name, value in facts.items()
    }
    return texts.fill_text(f"activities.file.{code}", language=FIRST_LANGUAGE, **named)


def _name_columns(texts: Texts, fact: Any) -> Any:
    """The titles of the columns that a fact names; a number of columns is unchanged."""
    if not isinstance(fact, str):
        return fact
    names = [one.strip() for one in fact.split(",")]
    return "、".join(texts.fill_text(COLUMN_TITLES[one]) for one in names if one in COLUMN_TITLES)


ACTIVITY_FILES: CheckedUpload[ActivityTable] = CheckedUpload(
    check_name="activities.check_file",
    store_name="activities.import_file",
    ref_prefix="acf",
    table=ActivityFile,
    headings=ActivityHeading,
    counts=("added", "known"),
    words=UploadWords(
        check_job="activities.import.check_job",
        store_job="activities.import.store_job",
        checked="activities.import.job_checked",
        stored="activities.import.job_stored",
    ),
    acts=UploadActs(
        upload="activities.upload_file",
        assign="activities.assign_columns",
        confirm="activities.confirm_file",
        store="activities.import_file",
        drop="activities.drop_file",
    ),
    subject="activity_file",
    record=record_owned,
    say_reason=_say_reason,
    read=_read_file,
    lock=_lock_place,
    compare=_compare_rows,
    store=_add_drafts,
)
