"""Manifest of the slice of notices."""

from __future__ import annotations

from pathlib import Path

from server.base.manifest import Slice
from server.notices import api, chat, tasks
from server.notices.personal_data import PERSONAL

SLICE = Slice(
    name="notices",
    texts=Path(__file__).parent,
    apis=(api.API,),
    tasks=tasks.TASKS,
    queues=tasks.QUEUES,
    events=chat.HANDLERS,
    idle_events=chat.IDLE,
    personal_data=PERSONAL,
)
