"""The people of an audience: every filter in every scope, and the frozen rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from server.accounts.models import Citizen
from server.announcements.audience.freezing import MOST_DAYS, freeze_audience
from server.announcements.audience.rule import (
    AudienceRule,
    CameBy,
    ContestResult,
    SignedUp,
    SignUpBand,
    read_rule,
    rule_content,
)
from server.announcements.audience.selecting import (
    count_audience,
    count_recipients,
    select_audience,
)
from server.announcements.enums import Channel, RecipientState, TryState
from server.announcements.errors import TooManyDays
from server.announcements.models import Announcement, Recipient, SendTry
from server.base.access import REGION, Organizer, Role, Scope
from server.base.outbox_rows import OutboxState
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.signups.kinds import SignUpState
from tests.kit.accounts import a_citizen
from tests.kit.announcements import a_recipient, an_announcement
from tests.kit.audiences import Population, Someone, draw_population
from tests.kit.boards import an_entry, hand_in
from tests.kit.checkin import add_unseated, open_lecture, seat_citizen
from tests.kit.contests import a_contest

Meets = Callable[[Someone], bool]
NANNING = Scope(city="450100")
XINGNING = Scope(city="450100", county="450103")


def scopes_of(population: Population) -> list[tuple[Scope, Meets]]:
    unit_id = next(one.unit_id for one in population.people if one.unit_id is not None)
    unit = Scope(city="450100", county="450103", unit_id=unit_id)
    return [
        (REGION, lambda _: True),
        (NANNING, lambda one: one.city == "450100"),
        (XINGNING, lambda one: one.county == "450103"),
        (unit, lambda one: one.unit_id == unit_id),
    ]


def filters_of(population: Population) -> list[tuple[dict[str, Any], Meets]]:
    """JSON of each filter, with the same condition in Python; also filters that reach elsewhere."""
    first, second = population.lectures
    both = [first.ref, second.ref]
    contest = {"contest": population.contest.ref}
    return [
        ({}, lambda _: True),
        ({"cities": ["450200"]}, lambda one: one.city == "450200"),
        ({"cities": ["450100", "450200"]}, lambda one: one.city is not None),
        ({"counties": ["450203"]}, lambda one: one.county == "450203"),
        (
            {"cities": ["450200"], "counties": ["450103"]},
            lambda one: one.city == "450200" or one.county == "450103",
        ),
        ({"units": [population.unit_ref]}, lambda one: one.unit_id is not None),
        ({"units": ["no-such-unit"]}, lambda _: False),
        ({"topics": ["lectures", "quiz"]}, lambda one: bool({"lectures", "quiz"} & {*one.topics})),
        ({"topics": ["lecture"]}, lambda _: False),
        ({"contest": contest}, lambda one: one.entered),
        ({"contest": {"contest": "no-such-contest"}}, lambda _: False),
        ({"signups": {"activities": [first.ref]}}, lambda one: first.id in one.signed_up),
        ({"signups": {"activities": both}}, lambda one: bool(one.signed_up)),
        ({"signups": {"activities": ["act_none"]}}, lambda _: False),
        ({"signups": {"first_day": "2000-01-01"}}, lambda one: bool(one.signed_up)),
        ({"signups": {"last_day": "2000-01-01"}}, lambda _: False),
        ({"came_by": {"scenes": ["poster-1"]}}, lambda one: "poster-1" in one.scenes),
        ({"came_by": {"scenes": ["poster-%", "' OR '1'='1"]}}, lambda _: False),
        ({"took_part": {"programme": "quiz-contest"}}, lambda _: False),
    ]


def test_no_filter_escapes_the_place_and_the_snapshot_has_exactly_the_counted_people(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        population = draw_population(uow, random.Random(20260501), 120)
        reached = 0
        for scope, inside in scopes_of(population):
            for stored, meets in filters_of(population):
                expected = {
                    one.id
                    for one in population.people
                    if not (one.erased or one.off or "bases" in one.muted)
                    and inside(one)
                    and meets(one)
                }
                row = an_announcement(
                    uow, scope=scope, audience=stored, topic="bases", starts_at=uow.now
                )
                people = select_audience(uow, scope, read_rule(stored), "bases")
                assert sorted(uow.session.scalars(people)) == sorted(expected), (scope, stored)
                assert count_recipients(uow, row) == len(expected)
                assert freeze_audience(uow, row) == len(expected) == row.audience_size
                frozen = select(Recipient.citizen_id).where(Recipient.announcement_id == row.id)
                assert set(uow.session.scalars(frozen)) == expected
                reached += len(expected)
        assert reached > 500


def test_two_filters_hold_together(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        population = draw_population(uow, random.Random(7), 60)
        found = filters_of(population)
        # Cities and counties are one condition.
        parts = [next(iter(one), "").replace("counties", "cities") for one, _ in found]
        pairs = [
            (one, other)
            for one, part in zip(found, parts, strict=True)
            for other, another in zip(found, parts, strict=True)
            if part != another
        ]
        for (left, meets), (right, also) in pairs:
            people = select_audience(uow, NANNING, read_rule(left | right), None)
            assert set(uow.session.scalars(people)) == {
                one.id
                for one in population.people
                if not (one.erased or one.off) and one.city == "450100" and meets(one) and also(one)
            }, (left, right)


def test_a_topic_turned_off_leaves_the_next_count_at_once(uow_factory: UnitOfWorkFactory) -> None:
    organizer = Organizer(id=1, name="韦", role=Role.EDITOR, scope=NANNING, place="南宁市")
    with uow_factory.begin() as uow:
        person = a_citizen(uow, city="450100", topics=["lectures"])
        assert count_audience(uow, organizer, AudienceRule(topics=("lectures",)), "lectures") == 1
        muted = update(Citizen).where(Citizen.id == person.id)
        uow.session.execute(muted.values(muted_topics=["lectures"]))
        assert count_audience(uow, organizer, AudienceRule(topics=("lectures",)), "lectures") == 0
        assert count_audience(uow, organizer, AudienceRule(), "quiz") == 1


def test_the_states_of_a_signup_select_its_people(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        lecture, other = open_lecture(uow, seats=9), open_lecture(uow, seats=9)
        seated, absent = (seat_citizen(uow, lecture) for _ in range(2))
        absent.absent_at = uow.now
        waiting = add_unseated(uow, lecture, SignUpState.WAITLISTED)
        entered = add_unseated(uow, lecture, SignUpState.ENTERED)
        add_unseated(uow, lecture, SignUpState.WITHDRAWN)
        seat_citizen(uow, other)
        expected = {
            (SignUpBand.CONFIRMED,): {seated, absent},
            (SignUpBand.WAITLISTED,): {waiting, entered},
            (SignUpBand.ABSENT,): {absent},
            (SignUpBand.ATTENDED,): set(),
            (SignUpBand.WAITLISTED, SignUpBand.ABSENT): {waiting, entered, absent},
            (): {seated, absent, waiting, entered},
        }
        for states, rows in expected.items():
            rule = AudienceRule(signups=SignedUp(activities=(lecture.ref,), states=states))
            people = select_audience(uow, REGION, rule)
            assert sorted(uow.session.scalars(people)) == sorted(
                row.citizen_id or 0 for row in rows
            )


def test_score_and_rank_are_those_of_the_board(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        people = [a_citizen(uow).id for _ in range(4)]
        scores = (100, 80, 60)
        for citizen_id, score in zip(people, scores, strict=False):
            hand_in(uow, contest, an_entry(uow, contest, citizen_id), score=score)
        an_entry(uow, contest, people[3])

        def chosen(**band: Any) -> list[int]:
            rule = AudienceRule(contest=ContestResult(contest=contest.ref, **band))
            return sorted(uow.session.scalars(select_audience(uow, REGION, rule)))

        assert chosen() == people
        assert chosen(completed=True) == people[:3]
        assert chosen(minimum_score=80) == people[:2]
        assert chosen(minimum_score=81) == people[:1]
        assert chosen(best_rank=2, last_rank=3) == people[1:3]
        assert chosen(last_rank=1, completed=True) == people[:1]
        assert chosen(best_rank=4) == []


def test_a_scene_counts_within_its_days(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        population = draw_population(uow, random.Random(3), 40)
        today = uow.now.date()
        came = {o.id for o in population.people if "poster-2" in o.scenes and not o.erased | o.off}

        def chosen(**days: Any) -> set[int]:
            rule = AudienceRule(came_by=CameBy(scenes=("poster-2",), **days))
            return set(uow.session.scalars(select_audience(uow, REGION, rule)))

        assert came
        assert chosen(first_day=today, last_day=today) == came
        assert chosen(last_day=today - timedelta(days=1)) == set()
        assert chosen(first_day=today + timedelta(days=1)) == set()


PROCESSED = (
    RecipientState.SENT,
    RecipientState.REFUSED,
    RecipientState.UNKNOWN,
    RecipientState.IN_DOUBT,
    RecipientState.CLAIMED,
)


def test_a_correction_goes_to_exactly_those_who_got_the_wrong_one(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        wrong = an_announcement(uow, scope=NANNING)
        rows = {}
        for state in RecipientState:
            person = a_citizen(uow, city="450200", announcements_off=True)
            rows[state] = a_recipient(uow, wrong, person.id, state=state)
        got = {rows[state].citizen_id for state in PROCESSED}
        for state in (RecipientState.QUEUED, RecipientState.CANCELLED):
            tried = a_recipient(uow, wrong, a_citizen(uow).id, state=state)
            _note_try(uow, tried)
            got.add(tried.citizen_id)
        erased = a_recipient(uow, wrong, a_citizen(uow).id, state=RecipientState.SENT)
        gone = update(Citizen).where(Citizen.id == erased.citizen_id)
        uow.session.execute(gone.values(erased_at=uow.now))
        rule = AudienceRule(correction_of=wrong.ref)
        for scope in (NANNING, REGION):
            assert set(uow.session.scalars(select_audience(uow, scope, rule))) == got
        for scope in (Scope(city="450200"), XINGNING):
            assert list(uow.session.scalars(select_audience(uow, scope, rule))) == []
        nothing = AudienceRule(correction_of="ann_none")
        assert list(uow.session.scalars(select_audience(uow, REGION, nothing))) == []


def _note_try(uow: UnitOfWork, row: Recipient) -> None:
    uow.session.add(
        SendTry(
            recipient_id=row.id, channel=Channel.TEMPLATE, state=TryState.REFUSED,
            client_msg_id=f"try-{row.id}", made_at=uow.now,
        )
    )  # fmt: skip
    uow.session.flush()


def _frozen(uow: UnitOfWork, row: Announcement) -> list[Recipient]:
    rows = select(Recipient).where(Recipient.announcement_id == row.id).order_by(Recipient.id)
    return list(uow.session.scalars(rows))


def test_frozen_rows_wait_in_the_ledger_until_the_start(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        start = uow.now + timedelta(hours=3)
        people = [a_citizen(uow).id for _ in range(3)]
        row = an_announcement(uow, starts_at=start, audience=rule_content(AudienceRule()))
        assert freeze_audience(uow, row) == 3
        frozen = _frozen(uow, row)
        assert [one.citizen_id for one in frozen] == people
        assert {one.state for one in frozen} == {RecipientState.QUEUED}
        assert {(one.outbox_state, one.outbox_due_at) for one in frozen} == {
            (OutboxState.QUEUED, start)
        }
        assert {(one.outbox_since, one.outbox_tries) for one in frozen} == {(uow.now, 0)}


def test_a_split_makes_as_many_due_each_day(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        for _ in range(7):
            a_citizen(uow)
        row = an_announcement(uow, starts_at=uow.now, per_day=3)
        freeze_audience(uow, row)
        days = [
            (one.outbox_due_at - uow.now).days for one in _frozen(uow, row) if one.outbox_due_at
        ]
        assert days == [0, 0, 0, 1, 1, 1, 2]


def test_a_split_over_too_many_days_is_refused(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        for _ in range(MOST_DAYS + 1):
            a_citizen(uow, consented=False)
        fitting = an_announcement(uow, starts_at=uow.now, per_day=2)
        assert freeze_audience(uow, fitting) == MOST_DAYS + 1
        slow = an_announcement(uow, starts_at=uow.now, per_day=1)
        with pytest.raises(TooManyDays):
            freeze_audience(uow, slow)
