"""Manifest of the slice of requests for units."""

from __future__ import annotations

from pathlib import Path

from server.base.access import Permission
from server.base.manifest import Slice
from server.unit_requests import api, console, service, tasks, unit_moves
from server.unit_requests.personal_data import PERSONAL

SLICE = Slice(
    name="unit_requests",
    texts=Path(__file__).parent,
    apis=(api.API,),
    pages=(console.PAGES,),
    tasks=tasks.TASKS,
    waiting=(service.tell_waiting,),
    permissions=(Permission.UNIT_WRITE,),
    personal_data=PERSONAL,
    hooks=unit_moves.HOOKS,
)
