"""The lectures of the demo's season: one in every state, with people who signed up.

Each lecture is one transaction, written through the functions that serve organizers and citizens,
so that histories and letters are what they would be. All dates are relative to the moment of
writing; one opens its sign-up two minutes later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from server.accounts import service as accounts
from server.activities import service as activities
from server.activities.service import ActivityDraft, ActivityKind, MadePoster
from server.base.access import Organizer
from server.base.clock import BEIJING, beijing_day
from server.base.ids import derived_ref
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.checkin import service as checkin
from server.checkin.service import AdmissionWay, PastAdmission, PastFeedback
from server.demo.lecture_posters import Motif, draw_lecture_poster
from server.organizers import service as organizers
from server.signups import service as signups
from server.signups.service import Contact, NewSignUp

if TYPE_CHECKING:
    from random import Random  # noqa: TID251 - only the type of an argument; creates no generator

_DATA = Path(__file__).with_name("data") / "lectures.json"
# The lecture whose sign-up opens soon after the first start; the command `rush` plays its opening.
RUSH = "rush-stars"
OPENS_IN = timedelta(minutes=2)
# Numbers of seats and people in the file are for a season with this many people who logged in.
_WHOLE = 1310
_FEWEST = 4
# Seats that were given up a short time ago, and are offered to the waitlist.
_GIVEN_UP = 2
# A round time about 20 minutes ago.
_RUNNING_SINCE, _ROUND_MINUTES = timedelta(minutes=20), 10


# People arrive from half an hour before the start until ten minutes after it.
_DOORS_OPEN, _ARRIVING = timedelta(minutes=30), timedelta(minutes=40)
_SAID_AFTER = timedelta(hours=2)
_GATES, _SELF_EVERY = ("东门", "西门"), 4


class Story(StrEnum):
    """State of a lecture."""

    DRAFT = "draft"
    REVIEW = "review"
    SOON = "soon"
    OPEN = "open"
    FULL = "full"
    LOTTERY = "lottery"
    DRAWN = "drawn"
    OFFERED = "offered"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    RUNNING = "running"
    CLOSED = "closed"


# The share of the people with seats who have come.
_SHARE_WHO_CAME = {Story.RUNNING: 0.6, Story.CLOSED: 0.8}
# How many days ago the sign-up opened, at nine.
_OPENED = {Story.LOTTERY: 1, Story.DRAWN: 4, Story.CLOSED: 12}
_OPENED_BY_DEFAULT, _OPENING = 3, time(9)
# When the lottery is drawn, relative to now.
_DRAWN = {Story.LOTTERY: timedelta(days=2), Story.DRAWN: timedelta(minutes=-30)}


class SeriesFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A series of the data file."""

    key: str
    title: str
    programme: str
    introduction: str


class LectureFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A lecture of the data file.

    Units: `day` is relative to today, `at` a time of day in Beijing, empty for one that runs now;
    `people` are sign-ups, each of up to `party_max` persons; degrees of GCJ-02. `feedback` are
    ratings with words, of the people who came first. `motif` is the figure of its poster.
    """

    ref: str
    story: Story
    kind: ActivityKind
    title: str
    speaker: str
    speaker_post: str
    speaker_bio: str
    abstract: str
    audiences: tuple[str, ...]
    city: str
    county: str
    venue: str
    address: str
    latitude: float
    longitude: float
    day: int
    at: str
    minutes: int
    seats: int
    people: int
    owner: str = "region"
    series: str | None = None
    number: int | None = None
    programme: str | None = None
    party_max: int = 1
    offer_minutes: int = 0
    notes: str = ""
    questions: str = ""
    reason: str = ""
    feedback: tuple[tuple[int, str], ...] = ()
    motif: Motif | None = None

    def starts_at(self, now: datetime) -> datetime:
        """The start, for a season written now."""
        if self.story is Story.RUNNING:
            since = now - _RUNNING_SINCE
            return since.replace(
                minute=since.minute // _ROUND_MINUTES * _ROUND_MINUTES, second=0, microsecond=0
            )
        day = beijing_day(now) + timedelta(days=self.day)
        return datetime.combine(day, time.fromisoformat(self.at), BEIJING)

    def opens_at(self, now: datetime) -> datetime:
        """The opening of the sign-up, for a season written now."""
        if self.story is Story.SOON:
            return now + OPENS_IN
        days = _OPENED.get(self.story, _OPENED_BY_DEFAULT)
        return datetime.combine(beijing_day(now) - timedelta(days=days), _OPENING, BEIJING)


class LecturesFile(msgspec.Struct, frozen=True, kw_only=True):
    """The data file."""

    source: str
    series: tuple[SeriesFacts, ...]
    lectures: tuple[LectureFacts, ...]


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A citizen of the season who may sign up."""

    ref: str
    name: str


@dataclass(frozen=True, kw_only=True)
class _Planned:
    """A lecture with its people, each with the size of the party and the moment of signing up.

    Units: moments are shares of the time from the opening of the sign-up until now.
    """

    facts: LectureFacts
    seats: int
    people: tuple[tuple[Listener, int, float], ...]
    poster: MadePoster | None = None


_READ = msgspec.json.Decoder(LecturesFile)


def read_lectures() -> LecturesFile:
    """The data file of the lectures."""
    return _READ.decode(_DATA.read_bytes())


def write_lectures(
    uow_factory: UnitOfWorkFactory, listeners: Sequence[Listener], chance: Random
) -> int:
    """Write the lectures that do not exist yet; return how many."""
    file = read_lectures()
    planned = _plan_lectures(file.lectures, listeners, chance)
    with uow_factory.begin(read_only=True) as uow:
        known = activities.known_activities(uow, [one.ref for one in file.lectures])
    missing = [one for one in planned if one.facts.ref not in known]
    for one in missing:
        # Drawn before the transaction, because drawing takes a while.
        one = replace(one, poster=_draw_poster(one.facts))
        with uow_factory.begin() as uow:
            _write_lecture(uow, file.series, one)
    return len(missing)


def _draw_poster(facts: LectureFacts) -> MadePoster | None:
    if facts.motif is None:
        return None
    return draw_lecture_poster(facts.motif, facts.title, facts.speaker)


def _plan_lectures(
    lectures: Sequence[LectureFacts], listeners: Sequence[Listener], chance: Random
) -> list[_Planned]:
    """Deal the listeners to the lectures in turn, so that each has a few places at most."""
    turn = chance.sample(list(listeners), len(listeners))
    planned, at = [], 0
    for facts in lectures:
        count = min(len(turn), _scale_count(facts.people, len(turn)))
        people = [turn[(at + n) % len(turn)] for n in range(count)]
        at += count
        sizes = [chance.choice((1, 1, *range(1, facts.party_max + 1))) for _ in people]
        moments = sorted(chance.random() for _ in people)
        seats = max(facts.party_max, _scale_count(facts.seats, len(turn)))
        planned.append(
            _Planned(
                facts=facts,
                seats=facts.seats if not people else seats,
                people=tuple(zip(people, sizes, moments, strict=True)),
            )
        )
    return planned


def _scale_count(stated: int, listeners: int) -> int:
    """A stated number for a season with so many people who logged in."""
    return stated if not stated else max(_FEWEST, stated * listeners // _WHOLE)


def _write_lecture(uow: UnitOfWork, series: Sequence[SeriesFacts], planned: _Planned) -> None:
    facts = planned.facts
    editor = organizers.organizer_by_username(uow, f"editor-{facts.owner}")
    of_series = next((one for one in series if one.key == facts.series), None)
    draft = _draft_of(uow, editor, planned, of_series)
    activities.write_activity(uow, editor, draft, ref=facts.ref)
    if facts.story is Story.DRAFT:
        return
    activities.send_activity(uow, editor, facts.ref)
    if facts.story is Story.REVIEW:
        return
    approver = organizers.organizer_by_username(uow, f"approver-{facts.owner}")
    activities.publish_activity(uow, approver, facts.ref)
    given_up = _GIVEN_UP if facts.story is Story.OFFERED else 0
    people = _new_signups(uow, planned, draft)
    signups.add_signups(uow, facts.ref, people, given_up=given_up)
    if facts.story in _SHARE_WHO_CAME:
        _admit_people(uow, facts, draft, people)
    _end_story(uow, editor, facts)


def _admit_people(
    uow: UnitOfWork, facts: LectureFacts, draft: ActivityDraft, people: Sequence[NewSignUp]
) -> None:
    """Check in the first part of the people: from a while before the start, by two gates."""
    coming = people[: max(1, int(len(people) * _SHARE_WHO_CAME[facts.story]))]
    ids = signups.ids_of_signups(uow, [one.ref for one in coming])
    first = draft.starts_at - _DOORS_OPEN
    spread = min(_ARRIVING, uow.now - first) / len(coming)
    came = [
        PastAdmission(
            signup_id=ids[one.ref],
            nonce=derived_ref("scn", one.ref),
            at=first + spread * n,
            way=AdmissionWay.SELF if n % _SELF_EVERY == 0 else AdmissionWay.SCAN,
            gate=_GATES[n % len(_GATES)],
        )
        for n, one in enumerate(coming)
    ]
    activity_id = activities.times_of_ref(uow, facts.ref).id
    checkin.add_admissions(uow, activity_id, came)
    given = [
        PastFeedback(
            citizen_id=one.citizen_id, rating=rating, words=words, at=draft.ends_at + _SAID_AFTER
        )
        for one, (rating, words) in zip(coming, facts.feedback, strict=False)
    ]
    checkin.add_feedback(uow, activity_id, given)


def _end_story(uow: UnitOfWork, editor: Organizer, facts: LectureFacts) -> None:
    """Do what happened after people had signed up."""
    activity_id = activities.times_of_ref(uow, facts.ref).id
    match facts.story:
        case Story.DRAWN:
            signups.draw_lottery(uow, activity_id)
        case Story.POSTPONED:
            signups.postpone_activity(uow, editor, facts.ref, facts.reason)
        case Story.CANCELLED:
            signups.cancel_activity(uow, editor, facts.ref, facts.reason)
        case Story.CLOSED:
            signups.close_activity(uow, activity_id)
            checkin.note_attendance(uow, activity_id)
        case _:
            pass


def _add_series(uow: UnitOfWork, editor: Organizer, facts: SeriesFacts) -> int:
    new = activities.NewSeries(
        ref=f"season-{facts.key}",
        title=facts.title,
        programme=facts.programme,
        introduction=facts.introduction,
    )
    return activities.add_series(uow, editor.scope, new)


def _draft_of(
    uow: UnitOfWork, editor: Organizer, planned: _Planned, series: SeriesFacts | None
) -> ActivityDraft:
    facts = planned.facts
    start = facts.starts_at(uow.now)
    drawn = _DRAWN.get(facts.story)
    return ActivityDraft(
        kind=facts.kind, title=facts.title, venue=facts.venue, address=facts.address,
        starts_at=start, ends_at=start + timedelta(minutes=facts.minutes),
        signup_opens_at=facts.opens_at(uow.now),
        signup_closes_at=start, draw_at=None if drawn is None else uow.now + drawn,
        seats=planned.seats, party_max=facts.party_max, offer_minutes=facts.offer_minutes,
        programme=facts.programme if series is None else series.programme,
        series_id=None if series is None else _add_series(uow, editor, series),
        series_number=facts.number,
        speaker=facts.speaker, speaker_post=facts.speaker_post, speaker_bio=facts.speaker_bio,
        abstract=facts.abstract, audiences=facts.audiences, city=facts.city, county=facts.county,
        latitude=round(facts.latitude * 1_000_000), longitude=round(facts.longitude * 1_000_000),
        poster=None if planned.poster is None else activities.keep_poster(uow, planned.poster),
        notes=facts.notes, questions=activities.read_lines(facts.questions),
    )  # fmt: skip


def _new_signups(uow: UnitOfWork, planned: _Planned, draft: ActivityDraft) -> list[NewSignUp]:
    ids = accounts.ids_of_refs(uow, [one.ref for one, *_ in planned.people])
    first, last = draft.signup_opens_at, min(uow.now, draft.signup_closes_at)
    return [
        NewSignUp(
            ref=derived_ref("sgn", f"{planned.facts.ref}:{one.ref}"),
            citizen_id=ids[one.ref],
            party_size=size,
            made_at=first + (last - first) * moment,
            contact=Contact(name=one.name),
        )
        for one, size, moment in planned.people
    ]
