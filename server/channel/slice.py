"""Manifest of the slice of the official account; `callbacks.py` creates its chat."""

from __future__ import annotations

from pathlib import Path

from server.base.manifest import Slice
from server.channel import service, tasks
from server.channel.personal_data import PERSONAL

SLICE = Slice(
    name="channel",
    texts=Path(__file__).parent,
    tasks=tasks.TASKS,
    queues=tasks.QUEUES,
    metrics=service.READINGS,
    personal_data=PERSONAL,
)
