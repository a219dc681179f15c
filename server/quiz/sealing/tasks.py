"""Background tasks: drafts after late changes, the end of freezes, messages about final ranks."""

from __future__ import annotations

from sqlalchemy import delete, select

from server.base.jobs import Task, TaskContext
from server.base.uow import UnitOfWork
from server.quiz.contests import service as contests
from server.quiz.leaderboards import service as boards
from server.quiz.leaderboards.board_keys import GONE, HIDDEN
from server.quiz.models import Contest, Standing
from server.quiz.sealing import service as sealing
from server.quiz.sealing import stepping
from server.quiz.sealing.letters import send_rank_letters

_BATCH = 100


def draft_final_ranks(context: TaskContext, *_ids: int) -> int:
    """Make a draft for every sealed contest with changed results; return how many.

    Versions whose job was lost are finished first.
    """
    with context.uow_factory.begin(read_only=True) as uow:
        begun, changed = stepping.list_abandoned(uow), sealing.list_pending_contests(uow)
    made = sum(_finish_version(context, version_id) for version_id in begun)
    for contest_id in changed:
        unhide_contest(context, contest_id)
        with context.uow_factory.begin() as uow:
            correction = stepping.begin_correction(uow, contest_id)
        if correction is not None:
            made += _finish_version(context, correction)
    return made


def _finish_version(context: TaskContext, version_id: int) -> bool:
    return stepping.finish_version(context.uow_factory, version_id, lambda _done, _total: None)


def unhide_standings(context: TaskContext, *ids: int) -> int:
    """Put standings hidden by a freeze on the boards, once it is over; return how many."""
    with context.uow_factory.begin(read_only=True) as uow:
        public = select(Contest.id).where(Contest.published_at.is_not(None)).order_by(Contest.id)
        known = ids or tuple(uow.session.scalars(public))
        hidden = [one for one in known if sealing.find_hidden_entries(uow, one, 1)]
    return sum(unhide_contest(context, contest_id) for contest_id in hidden)


def unhide_contest(context: TaskContext, contest_id: int) -> int:
    """Recount the entries of a contest that have hidden standings, in batches."""
    total = 0
    while True:
        with context.uow_factory.begin() as uow:
            if contests.contest_by_id(uow, contest_id).is_frozen_at(uow.now):
                return total
            entries = sealing.find_hidden_entries(uow, contest_id, _BATCH)
            for entry_id in entries:
                _unhide_entry(uow, entry_id)
        total += len(entries)
        if len(entries) < _BATCH:
            return total


def _unhide_entry(uow: UnitOfWork, entry_id: int) -> None:
    """Recount an entry for the public boards, because its papers may have new scores meanwhile."""
    entry_lock = boards.lock_entry(uow, entry_id)
    hidden = Standing.period.like(f"{HIDDEN}%") | Standing.period.like(f"{GONE}{HIDDEN}%")
    uow.session.execute(delete(Standing).where(Standing.entry_id == entry_id, hidden))
    rules = contests.contest_by_id(uow, entry_lock.contest_id).rules
    played = boards.closed_papers(uow, entry_id)
    periods = {period for one in played for period in one.periods}
    boards.recount_standings(uow, entry_lock, played, rules, periods)


SEALING_TASKS = (
    Task(name=sealing.DRAFT_TASK, step=draft_final_ranks, every_seconds=30),
    Task(name=sealing.UNHIDE_TASK, step=unhide_standings, every_seconds=60),
    Task(name=sealing.TELL_TASK, step=send_rank_letters, every_seconds=60),
)
