"""The only module of the contest that code outside `server/quiz` imports, besides the manifest.

It includes the operators' commands; background tasks are in `slice.py`.
"""

from __future__ import annotations

from server.quiz.attempts.bulk import PlayerPapers, add_played_papers
from server.quiz.attempts.participation import RebuiltParticipation, rebuild_participation
from server.quiz.attempts.season import PlayedPaper, PlayedSeason, Sitting, play_season
from server.quiz.attempts.service import SHARDS
from server.quiz.attempts.starters import starter_ids
from server.quiz.bank.commands import ImportReport, import_questions
from server.quiz.bank.drawing import Item
from server.quiz.bank.files.reading import ReadingOptions
from server.quiz.bank.pictures import picture_content
from server.quiz.bank.service import LoadedBank, bank_of
from server.quiz.contests.commands import (
    DEMO_CONTEST,
    DemoSeason,
    demo_season,
    open_demo_contest,
    open_programme_contest,
)
from server.quiz.contests.service import ContestView
from server.quiz.enums import QuestionKind
from server.quiz.integrity.inspection import inspect_from_beginning
from server.quiz.leaderboards.board_keys import CountedPlace
from server.quiz.leaderboards.commands import Rebuilt, rebuild_leaderboards
from server.quiz.review.reports import PastReport, add_reports
from server.quiz.sealing.commands import verify_final_ranks

__all__ = [
    "DEMO_CONTEST",
    "SHARDS",
    "ContestView",
    "CountedPlace",
    "DemoSeason",
    "ImportReport",
    "Item",
    "LoadedBank",
    "PastReport",
    "PlayedPaper",
    "PlayedSeason",
    "PlayerPapers",
    "QuestionKind",
    "ReadingOptions",
    "Rebuilt",
    "RebuiltParticipation",
    "Sitting",
    "add_played_papers",
    "add_reports",
    "bank_of",
    "demo_season",
    "import_questions",
    "inspect_from_beginning",
    "open_demo_contest",
    "open_programme_contest",
    "picture_content",
    "play_season",
    "rebuild_leaderboards",
    "rebuild_participation",
    "starter_ids",
    "verify_final_ranks",
]
