"""Background task of withdrawals."""

from __future__ import annotations

from server.announcements.watching.withdrawing import TASK, delete_mass_articles
from server.base.jobs import Task

TASKS = (Task(name=TASK, step=delete_mass_articles, every_seconds=60),)
