"""The daily reminder of the open contest, for citizens with a grant and without a paper today.

An evening sweep plans one message per person and day; `notices` sends it and uses the grant.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from server.base.clock import BEIJING, beijing_day, beijing_midnight, say_end_time
from server.base.jobs import Task, TaskContext
from server.base.templates import shorten_thing, spell_template_end, template_id_of
from server.base.uow import UnitOfWork
from server.notices import service as notices
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState
from server.quiz.models import Attempt

TEMPLATE = "quiz-daily"
PAGE = "packages/quiz/round/index"
# Reminders are planned between these times of Beijing; later ones would be in the quiet hours.
BEGINS, ENDS = time(19), time(21, 30)
EXPIRES = time(22)
BATCH = 200
# At most this many consecutive days are counted.
_LONGEST = 366


def plan_reminders(context: TaskContext, *_ids: int) -> int:
    """Plan this evening's reminders, one batch per transaction; return how many."""
    total = 0
    with context.uow_factory.begin(read_only=True) as reading:
        contest = due_contest(reading)
        wanted = [] if contest is None else people_to_remind(reading, contest)
    for citizen_id in wanted:
        with context.uow_factory.begin() as uow:
            if contest is not None and plan_reminder(uow, contest, citizen_id):
                total += 1
    return total


def due_contest(uow: UnitOfWork) -> ContestView | None:
    """The open contest to remind of; the one that ends first."""
    clock = uow.now.astimezone(BEIJING).time()
    if not BEGINS <= clock < ENDS:
        return None
    running = [one for one in contests.unfinished_contests(uow) if one.state_at(uow.now) == "open"]
    return min(running, key=lambda one: (one.closes_at, one.id), default=None)


def people_to_remind(uow: UnitOfWork, contest: ContestView) -> list[int]:
    """Citizens with a grant, without a paper today and without a planned reminder."""
    today = beijing_day(uow.now)
    playing = select(Attempt.citizen_id).where(
        Attempt.contest_id == contest.id, Attempt.on_day == today
    )
    template_id, key = template_id_of(TEMPLATE), _key_of_day(today)
    return notices.list_with_grant(uow, template_id, key, without=playing, limit=BATCH)


def plan_reminder(uow: UnitOfWork, contest: ContestView, citizen_id: int) -> bool:
    """Plan one person's reminder of today; False when it exists.

    Locks: the citizen.
    """
    today = beijing_day(uow.now)
    until = min(beijing_midnight(today + timedelta(days=1)), contest.closes_at)
    streak = streak_of(_days_played(uow, contest.id, citizen_id), today)
    say = uow.texts.fill_text
    fields = {
        "thing1": shorten_thing(contest.title),
        "thing2": say("quiz.reminder.topic"),
        "number3": str(streak),
        "time4": spell_template_end(until),
    }
    body = say("quiz.reminder.body", title=contest.title, until=_say_end(until))
    if streak > 0:
        body += say("quiz.reminder.streak", days=streak)
    page = f"{PAGE}?id={contest.ref}"
    letter = notices.Letter(
        key=_key_of_day(today), title=say("quiz.reminder.title"), body=body, page=page
    )
    planned = notices.PlannedPush(
        letter=letter,
        template_id=template_id_of(TEMPLATE),
        page=page,
        fields=fields,
        expires_at=datetime.combine(today, EXPIRES, BEIJING),
        counted=True,
    )
    return notices.plan_push(uow, citizen_id, planned)


def streak_of(days: Iterable[date], today: date) -> int:
    """Number of consecutive days with a submitted paper, up to yesterday or today."""
    played = set(days)
    day = today if today in played else today - timedelta(days=1)
    count = 0
    while day in played:
        count, day = count + 1, day - timedelta(days=1)
    return count


def _days_played(uow: UnitOfWork, contest_id: int, citizen_id: int) -> list[date]:
    return list(
        uow.session.scalars(
            select(Attempt.on_day)
            .where(
                Attempt.contest_id == contest_id,
                Attempt.citizen_id == citizen_id,
                Attempt.state != AttemptState.OPEN,
            )
            .distinct()
            .order_by(Attempt.on_day.desc())
            .limit(_LONGEST)
        )
    )


def _say_end(until: datetime) -> str:
    day, time_of_day = say_end_time(until)
    return f"{day.year}年{day.month}月{day.day}日 {time_of_day}"


def _key_of_day(today: date) -> str:
    return f"{TEMPLATE}:{today}"


REMINDER_TASKS = (Task(name="quiz.plan_reminders", step=plan_reminders, every_seconds=30),)
