"""The contests of tests: by a preset's rules, with the real questions or as rows alone."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

from server.base.access import REGION
from server.base.ownership import owned_by
from server.base.settings import ROOT
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.bank.commands import import_questions
from server.quiz.contests import commands
from server.quiz.contests import service as contests
from server.quiz.contests.loading import ContestPlan
from server.quiz.contests.presets import preset_body
from server.quiz.contests.service import ContestView
from server.quiz.models import Bank, Contest, RuleSetRow
from server.quiz.rule_check import read_rule_set

QUESTIONS = ROOT / "config" / "campaign" / "2020" / "questions.csv"
# The preset's rules of a paper, without those of boards, so that every board exists.
PAPER_RULES = (
    "papers_per_day", "questions_per_paper", "mix", "points_per_question", "paper_seconds",
)  # fmt: skip
_count = itertools.count(1)


def contest_body(preset: str = "default", **changes: Any) -> dict[str, Any]:
    """The rules of a preset with changes; a change of None takes a rule out."""
    body = {**preset_body(preset), **changes}
    return {name: value for name, value in body.items() if value is not None}


def open_contest(
    uow_factory: UnitOfWorkFactory,
    preset: str = "default",
    *,
    slug: str = "daily",
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
    **changes: Any,
) -> ContestView:
    """The questions of the file and a contest over them; opened as an operator does it."""
    assert import_questions(uow_factory, QUESTIONS).ok
    now = uow_factory.dependencies.clock.now()
    ref = commands.open_contest(
        uow_factory,
        ContestPlan(
            slug=slug,
            title="科学素质竞赛",
            programme_slug=None,
            bank="demo",
            opens_at=opens_at or now - timedelta(days=1),
            closes_at=closes_at or now + timedelta(days=60),
            body=contest_body(preset, **changes),
        ),
    )
    with uow_factory.begin(read_only=True) as uow:
        return contests.find_contest(uow, ref)


def a_contest(uow: UnitOfWork, *, season: str = "sum_of_daily_best", **changes: Any) -> ContestView:
    """A contest that runs now, of ten questions of ten points; quick, because its bank is empty."""
    number = next(_count)
    bank = f"bank-{number}"
    uow.session.add(Bank(slug=bank, revision=uow.new_ref("rev"), **owned_by(REGION)))
    uow.session.flush()
    contest = Contest(
        ref=f"cst_{number}", slug=f"contest-{number}", title=f"第{number}届竞赛", bank=bank,
        opens_at=uow.now - timedelta(days=3), closes_at=uow.now + timedelta(days=60),
        made_at=uow.now, published_at=uow.now, **owned_by(REGION),
    )  # fmt: skip
    uow.session.add(contest)
    uow.session.flush()
    preset = contest_body()
    body = {"slug": "tests", **{name: preset[name] for name in PAPER_RULES}}
    body |= {"season_score": season, **changes}
    version, since = read_rule_set(body).version, uow.now - timedelta(days=4)
    uow.session.add(RuleSetRow(contest_id=contest.id, version=version, body=body, valid_from=since))
    uow.session.flush()
    return contests.contest_by_id(uow, contest.id)
