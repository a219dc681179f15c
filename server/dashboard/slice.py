"""Manifest of the dashboard."""

from __future__ import annotations

from pathlib import Path

from server.base.access import Permission
from server.base.manifest import Slice
from server.dashboard import console, tasks
from server.dashboard.personal_data import PERSONAL

SLICE = Slice(
    name="dashboard",
    texts=Path(__file__).parent,
    pages=(console.PAGES,),
    tasks=tasks.FIGURE_TASKS,
    permissions=(Permission.FIGURES_READ, Permission.PERSON_READ),
    personal_data=PERSONAL,
)
