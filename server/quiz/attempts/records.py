"""A citizen's closed papers as a list: days, scores and times, without questions and answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, select

from server.base.sql.prepared import run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork
from server.quiz.contests import service as contests
from server.quiz.enums import AttemptState, CaseState
from server.quiz.models import Attempt, Contest, Entry, IntegrityCase, RuleSetRow


@dataclass(frozen=True, kw_only=True)
class Record:
    """One closed paper; `id` is for cursors and grows with the start of papers."""

    id: int
    ref: str
    contest_ref: str
    contest_title: str
    day: date
    state: AttemptState
    closed_at: datetime
    score: int
    max_score: int
    correct_count: int
    question_count: int
    duration_ms: int
    held: bool
    appeal: str | None


_attempt, _contest, _rules = table_of(Attempt), table_of(Contest), table_of(RuleSetRow)
_entry, _case = table_of(Entry), table_of(IntegrityCase)
# The possible action of the citizen on a hold.
_APPEALS = {
    CaseState.HELD: "possible",
    CaseState.APPEALED: "waiting",
    CaseState.UPHELD: "rejected",
}
_MOST_ID = 2**63 - 1
# Each paper's rules are joined, so that many rule versions need only one statement.
_CLOSED = (
    select(
        _attempt.c.id,
        _attempt.c.ref,
        _attempt.c.on_day,
        _attempt.c.state,
        _attempt.c.closed_at,
        _attempt.c.score,
        _attempt.c.correct_count,
        _attempt.c.duration_ms,
        _attempt.c.entry_id,
        _entry.c.held_at,
        _contest.c.ref.label("contest_ref"),
        _contest.c.title,
        _rules.c.version,
        _rules.c.body,
    )
    .select_from(_attempt)
    .join(_contest, _contest.c.id == _attempt.c.contest_id)
    .join(_entry, _entry.c.id == _attempt.c.entry_id)
    .join(
        _rules,
        and_(
            _rules.c.contest_id == _attempt.c.contest_id,
            _rules.c.version == _attempt.c.rules_version,
        ),
    )
    .where(
        _attempt.c.citizen_id == bindparam("citizen_id"),
        _attempt.c.state != AttemptState.OPEN,
        _attempt.c.id < bindparam("before"),
    )
    .order_by(_attempt.c.id.desc())
    .limit(bindparam("most"))
)
_CASES = select(_case.c.entry_id, _case.c.state).where(
    _case.c.entry_id.in_(bindparam("entry_ids", expanding=True)),
    _case.c.state != CaseState.RELEASED,
)
_CLOSED_IN_CONTEST = _CLOSED.where(_attempt.c.contest_id == bindparam("contest_id"))


def closed_papers(
    uow: UnitOfWork, citizen_id: int, *, contest_name: str | None, before_id: int | None, limit: int
) -> list[Record]:
    """The citizen's closed papers, of one contest or of all, the last started first.

    Raises: NotFound (404) for a contest that does not exist.
    """
    asked = {"citizen_id": citizen_id, "before": before_id or _MOST_ID, "most": limit}
    if contest_name is None:
        rows = run_statement(uow, _CLOSED, asked)
    else:
        contest = contests.find_contest(uow, contest_name)
        rows = run_statement(uow, _CLOSED_IN_CONTEST, {**asked, "contest_id": contest.id})
    found = list(rows)
    appeals = _appeals_of(uow, {row.entry_id for row in found if row.held_at is not None})
    return [_record_from_row(row, appeals.get(row.entry_id)) for row in found]


def _appeals_of(uow: UnitOfWork, entry_ids: set[int]) -> dict[int, str]:
    """The possible actions on the holds of these entries; reads nothing without a hold."""
    if not entry_ids:
        return {}
    rows = run_statement(uow, _CASES, {"entry_ids": sorted(entry_ids)})
    return {row.entry_id: _APPEALS[row.state] for row in rows}


def _record_from_row(row: Any, appeal: str | None) -> Record:
    facts = row._asdict()
    rules = contests.rules_from(facts["version"], facts["body"])
    return Record(
        id=facts["id"],
        ref=facts["ref"],
        contest_ref=facts["contest_ref"],
        contest_title=facts["title"],
        day=facts["on_day"],
        state=facts["state"],
        closed_at=facts["closed_at"],
        score=facts["score"],
        max_score=rules.max_score,
        correct_count=facts["correct_count"],
        question_count=rules.question_count,
        duration_ms=facts["duration_ms"],
        held=facts["held_at"] is not None,
        appeal=appeal,
    )
