"""Tables of the contest, one file per sub-package.

Files here do not import each other: a foreign key names its table as text, and all tables are
registered when this package is imported.
"""

from __future__ import annotations

from server.quiz.models.attempts import Attempt
from server.quiz.models.bank import (
    Bank,
    Question,
    QuestionHeading,
    QuestionImport,
    QuestionPicture,
)
from server.quiz.models.contests import Contest, Deck, RuleSetRow
from server.quiz.models.integrity import (
    DeviceUse,
    IntegrityCase,
    IntegrityFlag,
    IntegrityMark,
)
from server.quiz.models.leaderboards import Entry, GroupMember, Standing, WeChatGroup
from server.quiz.models.practice import Practice, PracticeAnswer
from server.quiz.models.review import ItemFigure, ItemTally, OptionTally, QuestionReport
from server.quiz.models.sealing import (
    SealChange,
    SealedOrder,
    SealedPart,
    SealedRank,
    SealedVersion,
)
from server.quiz.models.sharing import Share
from server.quiz.models.voids import QuestionVoid, RankChange, RescoredPaper, Rescoring

__all__ = [
    "Attempt",
    "Bank",
    "Contest",
    "Deck",
    "DeviceUse",
    "Entry",
    "GroupMember",
    "IntegrityCase",
    "IntegrityFlag",
    "IntegrityMark",
    "ItemFigure",
    "ItemTally",
    "OptionTally",
    "Practice",
    "PracticeAnswer",
    "Question",
    "QuestionHeading",
    "QuestionImport",
    "QuestionPicture",
    "QuestionReport",
    "QuestionVoid",
    "RankChange",
    "RescoredPaper",
    "Rescoring",
    "RuleSetRow",
    "SealChange",
    "SealedOrder",
    "SealedPart",
    "SealedRank",
    "SealedVersion",
    "Share",
    "Standing",
    "WeChatGroup",
]
