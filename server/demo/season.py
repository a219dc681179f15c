"""A season in progress for the demo: citizens, papers, followers, reports, lectures.

Everything follows from a fixed seed and the instant at which the demo's contest was made, so that a
season whose writing was interrupted is continued. People are written in parts, each with
all of its rows in one transaction; a part whose last person exists is complete. The people exist in
the emulated WeChat too.
"""

from __future__ import annotations

import random  # noqa: TID251 - sample data from a fixed seed
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from server.accounts import service as accounts
from server.accounts.service import NewCitizen
from server.app import Application
from server.base.access import System
from server.base.ids import derived_ref
from server.base.templates import template_id_of
from server.base.uow import UnitOfWork
from server.channel import service as channel
from server.channel.service import NewFollower
from server.dashboard import service as dashboard
from server.demo.season_announcements import Reader, write_announcements
from server.demo.season_contests import (
    CITY_CODE,
    SIDE_CONTESTS,
    finish_side_contests,
    import_picture_questions,
    is_finished,
    open_side_contest,
)
from server.demo.season_lectures import Listener, write_lectures
from server.demo.season_papers import DOUBTFUL, AnsweringModel, plan_sittings
from server.demo.season_people import (
    SCENE,
    SeasonFacts,
    SeasonPerson,
    make_people,
    read_season_facts,
    unit_ref,
    unit_rows,
)
from server.demo.season_wechat import (
    ANNOUNCEMENT,
    SEED,
    WeChatPerson,
    count_grants,
    settle_in_wechat,
)
from server.notices import service as notices
from server.notices.service import NewGrant
from server.quiz import service as quiz
from server.units import service as units

PART = 50
# Readers per report: of a planted question, and of any other question.
_REPORTED, _HARDLY = 40, 4000
_MOST_REPORTS = 60


@dataclass(frozen=True, kw_only=True)
class SeasonSize:
    """The size of the sample data; `following` are followers who never logged in.

    Some papers are dropped: those of the last minutes, and a second one on a day.
    """

    logging_in: int = 1310
    following: int = 190
    papers: int = 5950


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """The whole season in memory; the daily contest is the first of `played`."""

    people: list[SeasonPerson]
    places: list[quiz.CountedPlace]
    played: list[quiz.PlayedSeason]
    reports: dict[int, list[tuple[int, str, datetime]]]


@dataclass(frozen=True, kw_only=True)
class WrittenSeason:
    """The numbers of written rows; zeros when the season was complete or is switched off."""

    citizens: int = 0
    papers: int = 0
    reports: int = 0
    lectures: int = 0
    announcements: int = 0


def fill_season(
    application: Application,
    say: Callable[[str], None],
    stopped: Callable[[], bool],
    size: SeasonSize | None = None,
) -> WrittenSeason:
    """Write the season, or the parts of it that are missing; do nothing when it is complete.

    The contest must have been opened for a season (`open_demo_contest`); a demo that began without
    one gets none later.
    """
    size = size or SeasonSize()
    people_count = size.logging_in + size.following
    with application.uow_factory.begin(read_only=True) as uow:
        window = quiz.demo_season(uow)
        complete = window is not None and is_finished(uow)
    if window is None or complete:
        return WrittenSeason()
    say(f"season: {people_count} citizens and four weeks of papers, in the background …")
    import_picture_questions(application.uow_factory)
    sides = [open_side_contest(application.uow_factory, one, window.until) for one in SIDE_CONTESTS]
    plan = _plan_season(application, window, sides, size)
    known = settle_in_wechat(application, plan.people)
    written = _write_parts(application, plan, known, say, stopped)
    if not stopped():
        lectures = write_lectures(
            application.uow_factory,
            _list_listeners(plan.people),
            random.Random(f"{SEED}:lectures"),  # noqa: S311 - nothing here is secret
        )
        announced = write_announcements(
            application.uow_factory,
            _list_readers(plan.people),
            random.Random(f"{SEED}:announcements"),  # noqa: S311 - nothing here is secret
        )
        written = replace(written, lectures=lectures, announcements=announced)
        reader = _find_reader(plan)
        division = plan.played[-1].places[reader].division or ""
        finish_side_contests(application, _citizen_ref(reader), division)
    return written


def _plan_season(
    application: Application,
    window: quiz.DemoSeason,
    sides: Sequence[quiz.ContestView],
    size: SeasonSize,
) -> _Plan:
    facts, contest = read_season_facts(), window.contest
    chance = random.Random(SEED)  # noqa: S311 - nothing here is secret
    now = window.until
    counts = (size.logging_in, size.following)
    people = make_people(facts, chance, contest.opens_at, now, counts)
    span = (contest.opens_at, now)
    plan = plan_sittings(people, facts.hours, chance, span, size.papers)
    model = AnsweringModel(people, plan.cheat, chance)
    with application.uow_factory.begin(System(name="season")) as uow:
        bank = quiz.bank_of(uow, contest.bank)
        loaded = units.load_units(uow, unit_rows(facts, units.load_regions().cities))
    places = [_place_of(one, loaded.ids) for one in people]
    played = quiz.play_season(
        contest, bank, places, plan.sittings, model.choose_options,
        chance=chance, shards=quiz.SHARDS,
    )  # fmt: skip
    reports = _plan_reports(facts, played, bank, chance)
    others = []
    for side, view in zip(SIDE_CONTESTS, sides, strict=True):
        taking = side.select_people(people, plan.cheat)
        span = (view.opens_at, min(view.closes_at, now))
        of_side = plan_sittings(taking, facts.hours, chance, span, side.count_papers(size.papers))
        model = AnsweringModel(people, of_side.cheat, chance)
        grouped = [
            replace(place, division=side.choose_division(view, place.audience)) for place in places
        ]
        others.append(
            quiz.play_season(
                view, bank, grouped, of_side.sittings, model.choose_options,
                chance=chance, shards=quiz.SHARDS,
            )
        )  # fmt: skip
    return _Plan(people=people, places=places, played=[played, *others], reports=reports)


def _list_listeners(people: Sequence[SeasonPerson]) -> list[Listener]:
    """The people who logged in, and so may sign up for lectures."""
    return [
        Listener(ref=_citizen_ref(n), name=one.name)
        for n, one in enumerate(people)
        if one.logged_in_at is not None
    ]


def _list_readers(people: Sequence[SeasonPerson]) -> list[Reader]:
    """The people who logged in, and so have an inbox."""
    return [
        Reader(
            ref=_citizen_ref(n),
            follows=one.followed_at is not None and one.left_at is None,
            granted=ANNOUNCEMENT in count_grants(n, one),
        )
        for n, one in enumerate(people)
        if one.logged_in_at is not None
    ]


def _find_reader(plan: _Plan) -> int:
    """The position of a person of the city who played the daily contest, but not the city's own."""
    city = plan.played[-1]
    return next(
        n
        for n, one in enumerate(plan.people)
        if one.city == CITY_CODE
        and one.logged_in_at is not None
        and n in plan.played[0].papers
        and n not in city.papers
        and not one.under_14
    )


def _plan_reports(
    facts: SeasonFacts, played: quiz.PlayedSeason, bank: quiz.LoadedBank, chance: random.Random
) -> dict[int, list[tuple[int, str, datetime]]]:
    """The questions that each player reports: version number, reason, and the paper's closing."""
    made: dict[int, list[tuple[int, str, datetime]]] = {}
    left = _MOST_REPORTS
    for player, papers in sorted(played.papers.items()):
        for paper in papers:
            for row in paper.paper:
                odds = _REPORTED if bank.by_id[row["q"]].ref in DOUBTFUL else _HARDLY
                if left and chance.randrange(odds) == 0:
                    reason = chance.choice(facts.report_reasons)
                    made.setdefault(player, []).append((row["q"], reason, paper.closed_at))
                    left -= 1
    return made


def _write_parts(
    application: Application,
    plan: _Plan,
    known: list[WeChatPerson],
    say: Callable[[str], None],
    stopped: Callable[[], bool],
) -> WrittenSeason:
    told: Counter[str] = Counter()
    for part in _split_parts(len(plan.people)):
        if stopped():
            break
        with application.uow_factory.begin(System(name="season")) as uow:
            if accounts.known_refs(uow, [_citizen_ref(part[-1])]):
                continue
            told += _write_part(uow, plan, known, part)
        if part[-1] * 4 // len(plan.people) != (part[0] - 1) * 4 // len(plan.people):
            say(f"season: {part[-1] + 1} of {len(plan.people)} citizens, {told['papers']} papers")
    with application.uow_factory.begin(System(name="season")) as uow:
        quiz.inspect_from_beginning(uow)
        dashboard.expire_funnel(uow)
    return WrittenSeason(**told)


def _split_parts(count: int) -> Iterator[range]:
    for first in range(0, count, PART):
        yield range(first, min(first + PART, count))


def _write_part(
    uow: UnitOfWork, plan: _Plan, known: list[WeChatPerson], part: range
) -> Counter[str]:
    """Write some people with everything that is theirs; return how many of each."""
    rows = [_new_citizen(plan.people[n], plan.places[n], known[n], n) for n in part]
    numbers = dict(zip(part, accounts.add_citizens(uow, rows), strict=True))
    people = {n: plan.people[n] for n in part}
    channel.add_followers(uow, _new_followers(people, numbers))
    notices.add_grants(
        uow,
        [
            NewGrant(citizen_id=numbers[n], template_id=template_id_of(slug), at=one.logged_in_at)
            for n, one in people.items()
            for slug, count in count_grants(n, one).items()
            for _ in range(count)
            if one.logged_in_at is not None
        ],
    )
    papers = sum(_add_papers(uow, played, numbers) for played in plan.played)
    count = _add_reports(uow, plan, numbers)
    return Counter(citizens=len(part), papers=papers, reports=count)


def _add_papers(uow: UnitOfWork, played: quiz.PlayedSeason, numbers: Mapping[int, int]) -> int:
    players = [
        quiz.PlayerPapers(
            citizen_id=number, place=played.places[n], papers=played.papers.get(n, [])
        )
        for n, number in numbers.items()
    ]
    slug = played.contest.slug
    quiz.add_played_papers(uow, played.contest, players, lambda name: _attempt_ref(slug, name))
    return sum(len(one.papers) for one in players)


def _add_reports(uow: UnitOfWork, plan: _Plan, numbers: Mapping[int, int]) -> int:
    reports = [
        quiz.PastReport(citizen_id=numbers[n], question_id=question, reason=reason, at=at)
        for n in numbers
        for question, reason, at in plan.reports.get(n, [])
    ]
    quiz.add_reports(uow, reports)
    return len(reports)


def _new_followers(
    people: Mapping[int, SeasonPerson], numbers: Mapping[int, int]
) -> list[NewFollower]:
    return [
        NewFollower(
            citizen_id=numbers[n], followed_at=one.followed_at, scene=SCENE, left_at=one.left_at
        )
        for n, one in people.items()
        if one.followed_at is not None
    ]


def _new_citizen(
    person: SeasonPerson, place: quiz.CountedPlace, known: WeChatPerson, number: int
) -> NewCitizen:
    logged_in = person.logged_in_at is not None
    return NewCitizen(
        ref=_citizen_ref(number),
        openid_official=None if person.followed_at is None else known.openid_official,
        openid_mini=known.openid_mini if logged_in else None,
        unionid=known.unionid,
        nickname=person.name if logged_in else None,
        # Place and traits are those that people entered in the mini-program.
        city=place.city,
        county=place.county,
        unit_id=place.unit_id,
        audience=place.audience,
        sex=person.sex if logged_in else None,
        birth_band=person.birth_band if logged_in else None,
        schooling=person.schooling if logged_in else None,
        residence=person.residence if logged_in else None,
        public_rank=person.public_rank and logged_in,
        under_14=person.under_14 if logged_in else None,
        created_at=person.came_at,
        consented_at=person.logged_in_at,
    )


def _place_of(person: SeasonPerson, unit_ids: Mapping[str, int]) -> quiz.CountedPlace:
    if person.logged_in_at is None:
        return quiz.CountedPlace(None, None, None, None)
    unit_id = None if person.unit is None else unit_ids[unit_ref(person.city, person.unit)]
    return quiz.CountedPlace(person.city, person.county, unit_id, person.audience)


def _citizen_ref(number: int) -> str:
    return derived_ref("cit", f"{SEED}:{number}")


def _attempt_ref(slug: str, name: str) -> str:
    return derived_ref("att", f"{SEED}:{slug}:{name}")
