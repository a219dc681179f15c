"""The only module of the contest that code outside `server/quiz` imports, besides the manifest.

It includes the operators' commands; background tasks are in `slice.py`.
"""

from __future__ import annotations

from server.quiz.attempts.bulk import PlayerPapers, add_played_papers
from server.quiz.attempts.participation import RebuiltParticipation, rebuild_participation
from server.quiz.attempts.season import PlayedPaper, PlayedSeason, Sitting, play_season
from server.quiz.attempts.service import SHARDS, start_paper
from server.quiz.attempts.starters import starter_ids
from server.quiz.bank.commands import BANK, ImportReport, import_questions
from server.quiz.bank.drawing import Item
from server.quiz.bank.files.reading import ReadingOptions
from server.quiz.bank.pictures import picture_content
from server.quiz.bank.service import LoadedBank, bank_of
from server.quiz.contests.commands import (
    DEMO_CONTEST,
    DemoSeason,
    demo_season,
    open_contest,
    open_demo_contest,
    open_programme_contest,
)
from server.quiz.contests.editing import visible_titles
from server.quiz.contests.loading import ContestPlan
from server.quiz.contests.presets import preset_body
from server.quiz.contests.service import ContestView, find_contest
from server.quiz.contests.service import find_by_slug as contest_by_slug
from server.quiz.enums import QuestionKind
from server.quiz.integrity.inspection import (
    inspect_contest,
    inspect_from_beginning,
    list_flags,
)
from server.quiz.integrity.service import decide_flagged, hold_results
from server.quiz.leaderboards.board_keys import CountedPlace
from server.quiz.leaderboards.commands import Rebuilt, rebuild_leaderboards
from server.quiz.leaderboards.entrants import ResultBand, entrants_of
from server.quiz.review.reports import PastReport, add_reports
from server.quiz.sealing.commands import verify_final_ranks
from server.quiz.sealing.service import publish_version, seal_contest

__all__ = [
    "BANK",
    "DEMO_CONTEST",
    "SHARDS",
    "ContestPlan",
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
    "ResultBand",
    "Sitting",
    "add_played_papers",
    "add_reports",
    "bank_of",
    "contest_by_slug",
    "decide_flagged",
    "demo_season",
    "entrants_of",
    "find_contest",
    "hold_results",
    "import_questions",
    "inspect_contest",
    "inspect_from_beginning",
    "list_flags",
    "open_contest",
    "open_demo_contest",
    "open_programme_contest",
    "picture_content",
    "play_season",
    "preset_body",
    "publish_version",
    "rebuild_leaderboards",
    "rebuild_participation",
    "seal_contest",
    "start_paper",
    "starter_ids",
    "verify_final_ranks",
    "visible_titles",
]
