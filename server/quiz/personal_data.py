"""Personal data of all sub-packages, in the order in which an erasure processes it."""

from __future__ import annotations

from server.base.ownership import HandOver
from server.base.uow import Hooks
from server.console import checked_files
from server.quiz.attempts import devices, reminders, unit_moves
from server.quiz.attempts import personal_data as attempts
from server.quiz.enums import QuestionState
from server.quiz.integrity import personal_data as integrity
from server.quiz.leaderboards import personal_data as leaderboards
from server.quiz.models import Contest, Question, QuestionImport
from server.quiz.practice import personal_data as practice
from server.quiz.review import personal_data as review
from server.quiz.sealing import personal_data as sealing
from server.quiz.sharing import personal_data as sharing

PERSONAL = (
    *leaderboards.PERSONAL,
    *sharing.PERSONAL,
    *integrity.PERSONAL,
    *devices.PERSONAL,
    *review.PERSONAL,
    *practice.PERSONAL,
    *sealing.PERSONAL,
    *attempts.PERSONAL,
)
# Only unfinished work is handed over: the successor becomes its author and therefore cannot approve
# it. A version that was decided on, and a published contest, keep the author they had.
HAND_OVER = (
    HandOver(
        said="quiz.hand_over.questions",
        table=Question,
        column="writer_id",
        unfinished=lambda: Question.state == QuestionState.DRAFT,
    ),
    HandOver(
        said="quiz.hand_over.imports",
        table=QuestionImport,
        column="writer_id",
        unfinished=lambda: QuestionImport.state.in_(checked_files.UNFINISHED),
    ),
    HandOver(
        said="quiz.hand_over.contests",
        table=Contest,
        column="drafted_by",
        unfinished=lambda: Contest.published_at.is_(None),
    ),
)
HOOKS = Hooks(
    hand_over=HAND_OVER,
    relocate=(attempts.relocate_entries,),
    follow_unit=(unit_moves.UNIT_MOVE,),
    counted_until=(attempts.counted_until,),
    sends=(reminders.TEMPLATE,),
)
