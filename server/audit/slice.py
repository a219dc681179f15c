"""Manifest of the audit trail."""

from __future__ import annotations

from pathlib import Path

from server.audit import console, personal_data, tasks
from server.base.access import Permission
from server.base.manifest import Slice

SLICE = Slice(
    name="audit",
    texts=Path(__file__).parent,
    personal_data=personal_data.PERSONAL,
    pages=(console.PAGES,),
    tasks=tasks.TASKS,
    permissions=(Permission.AUDIT_READ, Permission.HISTORY_READ),
)
