"""Background task of activities: deletes posters without an activity."""

from __future__ import annotations

from server.activities.posters import drop_unused_posters
from server.base.jobs import Task

TASKS = (Task(name="activities.drop_unused_posters", step=drop_unused_posters, every_seconds=3600),)
