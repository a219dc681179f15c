"""Commands of the contest: opening one with preset rules; the command line prints the result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from server.audit.service import Subject, record_change
from server.base.access import System
from server.base.clock import beijing_day, beijing_midnight
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.programme import service as programmes
from server.quiz.bank.commands import BANK
from server.quiz.bank.files.reading import read_table
from server.quiz.contests import loading
from server.quiz.contests import service as contests
from server.quiz.contests.loading import ContestPlan
from server.quiz.contests.presets import PRESETS, preset_body
from server.quiz.contests.service import ContestView
from server.quiz.errors import NoSuchProgramme, RulesRefused
from server.quiz.models import Contest
from server.quiz.rule_check import RuleSetRefused

PROGRAMME = "quiz-contest"
DEMO_CONTEST = "daily-quiz"
QUESTIONS = PRESETS.with_name("questions.csv")
# Every n-th question of the demo's file is left out of its contest, for practice.
_PRACTICE_EVERY = 5
_DEMO_DAYS = 120
# The contest of a demo with a season opens this long before the demo's first start.
SEASON = timedelta(weeks=4)


def open_contest(uow_factory: UnitOfWorkFactory, plan: ContestPlan) -> str:
    """Open a contest, or update the one with this slug; return its public id.

    Raises: RulesRefused (409).
    """
    actor = System(name="open-contest")
    with uow_factory.begin(actor) as uow:
        return _set_contest(uow, plan, actor)


def open_programme_contest(
    uow_factory: UnitOfWorkFactory,
    *,
    slug: str,
    preset: str = "default",
    programme: str = PROGRAMME,
    bank: str = BANK,
    title: str | None = None,
) -> str:
    """Open a contest for the duration of its programme; return its public id.

    The default `title` is that of the programme.

    Raises: NoSuchPreset, NoSuchProgramme, RulesRefused (409).
    """
    body = preset_body(preset)
    actor = System(name="open-contest")
    with uow_factory.begin(actor) as uow:
        found = programmes.programme_by_slug(uow, programme)
        if found is None or found.start is None or found.end is None:
            raise NoSuchProgramme(programme=programme)
        plan = ContestPlan(
            slug=slug,
            title=title or found.title,
            programme_slug=found.slug,
            bank=bank,
            opens_at=beijing_midnight(found.start),
            closes_at=beijing_midnight(found.end + timedelta(days=1)),
            body=body,
        )
        return _set_contest(uow, plan, actor)


def open_demo_contest(uow_factory: UnitOfWorkFactory, *, season: bool = False) -> str:
    """Open the demo's contest from the first day on; an existing one keeps its window.

    With `season` it opened four weeks ago, for the papers of the past weeks (`demo_season`).

    Raises: RulesRefused (409).
    """
    body = preset_body("default")
    actor = System(name="demo")
    with uow_factory.begin(actor) as uow:
        there = contests.find_by_slug(uow, DEMO_CONTEST)
        opens_at, closes_at = _demo_window(uow, SEASON if season else timedelta(0))
        found = programmes.programme_by_slug(uow, PROGRAMME)
        plan = ContestPlan(
            slug=DEMO_CONTEST,
            title=str(body["title"]) if found is None else found.title,
            programme_slug=None if found is None else found.slug,
            bank=BANK,
            opens_at=opens_at if there is None else there.opens_at,
            closes_at=closes_at if there is None else there.closes_at,
            body=body,
            left_out=_kept_for_practice(),
        )
        return _set_contest(uow, plan, actor)


def _kept_for_practice() -> tuple[str, ...]:
    drafts = read_table(QUESTIONS).drafts
    return tuple(draft.ref for draft in drafts[_PRACTICE_EVERY - 1 :: _PRACTICE_EVERY])


@dataclass(frozen=True, kw_only=True)
class DemoSeason:
    """The demo's contest, and the instant until which papers of the past weeks were taken."""

    contest: ContestView
    until: datetime


def demo_season(uow: UnitOfWork) -> DemoSeason | None:
    """The past weeks of the demo's contest; None when it was not opened for a season."""
    contest = contests.find_by_slug(uow, DEMO_CONTEST)
    made_at = uow.session.scalar(select(Contest.made_at).where(Contest.slug == DEMO_CONTEST))
    if contest is None or made_at is None or contest.opens_at > made_at - SEASON:
        return None
    return DemoSeason(contest=contest, until=made_at)


def _demo_window(uow: UnitOfWork, before: timedelta) -> tuple[datetime, datetime]:
    """From today minus `before` to the end of the programme, or for some weeks if that is over."""
    today = beijing_day(uow.now)
    found = programmes.programme_by_slug(uow, PROGRAMME)
    last = None if found is None else found.end
    if last is None or last < today:
        last = today + timedelta(days=_DEMO_DAYS - 1)
    return beijing_midnight(today) - before, beijing_midnight(last + timedelta(days=1))


def _set_contest(uow: UnitOfWork, plan: ContestPlan, actor: System) -> str:
    """Open or update the contest; a change is an entry of the audit trail, a repeat is none."""
    before = contests.find_by_slug(uow, plan.slug)
    try:
        ref = loading.set_contest(uow, plan)
    except RuleSetRefused as refusal:
        raise RulesRefused(reasons="; ".join(refusal.reasons)) from None
    after = contests.find_by_slug(uow, plan.slug)
    if after is not None and after != before:
        subject = Subject("contest", ref, plan.owner)
        facts = None if before is None else _plain_facts(before)
        record_change(
            uow, actor, "quiz.open_contest", subject, before=facts, after=_plain_facts(after)
        )
    return ref


def _plain_facts(contest: ContestView) -> dict[str, object]:
    return {
        "title": contest.title,
        "opens_at": contest.opens_at.isoformat(),
        "closes_at": contest.closes_at.isoformat(),
        "rules": contest.rules.version,
    }
