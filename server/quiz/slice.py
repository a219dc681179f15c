"""Manifest of the contest slice."""

from __future__ import annotations

from pathlib import Path

from server.base.manifest import Slice
from server.quiz import api, chat, tasks
from server.quiz.attempts import metrics
from server.quiz.personal_data import HOOKS, PERSONAL

SLICE = Slice(
    name="quiz",
    texts=Path(__file__).parent,
    apis=(api.API,),
    tasks=tasks.TASKS,
    queues=tasks.QUEUES,
    answers=chat.ANSWERS,
    metrics={"quiz_overdue_papers": metrics.count_overdue_papers},
    personal_data=PERSONAL,
    hooks=HOOKS,
)
