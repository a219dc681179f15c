"""A citizen's options in contests: papers left, best score, the open paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.accounts import service as accounts
from server.base.clock import beijing_day
from server.base.uow import UnitOfWork
from server.quiz.attempts import attempt_store, first_paper
from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState
from server.quiz.rules import is_over


@dataclass(frozen=True, kw_only=True)
class ContestProgress:
    """A citizen's progress in a contest; `open_deadline` is that of the open paper.

    While `held`, the results count on no board.
    """

    attempts_left_today: int
    attempts_left_total: int | None
    best_score: int | None
    open_attempt_ref: str | None
    open_deadline: datetime | None
    division: str | None
    warm_up_left: int
    held: bool


def contest_progress(
    uow: UnitOfWork, contests: Sequence[ContestView], citizen_id: int
) -> dict[int, ContestProgress]:
    """A citizen's progress in each of these contests, by contest id.

    Papers from before an erasure only count as started.
    """
    rows = [citizen_id, *accounts.former_ids(uow, citizen_id)]
    tries = attempt_store.tries_by_contest(uow, [contest.id for contest in contests], rows)
    grouped = [contest.id for contest in contests if contest.rules.divisions]
    divisions = attempt_store.divisions_of(uow, grouped, citizen_id)
    return {
        contest.id: _progress_in(
            uow, contest, citizen_id, tries.get(contest.id, []), divisions.get(contest.id)
        )
        for contest in contests
    }


def _progress_in(
    uow: UnitOfWork,
    contest: ContestView,
    citizen_id: int,
    tries: Sequence[attempt_store.Try],
    division: str | None,
) -> ContestProgress:
    today = beijing_day(uow.now)
    rules = contest.rules
    left = rules.papers_per_day - sum(one.on_day == today for one in tries)
    in_all = None if rules.papers_total is None else max(0, rules.papers_total - len(tries))
    left = max(0, left if in_all is None else min(left, in_all))
    own = [one for one in tries if one.citizen_id == citizen_id]
    scores = [one.score for one in own if one.score is not None]
    still_open = next(
        (
            one
            for one in own
            if one.state is AttemptState.OPEN and not is_over(uow.now, one.deadline_at)
        ),
        None,
    )
    return ContestProgress(
        attempts_left_today=left if contest.state_at(uow.now) == "open" else 0,
        attempts_left_total=in_all,
        best_score=max(scores, default=None),
        open_attempt_ref=still_open.ref if still_open else None,
        open_deadline=still_open.deadline_at if still_open else None,
        division=division,
        held=any(one.held_at is not None for one in own),
        warm_up_left=0 if tries else first_paper.count_warm_up_left(uow, rules, citizen_id),
    )
