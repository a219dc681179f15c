"""The two smaller contests of the demo's season, in divisions: one that is over, and a city's own.

The contest that is over has sealed and published final ranks, without the player whose results were
held and not restored. In the city's contest a hold waits for its review, and a paper is open.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from server.accounts import service as accounts
from server.app import Application
from server.base.access import Scope
from server.base.clock import beijing_day, beijing_midnight
from server.base.jobs import TaskContext
from server.base.settings import ROOT
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.demo.season_people import SeasonPerson
from server.organizers import service as organizers
from server.quiz import service as quiz

PAST, CITY = "safety-quiz", "nanning-reading"
CITY_CODE = "450100"
# `SideContest.papers` is for a daily contest with this many papers; other numbers are scaled.
_WHOLE = 5950
_PICTURES = ROOT / "config" / "campaign" / "2020" / "pictures"
_HOLD = "10道题用时只有几秒，比读题的时间还短。"
_UPHOLD = "核对了答题记录，没有合理的解释，维持暂停。"
_SEAL = "竞赛结束，答卷已经收齐"


@dataclass(frozen=True, kw_only=True)
class SideContest:
    """A smaller contest; `papers` is the number of sittings to plan, `city` whose people take it.

    Every `share`-th person takes part, once at least. `preset` names the rules, whose divisions
    `divisions` replaces; people without a division of their audience choose `other_division`.

    Units: `opens` and `closes` are days relative to the last day of the season.
    """

    slug: str
    title: str
    rules_title: str
    opens: int
    closes: int
    papers: int
    other_division: str
    preset: str = "default"
    season_score: str = "best_single_paper"
    divisions: tuple[tuple[str, str], ...] = ()
    paper_seconds: int = 300
    share: int = 1
    city: str | None = None

    def window_at(self, until: datetime) -> tuple[datetime, datetime]:
        """Opening and closing in a season that lasts until an instant."""
        last = beijing_day(until)
        opens, closes = last + timedelta(days=self.opens), last + timedelta(days=self.closes)
        return beijing_midnight(opens), beijing_midnight(closes)

    def count_papers(self, daily: int) -> int:
        """The number of papers to plan, when the daily contest has `daily` papers."""
        return max(12, self.papers * daily // _WHOLE)

    def make_rules(self) -> dict[str, object]:
        """Make the rules from the preset, as an organizer would."""
        body = dict(quiz.preset_body(self.preset))
        body |= {"slug": self.slug, "title": self.rules_title, "paper_seconds": self.paper_seconds}
        body["season_score"] = self.season_score
        if self.divisions:
            body["divisions"] = [{"key": key, "title": title} for key, title in self.divisions]
        return body

    def choose_division(self, contest: quiz.ContestView, audience: str | None) -> str:
        """The division that a person of an audience chooses."""
        own = contest.rules.division_named(audience)
        return self.other_division if own is None else own.key

    def select_people(self, people: Sequence[SeasonPerson], taken: int) -> list[SeasonPerson]:
        """The people by position; those who do not take part are marked as never logged in."""
        return [
            one
            if n % self.share == 0 and n != taken and self.city in (None, one.city)
            else replace(one, logged_in_at=None)
            for n, one in enumerate(people)
        ]


SIDE_CONTESTS = (
    SideContest(
        slug=PAST, title="防灾避险专题竞赛", rules_title="累计积分，分四组（10题）",
        opens=-20, closes=-10, papers=400, share=4,
        preset="guangdong-2021", season_score="sum_of_scores", other_division="worker",
    ),
    SideContest(
        slug=CITY, title="南宁市科学阅读答题", rules_title="从容答题（取最好成绩）",
        opens=-6, closes=60, papers=70,
        divisions=(("youth", "青少年组"), ("adult", "成年组")), other_division="adult",
        # The longest that the form allows, so that the open paper of the demo stays open.
        paper_seconds=7200, city=CITY_CODE,
    ),
)  # fmt: skip


def import_picture_questions(uow_factory: UnitOfWorkFactory) -> None:
    """Add the questions with pictures to the bank of the demo's contests."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(_PICTURES.iterdir()):
            archive.write(path, path.name)
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(packed.getvalue())
        file.flush()
        report = quiz.import_questions(uow_factory, Path(file.name))
    if not report.ok:
        raise RuntimeError(f"questions with pictures: {report.problems}")


def open_side_contest(
    uow_factory: UnitOfWorkFactory, side: SideContest, until: datetime
) -> quiz.ContestView:
    """Open a smaller contest, or find it as an interrupted season opened it."""
    opens_at, closes_at = side.window_at(until)
    quiz.open_contest(
        uow_factory,
        quiz.ContestPlan(
            slug=side.slug,
            title=side.title,
            programme_slug=None,
            bank=quiz.BANK,
            opens_at=opens_at,
            closes_at=closes_at,
            body=side.make_rules(),
            owner=Scope(city=side.city),
        ),
    )
    with uow_factory.begin(read_only=True) as uow:
        return quiz.find_contest(uow, side.slug)


def is_finished(uow: UnitOfWork) -> bool:
    """Whether the last step of the season is done."""
    past = quiz.contest_by_slug(uow, PAST)
    return past is not None and past.final is not None


def finish_side_contests(application: Application, reader: str, division: str) -> None:
    """Hold the cheats, seal and publish the final ranks, and open a paper; once, or not at all.

    `reader` is the public id of the citizen with the open paper, who chooses `division`. All of it
    is one transaction, so that an interrupted start repeats it whole.
    """
    context = TaskContext(uow_factory=application.uow_factory, gateway=application.gateway)
    for slug in (PAST, CITY):
        with application.uow_factory.begin(read_only=True) as uow:
            contest_id = quiz.find_contest(uow, slug).id
        quiz.inspect_contest(context, contest_id)
    with application.uow_factory.begin() as uow:
        past, city = quiz.find_contest(uow, PAST), quiz.find_contest(uow, CITY)
        if past.final is not None:
            return
        _hold_cheats(uow, past, city)
        _publish_ranks(uow, past)
        (citizen_id,) = accounts.ids_of_refs(uow, [reader]).values()
        quiz.start_paper(uow, city.ref, citizen_id, division)


def _hold_cheats(uow: UnitOfWork, past: quiz.ContestView, city: quiz.ContestView) -> None:
    """Hold both planted cheats; that of the contest that is over is reviewed already."""
    editor = organizers.organizer_by_username(uow, "editor-region")
    reviewer = organizers.organizer_by_username(uow, "approver-region")
    of_city = organizers.organizer_by_username(uow, "editor-nanning")
    for flag_ref in quiz.list_flags(uow, past.id):
        quiz.hold_results(uow, editor, flag_ref, _HOLD)
        quiz.decide_flagged(uow, reviewer, flag_ref, release=False, reason=_UPHOLD)
    for flag_ref in quiz.list_flags(uow, city.id):
        quiz.hold_results(uow, of_city, flag_ref, _HOLD)


def _publish_ranks(uow: UnitOfWork, past: quiz.ContestView) -> None:
    """Seal the final ranks, and publish them by another approver."""
    first = organizers.organizer_by_username(uow, "approver-region")
    second = organizers.organizer_by_username(uow, "approver2-region")
    version = quiz.seal_contest(uow, first, past.ref, _SEAL, accept_open=False)
    quiz.publish_version(uow, second, past.ref, version.ref)
