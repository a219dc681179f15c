"""Manifest of the contest slice."""

from __future__ import annotations

from pathlib import Path

from server.base.access import Permission
from server.base.manifest import Slice
from server.quiz import api, chat, tasks
from server.quiz.attempts import metrics
from server.quiz.bank import file_imports, import_console, questions
from server.quiz.contests import console as contest_pages
from server.quiz.contests import drafts
from server.quiz.integrity import console as integrity_pages
from server.quiz.integrity import desk, entrant_console
from server.quiz.personal_data import HOOKS, PERSONAL
from server.quiz.review import console as review_pages
from server.quiz.review import desk as review_desk
from server.quiz.review import voiding
from server.quiz.sealing import console as sealing_pages
from server.quiz.sealing import overview as sealing_overview
from server.quiz.sharing.certificates import QUIZ_SCORE

SLICE = Slice(
    name="quiz",
    texts=Path(__file__).parent,
    apis=(api.API,),
    pages=(
        import_console.PAGES,
        contest_pages.PAGES,
        integrity_pages.PAGES,
        entrant_console.PAGES,
        review_pages.PAGES,
        sealing_pages.PAGES,
    ),
    permissions=(
        Permission.QUESTION_READ,
        Permission.QUESTION_KEY_READ,
        Permission.QUESTION_WRITE,
        Permission.QUESTION_APPROVE,
        Permission.CONTEST_READ,
        Permission.CONTEST_WRITE,
        Permission.CONTEST_APPROVE,
        Permission.CONTEST_SEAL,
        Permission.PERSON_READ,
        Permission.HOLD_READ,
        Permission.HOLD_WRITE,
        Permission.HOLD_APPROVE,
        Permission.REPORT_READ,
        Permission.REPORT_WRITE,
        Permission.VOID_WRITE,
        Permission.VOID_APPROVE,
    ),
    jobs=(*file_imports.QUESTION_FILES.jobs, *voiding.JOBS, *sealing_pages.JOBS),
    waiting=(
        questions.tell_waiting,
        drafts.tell_waiting,
        desk.tell_waiting,
        review_desk.tell_waiting,
        sealing_overview.tell_waiting,
    ),
    certificates=(QUIZ_SCORE,),
    tasks=tasks.TASKS,
    queues=tasks.QUEUES,
    answers=chat.ANSWERS,
    metrics={"quiz_overdue_papers": metrics.count_overdue_papers},
    personal_data=PERSONAL,
    hooks=HOOKS,
)
