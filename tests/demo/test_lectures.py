"""The lectures of the demo's season: one in every state, each as the product's rules make it."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from server.accounts.models import Citizen
from server.activities import service as activities
from server.activities.models import Activity, ActivitySeries
from server.activities.service import ActivityState, SignUpPhase, phase_at
from server.app import Application
from server.audit.models import AuditRecord
from server.checkin import service as checkin
from server.checkin.feedback_models import ActivityFeedback
from server.checkin.models import Admission, ScanRecord
from server.checkin.service import AdmissionWay
from server.demo import season_lectures
from server.demo.season_lectures import (
    OPENS_IN,
    RUSH,
    Listener,
    Story,
    read_lectures,
    write_lectures,
)
from server.organizers.commands import seed_demo_organizers
from server.programme import commands as programme
from server.programme.models import Participation
from server.seeding import FACTS
from server.signups import service as signups
from server.signups.errors import SignUpNotOpen
from server.signups.kinds import LIVE, SEATED, SignUpState
from server.signups.models import SignUp, SignUpNotice
from server.signups.tasks import tell_notices
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture, recount, stored_counts
from tests.kit.clock import FakeClock
from tests.kit.pictures import opened
from tests.kit.seat_sampler import find_breaks, take_snapshot

LISTENERS = 160
STORIES = {one.story: one.ref for one in read_lectures().lectures}


@pytest.fixture
def demo(opened_application: Application) -> Application:
    """A demo with organizers and citizens, without lectures."""
    factory = opened_application.uow_factory
    assert programme.load_campaign(factory, FACTS / "campaign.json", shift=True).ok
    seed_demo_organizers(factory, opened_application.settings.var)
    return opened_application


@pytest.fixture
def listeners(demo: Application) -> list[Listener]:
    with demo.uow_factory.begin() as uow:
        ids = [a_citizen(uow).id for _ in range(LISTENERS)]
        refs = uow.session.scalars(select(Citizen.ref).where(Citizen.id.in_(ids))).all()
    return [Listener(ref=ref, name=f"韦{n}") for n, ref in enumerate(refs)]


def write_all(demo: Application, listeners: list[Listener]) -> int:
    return write_lectures(demo.uow_factory, listeners, random.Random("lectures"))


def lectures_of(demo: Application) -> dict[Story, Activity]:
    with demo.uow_factory.begin(read_only=True) as uow:
        by_ref = {row.ref: row for row in uow.session.scalars(select(Activity))}
        uow.session.expunge_all()
    return {story: by_ref[ref] for story, ref in STORIES.items()}


def test_there_are_twelve_lectures_one_in_every_state(
    demo: Application, listeners: list[Listener], clock: FakeClock
) -> None:
    assert write_all(demo, listeners) == len(Story) == 12
    found = lectures_of(demo)
    assert {story: row.state for story, row in found.items()} == {
        **dict.fromkeys(Story, ActivityState.PUBLISHED),
        Story.DRAFT: ActivityState.DRAFT,
        Story.REVIEW: ActivityState.REVIEW,
        Story.POSTPONED: ActivityState.POSTPONED,
        Story.CANCELLED: ActivityState.CANCELLED,
        Story.CLOSED: ActivityState.CLOSED,
    }
    phases = {
        story: phase_at(row, clock.now())
        for story, row in found.items()
        if row.state is ActivityState.PUBLISHED
    }
    assert phases == {
        Story.SOON: SignUpPhase.NOT_OPEN,
        Story.OPEN: SignUpPhase.OPEN,
        Story.FULL: SignUpPhase.OPEN,
        Story.LOTTERY: SignUpPhase.LOTTERY,
        Story.DRAWN: SignUpPhase.OPEN,
        Story.OFFERED: SignUpPhase.OPEN,
        Story.RUNNING: SignUpPhase.CLOSED,
    }
    running = found[Story.RUNNING]
    assert running.starts_at < clock.now() < running.ends_at
    assert found[Story.SOON].ref == RUSH
    assert found[Story.SOON].signup_opens_at == clock.now() + OPENS_IN


def test_most_have_a_poster_of_their_own_and_some_have_none(
    demo: Application, listeners: list[Listener]
) -> None:
    write_all(demo, listeners)
    names = [row.poster for row in lectures_of(demo).values()]
    drawn = {name for name in names if name is not None}
    assert (len(drawn), names.count(None)) == (8, 4)
    with demo.uow_factory.begin(read_only=True) as uow:
        for name in drawn:
            whole = activities.poster_content(uow, name)
            small = activities.small_poster_content(uow, name)
            sizes = [opened(one or b"").size for one in (whole, small)]
            assert sizes == [(1440, 810), (240, 240)]


def test_they_are_in_several_cities_of_several_kinds_and_in_both_series(
    demo: Application, listeners: list[Listener]
) -> None:
    write_all(demo, listeners)
    rows = lectures_of(demo).values()
    with demo.uow_factory.begin(read_only=True) as uow:
        series = uow.session.scalars(select(ActivitySeries.title)).all()
    assert len({row.city for row in rows}) >= 5
    assert len({row.kind for row in rows}) >= 4
    assert sorted(series) == ["八桂讲坛·大众科普", "和谐社区，全民科普"]
    assert all(row.latitude and row.longitude and row.county for row in rows)
    assert all("演示" in row.speaker for row in rows if row.speaker)


def test_their_seats_and_waitlists_are_what_the_rules_make_of_them(
    demo: Application, listeners: list[Listener]
) -> None:
    write_all(demo, listeners)
    found = lectures_of(demo)
    states: dict[Story, Counter[SignUpState]] = {}
    with demo.uow_factory.begin(read_only=True) as uow:
        for story, row in found.items():
            lecture = Lecture(id=row.id, ref=row.ref)
            assert stored_counts(uow, lecture) == recount(uow, lecture), story
            if row.state is ActivityState.PUBLISHED and story is not Story.RUNNING:
                assert list(find_breaks(take_snapshot(uow, lecture))) == [], story
            rows = uow.session.scalars(select(SignUp.state).where(SignUp.activity_id == row.id))
            states[story] = Counter(rows)
    confirmed, waiting = SignUpState.CONFIRMED, SignUpState.WAITLISTED
    assert states[Story.SOON] == states[Story.DRAFT] == states[Story.REVIEW] == Counter()
    assert set(states[Story.OPEN]) == {confirmed}
    assert set(states[Story.FULL]) == set(states[Story.DRAWN]) == {confirmed, waiting}
    assert set(states[Story.LOTTERY]) == {SignUpState.ENTERED}
    assert states[Story.OFFERED][SignUpState.OFFERED] > 0
    assert set(states[Story.CANCELLED]) == {SignUpState.CALLED_OFF}
    assert set(states[Story.RUNNING]) == set(states[Story.CLOSED]) == {confirmed}


def test_the_halls_of_a_whole_season_are_full_or_not_as_their_stories_say() -> None:
    listeners = [Listener(ref=f"cit_{n}", name="韦") for n in range(season_lectures._WHOLE)]
    chance = random.Random("season:lectures")
    for one in season_lectures._plan_lectures(read_lectures().lectures, listeners, chance):
        people, story = sum(size for _, size, _ in one.people), one.facts.story
        assert (one.seats, len(one.people)) == (one.facts.seats, one.facts.people)
        if story in (Story.FULL, Story.LOTTERY, Story.DRAWN, Story.OFFERED):
            assert people > one.seats + 5, story
        elif one.people:
            assert people < one.seats - 5, story


def test_people_have_come_to_the_one_that_runs_and_to_the_one_that_is_over(
    demo: Application, listeners: list[Listener]
) -> None:
    write_all(demo, listeners)
    found = lectures_of(demo)
    with demo.uow_factory.begin(read_only=True) as uow:
        for story in (Story.RUNNING, Story.CLOSED):
            lecture = found[story]
            places = uow.session.scalars(
                select(SignUp).where(SignUp.activity_id == lecture.id)
            ).all()
            came = checkin.attended_signups(uow, lecture.id)
            people = sum(one.party_size for one in places if one.id in came)
            hall = checkin.read_counters(uow, lecture.id)
            assert 0 < len(came) < len(places)
            assert hall.admitted == hall.inside == people
            absent = {one.id for one in places if one.absent_at is not None}
            assert absent == ({one.id for one in places} - came if story is Story.CLOSED else set())
            scans = uow.session.execute(
                select(ScanRecord.at, ScanRecord.way).where(ScanRecord.activity_id == lecture.id)
            ).all()
            assert all(lecture.starts_at - timedelta(hours=1) < at <= uow.now for at, _ in scans)
            assert {way for _, way in scans} == {AdmissionWay.SCAN, AdmissionWay.SELF}
        facts = uow.session.scalars(
            select(Participation.source_ref).where(Participation.kind == "attended")
        ).all()
        attended = uow.session.scalar(select(func.count()).select_from(Admission))
        said = uow.session.scalars(select(ActivityFeedback.citizen_id)).all()
        guests = uow.session.scalars(
            select(SignUp.citizen_id)
            .join(Admission, Admission.signup_id == SignUp.id)
            .where(SignUp.activity_id == found[Story.CLOSED].id)
        ).all()
    assert len(facts) == attended > 0
    assert len(said) >= 5
    assert set(said) <= set(guests)


def test_nobody_is_in_two_of_them_at_the_same_time_or_in_more_than_allowed(
    demo: Application, listeners: list[Listener]
) -> None:
    write_all(demo, listeners)
    with demo.uow_factory.begin(read_only=True) as uow:
        held = uow.session.execute(
            select(SignUp.citizen_id, Activity.starts_at, Activity.ends_at)
            .join(Activity, Activity.id == SignUp.activity_id)
            .where(SignUp.state.in_(SEATED))
            .order_by(SignUp.citizen_id, Activity.starts_at)
        ).all()
        most = uow.session.scalars(
            select(func.count())
            .where(SignUp.state.in_(LIVE), SignUp.citizen_id.is_not(None))
            .group_by(SignUp.citizen_id)
        ).all()
        allowed = uow.settings.signups.most_places
    for one, other in pairwise(held):
        assert one.citizen_id != other.citizen_id or one.ends_at <= other.starts_at
    assert max(most) <= allowed


def test_one_opens_two_minutes_after_it_was_written(
    demo: Application, listeners: list[Listener], clock: FakeClock
) -> None:
    write_all(demo, listeners)
    with demo.uow_factory.begin(read_only=True) as uow:
        citizen = uow.session.scalars(
            select(Citizen.id).where(Citizen.ref == listeners[0].ref)
        ).one()

    def sign_up() -> SignUpState:
        with demo.uow_factory.begin() as uow:
            return signups.sign_up(uow, citizen, RUSH, signups.Wish()).state

    clock.advance((OPENS_IN - timedelta(seconds=1)).total_seconds())
    with pytest.raises(SignUpNotOpen):
        sign_up()
    clock.advance(1)
    assert sign_up() is SignUpState.CONFIRMED


def test_writing_that_was_interrupted_goes_on_and_ends_like_an_unbroken_one(
    demo: Application, listeners: list[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = season_lectures._write_lecture, 0

    def fail_at_the_fifth(*given: object) -> None:
        nonlocal written
        written += 1
        if written == 5:
            raise ConnectionError
        write(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(season_lectures, "_write_lecture", fail_at_the_fifth)
    with pytest.raises(ConnectionError):
        write_all(demo, listeners)
    monkeypatch.undo()
    assert write_all(demo, listeners) == 8
    assert write_all(demo, listeners) == 0
    with demo.uow_factory.begin(read_only=True) as uow:
        places = uow.session.scalar(select(func.count()).select_from(SignUp))
    assert places == sum(
        len(one.people)
        for one in season_lectures._plan_lectures(
            read_lectures().lectures, listeners, random.Random("lectures")
        )
    )


def test_the_changes_are_in_the_trail_and_their_letters_are_told(
    demo: Application, listeners: list[Listener]
) -> None:
    write_all(demo, listeners)
    with demo.uow_factory.begin(read_only=True) as uow:
        acts = Counter(uow.session.scalars(select(AuditRecord.act)))
    assert acts["activities.publish_activity"] == 10
    assert acts["activities.postpone_activity"] == acts["activities.cancel_activity"] == 1
    while tell_notices(demo.task_context):
        continue
    with demo.uow_factory.begin(read_only=True) as uow:
        left = uow.session.scalars(select(SignUpNotice.id).where(SignUpNotice.told_at.is_(None)))
        assert left.all() == []
