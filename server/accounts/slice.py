"""Manifest of the slice of citizens."""

from __future__ import annotations

from pathlib import Path

from server.accounts import api, chat, tasks, unit_members
from server.accounts.personal_data import PERSONAL
from server.base.manifest import Slice

SLICE = Slice(
    name="accounts",
    texts=Path(__file__).parent,
    apis=(api.API,),
    tasks=tasks.TASKS,
    queues=tasks.QUEUES,
    events=chat.HANDLERS,
    personal_data=PERSONAL,
    hooks=unit_members.HOOKS,
)
