"""Manifest of the base: its own sweeps, and the texts of shared errors."""

from __future__ import annotations

from pathlib import Path

from server.base import maintenance
from server.base.manifest import Slice
from server.base.web.idempotency import PERSONAL

SLICE = Slice(
    name="base", texts=Path(__file__).parent, tasks=maintenance.TASKS, personal_data=PERSONAL
)
