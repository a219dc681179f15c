"""The command that imports and publishes a file of questions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.audit.service import Subject, record_change
from server.base.access import System
from server.base.uow import UnitOfWorkFactory
from server.console.sheets.reasons import FileRefused, Problem, sort_by_line
from server.quiz.bank import importing
from server.quiz.bank.files.reading import ReadingOptions
from server.quiz.bank.picture_imports import PictureWork, place_pictures, read_file
from server.quiz.bank.places import REGION_BANK

BANK = REGION_BANK


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """Result of an import: the whole file accepted, or all of it refused, with every reason.

    `warnings` name rows that a person should check; they refuse nothing.
    """

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    ignored_columns: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the file was accepted."""
        return not self.problems

    @property
    def count(self) -> int:
        """Number of the file's questions in the bank, or that would be after a dry run."""
        return self.added + self.changed + self.unchanged


def import_questions(
    uow_factory: UnitOfWorkFactory,
    path: Path,
    *,
    bank: str = BANK,
    dry_run: bool = False,
    said: ReadingOptions | None = None,
) -> ImportReport:
    """Import and publish a file of questions; one refused row refuses the file."""
    try:
        read = read_file(path, said)
    except FileRefused as refusal:
        return ImportReport(problems=(Problem(line=refusal.line, why=refusal.why),))
    table, _ = place_pictures(uow_factory, read, PictureWork(dry_run=dry_run))
    actor = System(name="import-questions")
    with uow_factory.begin(actor, read_only=dry_run) as uow:
        if not dry_run:
            importing.lock_bank(uow, bank)
        found = importing.compare_with_bank(uow, bank, table.drafts)
        problems = sort_by_line(table.every_problem, found.problems)
        if not problems and not dry_run:
            importing.publish_comparison(uow, bank, found)
            if found.added or found.changed:
                counts = {"added": len(found.added), "changed": len(found.changed)}
                subject = Subject("bank", bank)
                record_change(uow, actor, "quiz.import_questions", subject, after=counts)
    told: dict[str, Any] = {
        "warnings": sort_by_line(table.warnings, found.warnings),
        "ignored_columns": tuple(table.ignored),
    }
    if problems:
        return ImportReport(problems=problems, **told)
    return ImportReport(
        added=len(found.added),
        changed=len(found.changed),
        unchanged=len(found.unchanged),
        **told,
    )
