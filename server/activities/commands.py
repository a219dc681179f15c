"""Commands of activities: importing a file; the command line prints the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from server.activities.loading import RowFault, find_faults, read_rows, store_rows
from server.audit.service import Subject, record_change
from server.base.access import System
from server.base.uow import UnitOfWorkFactory


@dataclass(frozen=True, kw_only=True)
class ActivityImport:
    """Result of an import: the number of activities, or every reason when refused."""

    count: int = 0
    faults: tuple[RowFault, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the file was, or with a dry run could be, stored."""
        return not self.faults


def import_activities(
    uow_factory: UnitOfWorkFactory, path: Path, *, dry_run: bool = False
) -> ActivityImport:
    """Import and publish a file of activities, or refuse all of it."""
    rows, faults = read_rows(path.read_bytes())
    if faults:
        return ActivityImport(faults=tuple(faults))
    actor = System(name="import-activities")
    with uow_factory.begin(actor, read_only=dry_run) as uow:
        faults = find_faults(uow, rows)
        if faults or dry_run:
            return ActivityImport(count=len(rows), faults=tuple(faults))
        count = store_rows(uow, rows)
        if count:
            subject = Subject("activity_import", path.name)
            after = {"count": count}
            record_change(uow, actor, "activities.import_activities", subject, after=after)
    return ActivityImport(count=count)
