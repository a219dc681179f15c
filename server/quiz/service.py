"""The only module of the contest that code outside `server/quiz` imports, besides the manifest.

It includes the operators' commands; background tasks are in `slice.py`.
"""

from __future__ import annotations

from server.quiz.attempts.participation import RebuiltParticipation, rebuild_participation
from server.quiz.contests.commands import (
    DEMO_CONTEST,
    ImportReport,
    import_questions,
    open_demo_contest,
    open_programme_contest,
)
from server.quiz.leaderboards.commands import Rebuilt, rebuild_leaderboards

__all__ = [
    "DEMO_CONTEST",
    "ImportReport",
    "Rebuilt",
    "RebuiltParticipation",
    "import_questions",
    "open_demo_contest",
    "open_programme_contest",
    "rebuild_leaderboards",
    "rebuild_participation",
]
