"""Files of units that administrators upload: how their rows are read, compared and added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.audit.service import record_owned
from server.base.jobs import TaskContext
from server.base.texts import FIRST_LANGUAGE, Texts
from server.base.uow import UnitOfWork
from server.console.checked_files import CheckedUpload, KeptFile, UploadActs, UploadWords
from server.console.file_findings import FileFindings
from server.console.long_jobs import JobRun
from server.console.models import CheckedFile
from server.console.sheets.reasons import sort_by_line
from server.organizers.models import UnitFile, UnitHeading
from server.organizers.unit_importing import KnownUnit, UnitTable, compare_units, read_units
from server.organizers.unit_places import Places
from server.units import service as units

# Titles of columns that a reason can name, and that a heading can be assigned to.
COLUMN_TITLES: Mapping[str, str] = {
    "name": "organizers.units.name",
    "kind": "organizers.units.kind",
    "city": "organizers.units.city",
    "county": "organizers.units.county",
    "full_name": "organizers.units.full_name",
    "state": "organizers.people.state",
}


def _read_file(_context: TaskContext, _job: JobRun, file: KeptFile) -> UnitTable:
    return read_units(file.content, _all_places(), file.owner, file.columns)


def _all_places() -> Places:
    return Places(units.load_regions())


def _lock_units(uow: UnitOfWork, _file: KeptFile) -> None:
    units.lock_directory(uow)


def _compare_units(uow: UnitOfWork, file: KeptFile, table: UnitTable) -> FileFindings:
    known = [
        KnownUnit(name=unit.name, kind=unit.kind, city=unit.city, county=unit.county, open=is_open)
        for unit, is_open in units.list_names(uow, file.owner)
    ]
    found = compare_units(table.drafts, known, _all_places(), file.owner)
    return FileFindings(
        changes=found,
        counts={"added": len(found.added), "known": found.known},
        problems=sort_by_line(table.refused, table.problems, found.problems),
        warnings=found.warnings,
        refused=bool(table.refused),
        columns=table.columns,
        ignored=table.ignored,
    )


def _add_units(uow: UnitOfWork, _row: CheckedFile, found: FileFindings) -> None:
    added = found.changes.added
    units.add_units(uow, [(one.place, one.name, one.kind, one.full_name) for one in added])


def _say_reason(texts: Texts, code: str, facts: Mapping[str, Any]) -> str:
    named = {
        name: _name_column(texts, value) if name in ("column", "columns") else value
        for name, value in facts.items()
    }
    return texts.fill_text(f"organizers.unit_file.{code}", language=FIRST_LANGUAGE, **named)


def _name_column(texts: Texts, fact: Any) -> Any:
    """The title of the column whose name the fact is; any other fact unchanged."""
    title = COLUMN_TITLES.get(fact) if isinstance(fact, str) else None
    return fact if title is None else texts.fill_text(title)


UNIT_FILES: CheckedUpload[UnitTable] = CheckedUpload(
    check_name="organizers.check_units",
    store_name="organizers.import_units",
    ref_prefix="unf",
    table=UnitFile,
    headings=UnitHeading,
    counts=("added", "known"),
    words=UploadWords(
        check_job="organizers.unit_import.check_job",
        store_job="organizers.unit_import.store_job",
        checked="organizers.unit_import.job_checked",
        stored="organizers.unit_import.job_stored",
    ),
    acts=UploadActs(
        upload="organizers.upload_units",
        assign="organizers.assign_unit_columns",
        confirm="organizers.confirm_units",
        store="organizers.import_units",
        drop="organizers.drop_unit_file",
    ),
    subject="unit_file",
    record=record_owned,
    say_reason=_say_reason,
    read=_read_file,
    lock=_lock_units,
    compare=_compare_units,
    store=_add_units,
)
