"""Random populations for tests of audiences: rows, and the same facts in Python."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import update

from server.accounts.models import Citizen
from server.announcements.enums import Channel, RecipientState, TryState
from server.announcements.models import SendTry
from server.base.clock import beijing_day
from server.base.templates import template_id_of
from server.base.uow import UnitOfWork
from server.channel.models import Follower, SceneVisit, VisitedApp
from server.notices.models import MessageGrant, Outreach
from server.quiz.contests.service import ContestView
from server.signups.kinds import LIVE, SignUpState
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture, a_lecture
from tests.kit.announcements import a_recipient, an_announcement
from tests.kit.boards import an_entry
from tests.kit.checkin import add_unseated
from tests.kit.contests import a_contest
from tests.kit.units import a_unit

CITIES = ("450100", "450200", None)
COUNTIES = {"450100": ("450103", "450105", None), "450200": ("450203", None), None: (None,)}
TOPICS = ("lectures", "quiz", "bases")
SCENES = ("poster-1", "poster-2")
MINI, OFFICIAL = template_id_of("lecture-reminder"), template_id_of("oa-sub-announcement")


@dataclass(kw_only=True)
class Someone:
    """A drawn person, as the tables have it."""

    id: int
    city: str | None
    county: str | None
    unit_id: int | None
    topics: list[str]
    muted: list[str]
    off: bool
    erased: bool
    mini: bool
    official: bool
    signed_up: set[int] = field(default_factory=set)
    entered: bool = False
    follows: bool = False
    heard_at: datetime | None = None
    window_used: int = 0
    grants: dict[str, int] = field(default_factory=dict)
    outreach: list[tuple[str, date]] = field(default_factory=list)
    mass: int = 0
    scenes: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class Population:
    """Drawn people, and what they refer to."""

    people: list[Someone]
    unit_ref: str
    lectures: list[Lecture]
    contest: ContestView


def draw_population(uow: UnitOfWork, chance: random.Random, size: int) -> Population:
    """People of two cities and of none, with every kind of fact drawn at random."""
    unit = a_unit(uow, city="450100", county="450103")
    lectures = [a_lecture(uow, seats=1000), a_lecture(uow, seats=1000)]
    contest = a_contest(uow)
    earlier = [an_announcement(uow) for _ in range(5)]
    people = []
    for _ in range(size):
        one = _draw_person(uow, chance, unit.id)
        _draw_acts(uow, chance, one, lectures, contest)
        _draw_messages(uow, chance, one)
        for announcement in chance.sample(earlier, chance.choice((0, 0, 3, 4, 5))):
            if not one.erased:
                _send_mass(uow, announcement, one)
        people.append(one)
    uow.session.flush()
    return Population(people=people, unit_ref=unit.ref, lectures=lectures, contest=contest)


def _draw_person(uow: UnitOfWork, chance: random.Random, unit_id: int) -> Someone:
    city = chance.choice(CITIES)
    county = chance.choice(COUNTIES[city])
    muted = [topic for topic in TOPICS if chance.random() < 0.15]
    topics = [topic for topic in TOPICS if topic not in muted and chance.random() < 0.4]
    columns: dict[str, Any] = {
        "city": city,
        "county": county,
        "unit_id": unit_id if county == "450103" and chance.random() < 0.5 else None,
        "topics": topics,
        "muted_topics": muted,
        "announcements_off": chance.random() < 0.1,
    }
    app = chance.choice(("mini_program", "official_account", "both"))
    first = "official_account" if app == "official_account" else "mini_program"
    union = f"union-{chance.getrandbits(64)}" if app == "both" else None
    person = a_citizen(uow, app=first, unionid=union, **columns)
    if app == "both":
        a_citizen(uow, app="official_account", unionid=union, consented=False)
    erased = chance.random() < 0.08
    if erased:
        gone = update(Citizen).where(Citizen.id == person.id)
        uow.session.execute(gone.values(erased_at=uow.now))
    return Someone(
        id=person.id, city=city, county=county, unit_id=columns["unit_id"], topics=topics,
        muted=muted, off=columns["announcements_off"], erased=erased,
        mini=app != "official_account", official=app != "mini_program",
    )  # fmt: skip


def _draw_acts(
    uow: UnitOfWork,
    chance: random.Random,
    one: Someone,
    lectures: list[Lecture],
    contest: ContestView,
) -> None:
    for lecture in lectures:
        if chance.random() < 0.4:
            state = chance.choice(list(SignUpState))
            if state is SignUpState.OFFERED:
                state = SignUpState.WITHDRAWN
            add_unseated(uow, lecture, state, citizen_id=one.id)
            if state in LIVE:
                one.signed_up.add(lecture.id)
    if chance.random() < 0.4:
        an_entry(uow, contest, one.id)
        one.entered = True
    for scene in SCENES:
        if chance.random() < 0.3:
            one.scenes.add(scene)
            app = VisitedApp.MINI_PROGRAM
            visit = SceneVisit(citizen_id=one.id, app=app, scene=scene, day=beijing_day(uow.now))
            visit.at = uow.now
            uow.session.add(visit)


def _draw_messages(uow: UnitOfWork, chance: random.Random, one: Someone) -> None:
    if one.official and chance.random() < 0.8:
        one.follows = chance.random() < 0.8
        hours = chance.choice((None, 1, 46, 48, 49))
        one.heard_at = None if hours is None else uow.now - timedelta(hours=hours)
        one.window_used = chance.choice((0, 4, 5))
        uow.session.add(
            Follower(
                citizen_id=one.id, subscribed=one.follows, state_at=uow.now, last_event_at=uow.now,
                ask_at=uow.now, heard_at=one.heard_at, window_used=one.window_used,
            )
        )  # fmt: skip
    for template_id in (MINI, OFFICIAL):
        one.grants[template_id] = 0
        for used in chance.choice(((), (True,), (False,), (True, False), (False, False))):
            grant = MessageGrant(citizen_id=one.id, template_id=template_id, client_at=uow.now)
            grant.made_at, grant.used_at = uow.now, uow.now if used else None
            uow.session.add(grant)
            one.grants[template_id] += not used
    for number in range(chance.choice((0, 0, 0, 1, 2, 3))):
        day = beijing_day(uow.now) - timedelta(days=chance.choice((0, 1, 6, 7)))
        one.outreach.append((f"letter-{number}", day))
        row = Outreach(citizen_id=one.id, key=f"letter-{number}", day=day, at=uow.now)
        uow.session.add(row)


def _send_mass(uow: UnitOfWork, announcement: Any, one: Someone) -> None:
    state = RecipientState.SENT
    row = a_recipient(uow, announcement, one.id, state=state, outbox_state=None)
    uow.session.add(
        SendTry(
            recipient_id=row.id, channel=Channel.MASS, state=TryState.ACCEPTED,
            client_msg_id=f"mass-{row.id}", made_at=uow.now,
        )
    )  # fmt: skip
    one.mass += 1
