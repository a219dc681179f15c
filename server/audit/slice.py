"""Manifest of the audit trail."""

from __future__ import annotations

from pathlib import Path

from server.audit import personal_data, tasks
from server.base.manifest import Slice

SLICE = Slice(
    name="audit",
    texts=Path(__file__).parent,
    personal_data=personal_data.PERSONAL,
    tasks=tasks.TASKS,
)
